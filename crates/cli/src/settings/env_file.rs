//! `.env`: variables in a file at the project root, in the syntax of dotenv.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
    rc::Rc,
};

use anyhow::{Context as _, bail};

/// The variables of `path`; empty where there is no such file. Of a repeated name the last counts.
///
/// # Errors
/// The file cannot be read, or a line is not `NAME=value`. The error names the line and never quotes it: it may
/// hold a secret.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    match super::file::read(path)? {
        Some(text) => parse(&text).with_context(|| format!("parse {}", path.display())),
        None => Ok(BTreeMap::new()),
    }
}

fn parse(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let lines: Vec<&str> = text.lines().collect();
    let delivered = Rc::new(Cell::new(0));
    let entries = dotenvy::Iter::new(ByLine { rest: text.as_bytes(), delivered: Rc::clone(&delivered) });
    let mut variables = BTreeMap::new();
    let mut first = 1;
    for entry in entries {
        let last = delivered.get();
        // dotenvy's own error quotes the whole line.
        let Ok((name, value)) = entry else {
            bail!(
                "line {last}: expected `NAME=value`; a value with spaces, quotes or backslashes needs 'single quotes'"
            );
        };
        let raw = lines.get(first - 1..last).unwrap_or_default().join("\n");
        if has_bare_dollar(&raw) {
            bail!(
                "line {last}: a `$` that does not begin `${{NAME}}`; put the value in 'single quotes' to keep it"
            );
        }
        first = last + 1;
        variables.insert(name, value);
    }
    Ok(variables)
}

/// Whether dotenvy would take a `$` of this entry, comments above it included, for the start of `$NAME`. Other
/// dotenv readers keep it, so that the same file would give two values, the wrong one without a word.
fn has_bare_dollar(entry: &str) -> bool {
    let (mut single, mut double, mut escaped, mut comment, mut previous) = (false, false, false, false, '\n');
    for (at, c) in entry.char_indices() {
        match c {
            '\n' if !single && !double => comment = false,
            _ if comment => {}
            _ if escaped => escaped = false,
            '\\' if !single => escaped = true,
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '#' if !single && !double && previous.is_whitespace() => comment = true,
            '$' if !single && !entry[at..].starts_with("${") => return true,
            _ => {}
        }
        previous = c;
    }
    false
}

/// Hands out at most one line per read, and counts them: dotenvy reports no line numbers, but reads line by line.
struct ByLine<'a> {
    rest: &'a [u8],
    delivered: Rc<Cell<usize>>,
}

impl Read for ByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').map_or(self.rest.len(), |at| at + 1);
        let length = end.min(buffer.len());
        let (line, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(line);
        self.rest = rest;
        if line.ends_with(b"\n") || (length > 0 && rest.is_empty()) {
            self.delivered.set(self.delivered.get() + 1);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let long = "x".repeat(20_000);
        for (text, value) in [
            ("A=b", "b"),
            ("A=b\r\nC=d\r\n", "b"),
            ("# comment\n\n  A = b  ", "b"),
            ("export A=b", "b"),
            ("A=3600  # Cache for 1 hour", "3600"),
            ("A=b#c", "b#c"),
            ("A=", ""),
            ("A='b c # d $e'", "b c # d $e"),
            ("A=\"b\\nc\"", "b\nc"),
            ("A=\"b\nc\"\nB=1", "b\nc"),
            ("B=x\nA=${B}-y", "x-y"),
            ("A=1\nA=2", "2"),
            ("# it's $5\nA=it\\$s # costs $5", "it$s"),
            ("A='$b\n$c'", "$b\n$c"),
            (&format!("A={long}\nB=1"), &long),
        ] {
            assert_eq!(parse(text).unwrap().get("A").map(String::as_str), Some(value), "{text:?}");
        }
    }

    #[test]
    fn errors_name_the_line_and_never_quote_it() {
        for (text, line) in [
            ("A=1\nTOPSECRET\n", "line 2"),
            ("A=1\n\n# x\nB=TOPSECRET two", "line 4"),
            ("A='TOPSECRET", "line 1"),
            ("A=\"1\n2\"\nB=TOPSECRET$word", "line 3"),
            ("A=TOPSECRET\\x", "line 1"),
            ("=TOPSECRET", "line 1"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.starts_with(line), "{text:?}: {error}");
            assert!(!error.contains("TOPSECRET"), "{error}");
        }
    }
}
