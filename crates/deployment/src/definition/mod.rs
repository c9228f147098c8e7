//! The content of an item, as the parts Fabric exchanges, and when two contents mean the same.
//!
//! <https://learn.microsoft.com/rest/api/fabric/articles/item-management/definitions/item-definition-overview>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

mod load;
mod normal;

pub use load::{DefinitionError, DefinitionErrorKind, MAX_BYTES, MAX_PARTS, load};

/// The content of an item.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Fabric's name of the format, where the type has several and the default is not meant: `ipynb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The files, sorted by path. `.platform`, which names and describes the item, is never among them.
    pub parts: Vec<Part>,
}

/// One file of a definition.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The path in the definition, `/` between segments: `definition/pages/pages.json`.
    pub path: String,
    /// The content; base64 where it is serialised.
    #[serde(rename = "payload", serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub bytes: Vec<u8>,
}

impl Definition {
    /// A definition of these parts: sorted, and without `.platform`.
    pub fn new(format: Option<String>, mut parts: Vec<Part>) -> Self {
        parts.retain(|part| part.path != ".platform");
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        Self { format, parts }
    }

    /// Whether both hold the same files with the same meaning.
    ///
    /// Fabric re-indents JSON, reorders keys and writes `null` for `""`; text may come back with other line ends.
    /// The format is not compared: an answer may leave it out, and the parts' names tell it.
    pub fn same_meaning(&self, other: &Self) -> bool {
        let sum = |definition: &Self| definition.sum();
        sum(self) == sum(other)
    }

    /// The files that do not mean the same, by path: in `self`, in `other`.
    #[must_use]
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<PartDifference<'a>> {
        fn files(definition: &Definition) -> BTreeMap<&str, &Part> {
            let parts = definition.parts.iter().filter(|part| part.path != ".platform");
            parts.map(|part| (part.path.as_str(), part)).collect()
        }
        let (one, another) = (files(self), files(other));
        let paths: BTreeSet<&str> = one.keys().chain(another.keys()).copied().collect();
        let differ = |path: &&str| match (one.get(path), another.get(path)) {
            (Some(a), Some(b)) => normal::form(path, &a.bytes) != normal::form(path, &b.bytes),
            _ => true,
        };
        let bytes = |part: Option<&&'a Part>| part.map(|part| part.bytes.as_slice());
        let paths = paths.into_iter().filter(differ);
        paths
            .map(|path| PartDifference { path, one: bytes(one.get(path)), other: bytes(another.get(path)) })
            .collect()
    }

    /// SHA-256 of the meaning, in lower-case hexadecimal: equal exactly where [`Self::same_meaning`] holds.
    pub fn digest(&self) -> String {
        self.sum().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn sum(&self) -> [u8; 32] {
        let mut parts: Vec<&Part> = self.parts.iter().filter(|part| part.path != ".platform").collect();
        parts.sort_by(|a, b| a.path.cmp(&b.path));
        let mut hash = Sha256::new();
        for part in parts {
            let content = normal::form(&part.path, &part.bytes);
            // Lengths keep `a` + `bc` apart from `ab` + `c`.
            for field in [part.path.as_bytes(), &content] {
                hash.update((field.len() as u64).to_be_bytes());
                hash.update(field);
            }
        }
        hash.finalize().into()
    }
}

/// A file that two definitions have differently, or one of them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartDifference<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its content in the one.
    pub one: Option<&'a [u8]>,
    /// Its content in the other.
    pub other: Option<&'a [u8]>,
}

/// A file's content as people compare it: JSON with its keys in order and a line for each, text with the usual line ends. `None` where it
/// is no text.
#[must_use]
pub fn readable(path: &str, bytes: &[u8]) -> Option<String> {
    normal::readable(path, bytes)
}

/// The format to read a type in so that nothing is lost; `None` where there is one only.
///
/// A notebook is read as source unless something else is asked for, and source has no place for outputs.
pub(crate) fn fullest_format(kind: &str) -> Option<&'static str> {
    (kind == "Notebook").then_some("ipynb")
}

/// Shows the size only: the content is a customer's code.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({:?}, {} bytes)", self.path, self.bytes.len())
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
