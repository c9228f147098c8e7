//! Text for people and logs: without secrets, and without what steers a terminal or a CI runner.

use selvedge_observability::redact;

use crate::redaction::redactor;

/// So many of what `noun` names, which adds an s for more.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `text` on one line, see [`redact::one_line`]. Secrets go first: escaping would hide them from the search.
pub(crate) fn one_line(text: &str) -> String {
    redact::one_line(&redactor().redact(text))
}

/// As [`one_line`], but line breaks stay.
pub(crate) fn lines(text: &str) -> String {
    redact::lines(&redactor().redact(text))
}

/// A JSON document on one line that stays one, see [`redact::disarm`].
pub(crate) fn document(text: &str) -> String {
    redact::disarm(&redactor().redact_document(text))
}
