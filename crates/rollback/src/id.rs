//! Names that outlive the process: the transaction's id and the marker made from it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::StepId;

/// Identifies one transaction: a UUID of version 7 (RFC 9562), so that ids sort by the time they were made.
///
/// Written as 32 hexadecimal digits without hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(Uuid);

impl TransactionId {
    /// A new id, of now.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

#[cfg(any(test, feature = "simulation"))]
impl From<u128> for TransactionId {
    fn from(number: u128) -> Self {
        Self(Uuid::from_u128(number))
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TransactionId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

impl Serialize for TransactionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TransactionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A short tag that a created thing carries until the transaction commits, so that its maker can be told.
///
/// Its text is `[selvedge:<transaction>:<step>]`, at most 47 characters for a plan of up to 999 steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marker {
    /// The transaction that makes the thing.
    pub transaction: TransactionId,
    /// The step of its plan.
    pub step: StepId,
}

impl Marker {
    /// What every marker starts with.
    pub const PREFIX: &'static str = "[selvedge:";

    /// `text` with the marker appended, or `None` where the result would be longer than `limit` characters.
    ///
    /// A description belongs to its author: where both do not fit, the marker gives way.
    #[must_use]
    pub fn append_to(&self, text: &str, limit: usize) -> Option<String> {
        let marked = if text.is_empty() { self.to_string() } else { format!("{text} {self}") };
        (marked.chars().count() <= limit).then_some(marked)
    }

    /// The marker that `text` ends with, if it ends with one.
    #[must_use]
    pub fn at_end_of(text: &str) -> Option<Self> {
        let tag = &text[text.rfind(Self::PREFIX)?..];
        let (transaction, step) = tag.strip_prefix(Self::PREFIX)?.strip_suffix(']')?.split_once(':')?;
        let marker = Self { transaction: transaction.parse().ok()?, step: StepId::new(step.parse().ok()?) };
        // What only resembles one, such as a number with a sign, is somebody's text.
        (marker.to_string() == tag).then_some(marker)
    }

    /// Whether `text` ends with this very marker.
    #[must_use]
    pub fn is_on(&self, text: &str) -> bool {
        text.ends_with(&self.to_string())
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}]", Self::PREFIX, self.transaction, self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(step: u32) -> Marker {
        Marker { transaction: TransactionId::generate(), step: StepId::new(step) }
    }

    #[test]
    fn a_marker_stays_short() {
        assert!(marker(999).to_string().len() <= 47, "{}", marker(999));
    }

    #[test]
    fn r9_a_marker_that_does_not_fit_gives_way_to_the_users_text() {
        let marker = marker(7);
        let length = marker.to_string().len();
        assert_eq!(marker.append_to("abc", length + 4).unwrap(), format!("abc {marker}"));
        assert_eq!(marker.append_to("abc", length + 3), None);
        assert_eq!(marker.append_to("", length).unwrap(), marker.to_string());
    }

    #[test]
    fn only_the_same_step_of_the_same_transaction_matches() {
        let one = marker(1);
        let text = one.append_to("text", 256).unwrap();
        assert!(one.is_on(&text));
        assert!(!Marker { step: StepId::new(2), ..one }.is_on(&text));
        assert!(!marker(1).is_on(&text));
        assert!(!one.is_on(&format!("{text} and more")));
    }

    #[test]
    fn a_marker_is_read_off_the_end_of_a_text() {
        let marker = marker(12);
        for text in ["", "text", "[selvedge:x", "\u{e9}"] {
            assert_eq!(Marker::at_end_of(&marker.append_to(text, 256).unwrap()), Some(marker), "{text}");
        }
        let tag = marker.to_string();
        for text in [
            "",
            "[selvedge:]",
            "[selvedge:x:1]",
            &format!("{tag} and more"),
            &tag.to_uppercase(),
            &tag.replace(":12]", ":+12]"),
            &tag.replace(":12]", ":012]"),
            &tag.replace(":12]", "]"),
        ] {
            assert_eq!(Marker::at_end_of(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_read_back() {
        let id = TransactionId::generate();
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse::<TransactionId>().unwrap(), id);
        assert!("not-an-id".parse::<TransactionId>().is_err());
    }
}
