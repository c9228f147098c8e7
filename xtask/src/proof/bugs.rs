//! `cargo xtask bugs`: bugs that are planted on purpose, each of which a test must catch.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::harness;
use crate::workspace::Workspace;

/// A package, where it is from the root, the features that its tests need, and its bugs. Its sources have each as `cfg!(selvedge_bug = "...")`.
struct Planted {
    package: &'static str,
    folder: &'static str,
    features: &'static str,
    bugs: &'static [&'static str],
}

const PLANTED: [Planted; 3] = [
    Planted {
        package: "selvedge-resilience",
        folder: "crates/resilience",
        features: "",
        bugs: &[
            "counts-throttling",
            "ignores-retry-after",
            "keeps-dropped-permits",
            "multiplies-retries",
            "no-generation-guard",
            "retries-once",
        ],
    },
    Planted {
        package: "selvedge-rollback",
        folder: "crates/rollback",
        // The simulation, which needs an object store.
        features: "simulation",
        bugs: &[
            "acknowledges-before-fsync",
            "deletes-by-name",
            "forgets-unanswered-undos",
            "no-fence",
            "skips-intent",
            "writes-over-records",
        ],
    },
    Planted {
        package: "selvedge-deployment",
        folder: "crates/deployment",
        features: "",
        bugs: &["accepts-an-empty-pre-image", "trusts-a-404"],
    },
];

/// Runs the unit tests without a bug, and then once with each; `true` when none fails without one, and at least one with
/// each. The last line counts the bugs as libtest counts tests.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let (mut caught, mut missed) = (0, 0);
    let sources = workspace.files()?;
    for package in &PLANTED {
        let folder = format!("{}/src/", package.folder);
        let sources = sources.iter().filter(|file| file.path.starts_with(&folder));
        let planted: BTreeSet<&str> = sources.flat_map(|file| planted(&file.text)).collect();
        ensure!(
            planted.iter().eq(package.bugs),
            "the sources have {planted:?}, and the list {:?}",
            package.bugs
        );

        let failed = package.failures(workspace, None)?;
        ensure!(failed.is_empty(), "these fail without a bug: {failed:?}");
        for bug in package.bugs {
            let failed = package.failures(workspace, Some(&format!("selvedge_bug=\"{bug}\"")))?;
            match failed.split_first() {
                None => {
                    missed += 1;
                    println!("bug {bug} ... not caught by any test");
                }
                Some((test, others)) => {
                    caught += 1;
                    println!("bug {bug} ... caught by {test} and {} more", others.len());
                }
            }
        }
    }
    let verdict = if missed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {caught} passed; {missed} failed");
    Ok(missed == 0)
}

impl Planted {
    /// The tests that fail with `cfg`.
    fn failures(&self, workspace: &Workspace, cfg: Option<&str>) -> anyhow::Result<Vec<String>> {
        let mut command = Command::new(harness::build(workspace, self.package, self.features, cfg)?);
        let output = command
            .current_dir(workspace.root.join(self.folder))
            // It would keep in the sources what fails for a bug's sake.
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
            .stdin(Stdio::null())
            .output()
            .context("run the tests")?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let failed = failed(&printed);
        let ended = printed.lines().any(|line| line.starts_with("test result: "));
        ensure!(
            ended && output.status.success() == failed.is_empty(),
            "the tests of {} with {cfg:?} broke off",
            self.package
        );
        Ok(failed)
    }
}

/// The bugs that a source plants.
fn planted(source: &str) -> impl Iterator<Item = &str> {
    source.split("selvedge_bug = \"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// The tests that libtest says have failed.
fn failed(output: &str) -> Vec<String> {
    let results = output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    // `should panic` and the like follow the name.
    results.map(|test| test.split(' ').next().unwrap_or(test).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_caught_a_bug_is_who_failed() {
        let output = "running 3 tests\ntest a::b ... ok\ntest a::c ... FAILED\ntest d - should panic ... FAILED\n\n\
                      failures:\n    a::c\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored\n";
        assert_eq!(failed(output), ["a::c", "d"]);
        assert_eq!(failed("test a ... ok\ntest result: ok. 1 passed; 0 failed"), [""; 0]);
    }

    #[test]
    fn a_planted_bug_is_found_in_its_source() {
        let source = "if cfg!(selvedge_bug = \"one\") { 1 } else { 2 }\n#[cfg(selvedge_bug = \"two\")]\n";
        assert_eq!(planted(source).collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(planted("fn f() {}").count(), 0);
    }
}
