//! How many tests passed and failed, from what the test runners print.

use std::fmt;
use std::ops::AddAssign;

/// Tests that ran.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// A test runner with its own way to count.
#[derive(Clone, Copy)]
pub(super) enum Reporter {
    /// One summary, the last: `Summary [   0.1s] 3 tests run: 2 passed (1 slow), 1 timed out, 0 skipped`.
    Nextest,
    /// One line for each binary or bundle: `test result: ok. 2 passed; 0 failed; 0 ignored; ..`.
    Libtest,
    /// Two lines for each run of Python's: `Ran 3 tests in 0.1s` and, where not all is well, `FAILED (errors=1)`.
    Unittest,
}

impl Reporter {
    /// The counts after `line`, where they were `counts` before it.
    pub(super) fn read(self, line: &str, counts: Option<Counts>) -> Option<Counts> {
        match self {
            Self::Nextest => nextest(line).or(counts),
            Self::Libtest => match (libtest(line), counts) {
                (Some(new), Some(mut sum)) => {
                    sum += new;
                    Some(sum)
                }
                (new, old) => new.or(old),
            },
            Self::Unittest => unittest(line, counts.unwrap_or_default()).or(counts),
        }
    }
}

fn nextest(line: &str) -> Option<Counts> {
    let summary = line.trim_start().strip_prefix("Summary [")?;
    let (_, results) = summary.split_once(" run: ")?;
    count(without_remarks(results).split(','))
}

fn libtest(line: &str) -> Option<Counts> {
    let (_, results) = line.strip_prefix("test result: ")?.split_once(". ")?;
    // The time that follows the counts is not one of them.
    count(results.split(';').take_while(|part| !part.contains("finished")))
}

/// `counts` after a line of `unittest`. What is not right with some of the tests comes after how many there are; a test
/// can fail more than once, and a whole class before its first test ran.
fn unittest(line: &str, mut counts: Counts) -> Option<Counts> {
    if let Some(tests) = line.strip_prefix("Ran ") {
        let (number, _) = tests.split_once(" test")?;
        counts.passed += number.parse::<u64>().ok()?;
        return Some(counts);
    }
    let remarks = line.strip_prefix("FAILED (").or_else(|| line.strip_prefix("OK ("))?;
    for remark in remarks.trim_end().trim_end_matches(')').split(", ") {
        let (what, number) = remark.split_once('=')?;
        let number: u64 = number.parse().ok()?;
        counts.passed = counts.passed.saturating_sub(number);
        if !matches!(what, "skipped" | "expected failures") {
            counts.failed += number;
        }
    }
    Some(counts)
}

/// Sums parts such as `2 passed`. Whatever did not pass and was not left out has failed: `1 timed out`.
fn count<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Counts> {
    let mut counts = Counts::default();
    for part in parts {
        let (number, what) = part.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "passed" => counts.passed += number,
            "skipped" | "ignored" | "measured" | "filtered out" => {}
            _ => counts.failed += number,
        }
    }
    Some(counts)
}

/// `text` without what stands in round brackets, and the space before.
fn without_remarks(text: &str) -> String {
    let mut parts = text.split(" (");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reporter: Reporter, output: &str) -> Option<Counts> {
        output.lines().fold(None, |counts, line| reporter.read(line, counts))
    }

    #[test]
    fn nextest_is_counted_by_its_last_summary() {
        let cases = [
            ("Summary [   0.005s] 3 tests run: 3 passed, 0 skipped", Some((3, 0))),
            ("     Summary [   0.1s] 1 test run: 1 passed, 0 skipped", Some((1, 0))),
            (
                "Summary [  12.3s] 9/20 tests run: 5 passed (1 slow, 1 leaky), 2 failed, 1 exec failed, 1 timed out, 4 skipped",
                Some((5, 4)),
            ),
            (
                "    Summary [ 1s] 8 tests run: 8 passed, 0 skipped\nSummary [ 1s] 2 tests run: 1 passed, 1 failed (1 due to being leaky), 0 skipped",
                Some((1, 1)),
            ),
            ("Summary [   0.000s] 0 tests run: 0 passed, 0 skipped", Some((0, 0))),
            ("error: could not compile `selvedge`", None),
            ("Summary [   0.1s] nothing", None),
        ];
        for (output, expected) in cases {
            let expected = expected.map(|(passed, failed)| Counts { passed, failed });
            assert_eq!(read(Reporter::Nextest, output), expected, "{output}");
        }
    }

    #[test]
    fn libtest_is_counted_by_the_sum_of_its_results() {
        let rest = "0 ignored; 1 measured; 2 filtered out; finished in 0.41s";
        let output = format!(
            "running 3 tests\ntest a ... ok\ntest result: FAILED. 2 passed; 1 failed; {rest}\n\n\
             test result: ok. 4 passed; 0 failed; {rest}\n"
        );
        let expected = Counts { passed: 6, failed: 1 };
        assert_eq!(read(Reporter::Libtest, &output), Some(expected));
        assert_eq!(read(Reporter::Libtest, "running 3 tests"), None);
    }

    #[test]
    fn unittest_is_counted_by_the_sum_of_its_runs() {
        let cases = [
            ("test_a (m.C.test_a) ... ok\nRan 1 test in 0.001s\n\nOK", Some((1, 0))),
            ("Ran 5 tests in 1.2s\n\nFAILED (failures=1, errors=2, skipped=1)", Some((1, 3))),
            ("Ran 3 tests in 1.2s\n\nOK (skipped=1, expected failures=1)", Some((1, 0))),
            ("Ran 4 tests in 1s\n\nOK\n==> more\nRan 2 tests in 1s\n\nFAILED (failures=1)", Some((5, 1))),
            ("Ran 0 tests in 0.1s\n\nFAILED (errors=1)", Some((0, 1))),
            ("OK\nRan away", None),
        ];
        for (output, expected) in cases {
            let expected = expected.map(|(passed, failed)| Counts { passed, failed });
            assert_eq!(read(Reporter::Unittest, output), expected, "{output}");
        }
    }

    #[test]
    fn the_last_line_reads_as_promised() {
        let counts = Counts { passed: 7, failed: 2 };
        assert_eq!(counts.to_string(), "7 passed, 2 failed");
    }
}
