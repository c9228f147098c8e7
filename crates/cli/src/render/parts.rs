//! How the content of an item differs, part by part.

use selvedge_deployment::definition::{Definition, PartDifference, readable};
use serde_json::{Value, json};
use similar::TextDiff;

use crate::text::{lines, one_line};

/// Lines around a change.
const CONTEXT: usize = 3;

/// One part that differs. What is printed of it goes through the redactor as everything does.
pub(crate) struct PartDiff {
    path: String,
    /// A unified diff; `None` where one of the two is no text.
    unified: Option<String>,
    /// How many bytes before, and after.
    bytes: (Option<usize>, Option<usize>),
}

impl PartDiff {
    /// From `before` to `after`.
    pub(crate) fn all(before: &Definition, after: &Definition) -> Vec<Self> {
        before.differences(after).into_iter().map(Self::of).collect()
    }

    fn of(part: PartDifference<'_>) -> Self {
        let PartDifference { path, one, other } = part;
        let text =
            |bytes: Option<&[u8]>| bytes.map_or_else(|| Some(String::new()), |bytes| readable(path, bytes));
        let unified = text(one).zip(text(other)).map(|(before, after)| {
            let name = |side: &str, bytes: Option<&[u8]>| match bytes {
                Some(_) => format!("{side}/{}", one_line(path)),
                None => "/dev/null".to_owned(),
            };
            TextDiff::from_lines(&before, &after)
                .unified_diff()
                .context_radius(CONTEXT)
                .header(&name("fabric", one), &name("files", other))
                .to_string()
        });
        let bytes = (one.map(<[u8]>::len), other.map(<[u8]>::len));
        Self { path: path.to_owned(), unified, bytes }
    }

    /// For people, each line behind `indent`.
    pub(crate) fn text(&self, indent: &str) -> String {
        let bytes =
            |bytes: Option<usize>| bytes.map_or_else(|| "none".to_owned(), |bytes| format!("{bytes} bytes"));
        let text = match &self.unified {
            Some(unified) => lines(unified),
            None => format!(
                "{}: no text, {} to {}",
                one_line(&self.path),
                bytes(self.bytes.0),
                bytes(self.bytes.1)
            ),
        };
        text.lines().map(|line| format!("{indent}{line}\n")).collect()
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({ "path": self.path, "diff": self.unified, "bytes_before": self.bytes.0, "bytes_after": self.bytes.1 })
    }
}

#[cfg(test)]
mod tests {
    use selvedge_deployment::definition::Part;

    use super::*;

    fn definition(parts: &[(&str, &[u8])]) -> Definition {
        let parts =
            parts.iter().map(|(path, bytes)| Part { path: (*path).to_owned(), bytes: bytes.to_vec() });
        Definition::new(None, parts.collect())
    }

    #[test]
    fn what_differs_is_shown_line_by_line() {
        let before =
            definition(&[("a.json", br#"{"b":1,"a":[1,2]}"#), ("b.py", b"x\r\ny\n"), ("c.bin", &[0xff])]);
        let after = definition(&[
            ("a.json", br#"{"a":[1,3],"b":1}"#),
            ("b.py", b"x\ny\n"),
            ("c.bin", &[0xfe]),
            ("d.py", b"z\n"),
        ]);
        let parts = PartDiff::all(&before, &after);
        let text: String = parts.iter().map(|part| part.text("")).collect();
        let expected = "--- fabric/a.json\n+++ files/a.json\n@@ -1,7 +1,7 @@\n {\n   \"a\": [\n     1,\n-    2\n+    3\n   ],\n   \
                        \"b\": 1\n }\nc.bin: no text, 1 bytes to 1 bytes\n--- /dev/null\n+++ files/d.py\n@@ -0,0 +1 @@\n+z\n";
        assert_eq!(text, expected);
        assert_eq!(parts[1].as_json()["diff"], Value::Null);
        assert!(PartDiff::all(&before, &before).is_empty());
    }
}
