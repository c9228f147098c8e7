//! How the world is written down where serde cannot know: words of the service, and bytes.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

/// A word of a list that is known. It has this name because serde takes what is called `&str` to be borrowed from the
/// text that is read.
pub(crate) type Word = &'static str;

/// The word of the list that is read.
pub(super) fn read_word<'de, D: Deserializer<'de>>(
    from: D,
    what: &str,
    known: impl IntoIterator<Item = Word>,
) -> Result<Word, D::Error> {
    let text = String::deserialize(from)?;
    let found = known.into_iter().find(|known| *known == text);
    found.ok_or_else(|| D::Error::custom(format!("`{text}` is not a {what}")))
}

/// For `#[serde(deserialize_with = "stored::item_type")]`.
pub(super) fn item_type<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    read_word(from, "type of item", super::item_type::TYPES.iter().copied())
}

/// For `#[serde(with = "stored::base64")]`.
pub(super) mod base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in crate::world) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(in crate::world) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// For `#[serde(with = "stored::time")]`: RFC 3339. What is read can be written in every form that the services have.
pub(crate) mod time {
    use serde::Deserializer;
    use serde::de::Error;
    use time::{OffsetDateTime, UtcOffset};

    pub(crate) use time::serde::rfc3339::serialize;

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OffsetDateTime, D::Error> {
        in_range(time::serde::rfc3339::deserialize(from)?)
    }

    fn in_range<E: Error>(at: OffsetDateTime) -> Result<OffsetDateTime, E> {
        let at = at.checked_to_offset(UtcOffset::UTC).filter(|at| *at >= OffsetDateTime::UNIX_EPOCH);
        at.ok_or_else(|| E::custom("is not a time between the years 1970 and 9999"))
    }

    /// For `#[serde(with = "stored::time::option")]`.
    pub(crate) mod option {
        use serde::Deserializer;
        use time::OffsetDateTime;

        pub(crate) use time::serde::rfc3339::option::serialize;

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<OffsetDateTime>, D::Error> {
            time::serde::rfc3339::option::deserialize(from)?.map(super::in_range).transpose()
        }
    }
}
