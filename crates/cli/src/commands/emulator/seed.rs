//! `--seed`: a world from a file. JSON is YAML too, so that one reader does for both.

use std::{fs::File, io::Read as _, path::Path};

use anyhow::{anyhow, ensure};
use selvedge_fabric_emulator::Seed;
use serde::Deserialize as _;
use serde_path_to_error::{Deserializer, Track};

/// Bytes of a file, and of the text in it once aliases are written out.
const MAX_SIZE: usize = 64 << 20;
/// Lists, maps and single values: more than such a file can hold in a sensible form.
const MAX_NODES: usize = 4_000_000;

/// Reads a seed; whether it makes a world shows when it is planted.
///
/// # Errors
/// The file cannot be read, is too large, or is no seed: the error has line, column and key.
pub(super) fn read(path: &Path) -> anyhow::Result<Seed> {
    let mut text = String::new();
    File::open(path)?.take(MAX_SIZE as u64 + 1).read_to_string(&mut text)?;
    ensure!(text.len() <= MAX_SIZE, "the file has more than {} MB", MAX_SIZE >> 20);
    parse(&text).map_err(|problem| anyhow!("{}:{problem}", path.display()))
}

fn parse(text: &str) -> Result<Seed, String> {
    let options = serde_saphyr::options! {
        // A seed has secrets in it.
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_total_scalar_bytes: MAX_SIZE,
        },
    };
    let mut track = Track::new();
    let seed = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        Seed::deserialize(Deserializer::new(yaml, &mut track))
    });
    seed.map_err(|error| problem(&error, &track.path()))
}

/// `line:column: key: message`, as problems in configuration files are told.
fn problem(error: &serde_saphyr::Error, key: &serde_path_to_error::Path) -> String {
    let message = error.to_string();
    let key = match key.to_string().as_str() {
        // Not in any value: the text is no YAML.
        "." | "?" => String::new(),
        key => format!("{key}: "),
    };
    let Some(at) = error.location() else { return format!(" {key}{message}") };
    let (line, column) = (at.line(), at.column());
    let message = message.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&message);
    format!("{line}:{column}: {key}{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_from_either_format() {
        let cases = [
            ("", None),
            ("capacities: []\nusers: []\n", None),
            ("{\n\t\"workspaces\": [{\"displayName\": \"\\u00e4\", \"folders\": [\"a/b\"]}]\n}", None),
            ("workspaces:\n  - &w {displayName: w}\n", None),
            (
                "workspaces:\n  - displayName: w\n    folders: a\n",
                Some("3:14: workspaces[0].folders: expected sequence start"),
            ),
            ("users:\n- displayNam: u\n", Some("2:3: users[0].displayNam: unknown field `displayNam`")),
            ("{\"users\": [{\n\"id\": \"7\"}]}", Some("2:7: users[0].id: UUID parsing failed")),
            (
                "servicePrincipals: [{displayName: a, federatedCredentials: [{issuer: i}]}]",
                Some("1:62: servicePrincipals[0].federatedCredentials[0]: missing field `subject`"),
            ),
            ("users: []\nusers: []\n", Some("2:1: duplicate mapping key: users")),
            ("{\"users\": [", Some("1:11: ")),
            ("[]", Some("1:1: expected mapping start")),
            ("a: &a [1]\nb: [*a, *a]", Some("1:1: a: unknown field `a`")),
        ];
        for (text, expected) in cases {
            match (parse(text), expected) {
                (Ok(_), None) => {}
                (Err(problem), Some(expected)) => {
                    assert!(problem.starts_with(expected), "{text}: {problem}");
                }
                (found, _) => panic!("{text}: {:?}", found.err()),
            }
        }
    }

    #[test]
    fn a_large_world_is_within_the_limits() {
        let part = r#"{"path": "p", "payload": "aGVsbG8=", "payloadType": "InlineBase64"}"#;
        let item = |n: usize| {
            format!(
                r#"{{"type": "Notebook", "displayName": "{n}", "definition": {{"parts": [{part}, {part}]}}}}"#
            )
        };
        let items: Vec<String> = (0..12_000).map(item).collect();
        let text = format!(r#"{{"workspaces": [{{"displayName": "w", "items": [{}]}}]}}"#, items.join(",\n"));
        parse(&text).unwrap();
    }
}
