//! The normal form of a part: equal bytes exactly where two contents mean the same to Fabric.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

/// File name extensions whose content is JSON, beside `.json`.
const JSON: [&str; 5] = ["bim", "ipynb", "pbip", "pbir", "pbism"];

/// Whether a part of this path holds JSON.
pub(super) fn is_json(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ext)| {
        ext.eq_ignore_ascii_case("json") || JSON.iter().any(|json| ext.eq_ignore_ascii_case(json))
    })
}

/// The normal form of a part. JSON that does not parse is text, and what is not UTF-8 is taken as it is.
pub(super) fn form<'a>(path: &str, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(path)
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        let mut out = String::with_capacity(text.len());
        write_json(&value, &mut out);
        return Cow::Owned(out.into_bytes());
    }
    Cow::Owned(text.replace("\r\n", "\n").trim_end().as_bytes().to_vec())
}

/// The same, for people: JSON over several lines.
pub(super) fn readable(path: &str, bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(path)
        && let Ok(mut value) = serde_json::from_str::<Value>(text)
    {
        value.sort_all_objects();
        return serde_json::to_string_pretty(&value).ok().map(|text| text + "\n");
    }
    Some(text.replace("\r\n", "\n"))
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in entries {
                write_string(key, out);
                out.push(':');
                write_json(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for value in values {
                write_json(value, out);
                out.push(',');
            }
            out.push(']');
        }
        // The server answers `null` where `""` was sent.
        Value::String(text) if text.is_empty() => out.push_str("null"),
        Value::String(text) => write_string(text, out),
        other => {
            // Writing to a string cannot fail.
            _ = write!(out, "{other}");
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    _ = write!(out, "{}", Value::from(text));
}
