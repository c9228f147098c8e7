//! A text as it is, and with its escaping undone: each byte knows where it comes from.

use std::{borrow::Cow, ops::Range};

/// How many levels of escaping are undone. A log line quotes an error that quotes a body that is JSON.
const LEVELS: usize = 3;

/// A text, decoded or not.
pub(super) struct View<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    /// Where in the text each byte's escape begins, and the text's length; `None` where nothing was decoded.
    at: Option<Vec<usize>>,
}

/// What one escape stands for, and how long it is.
struct Unit {
    length: usize,
    bytes: [u8; 4],
    count: usize,
}

/// Decodes the escape that a text begins with, if it does.
type Decode = fn(&[u8]) -> Option<Unit>;

/// Each way of escaping: how its escapes begin, and how they are decoded.
const WAYS: [(u8, Decode); 3] = [(b'\\', backslash), (b'%', percent), (b'&', entity)];

/// `text` itself, and what it decodes to in every order of the ways.
pub(super) fn of(text: &[u8]) -> Vec<View<'_>> {
    let mut views = vec![View { bytes: Cow::Borrowed(text), at: None }];
    let mut level = 0..1;
    for _ in 0..LEVELS {
        for number in level.clone() {
            for (sign, decode) in WAYS {
                let Some(decoded) = views[number].decoded(sign, decode) else { continue };
                if !views.iter().any(|view| view.bytes == decoded.bytes) {
                    views.push(decoded);
                }
            }
        }
        level = level.end..views.len();
    }
    views
}

impl<'t> View<'t> {
    /// Where in the text a part of this view comes from.
    pub(super) fn source(&self, part: Range<usize>) -> Range<usize> {
        let Some(at) = &self.at else { return part };
        let last = at[part.end - 1];
        // Behind the escape of the last byte: one escape can stand for several.
        let end = at[part.end..].iter().find(|next| **next > last);
        at[part.start]..end.copied().unwrap_or(last)
    }

    /// This view with one more level undone; `None` where there is none.
    fn decoded(&self, sign: u8, decode: Decode) -> Option<View<'t>> {
        let from = &*self.bytes;
        if !from.contains(&sign) {
            return None;
        }
        let origin = |index: usize| self.at.as_ref().map_or(index, |at| at[index]);
        let (mut bytes, mut at, mut index) = (Vec::with_capacity(from.len()), Vec::new(), 0);
        let mut decoded = false;
        while let Some(byte) = from.get(index) {
            let unit = if *byte == sign { decode(&from[index..]) } else { None };
            decoded |= unit.is_some();
            let unit = unit.unwrap_or_else(|| one(1, *byte));
            bytes.extend_from_slice(&unit.bytes[..unit.count]);
            at.extend(std::iter::repeat_n(origin(index), unit.count));
            index += unit.length;
        }
        at.push(origin(from.len()));
        decoded.then_some(View { bytes: bytes.into(), at: Some(at) })
    }
}

fn one(length: usize, byte: u8) -> Unit {
    Unit { length, bytes: [byte, 0, 0, 0], count: 1 }
}

fn character(length: usize, code: u32) -> Option<Unit> {
    let mut bytes = [0; 4];
    let count = char::from_u32(code)?.encode_utf8(&mut bytes).len();
    Some(Unit { length, bytes, count })
}

fn number(digits: Option<&[u8]>, radix: u32) -> Option<u32> {
    let digits = str::from_utf8(digits?).ok()?;
    // A sign is no digit.
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

/// JSON (RFC 8259 section 7), and what Rust's `Debug` writes.
fn backslash(text: &[u8]) -> Option<Unit> {
    let byte = match text.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'0' => 0,
        plain @ (b'"' | b'\'' | b'\\' | b'/') => *plain,
        b'x' => return Some(one(4, u8::try_from(number(text.get(2..4), 16)?).ok()?)),
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(10).position(|byte| *byte == b'}')?;
            return character(end + 1, number(text.get(3..end), 16)?);
        }
        b'u' => {
            let high = number(text.get(2..6), 16)?;
            if (0xd800..0xdc00).contains(&high) && text.get(6..8) == Some(br"\u") {
                let low = number(text.get(8..12), 16)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                return character(12, 0x10000 + ((high - 0xd800) << 10) + low);
            }
            return character(6, high);
        }
        _ => return None,
    };
    Some(one(2, byte))
}

/// Percent-encoding (RFC 3986 section 2.1).
fn percent(text: &[u8]) -> Option<Unit> {
    let byte = u8::try_from(number(text.get(1..3), 16)?).ok()?;
    Some(one(3, byte))
}

/// The entities that text is escaped with in HTML.
fn entity(text: &[u8]) -> Option<Unit> {
    let end = text.iter().take(10).position(|byte| *byte == b';')?;
    let byte = match &text[1..end] {
        b"amp" => b'&',
        b"lt" => b'<',
        b"gt" => b'>',
        b"quot" => b'"',
        b"apos" => b'\'',
        [b'#', b'x' | b'X', digits @ ..] => return character(end + 1, number(Some(digits), 16)?),
        [b'#', digits @ ..] => return character(end + 1, number(Some(digits), 10)?),
        _ => return None,
    };
    Some(one(end + 1, byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_undone_and_knows_where_it_stood() {
        let rocket = "\u{1f680}";
        for (text, plain) in [
            (r#"a\"b\\c\/d\ne"#, "a\"b\\c/d\ne"),
            (r"\u0026\u00e4\u{e4}\x41", "&ääA"),
            (r"\ud83d\ude80", rocket),
            (r"\u{1f680}", rocket),
            ("%41%c3%A4+%2b%", "Aä++%"),
            ("&lt;&amp;&#39;&#x27;&quot;&gt; &c;", "<&''\"> &c;"),
            (r"%5Cu0026quot%3B", "\""),
            (r#"\\\"x\\\\"#, r#""x\"#),
        ] {
            let views = of(text.as_bytes());
            let view = views.iter().find(|view| *view.bytes == *plain.as_bytes());
            let view = view.unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!(view.source(0..plain.len()), 0..text.len(), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [r"\q", r"\u12", r"\ud800", r"\u{110000}", "%4", "%+1", "&nbsp;", "&#;", r"\xf"] {
            assert!(of(text.as_bytes()).iter().all(|view| *view.bytes == *text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn a_part_is_found_where_it_stood() {
        let views = of(br#"{"a":"x\u00e4\"y"}"#);
        let view = &views[1];
        let at = view.bytes.windows(2).position(|part| part == "ä".as_bytes()).unwrap();
        assert_eq!(view.source(at..at + 2), 7..13);
        assert_eq!(view.source(at..at + 1), 7..13, "half a character is a whole escape");
        assert_eq!(view.source(at - 1..at + 3), 6..15);
    }
}
