//! The command reference, docs/commands.md, from the pages of help that the program's tests hold it to.

use anyhow::{Context as _, ensure};

use crate::workspace::File;

/// What is written.
pub(super) const PATH: &str = "docs/commands.md";

/// Where the pages are.
const PAGES: &str = "crates/cli/tests/help/";
/// The page of the program itself, and that of the topic.
const ROOT: &str = "selvedge";
const TOPIC: &str = "exit-codes";
/// The options that every page repeats.
const GLOBAL: &str = "Global options:";

/// The blocks of the file, each under its name.
///
/// # Errors
/// If there are no pages.
pub(super) fn blocks(files: &[File]) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut pages: Vec<(&str, &str)> = files
        .iter()
        .filter_map(|file| Some((file.path.strip_prefix(PAGES)?.strip_suffix(".txt")?, file.text.as_str())))
        .collect();
    pages.sort_unstable();
    let of = |wanted: &str| {
        let page = pages.iter().find(|(name, _)| *name == wanted);
        page.map(|(_, text)| fenced(text)).with_context(|| format!("there is no {PAGES}{wanted}.txt"))
    };
    let (root, topic) = (of(ROOT)?, of(TOPIC)?);
    let commands = pages.iter().filter(|(name, _)| ![ROOT, TOPIC].contains(name));
    let commands: Vec<String> = commands.map(|(_, text)| section(text)).collect::<Result<_, _>>()?;
    ensure!(!commands.is_empty(), "there are no pages of commands in {PAGES}");
    Ok(vec![("program", root), ("exit-codes", topic), ("commands", commands.join("\n\n"))])
}

/// A command's page under its name, without what every page repeats. A file's name does not say where a word of the command ends; the usage
/// does.
fn section(page: &str) -> anyhow::Result<String> {
    let usage =
        page.lines().find_map(|line| line.strip_prefix("Usage: ")).context("a page of help has no usage")?;
    let words: Vec<_> =
        usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<', '-'])).collect();
    Ok(format!("### {}\n\n{}", words.join(" "), fenced(&without_global(page))))
}

fn without_global(page: &str) -> String {
    let mut kept = String::new();
    let mut is_global = false;
    for line in page.lines() {
        is_global = line == GLOBAL || (is_global && (line.is_empty() || line.starts_with(' ')));
        if !is_global {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn fenced(text: &str) -> String {
    format!("```text\n{}\n```", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_the_commands_name_and_none_of_the_global_options() {
        let page = "Does it\n\nUsage: selvedge tx show [OPTIONS] <ID>\n\nOptions:\n  -h  Help\n\nGlobal options:\n  -y, --yes\n\n      --ci\n\nMore:\n  x\n";
        let expected = "### selvedge tx show\n\n```text\nDoes it\n\nUsage: selvedge tx show [OPTIONS] <ID>\n\nOptions:\n  -h  Help\n\nMore:\n  x\n```";
        assert_eq!(section(page).unwrap(), expected);
        assert!(section("no page").is_err());
    }

    #[test]
    fn pages_become_blocks() {
        let file =
            |name: &str, text: &str| File { path: format!("{PAGES}{name}.txt"), text: text.to_owned() };
        let page = |words: &str| format!("Usage: {words} [OPTIONS]\n");
        let files = [
            file("selvedge", "root"),
            file("exit-codes", "codes"),
            file("selvedge-b", &page("selvedge b")),
            file("selvedge-a-c", &page("selvedge a-c")),
        ];
        let blocks = blocks(&files).unwrap();
        assert_eq!(blocks[0], ("program", "```text\nroot\n```".to_owned()));
        assert!(
            blocks[2].1.starts_with("### selvedge a-c\n") && blocks[2].1.contains("\n\n### selvedge b\n")
        );
        assert!(super::blocks(&files[1..]).is_err());
    }
}
