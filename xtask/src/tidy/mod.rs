//! `cargo xtask tidy`: the invariants that a program can check and clippy cannot. CONTRIBUTING.md says why each exists.
//!
//! Each check is a pure function from what the files say to violations; only [`run`] reads.

mod graph;
mod lexer;
mod links;
mod manifest;
mod source;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use crate::workspace::{File, Workspace};

/// One broken rule, at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    line: Option<usize>,
    rule: &'static str,
    message: String,
}

impl Violation {
    fn new(path: &str, line: Option<usize>, rule: &'static str, message: String) -> Self {
        Self { path: path.to_owned(), line, rule, message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": [{}] {}", self.rule, self.message)
    }
}

/// A file that may break a rule, and why.
struct Exception {
    rule: &'static str,
    path: &'static str,
    reason: &'static str,
}

/// The written exceptions. One that nothing needs any more is itself a violation.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        rule: "size",
        path: "docs/commands.md",
        reason: "`cargo xtask codegen` writes it, and it is looked up, not read",
    },
    Exception {
        rule: "unfinished",
        path: "crates/cli/tests/cli/azurite/mod.rs",
        reason: "`cargo xtask azurite` installs the server that these tests need, and runs them all",
    },
    Exception {
        rule: "unfinished",
        path: "crates/cli/tests/cli/monitoring/provoked.rs",
        reason: "`cargo xtask monitoring` installs the tool that these tests need, and runs them all",
    },
];

/// Lists every violation; `true` when there is none.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let files = workspace.files()?;
    let violations = excuse(EXCEPTIONS, check(workspace, &files));
    for violation in &violations {
        println!("{violation}");
    }
    println!("tidy: {} files, {} violations", files.len(), violations.len());
    Ok(violations.is_empty())
}

fn check(workspace: &Workspace, files: &[File]) -> Vec<Violation> {
    let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let manifests: BTreeSet<String> =
        workspace.packages.iter().map(|package| workspace.relative(&package.manifest_path)).collect();
    let manifests: Vec<&File> = files.iter().filter(|file| manifests.contains(&file.path)).collect();

    let mut violations = graph::check(workspace);
    violations.extend(manifest::check(&manifests));
    // Cargo and npm write them.
    let locks = ["Cargo.lock", "package-lock.json"];
    let written_by_us = files.iter().filter(|file| !file.path.rsplit('/').any(|name| locks.contains(&name)));
    for file in written_by_us {
        violations.extend(text::check(file));
        if file.path.ends_with(".rs") {
            violations.extend(source::check(file));
        }
        if file.path.ends_with(".md") {
            violations.extend(links::check(file, &known));
        }
    }
    violations.sort();
    violations
}

/// Takes out what `exceptions` excuse, and reports those that excuse nothing.
fn excuse(exceptions: &[Exception], violations: Vec<Violation>) -> Vec<Violation> {
    let covers = |exception: &Exception, violation: &Violation| {
        (exception.rule, exception.path) == (violation.rule, violation.path.as_str())
    };
    let idle = exceptions.iter().filter(|exception| !violations.iter().any(|it| covers(exception, it))).map(
        |exception| {
            let Exception { rule, path, reason } = exception;
            let message = format!("no longer needs its exception from `{rule}` ({reason}); remove it");
            Violation::new(path, None, "exception", message)
        },
    );
    let mut left: Vec<Violation> = idle.collect();
    left.extend(
        violations.into_iter().filter(|it| !exceptions.iter().any(|exception| covers(exception, it))),
    );
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as the checks get it.
    pub(super) fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    /// What `violations` print, one a line.
    pub(super) fn printed(violations: Vec<Violation>) -> String {
        let lines: Vec<String> = violations.iter().map(Violation::to_string).collect();
        lines.join("\n")
    }

    const LONG: Exception = Exception { rule: "size", path: "long.rs", reason: "one table" };

    #[test]
    fn an_exception_excuses_one_rule_in_one_file() {
        let violation = |path, rule| Violation::new(path, None, rule, "broken".to_owned());
        let left = excuse(
            &[LONG],
            vec![
                violation("long.rs", "size"),
                violation("long.rs", "printing"),
                violation("other.rs", "size"),
            ],
        );
        assert_eq!(printed(left), "long.rs: [printing] broken\nother.rs: [size] broken");
    }

    #[test]
    fn an_exception_that_excuses_nothing_is_reported() {
        assert_eq!(
            printed(excuse(&[LONG], Vec::new())),
            "long.rs: [exception] no longer needs its exception from `size` (one table); remove it"
        );
    }

    #[test]
    fn every_kind_of_file_gets_its_checks() {
        let workspace: Workspace = serde_json::from_str(
            r#"{"workspace_root": "/r", "target_directory": "/r/target", "packages": [{
                "name": "selvedge-rollback", "manifest_path": "/r/crates/rollback/Cargo.toml",
                "dependencies": [{"name": "selvedge-fabric-client", "kind": null}]}]}"#,
        )
        .unwrap();
        let files = [
            file("Cargo.lock", &"line\n".repeat(500)),
            file("a/fuzz/Cargo.lock", &"line\n".repeat(500)),
            file("README.md", "[gone](docs/gone.md)"),
            file("crates/rollback/Cargo.toml", "[package]\n"),
            file("crates/rollback/src/lib.rs", "fn f() {}\n"),
            file("docs/long.md", &"line\n".repeat(401)),
        ];
        let rules: Vec<&str> = check(&workspace, &files).iter().map(|it| it.rule).collect();
        assert_eq!(rules, ["link", "crate-graph", "lints", "module-doc", "size"]);
    }
}
