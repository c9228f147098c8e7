//! What is told of a migration: names, lines and versions, never a value.

use std::ops::RangeInclusive;

use selvedge_secrets::Source;
use serde_json::{Value, json};

use super::sort::{Other, Place, Why};
use super::{Moved, Outcome, State};
use crate::output::{self, Format, ReaderGone};
use crate::render;
use crate::text::{counted, one_line};

impl Outcome<'_> {
    /// Prints it.
    ///
    /// # Errors
    /// It cannot be printed.
    pub(super) fn tell(&self, format: Format) -> anyhow::Result<()> {
        match format {
            Format::Text => self.lines().iter().try_for_each(|line| output::line(&one_line(line))),
            format => render::result(format, self.json()),
        }
    }

    /// Prints it before `error`, which is what counts, whether or not it can be printed.
    pub(super) fn told_with(&self, format: Format, error: anyhow::Error) -> anyhow::Error {
        if let Err(unwritten) = self.tell(format)
            && !unwritten.is::<ReaderGone>()
        {
            tracing::error!("what was done could not be written: {unwritten:#}");
        }
        error
    }

    fn lines(&self) -> Vec<String> {
        let path = self.path.display();
        let mut lines = vec![match self.secrets.len() {
            0 => format!("There are no secrets in {path}."),
            count => format!("{} of {path} for Key Vault {}:", counted(count, "secret"), self.vault),
        }];
        lines.extend(self.secrets.iter().map(|moved| {
            let places: Vec<_> = moved.found.places.iter().map(|place| span(&place.lines)).collect();
            let (mark, what) = self.state(&moved.state);
            format!("  {mark} {} ({}): {what}", moved.found.variable, places.join(", "))
        }));
        for (why, told) in [
            (Why::Unknown, "looks like a setting; name it with --only to migrate it"),
            (Why::Empty, "has no value"),
            (Why::NoName, "Key Vault takes letters, digits and hyphens in a name"),
        ] {
            let others = self.others.iter().filter(|other| other.why == why);
            lines.extend(
                others.map(|it| format!("  - {} (line {}): not migrated: {told}", it.variable, it.line)),
            );
        }
        for (why, told) in [(Why::Setting, "Settings, which stay"), (Why::LeftOut, "Left out by --only")] {
            let names: Vec<_> = self.names(why).collect();
            if !names.is_empty() {
                lines.push(format!("{told}: {}", names.join(", ")));
            }
        }
        let gone: Vec<_> =
            self.removable().iter().map(|it| format!("{} ({})", span(&it.lines), it.variable)).collect();
        match self.rewritten {
            _ if gone.is_empty() => {}
            true => lines.push(format!("Taken out of {path}: {}", gone.join(", "))),
            false => lines.push(format!("Delete from {path}: {}", gone.join(", "))),
        }
        let stays =
            self.secrets.iter().filter_map(|moved| Some((&moved.found.variable, moved.stays.as_ref()?)));
        lines.extend(stays.map(|(variable, why)| format!("{variable} stays in {path}: {why}")));
        if self.args.dry_run {
            lines.push("Nothing was changed.".to_owned());
        }
        lines
    }

    fn names(&self, why: Why) -> impl Iterator<Item = &str> {
        self.others.iter().filter(move |other| other.why == why).map(|other| other.variable.as_str())
    }

    /// A mark, and what became of it.
    fn state(&self, state: &State) -> (char, String) {
        let version = |source: &Source| match source {
            Source::KeyVault { version, .. } if !version.is_empty() => format!(", version {version}"),
            _ => String::new(),
        };
        match state {
            State::Equal(_) => ('✓', "in the vault already, with the same value".to_owned()),
            State::Stored(source) => ('✓', format!("stored and read back{}", version(source))),
            State::Missing if self.args.dry_run => ('-', "would be stored".to_owned()),
            State::Missing => ('-', "not stored".to_owned()),
            State::Different if self.args.dry_run && self.args.overwrite => {
                ('-', "would be stored as a new version: the vault has another value".to_owned())
            }
            State::Different => ('✗', "the vault has another value; not stored".to_owned()),
            State::Blocked(error) => ('✗', error.kind().to_string()),
            State::Failed => ('✗', "failed".to_owned()),
        }
    }

    fn json(&self) -> Value {
        let others = |why: &[Why]| -> Vec<Value> {
            let is = |other: &&Other| why.contains(&other.why);
            self.others
                .iter()
                .filter(is)
                .map(|it| json!({ "variable": it.variable, "line": it.line }))
                .collect()
        };
        json!({
            "file": self.path.display().to_string(),
            "vault": self.vault,
            "dry_run": self.args.dry_run,
            "rewritten": self.rewritten,
            "secrets": self.secrets.iter().map(secret).collect::<Vec<_>>(),
            "removable": self.removable().into_iter().map(place).collect::<Vec<_>>(),
            "settings": self.names(Why::Setting).collect::<Vec<_>>(),
            "not_migrated": others(&[Why::Unknown, Why::Empty, Why::NoName, Why::LeftOut]),
        })
    }
}

fn secret(moved: &Moved) -> Value {
    let (state, reason) = match &moved.state {
        State::Missing => ("missing", None),
        State::Equal(_) => ("equal", None),
        State::Different => ("different", None),
        State::Blocked(error) => ("blocked", Some(error.kind().to_string())),
        State::Stored(_) => ("stored", None),
        State::Failed => ("failed", None),
    };
    let version = moved.state.verified().and_then(|source| match source {
        Source::KeyVault { version, .. } => Some(version.as_str()),
        _ => None,
    });
    json!({
        "name": moved.found.name.to_string(),
        "places": moved.found.places.iter().map(place).collect::<Vec<_>>(),
        "state": state,
        "reason": reason,
        "version": version,
        "stays": moved.stays,
    })
}

fn place(place: &Place) -> Value {
    json!({ "variable": place.variable, "line": place.lines.start(), "last_line": place.lines.end() })
}

fn span(lines: &RangeInclusive<usize>) -> String {
    match lines.start() == lines.end() {
        true => format!("line {}", lines.start()),
        false => format!("lines {}-{}", lines.start(), lines.end()),
    }
}
