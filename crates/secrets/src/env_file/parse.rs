//! The syntax of dotenv, read so that nothing is taken for something else without a word.

use super::{Entry, EnvFileError, Problem, Variable};
use std::{
    cell::Cell,
    collections::BTreeMap,
    io::{self, Read},
    rc::Rc,
};

/// The variables of a text in the syntax of dotenv: `NAME=value` lines, `export`, comments, single and double quotes,
/// values of several lines in quotes, `${NAME}` of the environment or of a line above. Of a repeated name the last counts.
///
/// # Errors
///
/// A line is not `NAME=value`, or has a `$` or a carriage return that dotenv readers do not agree about. The error names the line and never
/// quotes it: it may hold a secret.
pub fn parse(text: &str) -> Result<BTreeMap<String, Variable>, EnvFileError> {
    let variable = |entry: Entry| {
        let Entry { name, value, lines, refers_to } = entry;
        (name, Variable { value, line: *lines.start(), refers_to })
    };
    Ok(entries(text)?.into_iter().map(variable).collect())
}

/// Each setting of a variable in a text, in order, those of a repeated name included.
///
/// # Errors
///
/// As [`parse`].
pub fn entries(text: &str) -> Result<Vec<Entry>, EnvFileError> {
    let lines: Vec<&str> = text.lines().collect();
    if let Some(line) = lone_return(text) {
        return Err(EnvFileError(Problem::Return { line }));
    }
    let delivered = Rc::new(Cell::new(0));
    let parsed = dotenvy::Iter::new(ByLine { rest: text.as_bytes(), delivered: Rc::clone(&delivered) });
    let mut entries = Vec::new();
    let mut first = 1;
    for entry in parsed {
        let last = delivered.get();
        // dotenvy's own error quotes the whole line.
        let Ok((name, value)) = entry else {
            return Err(EnvFileError(Problem::Syntax { line: last }));
        };
        let raw = lines.get(first - 1..last).unwrap_or_default();
        let Some(refers_to) = references(&raw.join("\n")) else {
            return Err(EnvFileError(Problem::Dollar { line: last }));
        };
        // dotenvy passes over comments and empty lines by itself.
        let above = raw.iter().take_while(|line| is_nothing(line)).count();
        entries.push(Entry { name, value: value.into(), lines: first + above..=last, refers_to });
        first = last + 1;
    }
    Ok(entries)
}

/// The first line with a carriage return before its end. dotenvy takes it for a character of the value, or of the comment; other dotenv
/// readers end the line there.
fn lone_return(text: &str) -> Option<usize> {
    let mut lines = text.split('\n').zip(1..);
    lines.find(|(line, _)| line.trim_end_matches('\r').contains('\r')).map(|(_, number)| number)
}

fn is_nothing(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The variables that this entry, comments above it included, takes the values of. `None` where dotenvy would take a `$` for the start of
/// `$NAME`: other dotenv readers keep it, so that the same file would give two values, the wrong one without a word.
fn references(entry: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
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
            '$' if !single => {
                let name = entry.get(at..)?.strip_prefix("${")?;
                found.push(name.split('}').next().unwrap_or(name).to_owned());
            }
            _ => {}
        }
        previous = c;
    }
    Some(found)
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
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn values() {
        let long = "x".repeat(20_000);
        for (text, value) in [
            ("A=b", "b"),
            ("A=b\r\nC=d\r\n", "b"),
            ("A=b\r\r\nC=d\r", "b"),
            ("# comment\n\n  A = b  ", "b"),
            ("export A=b", "b"),
            ("A=3600  # Cache for 1 hour", "3600"),
            ("A=b#c", "b#c"),
            ("A=", ""),
            ("A='b c # d $e'", "b c # d $e"),
            ("A=\"b\\nc\"", "b\nc"),
            ("A=\"b\nc\"\nB=1", "b\nc"),
            ("B=x\nA=${B}-y", "x-y"),
            ("B=x\n# ${C}\nA=\"${B}-y\" # ${D}", "x-y"),
            ("A=1\nA=2", "2"),
            ("# it's $5\nA=it\\$s # costs $5", "it$s"),
            ("A='$b\n$c'", "$b\n$c"),
            (&format!("A={long}\nB=1"), &long),
        ] {
            let variables = parse(text).unwrap();
            let found = variables.get("A").map(|variable| variable.value.expose_secret());
            assert_eq!(found, Some(value), "{text:?}");
        }
    }

    #[test]
    fn what_a_value_is_made_of_is_known() {
        let text = "B=x\n# ${C}\nA=\"${B}-${SOME_THING}\" # ${D}\nE='${F}'\nG=\\${H}";
        let variables = parse(text).unwrap();
        assert_eq!(variables["A"].refers_to, ["B", "SOME_THING"]);
        for name in ["B", "E", "G"] {
            assert_eq!(variables[name].refers_to, [""; 0], "{name}");
        }
    }

    #[test]
    fn lines() {
        let text = "# one\r\nA=1\r\n\r\n# four\r\n\r\nB=\"x\r\ny\"\r\n# eight\r\nexport C=3\r\nA=10";
        let lines: Vec<_> = parse(text).unwrap().into_iter().map(|(name, it)| (name, it.line)).collect();
        assert_eq!(lines, [("A", 10), ("B", 6), ("C", 9)].map(|(name, line)| (name.to_owned(), line)));
    }

    #[test]
    fn entries_know_where_they_begin_and_end() {
        let text = "# one\nA=1\n\nB='x\n\n# y'\n# seven\nA=2";
        let found: Vec<_> = entries(text).unwrap().into_iter().map(|it| (it.name, it.lines)).collect();
        assert_eq!(found, [("A", 2..=2), ("B", 4..=6), ("A", 8..=8)].map(|(n, l)| (n.to_owned(), l)));
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
            // Other dotenv readers end lines here, or keep it in a value.
            ("# one\rA=TOPSECRET\rB=1\r", "line 1: a carriage return"),
            ("A=TOPSECRET\rB=1\r", "line 1: a carriage return"),
            ("A=1\r\nB='TOPSECRET\rx'\r\n", "line 2: a carriage return"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().starts_with(line), "{text:?}: {error}");
            assert!(!format!("{error:?}").contains("TOPSECRET"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[A-C]?[=#'\"\\\\$ {}\r\n\u{feff}a-c]{0,60}") {
            let lines = text.lines().count().max(1);
            for variable in parse(&text).unwrap_or_default().into_values() {
                prop_assert!((1..=lines).contains(&variable.line));
            }
        }

        #[test]
        // dotenvy takes a backslash before the closing quote for part of an escape, and refuses the line.
        fn a_value_in_single_quotes_is_itself(value in "([^'\r\0]{0,80}[^'\r\0\\\\])?", above in 0_usize..4) {
            let text = format!("{}A='{value}'\nB=1", "# x\n".repeat(above));
            let variables = parse(&text).unwrap();
            prop_assert_eq!(variables["A"].value.expose_secret(), value);
            prop_assert_eq!(variables["A"].line, above + 1);
        }
    }
}
