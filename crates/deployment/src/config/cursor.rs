//! A value in a file and the dotted key that leads to it.

use std::path::Path;

use super::document::{Entry, Node, Value};
use super::file::whole;
use crate::desired::Location;

/// A value in a file and the dotted key that leads to it.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    file: &'a Path,
    key: String,
    node: &'a Node,
}

impl<'a> Cursor<'a> {
    /// The top of a file.
    pub(super) fn root(file: &'a Path, node: &'a Node) -> Self {
        Self { file, key: String::new(), node }
    }

    pub(super) fn file(&self) -> &'a Path {
        self.file
    }

    pub(super) fn value(&self) -> &'a Value {
        &self.node.value
    }

    /// The dotted key, empty at the top.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The place of the value.
    pub(super) fn at(&self) -> Location {
        self.place(self.key.clone(), self.node.line, self.node.column)
    }

    /// The place to point at when `name` is missing here.
    pub(super) fn missing(&self, name: &str) -> Location {
        // The top of a file begins at its first key, which has nothing to do with the one that is missing.
        let at = if self.key.is_empty() { whole(self.file) } else { self.at() };
        Location { key: self.join(name), ..at }
    }

    /// The value of `name`. A key without a value is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let entry = self.map().iter().find(|entry| entry.key == name && !entry.value.is_null())?;
        Some(Self { file: self.file, key: self.join(name), node: &entry.value })
    }

    /// Keys, values and the places of the keys, in the order of the file; nothing for what is not a mapping.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Self, Location)> {
        self.map().iter().map(|entry| {
            let key = self.join(&entry.key);
            let cursor = Self { file: self.file, key: key.clone(), node: &entry.value };
            (entry.key.as_str(), cursor, self.place(key, entry.line, entry.column))
        })
    }

    /// The values of a list; nothing for what is not a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => &[],
        };
        nodes.iter().enumerate().map(|(index, node)| Self {
            file: self.file,
            key: format!("{}[{index}]", self.key),
            node,
        })
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.is_null()
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    fn map(&self) -> &'a [Entry] {
        match &self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    fn join(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    fn place(&self, key: String, line: u64, column: u64) -> Location {
        Location { file: self.file.to_owned(), line: Some(line), column: Some(column), key }
    }
}
