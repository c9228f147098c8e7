//! Rules of the members' manifests: the workspace's lints, and one version of what several share.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::workspace::File;

/// The rules that look at all `manifests` of the members together.
pub(super) fn check(manifests: &[&File]) -> Vec<Violation> {
    let parsed: Vec<(&File, Manifest<'_>)> =
        manifests.iter().map(|file| (*file, Manifest::parse(&file.text))).collect();
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, manifest) in &parsed {
        for dependency in &manifest.dependencies {
            users.entry(dependency.name).or_default().insert(&file.path);
        }
    }
    let mut violations = Vec::new();
    for (file, manifest) in &parsed {
        if !manifest.inherits_lints {
            let message = "says no `[lints] workspace = true`".to_owned();
            violations.push(Violation::new(&file.path, None, "lints", message));
        }
        let shared = |name: &str| users.get(name).is_some_and(|users| users.len() > 1);
        for dependency in manifest.dependencies.iter().filter(|it| !it.inherited && shared(it.name)) {
            let message = format!(
                "`{}` is used by several packages: name it in the root's [workspace.dependencies]",
                dependency.name
            );
            let line = Some(dependency.line);
            violations.push(Violation::new(&file.path, line, "shared-dependency", message));
        }
    }
    violations
}

/// As much of a manifest as the rules need, read line by line: a TOML parser would be one dependency more.
#[derive(Default)]
struct Manifest<'a> {
    inherits_lints: bool,
    dependencies: Vec<Entry<'a>>,
}

struct Entry<'a> {
    line: usize,
    name: &'a str,
    inherited: bool,
}

impl<'a> Manifest<'a> {
    fn parse(text: &'a str) -> Self {
        let mut manifest = Self::default();
        let mut section = "";
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            let mut depend = |name, inherited| {
                let line = n + 1;
                manifest.dependencies.push(Entry { line, name, inherited });
            };
            if let Some(header) = line.strip_prefix('[') {
                section = header.trim_end_matches(']').trim();
                if let Some(name) = single_dependency(section) {
                    depend(name, false);
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let (key, value) = (key.trim(), value.trim());
            let inherits = |key: &str| key == "workspace" && value.starts_with("true");
            if section == "lints" {
                manifest.inherits_lints |= inherits(key);
            } else if is_dependencies(section) {
                let (name, rest) = key.split_once('.').unwrap_or((key, ""));
                let spaceless: String = value.split_whitespace().collect();
                depend(name, inherits(rest) || spaceless.contains("workspace=true"));
            } else if single_dependency(section).is_some()
                && inherits(key)
                && let Some(last) = manifest.dependencies.last_mut()
            {
                last.inherited = true;
            }
        }
        manifest
    }
}

/// Whether `section` is a table of dependencies, of any kind and for any target.
fn is_dependencies(section: &str) -> bool {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .any(|kind| section == *kind || section.ends_with(&format!(".{kind}")))
}

/// The name in a header such as `[dependencies.NAME]`.
fn single_dependency(section: &str) -> Option<&str> {
    let (table, name) = section.rsplit_once('.')?;
    is_dependencies(table).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::{file, printed};

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn broken(manifests: &[(&str, &str)]) -> String {
        let files: Vec<File> = manifests.iter().map(|(path, text)| file(path, text)).collect();
        printed(check(&files.iter().collect::<Vec<_>>()))
    }

    #[test]
    fn every_package_inherits_the_lints() {
        assert_eq!(broken(&[("a/Cargo.toml", LINTS)]), "");
        for text in ["", "[lints]\nworkspace = false", "[package]\nworkspace = true", "[lints.rust]\n"] {
            assert_eq!(
                broken(&[("a/Cargo.toml", text)]),
                "a/Cargo.toml: [lints] says no `[lints] workspace = true`",
                "{text}"
            );
        }
    }

    #[test]
    fn what_two_packages_share_is_named_once() {
        let other = format!("{LINTS}[dependencies]\nserde.workspace = true");
        let cases = [
            ("[dependencies]\nserde = \"1\"", Some(4)),
            ("[dev-dependencies]\nserde = { version = \"1\" }", Some(4)),
            ("[target.'cfg(unix)'.build-dependencies]\nserde.version = \"1\"", Some(4)),
            ("[dependencies.serde]\nversion = \"1\"", Some(3)),
            ("[dependencies.serde]\nworkspace = true", None),
            ("[dependencies]\nserde = { workspace=true, optional = true }", None),
            ("[dependencies]\ntempfile = \"3\"", None),
            ("[features]\nserde = [\"dep:serde\"]", None),
        ];
        for (text, line) in cases {
            let expected = line.map_or(String::new(), |line| {
                format!("a/Cargo.toml:{line}: [shared-dependency] `serde` is used by several packages: name it in the root's [workspace.dependencies]")
            });
            let text = format!("{LINTS}{text}");
            assert_eq!(broken(&[("a/Cargo.toml", &text), ("b/Cargo.toml", &other)]), expected, "{text}");
        }
    }
}
