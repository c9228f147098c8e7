//! Reading typed values out of a file, and noting everything that is wrong on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cursor::Cursor;
use super::document::{self, Node, Value};
use super::schema::Keys;
use super::suggest;
use super::variables::{self, Unresolved};
use super::{Diagnostic, Variables, file};
use crate::desired::{Located, Location};

/// The one key that is a wish when it is off too: another switch decides, and may have it on.
const ROLLBACK: &str = "rollback_on_error";

/// Names of keys that one message tells.
const MAX_NAMES: usize = 20;

/// What has been found so far.
pub(super) struct Reading<'a> {
    pub(super) variables: &'a dyn Variables,
    pub(super) problems: Vec<Diagnostic>,
    /// Keys without effect, by file and section: where the first is, and their names.
    idle: BTreeMap<(PathBuf, String), (Location, Vec<String>)>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(variables: &'a dyn Variables) -> Self {
        Self { variables, problems: Vec::new(), idle: BTreeMap::new() }
    }

    pub(super) fn error(&mut self, at: Location, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Diagnostic::error(at, message).with_help(help));
    }

    pub(super) fn warn(&mut self, at: Location, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Diagnostic::warning(at, message).with_help(help));
    }

    /// The tree of a file by its extension, JSON or YAML; `None` without a problem if there is no such file.
    pub(super) fn document(&mut self, path: &Path) -> Option<Node> {
        let text = match file::read(path) {
            Ok(text) => text?,
            Err(problem) => {
                self.problems.push(*problem);
                return None;
            }
        };
        let is_json = path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json"));
        let read = if is_json { document::json } else { document::yaml };
        let before = self.problems.len();
        let Some(node) = read(path, &text, &mut self.problems) else {
            if self.problems.len() == before {
                self.error(file::whole(path), "is empty", "write what it is to say, or remove the file");
            }
            return None;
        };
        if !matches!(node.value, Value::Map(_)) {
            self.error(file::whole(path), "is not a mapping of keys to values", "see the examples");
            return None;
        }
        Some(node)
    }

    /// The mapping under `name`.
    pub(super) fn section<'n>(&mut self, parent: &Cursor<'n>, name: &str) -> Option<Cursor<'n>> {
        let cursor = parent.get(name)?;
        if !cursor.is_map() {
            self.error(
                cursor.at(),
                "must be a mapping of keys to values",
                format!("write the keys of `{name}` below it, indented"),
            );
            return None;
        }
        Some(cursor)
    }

    /// The values of the list under `name`; none if it is missing.
    pub(super) fn list<'n>(&mut self, parent: &Cursor<'n>, name: &str) -> Vec<Cursor<'n>> {
        let Some(cursor) = parent.get(name) else { return Vec::new() };
        if !matches!(cursor.value(), Value::List(_)) {
            self.error(cursor.at(), "must be a list", "start each entry with `- `");
        }
        cursor.items().collect()
    }

    /// The text under `name`, variables replaced, without the white space around it; `None` if it is missing or empty.
    pub(super) fn text(&mut self, parent: &Cursor<'_>, name: &str) -> Option<Located<String>> {
        self.text_at(&parent.get(name)?)
    }

    /// The text at the cursor, as [`Self::text`].
    pub(super) fn text_at(&mut self, cursor: &Cursor<'_>) -> Option<Located<String>> {
        let at = cursor.at();
        let Value::Scalar { text, .. } = cursor.value() else {
            self.error(at, "must be text", "write one value, in quotes if it holds `: ` or ` #`");
            return None;
        };
        match variables::resolve(text, self.variables) {
            Ok(text) => {
                let value = text.trim().to_owned();
                (!value.is_empty()).then_some(Located { value, at })
            }
            Err(Unresolved::NotSet(name)) => {
                let others: Vec<_> = variables::other_names(&name).collect();
                let or = if others.is_empty() {
                    String::new()
                } else {
                    format!(" ({} will do too)", others.join(" or "))
                };
                self.error(
                    at,
                    format!("the variable {name} is not set"),
                    format!(
                        "set {name} in .env or the environment{or}, or give a default: ${{{name}:-value}}"
                    ),
                );
                None
            }
            Err(Unresolved::Secret(name)) => {
                self.error(
                    at,
                    format!(
                        "the variable {name} looks like a secret, and this value is shown and sent as it is"
                    ),
                    "remove the reference; if it is no secret, give the variable another name",
                );
                None
            }
        }
    }

    /// The truth value under `name`.
    pub(super) fn flag(&mut self, parent: &Cursor<'_>, name: &str) -> Option<bool> {
        let text = self.text(parent, name)?;
        match truth(&text.value) {
            None => {
                self.error(
                    text.at,
                    format!("{:?} is neither true nor false", text.value),
                    "write true or false",
                );
                None
            }
            value => value,
        }
    }

    /// Warns of keys that are not among these, and remembers the idle ones that ask for something.
    pub(super) fn keys(&mut self, map: &Cursor<'_>, keys: Keys<'_>) {
        let (known, idle) = (|| keys.known.split_whitespace(), || keys.idle.split_whitespace());
        for (name, cursor, at) in map.entries() {
            if known().any(|key| key == name) || name.starts_with('_') {
                continue;
            }
            if idle().any(|key| key == name) {
                self.without_effect(&cursor);
                continue;
            }
            let help = match suggest::nearest(name, known().chain(idle())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it, or correct its name".to_owned(),
            };
            self.warn(at, "unknown key, ignored", help);
        }
    }

    /// Notes that a key changes nothing. What is off, empty or nothing asks for nothing.
    pub(super) fn without_effect(&mut self, cursor: &Cursor<'_>) {
        let (section, rest) = cursor.key().split_once('.').unwrap_or((cursor.key(), ""));
        let names: Vec<String> = match cursor.value() {
            // A whole section is told by its keys.
            Value::Map(_) if rest.is_empty() => cursor
                .entries()
                .filter(|(name, value, _)| *name == ROLLBACK || asks(value))
                .map(|(name, ..)| name.to_owned())
                .collect(),
            _ if asks(cursor) => vec![rest.rsplit('.').next().unwrap_or(rest).to_owned()],
            _ => Vec::new(),
        };
        if names.is_empty() {
            return;
        }
        let place = (cursor.file().to_owned(), section.to_owned());
        let at = Location { key: section.to_owned(), ..cursor.at() };
        let known = &mut self.idle.entry(place).or_insert_with(|| (at, Vec::new())).1;
        for name in names {
            if known.len() < MAX_NAMES && !known.contains(&name) {
                known.push(name);
            }
        }
    }

    /// Everything found, by file and line.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        for ((_, section), (at, names)) in std::mem::take(&mut self.idle) {
            let (has, names) = (if names.len() == 1 { "has" } else { "have" }, names.join(", "));
            let help = match section.as_str() {
                "deployment" => {
                    "FEATURE_USE_ROLLBACK decides whether a failed deployment is rolled back; the rest is always done"
                }
                _ => "remove what you do not need; nothing depends on it",
            };
            // A section that is no mapping has no names to tell.
            self.warn(at, format!("{names} {has} no effect").trim_start(), help);
        }
        self.problems.sort_by(|a, b| {
            let place = |problem: &Diagnostic| (problem.at.file.clone(), problem.at.line, problem.at.column);
            place(a).cmp(&place(b))
        });
        self.problems
    }
}

/// YAML 1.1's truth values, which the predecessor's parser knows too.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn asks(cursor: &Cursor<'_>) -> bool {
    match cursor.value() {
        Value::Scalar { text, .. } => !cursor.is_null() && !text.is_empty() && truth(text) != Some(false),
        Value::List(nodes) => !nodes.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
    }
}
