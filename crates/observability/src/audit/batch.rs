//! The lines of one append: the record, and before it what has to be said of the trail itself.

use serde_json::{Map, Value};

use super::chain;

/// Lines that follow one another.
pub(super) struct Batch {
    /// The hash of the last.
    hash: String,
    pub(super) bytes: Vec<u8>,
}

impl Batch {
    /// After a line, or a file, whose hash is `before`; empty at the very beginning.
    pub(super) fn after(before: &str) -> Self {
        Self { hash: before.to_owned(), bytes: Vec::new() }
    }

    pub(super) fn push(&mut self, json: &Map<String, Value>) {
        let json = Value::from(json.clone()).to_string();
        let (line, hash) = chain::link(&self.hash, &json);
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        self.hash = hash;
    }
}
