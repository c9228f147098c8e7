//! Which package may depend on which: the drawing in ARCHITECTURE.md, as data.

use super::Violation;
use crate::workspace::{Dependency, DependencyKind, Package, Workspace};

const EMULATOR: &str = "selvedge-fabric-emulator";
/// What starts servers for tasks and tests.
const DRIVER: &str = "driver";

/// Each member, and the members below it.
const GRAPH: &[(&str, &[&str])] = &[
    (
        "selvedge",
        &[
            "selvedge-deployment",
            "selvedge-fabric-client",
            EMULATOR,
            "selvedge-observability",
            "selvedge-resilience",
            "selvedge-rollback",
            "selvedge-secrets",
        ],
    ),
    // The stack that it measures is the cli's own.
    (
        "bench",
        &[DRIVER, "selvedge", "selvedge-fabric-client", "selvedge-observability", "selvedge-resilience"],
    ),
    ("conformance", &[EMULATOR]),
    // It runs the program, and knows nothing of what it is made of.
    (DRIVER, &[]),
    ("selvedge-deployment", &["selvedge-fabric-client", "selvedge-resilience", "selvedge-rollback"]),
    ("selvedge-fabric-client", &["selvedge-resilience"]),
    (EMULATOR, &[]),
    // Libraries emit `tracing`; what becomes of it is the program's.
    ("selvedge-observability", &[]),
    ("selvedge-resilience", &[]),
    ("selvedge-rollback", &[]),
    // What it sends goes through what it is given: `azure_core`'s `HttpClient`.
    ("selvedge-secrets", &[]),
    ("xtask", &[DRIVER]),
];

/// Dependencies that only these members may have, for tests either.
const CONFINED: &[(&str, &[&str])] = &[
    ("figment", &["selvedge"]),
    ("figment2", &["selvedge"]),
    ("clap", &["selvedge", "xtask", "bench", "conformance"]),
    ("anyhow", &["selvedge", "xtask", "bench", "conformance", DRIVER]),
];

/// Members that are about a mechanism, and how the names of what they must not know begin. Examples and tests may.
const IGNORANT: &[(&str, &[&str])] = &[
    // HTTP's vocabulary, the crate `http`, is an optional part of it; nothing that sends or serves is.
    ("selvedge-resilience", &["http-body", "hyper", "reqwest", "axum", "azure"]),
    ("selvedge-rollback", &["http", "hyper", "reqwest", "axum", "azure"]),
    // Whoever embeds it gives it a transport, and so decides about retries.
    ("selvedge-secrets", &["hyper", "reqwest", "axum", "tower"]),
];

/// The rules that look at who depends on whom.
pub(super) fn check(workspace: &Workspace) -> Vec<Violation> {
    let member = |name: &str| workspace.packages.iter().any(|package| package.name == name);
    let mut violations = Vec::new();
    for package in &workspace.packages {
        let path = workspace.relative(&package.manifest_path);
        let mut add = |rule, message| violations.push(Violation::new(&path, None, rule, message));
        if !GRAPH.iter().any(|(name, _)| *name == package.name) {
            let message =
                format!("`{}` has no place in the crate graph of xtask/src/tidy/graph.rs", package.name);
            add("crate-graph", message);
            continue;
        }
        for dependency in &package.dependencies {
            let Dependency { name, .. } = dependency;
            let ours = member(name) || name.starts_with("selvedge") || get(GRAPH, name).is_some();
            if ours && !is_below(package, dependency) {
                add("crate-graph", format!("`{}` must not depend on `{name}`", package.name));
            }
            if let Some(owners) = get(CONFINED, name).filter(|it| !it.contains(&&*package.name)) {
                add("dependency", format!("only {} may depend on `{name}`", owners.join(" and ")));
            }
            let unknown = get(IGNORANT, &package.name).unwrap_or_default();
            let for_tests = dependency.kind == Some(DependencyKind::Dev);
            if !for_tests && unknown.iter().any(|word| begins(name, word)) {
                add("dependency", format!("`{}` must know nothing of `{name}`", package.name));
            }
        }
    }
    violations
}

fn is_below(package: &Package, dependency: &Dependency) -> bool {
    let below = get(GRAPH, &package.name).unwrap_or_default();
    let for_tests = dependency.kind == Some(DependencyKind::Dev)
        && match &*dependency.name {
            EMULATOR => package.name != EMULATOR,
            // Who has a program that can be started.
            DRIVER => package.name == "selvedge",
            // Clients of the emulator sign in as the program does.
            "selvedge-secrets" => ["selvedge-deployment", "selvedge-fabric-client"].contains(&&*package.name),
            _ => false,
        };
    below.contains(&&*dependency.name) || for_tests
}

fn get(table: &[(&str, &'static [&'static str])], name: &str) -> Option<&'static [&'static str]> {
    let row = table.iter().find(|(key, _)| *key == name)?;
    Some(row.1)
}

/// Whether `name` is `word`, or begins with it and goes on after a separator.
fn begins(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::printed;
    use std::path::PathBuf;

    /// What is said about `package` where it depends on `dependency`.
    fn broken(package: &str, dependency: &str, kind: Option<DependencyKind>) -> String {
        let dependencies = vec![Dependency { name: dependency.to_owned(), kind }];
        printed(check(&Workspace {
            root: PathBuf::from("root"),
            target: PathBuf::from("root/target"),
            packages: vec![Package {
                name: package.to_owned(),
                manifest_path: PathBuf::from("root/a/Cargo.toml"),
                dependencies,
            }],
        }))
    }

    #[test]
    fn dependencies_point_down() {
        let dev = Some(DependencyKind::Dev);
        let cases = [
            ("selvedge", "selvedge-rollback", None, true),
            ("selvedge", "selvedge-secrets", None, true),
            ("selvedge-secrets", "selvedge-fabric-client", None, false),
            ("selvedge-secrets", "selvedge-resilience", None, false),
            ("selvedge-secrets", EMULATOR, dev, true),
            ("selvedge-deployment", "selvedge-secrets", None, false),
            ("selvedge-deployment", "selvedge-secrets", dev, true),
            ("selvedge-rollback", "selvedge-secrets", dev, false),
            ("selvedge-deployment", "selvedge-fabric-client", None, true),
            ("selvedge-deployment", "selvedge", None, false),
            ("selvedge-deployment", EMULATOR, None, false),
            ("selvedge-deployment", EMULATOR, Some(DependencyKind::Build), false),
            ("selvedge-deployment", EMULATOR, dev, true),
            ("selvedge", "selvedge-observability", None, true),
            ("selvedge-deployment", "selvedge-observability", None, false),
            ("selvedge-fabric-client", "selvedge-observability", dev, false),
            ("selvedge-observability", "selvedge-fabric-client", None, false),
            ("selvedge-rollback", "selvedge-resilience", None, false),
            ("selvedge-rollback", "selvedge-resilience", dev, false),
            (EMULATOR, "selvedge-fabric-client", dev, false),
            (EMULATOR, EMULATOR, dev, false),
            ("xtask", "selvedge", None, false),
            ("bench", "selvedge", None, true),
            ("bench", EMULATOR, None, false),
            ("xtask", DRIVER, None, true),
            ("selvedge", DRIVER, None, false),
            ("selvedge", DRIVER, dev, true),
            ("selvedge-deployment", DRIVER, dev, false),
            (DRIVER, "selvedge", dev, false),
            (DRIVER, EMULATOR, None, false),
            ("conformance", EMULATOR, None, true),
            ("conformance", "selvedge-fabric-client", None, false),
        ];
        for (package, dependency, kind, fine) in cases {
            let expected = if fine {
                String::new()
            } else {
                format!("a/Cargo.toml: [crate-graph] `{package}` must not depend on `{dependency}`")
            };
            assert_eq!(broken(package, dependency, kind), expected);
        }
    }

    #[test]
    fn a_new_member_takes_its_place() {
        assert_eq!(
            broken("selvedge-core", "serde", None),
            "a/Cargo.toml: [crate-graph] `selvedge-core` has no place in the crate graph of xtask/src/tidy/graph.rs"
        );
    }

    #[test]
    fn mechanisms_know_no_http() {
        for name in ["http-body-util", "hyper-util", "reqwest", "axum", "azure_core"] {
            for package in ["selvedge-resilience", "selvedge-rollback"] {
                assert_eq!(
                    broken(package, name, None),
                    format!("a/Cargo.toml: [dependency] `{package}` must know nothing of `{name}`")
                );
                assert_eq!(broken(package, name, Some(DependencyKind::Dev)), "");
            }
            assert_eq!(broken("selvedge-fabric-client", name, None), "");
        }
        assert_eq!(broken("selvedge-resilience", "http", None), "");
        assert!(broken("selvedge-rollback", "http", None).contains("must know nothing of `http`"));
    }

    #[test]
    fn settings_and_command_line_stay_in_the_cli() {
        let cases = [
            ("figment2", "xtask", "selvedge"),
            ("figment", "selvedge-deployment", "selvedge"),
            ("clap", "selvedge-fabric-emulator", "selvedge and xtask and bench and conformance"),
            ("anyhow", "selvedge-rollback", "selvedge and xtask and bench and conformance and driver"),
        ];
        for (name, package, owners) in cases {
            assert_eq!(
                broken(package, name, None),
                format!("a/Cargo.toml: [dependency] only {owners} may depend on `{name}`")
            );
            assert_eq!(broken("selvedge", name, None), "");
        }
    }
}
