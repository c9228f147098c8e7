//! A text as it is, and with its escaping undone: each byte knows where it comes from.

use std::{borrow::Cow, ops::Range};

/// How many levels of escaping are undone. A log line quotes an error that quotes a body that is JSON.
const LEVELS: usize = 3;

/// How many characters of base64 stand before a break that was put there to keep lines short. PEM has lines of 64 (RFC 7468 section 2), MIME
/// of 76 (RFC 2045 section 6.8).
const WRAPPED: usize = 60;

/// A text, decoded or not.
pub(super) struct View<'t> {
    pub(super) bytes: Cow<'t, [u8]>,
    /// In order; between two of them each byte stands for itself.
    undone: Vec<Undone>,
}

/// An escape that was undone.
struct Undone {
    /// Where in the view what it stands for begins, and how many bytes that is.
    at: usize,
    count: usize,
    /// Where in the text it stood.
    source: Range<usize>,
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

/// `text` itself, and what it decodes to in every order of the ways; each also without the breaks of wrapped base64.
pub(super) fn of(text: &[u8]) -> Vec<View<'_>> {
    let mut views = vec![View { bytes: Cow::Borrowed(text), undone: Vec::new() }];
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
    let unwrapped: Vec<_> = views.iter().filter_map(View::unwrapped).collect();
    views.extend(unwrapped);
    views
}

/// Whether `text` ends with a line of base64 that may go on in the next one.
pub(super) fn ends_wrapped(text: &[u8]) -> bool {
    text.strip_suffix(b"\n").is_some_and(is_wrapped)
}

/// Where the line begins that holds the byte at `index`, if that is a wrapped one: it can be told from others only as a whole.
pub(super) fn start_of_wrapped(text: &[u8], index: usize) -> Option<usize> {
    let start = text[..index].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let length = text[start..].iter().position(|byte| *byte == b'\n')?;
    is_wrapped(&text[start..start + length]).then_some(start)
}

/// Whether what stands before a break was cut there to keep lines short.
fn is_wrapped(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    line.len() >= WRAPPED && line.iter().rev().take(WRAPPED).all(is_base64)
}

impl<'t> View<'t> {
    /// Where in the text a part of this view comes from: whole escapes.
    pub(super) fn source(&self, part: Range<usize>) -> Range<usize> {
        self.origin(part.start).start..self.origin(part.end - 1).end
    }

    /// Where in the text one byte comes from.
    fn origin(&self, index: usize) -> Range<usize> {
        let before = self.undone.partition_point(|undone| undone.at <= index);
        let Some(undone) = before.checked_sub(1).map(|last| &self.undone[last]) else {
            return index..index + 1;
        };
        match (index - undone.at).checked_sub(undone.count) {
            Some(behind) => undone.source.end + behind..undone.source.end + behind + 1,
            None => undone.source.clone(),
        }
    }

    /// This view with one more level undone; `None` where there is none.
    fn decoded(&self, sign: u8, decode: Decode) -> Option<View<'t>> {
        let (mut units, mut index) = (Vec::new(), 0);
        while let Some(next) = self.bytes[index..].iter().position(|byte| *byte == sign) {
            index += next;
            match decode(&self.bytes[index..]) {
                Some(unit) => {
                    let length = unit.length;
                    units.push((index, unit));
                    index += length;
                }
                None => index += 1,
            }
        }
        self.undo(&units)
    }

    /// This view without the breaks that were put into base64, and the indentation behind them; `None` where there are none.
    fn unwrapped(&self) -> Option<View<'t>> {
        let from = &*self.bytes;
        let (mut units, mut start) = (Vec::new(), 0);
        while let Some(length) = from[start..].iter().position(|byte| *byte == b'\n') {
            let line = &from[start..start + length];
            start += length + 1;
            if is_wrapped(line) {
                let at = start - 1 - usize::from(line.ends_with(b"\r"));
                start += from[start..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                units.push((at, Unit { length: start - at, bytes: [0; 4], count: 0 }));
            }
        }
        self.undo(&units)
    }

    /// This view with these units undone, each with the place where it stands; `None` where there are none.
    fn undo(&self, units: &[(usize, Unit)]) -> Option<View<'t>> {
        if units.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut undone = Vec::with_capacity(self.undone.len() + units.len());
        let (mut start, mut earlier) = (0, self.undone.iter().peekable());
        let ends = units.iter().map(|(at, unit)| (*at, Some(unit)));
        for (end, unit) in ends.chain([(self.bytes.len(), None)]) {
            while let Some(Undone { at, count, source }) = earlier.next_if(|earlier| earlier.at < end) {
                undone.push(Undone { at: bytes.len() + at - start, count: *count, source: source.clone() });
            }
            bytes.extend_from_slice(&self.bytes[start..end]);
            let Some(unit) = unit else { break };
            start = end + unit.length;
            undone.push(Undone { at: bytes.len(), count: unit.count, source: self.source(end..start) });
            bytes.extend_from_slice(&unit.bytes[..unit.count]);
            while earlier.next_if(|earlier| earlier.at < start).is_some() {}
        }
        Some(View { bytes: bytes.into(), undone })
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

    #[test]
    fn wrapped_base64_is_one_line_and_other_lines_are_not() {
        let line = "aB3+".repeat(16);
        for wrap in ["\n", "\r\n", "\n  \t", r"\n", r"\r\n", r"\\n", "&#10;", "%0D%0A"] {
            let text = format!("x {line}{wrap}{line}{wrap}cD==\n");
            let views = of(text.as_bytes());
            let unwrapped = format!("x {line}{line}cD==\n");
            let view = views.iter().find(|view| *view.bytes == *unwrapped.as_bytes()).unwrap();
            let part = view.source(64 + 2..unwrapped.len() - 1);
            assert_eq!(text[part], format!("{line}{wrap}cD=="), "{wrap:?}");
            // A break at the end of a part is none of it.
            assert_eq!(view.source(2..2 + 64), 2..2 + 64);
        }
        let short = &line[..WRAPPED - 1];
        for text in [format!("{short}\n{short}\n"), format!("{line}.\n{line} \n"), format!("{line}\r{line}")]
        {
            assert!(of(text.as_bytes()).iter().all(|view| *view.bytes == *text.as_bytes()), "{text:?}");
        }
    }
}
