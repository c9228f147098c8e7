//! `cargo xtask bugs`: bugs that are planted on purpose, each of which a test must catch.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::{FOLDER, harness};
use crate::workspace::Workspace;

/// The bugs. The sources have each as `cfg!(selvedge_bug = "...")`.
const BUGS: [&str; 6] = [
    "counts-throttling",
    "ignores-retry-after",
    "keeps-dropped-permits",
    "multiplies-retries",
    "no-generation-guard",
    "retries-once",
];

/// Runs the unit tests without a bug, and then once with each; `true` when none fails without one, and at least one with
/// each. The last line counts the bugs as libtest counts tests.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let folder = format!("{FOLDER}/src/");
    let sources = workspace.files()?;
    let sources = sources.iter().filter(|file| file.path.starts_with(&folder));
    let planted: BTreeSet<&str> = sources.flat_map(|file| planted(&file.text)).collect();
    ensure!(planted.iter().eq(&BUGS), "the sources have {planted:?}, and the list {BUGS:?}");

    let failed = failures(workspace, None)?;
    ensure!(failed.is_empty(), "these fail without a bug: {failed:?}");
    let mut caught = 0;
    for bug in BUGS {
        let failed = failures(workspace, Some(&format!("selvedge_bug=\"{bug}\"")))?;
        match failed.split_first() {
            None => println!("bug {bug} ... not caught by any test"),
            Some((test, others)) => {
                caught += 1;
                println!("bug {bug} ... caught by {test} and {} more", others.len());
            }
        }
    }
    let missed = BUGS.len() - caught;
    let verdict = if missed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {caught} passed; {missed} failed");
    Ok(missed == 0)
}

/// The tests that fail with `cfg`.
fn failures(workspace: &Workspace, cfg: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut command = Command::new(harness::build(workspace, cfg)?);
    let output = command
        .current_dir(workspace.root.join(FOLDER))
        // It would keep in the sources what fails for a bug's sake.
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
        .stdin(Stdio::null())
        .output()
        .context("run the tests")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let failed = failed(&printed);
    let ended = printed.lines().any(|line| line.starts_with("test result: "));
    ensure!(ended && output.status.success() == failed.is_empty(), "the tests with {cfg:?} broke off");
    Ok(failed)
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
