//! What `--help` says: every page is kept in tests/help, so that a change of one is seen, and docs/commands.md is made of them.
//!
//! `UPDATE_DOCS=1 cargo nextest run -p selvedge every_page_of_help` writes them anew.

use std::{collections::BTreeMap, fs, path::Path};

use clap::{Command, CommandFactory as _, error::ErrorKind};

use super::Cli;
use crate::{exit, settings};

/// The most lines of a page: what a screen and a half holds.
const MAX_LINES: usize = 60;
/// A server, whose options are settings.
const LONGER: [&str; 1] = ["selvedge-emulator.txt"];

/// The words that ask for each page, such as `selvedge transactions list`. What is hidden has none.
fn commands() -> Vec<Vec<String>> {
    fn add(command: &Command, words: &[String], found: &mut Vec<Vec<String>>) {
        found.push(words.to_vec());
        for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            add(below, &[words, &[below.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    add(&Cli::command(), &["selvedge".to_owned()], &mut found);
    found
}

/// What the program answers, without a terminal.
fn page(words: &[String]) -> String {
    let command = Cli::command().term_width(100);
    let answer =
        command.try_get_matches_from(words.iter().map(String::as_str).chain(["--help"])).unwrap_err();
    assert_eq!(answer.kind(), ErrorKind::DisplayHelp, "{words:?}");
    let page = answer.render().to_string();
    page.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn every_page_of_help_is_as_it_is_kept_and_fits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help");
    let mut pages: BTreeMap<_, _> =
        commands().iter().map(|words| (words.join("-") + ".txt", page(words))).collect();
    let lines = pages.iter().map(|(name, page)| (name.as_str(), page.lines().count()));
    let too_long: Vec<_> =
        lines.filter(|(name, lines)| *lines > MAX_LINES && !LONGER.contains(name)).collect();
    assert!(too_long.is_empty(), "more than {MAX_LINES} lines: {too_long:#?}");
    // A topic, of any length.
    pages.insert(format!("{}.txt", exit::TOPIC), page(&["selvedge", exit::TOPIC].map(str::to_owned)));
    if settings::of_the_process("UPDATE_DOCS").is_some() {
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        pages.iter().for_each(|(name, page)| fs::write(folder.join(name), page).unwrap());
    }
    let kept = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let kept: BTreeMap<_, _> = kept
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    let again = "`UPDATE_DOCS=1 cargo nextest run -p selvedge every_page_of_help` writes them";
    assert_eq!(pages.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>(), "{again}");
    for (name, page) in &pages {
        assert!(kept[name] == *page, "{name} is another; {again}:\n{page}");
    }
}
