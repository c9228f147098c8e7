//! Relative links of Markdown files lead to a file or folder of the project.

use std::collections::BTreeSet;

use super::Violation;
use crate::workspace::File;

/// Finds the links of `file` that lead nowhere; `known` are the paths of all files.
pub(super) fn check(file: &File, known: &BTreeSet<&str>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut fenced = false;
    for (n, line) in file.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for target in targets(&without_code(line)) {
            let Some(path) = relative_path(target) else {
                continue;
            };
            if !resolve(&file.path, path).is_some_and(|path| exists(known, &path)) {
                let message = format!("`{target}` leads to no file of the project");
                violations.push(Violation::new(&file.path, Some(n + 1), "link", message));
            }
        }
    }
    violations
}

/// `line` without its code spans: what looks like a link there is none.
fn without_code(line: &str) -> String {
    let mut parts: Vec<&str> = line.split('`').collect();
    // An odd number of backticks leaves the last one open; it is then an ordinary character.
    let open = parts.len().is_multiple_of(2).then(|| parts.pop()).flatten();
    let outside = parts.into_iter().step_by(2).chain(open);
    outside.collect()
}

/// The targets of `[text](target)` and of a definition `[name]: target`.
fn targets(line: &str) -> Vec<&str> {
    let inline = line.match_indices("](").filter_map(|(at, open)| line[at + open.len()..].split(')').next());
    let definition =
        line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    inline.chain(definition).map(first_word).collect()
}

/// A target without the title that may follow it, and without angle brackets.
fn first_word(target: &str) -> &str {
    let target = target.split_whitespace().next().unwrap_or_default();
    target.trim_start_matches('<').trim_end_matches('>')
}

/// The path of `target`, unless it is a place in this file or an address elsewhere.
fn relative_path(target: &str) -> Option<&str> {
    let path = target.split(['#', '?']).next()?;
    let elsewhere = path.contains("://") || path.starts_with("mailto:");
    (!path.is_empty() && !elsewhere).then_some(path)
}

/// The path from the root that `link` means in the file `from`; `None` where it leaves the project.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    if link.starts_with('/') {
        parts.clear();
    }
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn exists(known: &BTreeSet<&str>, path: &str) -> bool {
    let folder = format!("{path}/");
    path.is_empty()
        || known.contains(path)
        || known.range(folder.as_str()..).next().is_some_and(|first| first.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::{file, printed};

    #[test]
    fn relative_links_resolve() {
        let known = BTreeSet::from(["README.md", "docs/a.md", "docs/b.md", "docs.txt"]);
        let cases = [
            ("[b](b.md) [b](./b.md#part) ![b](b.md \"title\")", None),
            ("[up](../README.md) [root](/docs/a.md) [folder](../docs/) [top](..)", None),
            ("[here](#part) [web](https://host.example/a) [mail](mailto:a@b.example)", None),
            ("`[code](gone.md)` and ` one [b](b.md)", None),
            ("```\n[fenced](gone.md)\n```", None),
            ("[b]: b.md", None),
            ("[gone](gone.md)", Some("1: [link] `gone.md`")),
            ("\n[gone]: gone.md", Some("2: [link] `gone.md`")),
            ("[out](../../README.md)", Some("1: [link] `../../README.md`")),
            ("[half](../doc)", Some("1: [link] `../doc`")),
            ("`code` [gone](<gone.md>)", Some("1: [link] `gone.md`")),
        ];
        for (text, broken) in cases {
            let expected = broken.map_or(String::new(), |broken| {
                format!("docs/a.md:{broken} leads to no file of the project")
            });
            assert_eq!(printed(check(&file("docs/a.md", text), &known)), expected, "{text}");
        }
    }
}
