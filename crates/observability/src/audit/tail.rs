//! How a file of the trail ends: what the next line has to follow.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::chain;

/// How much of the end is read at first; doubled until a whole line is in it.
const WINDOW: u64 = 16 * 1024;

/// The end of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last whole line.
    pub(super) last: Last,
    /// How long the file is up to the end of that line, its line break included if it has one.
    pub(super) whole: u64,
    /// Whether that line lacks its line break.
    pub(super) is_unbroken: bool,
    /// What stands after it: a line that was not written to its end.
    pub(super) torn: Vec<u8>,
}

/// The last whole line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There is none.
    None,
    /// One of ours, with its hash.
    Chained(String),
    /// Not one of ours: the predecessor's, for example.
    Foreign,
}

impl Tail {
    /// Reads the end of `file`.
    pub(super) fn read(file: &mut File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut window = WINDOW;
        loop {
            let from = length.saturating_sub(window);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(length - from).read_to_end(&mut bytes)?;
            if let Some(tail) = Self::of(&bytes, from) {
                return Ok(tail);
            }
            window = window.saturating_mul(2);
        }
    }

    /// The end of a file of which `bytes` are what stands from `from` on. `None`: more of it is needed.
    fn of(bytes: &[u8], from: u64) -> Option<Self> {
        let is_break = |byte: &u8| *byte == b'\n';
        let (lines, rest) = bytes.split_at(bytes.iter().rposition(is_break).map_or(0, |at| at + 1));
        let begun = (!lines.is_empty()).then(|| lines[..lines.len() - 1].iter().rposition(is_break));
        let whole = |length: usize| from + length as u64;
        // A line without its line break may be whole all the same: its hash, or its closing brace, comes last.
        if (from == 0 || !lines.is_empty()) && !rest.is_empty() && is_whole(rest) {
            let (last, torn) = (last_of(rest), Vec::new());
            return Some(Self { last, whole: whole(bytes.len()), is_unbroken: true, torn });
        }
        let last = match begun {
            // Of the last whole line the beginning is missing.
            Some(None) if from > 0 => return None,
            None if from > 0 => return None,
            None => Last::None,
            Some(at) => last_of(&lines[at.map_or(0, |at| at + 1)..lines.len() - 1]),
        };
        Some(Self { last, whole: whole(lines.len()), is_unbroken: false, torn: rest.to_owned() })
    }
}

fn is_whole(line: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(line).is_ok()
}

fn last_of(line: &[u8]) -> Last {
    let hash = str::from_utf8(line).ok().and_then(|line| Some(chain::split(line)?.1.to_owned()));
    hash.map_or(Last::Foreign, Last::Chained)
}

/// The hash that what follows a file without one of its own begins with: that of the file.
pub(super) fn digest(file: &mut File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut bytes = [0; 64 * 1024];
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(chain::hex(&hash.finalize())),
            count => hash.update(&bytes[..count]),
        }
    }
}
