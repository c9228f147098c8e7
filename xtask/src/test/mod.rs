//! `cargo xtask test`: every check in order, up to the first that fails, and how many tests ran.

mod counts;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::{tools::Tool, workspace::Workspace};
use counts::{Counts, Reporter};

/// One command of the list.
struct Step {
    name: &'static str,
    command: Vec<String>,
    variables: &'static [(&'static str, &'static str)],
    /// Who counts tests in its output.
    reporter: Option<Reporter>,
}

/// Runs the steps; `true` when all pass. The last line printed is `N passed, N failed`.
pub(crate) fn run(workspace: &Workspace, quick: bool, specs: Option<&Path>) -> anyhow::Result<bool> {
    // The steps run in the workspace's root, wherever this one was started.
    let specs = specs.map(std::path::absolute).transpose()?;
    // Where the tests write what they send; that of an earlier run would be checked again.
    let requests = workspace.target.join("tmp").join("requests");
    if requests.exists() {
        fs::remove_dir_all(&requests).context("remove the requests of the last run")?;
    }
    let mut total = Counts::default();
    let mut passed = true;
    for step in steps(NEXTEST.command(workspace)?, quick, specs.as_deref(), &requests) {
        println!("==> {}: {}", step.name, step.shown());
        let (success, counts) = step.run(workspace)?;
        total += counts;
        if !success {
            println!("==> {} failed; run it again with\n    {}", step.name, step.shown());
            passed = false;
            break;
        }
    }
    if specs.is_none() {
        println!(
            "==> left out: conformance; `--specs DIR` adds it, with a checkout of fabric-rest-api-specs"
        );
    }
    println!("{total}");
    Ok(passed)
}

/// Cheapest first. `quick` leaves out what compiles the workspace once more, and what needs more than cargo.
fn steps(nextest: Vec<String>, quick: bool, specs: Option<&Path>, requests: &Path) -> Vec<Step> {
    let plain = |name, command: &str| Step { name, command: words(command), variables: &[], reporter: None };
    let mut tests = nextest;
    tests.extend(words("run --workspace --no-fail-fast"));

    let mut steps = vec![
        plain("format", "cargo fmt --all -- --check"),
        plain("tidy", "cargo xtask tidy"),
        plain("codegen", "cargo xtask codegen --check"),
    ];
    if !quick {
        steps.push(plain("clippy", "cargo clippy --workspace --all-targets -- -D warnings"));
        for library in LIBRARIES {
            let command = format!("cargo clippy -p selvedge-{library} --no-default-features -- -D warnings");
            steps.push(plain("alone", &command));
        }
        steps.push(Step {
            variables: &[("RUSTDOCFLAGS", "-D warnings")],
            ..plain("documentation", "cargo doc --workspace --no-deps")
        });
    }
    steps.push(Step {
        name: "tests",
        command: tests,
        variables: COLOURLESS,
        reporter: Some(Reporter::Nextest),
    });
    if let Some(specs) = specs {
        let mut conformance = plain("conformance", "cargo xtask conformance --specs");
        let log = "--log".to_owned();
        conformance.command.extend([specs.display().to_string(), log, requests.display().to_string()]);
        steps.push(conformance);
    }
    if !quick {
        steps.push(Step {
            variables: COLOURLESS,
            reporter: Some(Reporter::Libtest),
            ..plain("doctests", "cargo test --doc --workspace --no-fail-fast")
        });
        for name in ["loom", "bugs"] {
            let command = format!("cargo xtask {name}");
            steps.push(Step { reporter: Some(Reporter::Libtest), ..plain(name, &command) });
        }
        steps.push(Step {
            variables: COLOURLESS,
            reporter: Some(Reporter::Nextest),
            ..plain("azurite", "cargo xtask azurite")
        });
        steps.push(Step {
            variables: COLOURLESS,
            reporter: Some(Reporter::Nextest),
            ..plain("monitoring", "cargo xtask monitoring")
        });
        steps.push(plain("deploy", "cargo xtask lint-deploy"));
        // A quarter of it, another one each day.
        steps.push(plain("crash-matrix", "cargo xtask crash-matrix"));
        steps.push(plain("demo", "cargo xtask demo --check"));
        steps.push(Step { reporter: Some(Reporter::Unittest), ..plain("clients", "cargo xtask clients") });
    }
    steps
}

/// Who embeds one of these has not the features that the others would switch on in it.
const LIBRARIES: [&str; 5] = ["resilience", "fabric-client", "rollback", "deployment", "fabric-emulator"];

/// Escape sequences would stand between the words of a summary.
const COLOURLESS: &[(&str, &str)] = &[("CARGO_TERM_COLOR", "never")];

/// It runs on our compiler and counts as `counts.rs` reads.
pub(crate) const NEXTEST: Tool = Tool { name: "nextest", version: "0.9.143" };

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

impl Step {
    /// The command as one types it.
    fn shown(&self) -> String {
        let variables = self.variables.iter();
        let mut parts: Vec<String> = variables.map(|(name, value)| format!("{name}='{value}'")).collect();
        parts.extend(self.command.iter().cloned());
        parts.join(" ")
    }

    /// Whether the step passes, and the tests it counts; its output is shown as it comes.
    fn run(&self, workspace: &Workspace) -> anyhow::Result<(bool, Counts)> {
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            .envs(self.variables.iter().copied())
            // Whoever starts us must not decide whether two runs share their artifacts.
            .env_remove("CARGO_INCREMENTAL")
            .current_dir(&workspace.root)
            .stdin(Stdio::null());
        let failed_to_run = || format!("run `{}`", self.shown());
        let Some(reporter) = self.reporter else {
            let status = command.status().with_context(failed_to_run)?;
            return Ok((status.success(), Counts::default()));
        };

        let (output, input) = std::io::pipe()?;
        command.stdout(input.try_clone()?).stderr(input);
        let mut child = command.spawn().with_context(failed_to_run)?;
        // It holds our copies of the pipe's other end: the output would never end.
        drop(command);
        let mut counts = None;
        for line in BufReader::new(output).split(b'\n') {
            let line = line.with_context(failed_to_run)?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts = reporter.read(&line, counts);
        }
        let status = child.wait().with_context(failed_to_run)?;
        if status.success() && counts.is_none() {
            println!("==> found no count of tests in this output");
        }
        let success = status.success() && counts.is_some_and(|counts| counts.failed == 0);
        Ok((success, counts.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(quick: bool, specs: Option<&str>) -> Vec<String> {
        let steps = steps(words("cargo nextest"), quick, specs.map(Path::new), Path::new("requests"));
        steps.iter().map(Step::shown).collect()
    }

    #[test]
    fn a_quick_run_is_part_of_the_whole_run() {
        let (whole, quick) = (shown(false, None), shown(true, None));
        assert_eq!(
            quick,
            [
                "cargo fmt --all -- --check",
                "cargo xtask tidy",
                "cargo xtask codegen --check",
                "CARGO_TERM_COLOR='never' cargo nextest run --workspace --no-fail-fast",
            ]
        );
        assert!(quick.iter().all(|step| whole.contains(step)));
        for proof in ["loom", "bugs", "crash-matrix", "lint-deploy"] {
            let proof = format!("cargo xtask {proof}");
            assert!(whole.contains(&proof), "{proof}");
        }
        assert!(whole.contains(&"RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps".to_owned()));
    }

    #[test]
    fn conformance_needs_the_documents() {
        let conformance = "cargo xtask conformance --specs some/where --log requests";
        for quick in [true, false] {
            assert!(shown(quick, Some("some/where")).iter().any(|step| step == conformance));
            assert!(!shown(quick, None).iter().any(|step| step.contains("conformance")));
        }
    }
}
