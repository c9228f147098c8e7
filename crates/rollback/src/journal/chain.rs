//! The line format: JSON with a running hash.

use sha2::{Digest, Sha256};

use crate::Target;
use crate::plan::hex;
use crate::record::{FORMAT, Record};

/// The hash of everything up to the last line.
#[derive(Clone, Default)]
pub(crate) struct Chain(String);

/// What stands between the record's JSON, its closing brace taken off, and the hash.
const MEMBER: &[u8] = br#","chain":""#;
/// What stands after the hash.
const CLOSE: &[u8] = b"\"}\n";
/// The length of a SHA-256 in hexadecimal.
const HASH: usize = 64;

impl Chain {
    /// Makes the next line from a record's JSON object.
    pub(crate) fn link(&mut self, json: Vec<u8>) -> Vec<u8> {
        self.0 = self.next(&json);
        let mut line = json;
        line.pop();
        line.extend_from_slice(MEMBER);
        line.extend_from_slice(self.0.as_bytes());
        line.extend_from_slice(CLOSE);
        line
    }

    /// Takes a line apart, and checks that it is the next one.
    pub(crate) fn check(&mut self, seq: u64, line: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let malformed = || Corrupt::new(seq, "it is not a line of a journal");
        let rest = line.strip_suffix(CLOSE).ok_or_else(malformed)?;
        let (rest, hash) =
            rest.len().checked_sub(HASH).and_then(|at| rest.split_at_checked(at)).ok_or_else(malformed)?;
        let mut json = rest.strip_suffix(MEMBER).ok_or_else(malformed)?.to_vec();
        json.push(b'}');
        let expected = self.next(&json);
        if expected.as_bytes() != hash {
            return Err(Corrupt::new(
                seq,
                "its hash does not follow from the records before it: it, or one before it, was changed",
            ));
        }
        self.0 = expected;
        Ok(json)
    }

    fn next(&self, json: &[u8]) -> String {
        hex(&Sha256::new().chain_update(self.0.as_bytes()).chain_update(json).finalize())
    }
}

/// Reads one record, after its version.
pub(crate) fn decode<T: Target>(seq: u64, json: &[u8]) -> Result<Record<T>, Corrupt> {
    check_version(seq, json)?;
    let record: Record<T> = parse(seq, json)?;
    if record.seq != seq {
        return Err(Corrupt::new(seq, format!("it has number {}", record.seq)));
    }
    Ok(record)
}

/// Refuses what a newer program wrote: a guess about it could delete something.
fn check_version(seq: u64, json: &[u8]) -> Result<(), Corrupt> {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u32,
    }
    let Version { v } = parse(seq, json)?;
    if v > FORMAT {
        return Err(Corrupt::new(
            seq,
            format!("it has format version {v} and this program reads up to {FORMAT}: use a newer one"),
        ));
    }
    Ok(())
}

fn parse<R: serde::de::DeserializeOwned>(seq: u64, json: &[u8]) -> Result<R, Corrupt> {
    serde_json::from_slice(json).map_err(|error| Corrupt::new(seq, format!("it is not a record: {error}")))
}

/// A journal that must not be acted on.
#[derive(Debug, thiserror::Error)]
#[error("record {seq}: {why}")]
pub struct Corrupt {
    seq: u64,
    why: String,
}

impl Corrupt {
    pub(crate) fn new(seq: u64, why: impl Into<String>) -> Self {
        Self { seq, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_a_newer_format_is_refused_and_never_guessed_at() {
        assert!(check_version(3, br#"{"v":1,"body":{}}"#).is_ok());
        let error = check_version(3, br#"{"v":2,"body":{}}"#).unwrap_err().to_string();
        assert_eq!(
            error,
            "record 3: it has format version 2 and this program reads up to 1: use a newer one"
        );
        assert!(check_version(3, b"{}").is_err());
    }

    #[test]
    fn a_line_is_json_and_goes_through_the_chain() {
        let (mut writer, mut reader) = (Chain::default(), Chain::default());
        for (seq, json) in [r#"{"a":1}"#, r#"{"b":2}"#].into_iter().enumerate() {
            let line = writer.link(json.as_bytes().to_vec());
            let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
            assert_eq!(value["chain"].as_str().unwrap().len(), HASH);
            assert_eq!(reader.check(seq as u64, &line).unwrap(), json.as_bytes());
        }
    }
}
