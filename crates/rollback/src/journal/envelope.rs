//! How a line is kept: as it is, or sealed for one place in one journal.

use std::borrow::Cow;
use std::io;

use super::Corrupt;
use super::seal::SealKey;
use crate::TransactionId;

/// What begins a sealed line, up to the name of its key.
const OPEN: &[u8] = br#"{"key":""#;
/// What stands between that and the sealed bytes, in base64.
const MIDDLE: &[u8] = br#"","sealed":""#;
/// What ends it.
const CLOSE: &[u8] = b"\"}\n";
/// The length of a key's name.
const NAME: usize = 16;

/// The place that a line belongs to. It is sealed for that place, and opens in no other.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    /// The transaction.
    pub(super) id: TransactionId,
    /// The number of the record; `None` for one that is spilled.
    pub(super) seq: Option<u64>,
}

impl Spot {
    pub(super) fn record(id: TransactionId, seq: u64) -> Self {
        Self { id, seq: Some(seq) }
    }

    pub(super) fn spill(id: TransactionId) -> Self {
        Self { id, seq: None }
    }

    /// What is authenticated with the line, and not in it.
    fn bound(self) -> String {
        let seq = self.seq.map_or_else(|| "spill".to_owned(), |seq| seq.to_string());
        format!("selvedge journal 1 {} {seq}", self.id)
    }
}

/// The line as it is written.
///
/// # Errors
///
/// When the system has no random numbers to give.
pub(super) fn close(key: Option<&SealKey>, spot: Spot, line: Vec<u8>) -> io::Result<Vec<u8>> {
    let Some(key) = key else { return Ok(line) };
    let sealed = key.seal(spot.bound().as_bytes(), line)?;
    Ok([OPEN, key.name().as_bytes(), MIDDLE, sealed.as_bytes(), CLOSE].concat())
}

/// The line as it was before it was written. `at` is its number among the lines, for messages.
///
/// # Errors
///
/// When it is sealed and there is no key, is not sealed and there is one, was sealed with another key or for another place, or
/// was changed since.
pub(super) fn open<'l>(
    key: Option<&SealKey>,
    spot: Spot,
    at: u64,
    line: &'l [u8],
) -> Result<Cow<'l, [u8]>, Corrupt> {
    let sealed = sealed(at, line)?;
    match (key, sealed) {
        (None, None) => Ok(Cow::Borrowed(line)),
        (None, Some((name, _))) => {
            Err(Corrupt::new(at, format!("it is sealed with the key {name}, and no key is set")))
        }
        (Some(_), None) => Err(Corrupt::new(
            at,
            "it is not sealed, and with a key set nothing else counts: end its transaction without the key",
        )),
        (Some(key), Some((name, _))) if name != key.name() => Err(Corrupt::new(
            at,
            format!("it is sealed with the key {name}, and the one that is set is {}", key.name()),
        )),
        (Some(key), Some((_, text))) => {
            key.open(spot.bound().as_bytes(), text).map(Cow::Owned).ok_or_else(|| {
                Corrupt::new(at, "it was changed since it was sealed, or belongs to another place or journal")
            })
        }
    }
}

/// The name of the key, and the sealed bytes, of a line that begins as a sealed one does.
fn sealed(at: u64, line: &[u8]) -> Result<Option<(&str, &[u8])>, Corrupt> {
    let Some(rest) = line.strip_prefix(OPEN) else { return Ok(None) };
    let parts = rest.split_at_checked(NAME).and_then(|(name, rest)| {
        let name = str::from_utf8(name).ok().filter(|name| name.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some((name, rest.strip_prefix(MIDDLE)?.strip_suffix(CLOSE)?))
    });
    parts.map(Some).ok_or_else(|| Corrupt::new(at, "it is not a line of a journal"))
}

#[cfg(test)]
#[cfg(feature = "seal")]
mod tests {
    use super::super::seal::tests::key;
    use super::*;

    const LINE: &[u8] = b"{\"v\":1,\"secret\":\"canary\"}\n";

    fn spot() -> Spot {
        Spot::record(TransactionId::from(7), 3)
    }

    fn error(key: Option<&SealKey>, spot: Spot, line: &[u8]) -> String {
        open(key, spot, 3, line).unwrap_err().to_string()
    }

    #[test]
    fn s5_a_sealed_line_is_one_line_of_json_that_says_nothing() {
        let one = close(Some(&key(1)), spot(), LINE.to_vec()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&one).unwrap();
        assert_eq!(json["key"], key(1).name());
        assert!(json["sealed"].is_string() && json.as_object().unwrap().len() == 2);
        assert_eq!(one.iter().position(|byte| *byte == b'\n'), Some(one.len() - 1));
        assert_eq!(open(Some(&key(1)), spot(), 3, &one).unwrap(), LINE);
        assert_ne!(close(Some(&key(1)), spot(), LINE.to_vec()).unwrap(), one, "no nonce is used twice");
    }

    #[test]
    fn s5_a_line_opens_in_its_own_place_only() {
        let key = key(1);
        let sealed = close(Some(&key), spot(), LINE.to_vec()).unwrap();
        let Spot { id, .. } = spot();
        for other in [
            Spot::record(id, 2),
            Spot::record(id, 33),
            Spot::spill(id),
            Spot::record(TransactionId::from(8), 3),
        ] {
            let expected =
                "record 3: it was changed since it was sealed, or belongs to another place or journal";
            assert_eq!(error(Some(&key), other, &sealed), expected);
        }
    }

    #[test]
    fn s5_each_thing_that_can_be_wrong_with_the_key_is_told_from_the_others() {
        let sealed = close(Some(&key(1)), spot(), LINE.to_vec()).unwrap();
        let (ours, theirs) = (key(1), key(2));
        let (one, two) = (ours.name(), theirs.name());
        assert_ne!(one, two);
        for (error, expected) in [
            (error(None, spot(), &sealed), format!("it is sealed with the key {one}, and no key is set")),
            (
                error(Some(&theirs), spot(), &sealed),
                format!("it is sealed with the key {one}, and the one that is set is {two}"),
            ),
            (
                error(Some(&ours), spot(), LINE),
                "it is not sealed, and with a key set nothing else counts: end its transaction without the key"
                    .to_owned(),
            ),
        ] {
            assert_eq!(error, format!("record 3: {expected}"));
        }
        assert_eq!(open(None, spot(), 3, LINE).unwrap(), LINE);
    }

    #[test]
    fn s5_a_sealed_line_with_any_bit_changed_or_anything_missing_is_refused() {
        let key = key(1);
        let sealed = close(Some(&key), spot(), LINE.to_vec()).unwrap();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[at] ^= 1 << bit;
                assert!(open(Some(&key), spot(), 3, &changed).is_err(), "byte {at}, bit {bit}");
            }
            assert!(open(Some(&key), spot(), 3, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
