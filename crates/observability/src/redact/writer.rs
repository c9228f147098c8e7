//! A writer that redacts what goes through it, wherever the writes begin and end.

use std::{
    io::{self, Write},
    mem,
};

use super::{PLACEHOLDER, Redactor, replaced, shapes};

/// The most bytes of one line that are held back for its end. What is longer is handed on before.
const LIMIT: usize = 1024 * 1024;

/// How many bytes a byte of a value can take when it is escaped, about.
const ESCAPED: usize = 12;

/// Hands on what is written line by line, without the secrets that its [`Redactor`] knows.
///
/// A line is handed on when it is complete, when it is flushed, at a mebibyte or so, or when the writer is dropped. A value of several lines
/// is waited for as long as it may still be one. A flush in the middle of a line (a prompt) hands on all but what could be the beginning
/// of a value.
#[derive(Debug)]
pub struct Redacting<W: Write> {
    to: W,
    redactor: Redactor,
    held: Vec<u8>,
    /// Whether the last line belonged to a private key whose end has not come.
    in_key: bool,
}

impl<W: Write> Redacting<W> {
    /// Writes to `to`.
    pub fn new(to: W, redactor: Redactor) -> Self {
        Self { to, redactor, held: Vec::new(), in_key: false }
    }

    /// Hands on the first `length` bytes, or less where a secret stands across that place.
    fn hand_on(&mut self, length: usize) -> io::Result<()> {
        let text = match str::from_utf8(&self.held) {
            Ok(text) => text,
            // The end of a character is still to come.
            Err(error) if error.error_len().is_none() => {
                str::from_utf8(&self.held[..error.valid_up_to()]).unwrap_or_default()
            }
            // It is not text: none of ours writes that. All of it goes.
            Err(_) => {
                let held = mem::take(&mut self.held);
                let redacted = self.redactor.redact(&String::from_utf8_lossy(&held)).into_owned();
                return self.to.write_all(redacted.as_bytes());
            }
        };
        let length = text.floor_char_boundary(length);
        if length == 0 {
            return Ok(());
        }
        let found = self.redactor.found(text);
        let across = found.iter().find(|range| range.start < length && length < range.end);
        let length = match across {
            Some(range) if range.start > 0 || text.len() < LIMIT => range.start,
            Some(range) => range.end,
            None => length,
        };
        let inside: Vec<_> = found.into_iter().filter(|range| range.end <= length).collect();
        let text = &text[..length];
        let out = without_key(text, &replaced(text, &inside), &mut self.in_key);
        self.held.drain(..length);
        self.to.write_all(out.as_bytes())
    }

    /// Hands on what is complete.
    fn settle(&mut self) -> io::Result<()> {
        let known = self.redactor.known();
        let complete = self.held.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let most = known.longest().saturating_mul(ESCAPED).saturating_add(4096);
        if self.held.len() - complete > LIMIT.saturating_add(most) {
            return self.hand_on(self.held.len() - most);
        }
        self.hand_on(known.unfinished(&self.held[..complete], true))
    }
}

/// `redacted` without the lines of a private key that began in an earlier piece, and with the line break that it ends with.
fn without_key(text: &str, redacted: &str, in_key: &mut bool) -> String {
    let mut out = String::with_capacity(redacted.len());
    let mut rest = redacted;
    while *in_key && !rest.is_empty() {
        let line = rest.split_inclusive('\n').next().unwrap_or_default();
        let is_end = line.trim_start().starts_with("-----END ");
        let is_key =
            line.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=,:- ".contains(&byte));
        // A placeholder, where a line of the key was known.
        if !is_end && !is_key && line.trim() != PLACEHOLDER {
            *in_key = false;
            break;
        }
        *in_key = !is_end;
        rest = &rest[line.len()..];
    }
    out.push_str(rest);
    if shapes::ends_in_key(text) {
        *in_key = true;
        if text.ends_with('\n') && !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.settle()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let ready = self.redactor.known().unfinished(&self.held, false);
        self.hand_on(ready)?;
        self.to.flush()
    }
}

impl<W: Write> Drop for Redacting<W> {
    fn drop(&mut self) {
        // Nobody is left to tell of a failure; who needs to know flushes first.
        let rest = self.hand_on(self.held.len());
        // At most the beginning of a character is left.
        drop(rest.and_then(|()| self.to.write_all(&self.held)).and_then(|()| self.to.flush()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::tests::{redactor, written};

    #[test]
    fn a_value_is_found_wherever_the_writes_end() {
        let redactor = redactor(&["hunter22", "two\nlines\nü"]);
        let text = "a hunter22 b\nc two\nlines\nü d\nhun\"ter two\nlines\n".as_bytes();
        let expected = "a *** b\nc *** d\nhun\"ter two\nlines\n";
        for at in 0..text.len() {
            let (first, second) = text.split_at(at);
            assert_eq!(written(&redactor, [first, second], false), expected, "{at}");
            assert_eq!(written(&redactor, [first, second], true), expected, "flushed at {at}");
        }
        assert_eq!(written(&redactor, text.chunks(1), true), expected);
    }

    #[test]
    fn a_line_comes_when_it_is_complete_and_a_prompt_when_it_is_flushed() {
        let redactor = redactor(&["hunter22"]);
        let mut to = Vec::new();
        let mut writer = Redacting::new(&mut to, redactor);
        writer.write_all(b"one\ntwo ").unwrap();
        assert_eq!(writer.to, b"one\n");
        writer.flush().unwrap();
        assert_eq!(writer.to, b"one\ntwo ");
        writer.write_all(b"hunt").unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.to, b"one\ntwo ");
        writer.write_all(b"er22? ").unwrap();
        writer.flush().unwrap();
        assert_eq!(writer.to, b"one\ntwo ***? ");
    }

    #[test]
    fn a_private_key_is_hidden_over_several_writes() {
        let key = "a\n-----BEGIN PRIVATE KEY-----\nMIIEvQ==\nabc+/=\n-----END PRIVATE KEY-----\nb\n";
        let lines = key.split_inclusive('\n').map(str::as_bytes);
        assert_eq!(written(&Redactor::default(), lines, true), "a\n***\nb\n");
        assert_eq!(written(&Redactor::default(), [key.as_bytes()], true), "a\n***\nb\n");
        let cut = "-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n[Step 2/8] goes on\n";
        assert_eq!(
            written(&Redactor::default(), cut.split_inclusive('\n').map(str::as_bytes), false),
            "***\n[Step 2/8] goes on\n"
        );
    }

    #[test]
    fn what_is_held_is_bounded() {
        let redactor = redactor(&["hunter22"]);
        let mut to = io::sink();
        let mut writer = Redacting::new(&mut to, redactor);
        for _ in 0..400 {
            writer.write_all(&[b'x'; 8192]).unwrap();
            assert!(writer.held.len() <= 2 * LIMIT);
        }
    }
}
