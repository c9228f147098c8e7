//! What a run found, each thing once.

use std::collections::BTreeMap;

use crate::check::Violation;
use crate::overlay::Overlay;

/// Counts and findings of a run.
#[derive(Default)]
pub(crate) struct Report {
    /// Requests, answers and results that were checked.
    pub(crate) checks: usize,
    /// Violations that the overlay excuses.
    pub(crate) excused: usize,
    violations: BTreeMap<Violation, Met>,
    problems: Vec<String>,
}

/// How often, where first, and what was said there.
struct Met {
    times: usize,
    first: String,
    message: String,
}

impl Report {
    /// Counts a check and what it found; `overlay` is given where it excuses.
    pub(crate) fn checked(&mut self, found: Vec<Violation>, overlay: Option<&mut Overlay>, place: &str) {
        self.checks += 1;
        let mut overlay = overlay;
        for mut violation in found {
            if overlay.as_mut().is_some_and(|overlay| overlay.excuses(&violation)) {
                self.excused += 1;
                continue;
            }
            let message = std::mem::take(&mut violation.finding.message);
            violation.finding.at = anywhere(&violation.finding.at);
            let first = || Met { times: 0, first: place.to_owned(), message };
            self.violations.entry(violation).or_insert_with(first).times += 1;
        }
    }

    /// Something wrong that is no violation of a document.
    pub(crate) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    pub(crate) fn violations(&self) -> usize {
        self.violations.len()
    }

    pub(crate) fn passed(&self) -> bool {
        self.violations.is_empty() && self.problems.is_empty()
    }

    /// One line for each finding.
    pub(crate) fn lines(&self) -> Vec<String> {
        let violations = self.violations.iter().map(|(violation, Met { times, first, message })| {
            let more = if *times == 1 { String::new() } else { format!(", {times} times") };
            format!("{violation} {message}\n    first in: {first}{more}")
        });
        violations.chain(self.problems.iter().cloned()).collect()
    }
}

/// A pointer with `*` for the places in lists: what is wrong with every entry is one thing.
fn anywhere(at: &str) -> String {
    let parts = at.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Finding, Kind, Side};

    #[test]
    fn the_same_thing_is_said_once() {
        let mut report = Report::default();
        for (at, message) in
            [("/value/0/id", "first"), ("/value/10/id", "second"), ("/value/0/name", "third")]
        {
            let finding =
                Finding { at: at.to_owned(), kind: Kind::Null, value: None, message: message.to_owned() };
            let violation = Violation { operation: "GET /v1/a".to_owned(), side: Side::Answer(200), finding };
            report.checked(vec![violation], None, message);
        }
        report.problem("GET /v1/b: not driven".to_owned());
        assert_eq!((report.checks, report.violations(), report.passed()), (3, 2, false));
        assert_eq!(
            report.lines(),
            [
                "GET /v1/a -> 200: /value/*/id [null] first\n    first in: first, 2 times",
                "GET /v1/a -> 200: /value/*/name [null] third\n    first in: third",
                "GET /v1/b: not driven",
            ]
        );
    }
}
