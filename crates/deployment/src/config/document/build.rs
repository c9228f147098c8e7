//! From the events of the YAML parser to the tree, within limits.

use std::collections::HashMap;
use std::path::Path;

use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, Tag};

use super::{Entry, Node, Value, whole};
use crate::config::Diagnostic;
use crate::desired::Location;

/// Levels of nesting, through aliases too.
const MAX_DEPTH: usize = 64;
/// Bytes of text, and [`NODE`] for each value, once aliases are written out.
const MAX_WEIGHT: usize = 16 << 20;
/// What a value counts for beside its text.
const NODE: usize = 64;
/// Problems after which reading on helps nobody.
const MAX_PROBLEMS: usize = 50;

/// A finished value and what it costs to repeat it.
#[derive(Clone)]
struct Built {
    node: Node,
    weight: usize,
    depth: usize,
}

/// A collection that is still open.
struct Frame {
    at: Marker,
    anchor: usize,
    weight: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Map),
}

#[derive(Default)]
struct Map {
    entries: Vec<Entry>,
    /// The line of each key in `entries`.
    seen: HashMap<String, u64>,
    /// The values of `<<`.
    merges: Vec<Node>,
    /// The key whose value comes next.
    key: Option<Key>,
}

struct Key {
    text: String,
    plain: bool,
    at: Marker,
}

/// The file cannot be read on; the problem is in the list.
struct Stop;

struct Builder<'a> {
    file: &'a Path,
    problems: &'a mut Vec<Diagnostic>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    /// What all values made so far cost together.
    weight: usize,
    root: Option<Node>,
}

/// The one document in `text`; `None` if it cannot be read.
pub(super) fn document(file: &Path, text: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder =
        Builder { file, problems, frames: Vec::new(), anchors: HashMap::new(), weight: 0, root: None };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.event(event, span.start),
            Err(error) => builder.stop(*error.marker(), error.info(), "correct the syntax there"),
        };
        if step.is_err() {
            return None;
        }
    }
    builder.root
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, at: Marker) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                self.stop(at, "a second document starts here", "keep one document in the file")
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), at)?;
                let weight = NODE + text.len();
                self.spend(weight, at)?;
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let node = node(at, Value::Scalar { text: text.into_owned(), plain });
                self.finish(Built { node, weight, depth: 0 }, anchor, at)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(anchor, tag.as_deref(), at, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(anchor, tag.as_deref(), at, Content::Map(Map::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at),
            Event::Alias(id) => match self.anchors.get(&id).map(|built| built.weight) {
                Some(weight) => {
                    self.spend(weight, at)?;
                    match self.anchors.get(&id).cloned() {
                        Some(built) => self.place(built, at),
                        None => Ok(()),
                    }
                }
                None => self.stop(at, "an alias stands inside what it names", "write the value out"),
            },
            // Starts and ends of stream and document, and kinds of event that were not asked for.
            _ => Ok(()),
        }
    }

    fn open(&mut self, anchor: usize, tag: Option<&Tag>, at: Marker, content: Content) -> Result<(), Stop> {
        self.tag(tag, at)?;
        self.spend(NODE, at)?;
        self.frames.push(Frame { at, anchor, weight: NODE, depth: 0, content });
        Ok(())
    }

    fn end(&mut self, at: Marker) -> Result<(), Stop> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::List(nodes) => Value::List(nodes),
            Content::Map(mut map) => {
                for merge in std::mem::take(&mut map.merges) {
                    self.merge(&mut map, merge)?;
                }
                Value::Map(map.entries)
            }
        };
        let node = node(frame.at, value);
        self.finish(Built { node, weight: frame.weight, depth: frame.depth + 1 }, frame.anchor, at)
    }

    /// Remembers a value under its anchor and puts it where it belongs.
    fn finish(&mut self, built: Built, anchor: usize, at: Marker) -> Result<(), Stop> {
        if anchor != 0 {
            self.spend(built.weight, at)?;
            self.anchors.insert(anchor, built.clone());
        }
        self.place(built, at)
    }

    fn place(&mut self, built: Built, at: Marker) -> Result<(), Stop> {
        if self.frames.len() + built.depth > MAX_DEPTH {
            return self.stop(at, format!("values nest more than {MAX_DEPTH} deep"), "make the file flatter");
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        frame.depth = frame.depth.max(built.depth);
        frame.weight += built.weight;
        let node = built.node;
        match &mut frame.content {
            Content::List(nodes) => nodes.push(node),
            Content::Map(map) => match (map.key.take(), node.value) {
                (None, Value::Scalar { text, plain }) => map.key = Some(Key { text, plain, at }),
                (None, value) => {
                    let at = marker(&Node { value, ..node });
                    return self.stop(at, "a key is a list or a mapping", "use text as the key");
                }
                (Some(key), value) => return self.entry(key, Node { value, ..node }),
            },
        }
        Ok(())
    }

    fn entry(&mut self, key: Key, mut value: Node) -> Result<(), Stop> {
        let (line, column) = position(key.at);
        if !matches!(value.value, Value::Scalar { .. }) || value.is_null() {
            (value.line, value.column) = (line, column);
        }
        let Some(Frame { content: Content::Map(map), .. }) = self.frames.last_mut() else {
            return Ok(());
        };
        if key.text == "<<" && key.plain {
            map.merges.push(value);
        } else if let Some(first) = map.seen.get(&key.text) {
            let message = format!("the key {:?} is here twice; it is first in line {first}", key.text);
            self.problem(key.at, message, "remove one of the two");
            if self.problems.len() >= MAX_PROBLEMS {
                return Err(Stop);
            }
        } else {
            map.seen.insert(key.text.clone(), line);
            map.entries.push(Entry { key: key.text, line, column, value });
        }
        Ok(())
    }

    /// YAML 1.1's `<<`: the entries of other mappings, unless they are given here.
    fn merge(&mut self, map: &mut Map, source: Node) -> Result<(), Stop> {
        let at = marker(&source);
        let sources = match source.value {
            Value::List(nodes) => nodes,
            value => vec![Node { value, ..source }],
        };
        for source in sources {
            let Value::Map(entries) = source.value else {
                return self.stop(at, "`<<` needs a mapping", "name the anchor of a mapping");
            };
            for entry in entries {
                if !map.seen.contains_key(&entry.key) {
                    map.seen.insert(entry.key.clone(), entry.line);
                    map.entries.push(entry);
                }
            }
        }
        Ok(())
    }

    fn tag(&mut self, tag: Option<&Tag>, at: Marker) -> Result<(), Stop> {
        match tag {
            Some(tag) if !tag.is_yaml_core_schema() => {
                self.stop(at, format!("the tag {tag} has no meaning here"), "remove the tag")
            }
            _ => Ok(()),
        }
    }

    fn spend(&mut self, weight: usize, at: Marker) -> Result<(), Stop> {
        self.weight += weight;
        if self.weight > MAX_WEIGHT {
            return self.stop(
                at,
                "the values become too large once aliases are written out",
                "use fewer aliases",
            );
        }
        Ok(())
    }

    fn stop(&mut self, at: Marker, message: impl Into<String>, help: &str) -> Result<(), Stop> {
        self.problem(at, message, help);
        Err(Stop)
    }

    fn problem(&mut self, at: Marker, message: impl Into<String>, help: &str) {
        let (line, column) = position(at);
        let at = Location { line: Some(line), column: Some(column), ..whole(self.file) };
        self.problems.push(Diagnostic::error(at, message).with_help(help));
    }
}

fn node(at: Marker, value: Value) -> Node {
    let (line, column) = position(at);
    Node { line, column, value }
}

/// The place of a node, as the parser counts.
fn marker(node: &Node) -> Marker {
    Marker::new(0, node.line as usize, (node.column as usize).saturating_sub(1))
}

/// The parser counts lines from 1 and columns from 0.
fn position(at: Marker) -> (u64, u64) {
    (at.line() as u64, at.col() as u64 + 1)
}
