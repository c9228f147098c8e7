//! Keeping secrets out of what leaves the process: the one place for logs, errors, results and whatever else is written.
//!
//! Three things are looked for:
//!
//! - **values that the process knows**, [registered](Redactor::register) when they are read: as they are, in hexadecimal digits, in base64
//!   (both alphabets, with and without padding, wherever in the encoded text they begin), in base64 of UTF-16 and of base64, and line by
//!   line;
//! - **what looks like a secret**, known or not: authorization headers, tokens, shared access signatures, connection strings, user
//!   information in URLs, private keys;
//! - **what steers a terminal or a CI runner** ([`one_line`], [`disarm`]): control characters and commands in text that came from outside.
//!
//! The first two are also found through up to three levels of escaping: backslashes of JSON and of Rust's `Debug`, percent signs, HTML
//! entities; and in base64 that was wrapped. The *text* is decoded for that: there are too many ways to escape a value to list them.
//!
//! Each is replaced by `***`, as users of CI systems know it. Known values are found by Aho-Corasick over both ends of their forms, in one
//! pass whatever their number; the rest of a form is compared where an end was found. So a value that was cut off is found too, and a long
//! value costs no more than a short one. What only has a shape is found by regular expressions.
//!
//! What this does not do: a form is not found where it is spread over several strings of a JSON document, in a number of it, encrypted,
//! compressed or turned around. Copies of values in the search automaton are not zeroed when the process ends.

mod allowed;
mod answers;
mod forms;
mod json;
mod known;
mod masks;
mod remote;
mod shapes;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod views;
mod writer;

use std::{
    borrow::Cow,
    fmt,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use secrecy::{ExposeSecret as _, SecretString};

pub use allowed::{headers, url};
pub use answers::{Scrubbed, Scrubbing};
pub use masks::Ci;
pub use remote::{disarm, lines, one_line};
pub use writer::Redacting;

use known::Known;

/// What stands where a secret was.
pub const PLACEHOLDER: &str = "***";

/// The least length in bytes of a value that is looked for. A shorter one would take pieces out of ordinary text, and could be guessed.
pub const SHORTEST: usize = 4;

/// Takes secrets out of text. Clones share what is registered.
///
/// Readers hold a lock only for as long as it takes to clone an `Arc`; a value that is registered is looked for in everything that is
/// redacted from then on.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Arc<Known>>>);

/// A value that cannot be kept out of what is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unprotected {
    /// It is shorter than [`SHORTEST`], or consists of asterisks.
    #[error(
        "{name} is too short or too plain to be told from ordinary text: it is not taken out of what is printed"
    )]
    TooPlain {
        /// The value's name.
        name: String,
    },
    /// There are too many values to search for.
    #[error("{name} cannot be searched for")]
    Search {
        /// The value's name.
        name: String,
        /// What the search says.
        source: aho_corasick::BuildError,
    },
}

impl Redactor {
    /// Looks for this value from now on; twice is once. White space at its ends does not count.
    ///
    /// Of a value of several lines each line of eight bytes and more is looked for too, unless other texts have it: other programs show them
    /// one by one.
    ///
    /// # Errors
    ///
    /// When the value cannot be told from ordinary text. Everything else stays looked for.
    pub fn register(&self, name: &str, value: &SecretString) -> Result<(), Unprotected> {
        let value = value.expose_secret().trim();
        if value.len() < SHORTEST || value.bytes().all(|byte| byte == b'*') {
            return Err(Unprotected::TooPlain { name: name.to_owned() });
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let with = known.with(name, value);
        let with = with.map_err(|source| Unprotected::Search { name: name.to_owned(), source })?;
        if let Some(with) = with {
            *known = Arc::new(with);
        }
        Ok(())
    }

    /// `text` with a placeholder for each secret.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        replaced(text, &self.found(text))
    }

    /// What is known now.
    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where secrets stand in `text`: in order, without gaps of nothing between two.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let (known, mut found) = (self.known(), Vec::new());
        for view in views::of(text.as_bytes()) {
            known.find(&view, &mut found);
            shapes::find(&view, &mut found);
        }
        merged(text, found)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("known", &self.known().names()).finish_non_exhaustive()
    }
}

/// Joins ranges that overlap or touch, and widens them to whole characters.
fn merged(text: &str, mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for Range { start, end } in found {
        let start = text.floor_char_boundary(start);
        let end = text.ceil_char_boundary(end);
        match merged.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => merged.push(start..end),
        }
    }
    merged
}

/// `text` with a placeholder for each range.
fn replaced<'t>(text: &'t str, ranges: &[Range<usize>]) -> Cow<'t, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.push_str(&text[at..range.start]);
        out.push_str(PLACEHOLDER);
        at = range.end;
    }
    out.push_str(&text[at..]);
    Cow::Owned(out)
}
