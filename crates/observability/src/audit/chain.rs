//! The line format: JSON with a running hash. That of the journal of transactions, on purpose: one recipe checks both.

use sha2::{Digest as _, Sha256};

/// What stands between the record's JSON, its closing brace taken off, and the hash.
const MEMBER: &str = r#","chain":""#;
/// What stands after the hash.
const CLOSE: &str = "\"}";
/// The length of a SHA-256 in hexadecimal.
const HASH: usize = 64;

/// The line, without its line break, that follows one whose hash is `before`, and its own hash. `json` is an object with members.
pub(super) fn link(before: &str, json: &str) -> (String, String) {
    let hash = next(before, json);
    let open = json.strip_suffix('}').unwrap_or(json);
    (format!("{open}{MEMBER}{hash}{CLOSE}"), hash)
}

/// A line taken apart: the record's JSON, and the hash that the line has. `None`: it has none.
pub(super) fn split(line: &str) -> Option<(String, &str)> {
    let rest = line.strip_suffix(CLOSE)?;
    let (rest, hash) = rest.len().checked_sub(HASH).and_then(|at| rest.split_at_checked(at))?;
    let is_hash = hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let open = rest.strip_suffix(MEMBER).filter(|_| is_hash)?;
    Some((format!("{open}}}"), hash))
}

/// The hash of a record that follows one whose hash is `before`; the first follows an empty one.
pub(super) fn next(before: &str, json: &str) -> String {
    hex(&Sha256::new().chain_update(before).chain_update(json).finalize())
}

/// The lowercase hexadecimal digits of `bytes`.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
