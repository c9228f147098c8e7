//! The path of a folder, by Fabric's rules.

use std::fmt;

use serde::{Serialize, Serializer};

/// The way from the top of a workspace to a folder; never empty.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FolderPath(Vec<String>);

/// Why a text is not the path of a folder.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{name:?} is not a folder name: {reason}")]
pub struct FolderPathError {
    /// The offending segment.
    pub name: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

impl FolderPath {
    /// Levels Fabric allows.
    pub const MAX_DEPTH: usize = 10;

    /// Reads `Bronze Layer/Raw Data`.
    ///
    /// # Errors
    /// When a segment breaks Fabric's rules for folder names, or there are more than [`Self::MAX_DEPTH`]
    /// (<https://learn.microsoft.com/fabric/fundamentals/workspaces-folders>).
    pub fn parse(text: &str) -> Result<Self, FolderPathError> {
        Self::new(text.split('/').map(str::to_owned).collect())
    }

    /// A path of these segments, outermost first.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn new(segments: Vec<String>) -> Result<Self, FolderPathError> {
        let broken = |name: &str, reason| Err(FolderPathError { name: name.to_owned(), reason });
        if segments.is_empty() {
            return broken("", "it is empty");
        }
        if segments.len() > Self::MAX_DEPTH {
            return broken(&segments.join("/"), "folders nest at most 10 deep");
        }
        for name in &segments {
            if let Some(reason) = broken_rule(name) {
                return broken(name, reason);
            }
        }
        Ok(Self(segments))
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The display name of the folder itself.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The folder it stands in; `None` at the top level.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        (!rest.is_empty()).then(|| Self(rest.to_vec()))
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// As [`Display`](fmt::Display) writes it.
impl Serialize for FolderPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    const RESERVED: [&str; 3] = ["$recycle.bin", "recycled", "recycler"];
    if name.is_empty() {
        Some("it is empty")
    } else if name.chars().count() > 255 {
        Some("it is longer than 255 characters")
    } else if name.trim() != name {
        Some("it starts or ends with a space")
    } else if name.contains(char::is_control) {
        Some("it holds a control character")
    } else if name.contains(|c| "~\"#.&*:<>?/\\{|}".contains(c)) {
        Some("it holds one of ~ \" # . & * : < > ? / \\ { | }")
    } else if RESERVED.contains(&name.to_lowercase().as_str()) {
        Some("Fabric reserves it")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_fabrics_rules() {
        let deep = |levels: usize| vec!["x"; levels].join("/");
        let table = [
            ("Bronze Layer/Raw Data", ""),
            (&*deep(10), ""),
            (&*deep(11), "folders nest at most 10 deep"),
            (&"x".repeat(255), ""),
            (&"x".repeat(256), "it is longer than 255 characters"),
            ("", "it is empty"),
            ("a//b", "it is empty"),
            ("a/ b", "it starts or ends with a space"),
            ("a\tb", "it holds a control character"),
            ("a&b", "it holds one of ~ \" # . & * : < > ? / \\ { | }"),
            ("..", "it holds one of ~ \" # . & * : < > ? / \\ { | }"),
            ("Recycled", "Fabric reserves it"),
        ];
        for (text, expected) in table {
            let found = FolderPath::parse(text);
            assert_eq!(found.as_ref().map_or_else(|error| error.reason, |_| ""), expected, "{text}");
            if let Ok(path) = found {
                assert_eq!(path.to_string(), text);
            }
        }
    }

    #[test]
    fn a_path_knows_its_name_and_parent() {
        let path = FolderPath::parse("a/b").expect("it is a path");
        assert_eq!(
            (path.name(), path.parent().map(|parent| parent.to_string()).as_deref()),
            ("b", Some("a"))
        );
        assert_eq!(FolderPath::parse("a").expect("it is a path").parent(), None);
        assert!(FolderPath::new(Vec::new()).is_err());
    }
}
