//! Durations as people write them: `500ms`, `2s`, `10m`, `1h`, `30d`; a bare number is seconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error as _};

/// What [`parse`] accepts.
const EXPECTED: &str = "a duration such as `500ms`, `2s`, `10m`, `1h` or `30d`";

/// Reads a duration. A number without a unit is seconds, as in the predecessor's `HTTP_READ_TIMEOUT=30`.
///
/// # Errors
/// It is none, is negative, or is more than a `Duration` holds. The message does not repeat the text.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let unit_at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds_per_unit = match unit.trim_start() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("expected {EXPECTED}")),
    };
    number
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * seconds_per_unit).ok())
        .ok_or_else(|| format!("expected {EXPECTED}"))
}

/// For `#[serde(deserialize_with)]`: a string, or a number of seconds.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a duration such as `500ms`, `2s`, `10m`, `1h` or `30d`")]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(seconds) => parse(&seconds.to_string()),
        Written::Text(text) => parse(&text),
    }
    .map_err(D::Error::custom)
}

/// The same for a setting without a default of its own.
pub(super) fn deserialize_some<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("1.5 s", Some(1_500)),
            ("10m", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("30d", Some(2_592_000_000)),
            ("30", Some(30_000)),
            ("0", Some(0)),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("2 weeks", None),
            ("1e9", None),
            ("99999999999999999999999h", None),
            ("1.2.3s", None),
        ] {
            assert_eq!(parse(text).ok(), millis.map(Duration::from_millis), "{text:?}");
        }
    }
}
