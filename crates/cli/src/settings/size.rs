//! Sizes of files as people write them: `512KiB`, `10MiB`, `1GiB`; a bare number is bytes.

use serde::{Deserialize, Deserializer, de::Error as _};

/// Reads a size, in bytes. Units are powers of 1024.
///
/// # Errors
/// It is none, or is more than can be counted. The message does not repeat the text.
fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = match unit.trim_start() {
        "" | "B" => Some(1),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    let size = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    size.ok_or_else(|| "expected a size such as `512KiB`, `10MiB` or `1GiB`".to_owned())
}

/// For `#[serde(deserialize_with)]`: a string, or a number of bytes.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a size such as `512KiB`, `10MiB` or `1GiB`")]
    enum Written {
        Number(u64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(bytes) => Ok(bytes),
        Written::Text(text) => parse(&text).map_err(D::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        for (text, bytes) in [
            ("4096", Some(4096)),
            ("512KiB", Some(512 << 10)),
            ("10 MiB", Some(10 << 20)),
            ("1GiB", Some(1 << 30)),
            ("7B", Some(7)),
            ("", None),
            ("MiB", None),
            ("10MB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(parse(text).ok(), bytes, "{text:?}");
        }
    }
}
