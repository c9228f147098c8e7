//! Rules of every text file: its length, what it must not name, words that promise too much.

use super::Violation;
use crate::workspace::File;

/// Longer files are read by nobody; split them by what their parts are about.
const MOST_LINES: usize = 400;
/// Top folders of somebody's machine. The project must not know on which one it is built.
const MACHINE: &[&str] = &["tmp", "root", "home", "work"];
/// Package registries, by name and domain: which one, or which mirror, is the machine's own setting.
const REGISTRIES: &[(&str, &str)] =
    &[("crates", "io"), ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("proxy.golang", "org")];
/// Promises that no client of Fabric can keep, in lower case.
const PROMISES: &[&str] = &["atomic rollback", "acid", "guaranteed rollback"];

/// The rules that look at one file of any kind.
pub(super) fn check(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    let length = file.text.lines().count();
    if length > MOST_LINES {
        let message = format!("{length} lines, at most {MOST_LINES}: split it, or write down an exception");
        violations.push(Violation::new(&file.path, None, "size", message));
    }
    for (n, line) in file.text.lines().enumerate() {
        let mut add = |rule, message| {
            violations.push(Violation::new(&file.path, Some(n + 1), rule, message));
        };
        if let Some(folder) = MACHINE.iter().find(|folder| names_folder(line, folder)) {
            add("machine", format!("names the folder /{folder} of some machine; use a relative path"));
        }
        let registry = REGISTRIES.iter().find(|(name, domain)| line.contains(&format!("{name}.{domain}")));
        if let Some((name, _)) = registry {
            add("machine", format!("names the registry {name}; leave the choice to the machine"));
        }
        if file.path.ends_with(".md")
            && let Some(promise) = PROMISES.iter().find(|promise| says(line, promise))
        {
            add(
                "word",
                format!(
                    "\"{promise}\" promises too much: say \"compensating rollback\" or \"crash-consistent\""
                ),
            );
        }
    }
    violations
}

/// Whether `line` has an absolute path into `folder`, as opposed to the middle of a longer path or of a URL.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/'))
    })
}

/// Whether `line` says `phrase`, in any case, as words of their own.
fn says(line: &str, phrase: &str) -> bool {
    let line = line.to_lowercase();
    line.match_indices(phrase).any(|(at, _)| {
        !line[..at].ends_with(char::is_alphanumeric)
            && !line[at + phrase.len()..].starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::{file, printed};

    #[test]
    fn files_stay_short() {
        let lines = |n: usize| file("docs/a.md", &"line\n".repeat(n));
        assert_eq!(printed(check(&lines(400))), "");
        assert_eq!(
            printed(check(&lines(401))),
            "docs/a.md: [size] 401 lines, at most 400: split it, or write down an exception"
        );
    }

    #[test]
    fn no_file_names_a_machine() {
        for folder in MACHINE {
            let text = format!("fine\ncp \"/{folder}/a\" b");
            assert_eq!(
                printed(check(&file(".ci/run", &text))),
                format!(
                    ".ci/run:2: [machine] names the folder /{folder} of some machine; use a relative path"
                )
            );
            let text = format!("./{folder}/a docs/{folder}/a https://host.example/{folder}/a");
            assert_eq!(printed(check(&file(".ci/run", &text))), "");
        }
    }

    #[test]
    fn no_file_names_a_registry() {
        for (name, domain) in REGISTRIES {
            let text = format!("https://index.{name}.{domain}/a");
            assert_eq!(
                printed(check(&file("deny.toml", &text))),
                format!("deny.toml:1: [machine] names the registry {name}; leave the choice to the machine")
            );
        }
        assert_eq!(printed(check(&file("deny.toml", "crates/io"))), "");
    }

    #[test]
    fn documents_promise_what_can_be_kept() {
        let cases = [
            ("An Atomic Rollback of all", Some("atomic rollback")),
            ("is ACID.", Some("acid")),
            ("a guaranteed rollback", Some("guaranteed rollback")),
            ("placid acidity", None),
            ("a compensating rollback", None),
        ];
        for (text, promise) in cases {
            let expected = promise.map_or(String::new(), |promise| {
                format!("docs/a.md:1: [word] \"{promise}\" promises too much: say \"compensating rollback\" or \"crash-consistent\"")
            });
            assert_eq!(printed(check(&file("docs/a.md", text))), expected);
            assert_eq!(printed(check(&file("src/a.rs", text))), "");
        }
    }
}
