//! Texts, moments and durations in the forms and lengths that ingestion takes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// The most bytes an item may have as a line of JSON: 64 KiB, by the
/// [limits of Application Insights](https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#application-insights).
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// As the specification writes a moment: UTC, with a `Z` at its end.
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// How much of an item is still free, in bytes of JSON.
///
/// The limits of single fields do not keep an item below the limit of items: ten long properties would exceed it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room(usize);

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes room for `bytes` of punctuation and numbers, if there is.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// What is left when `bytes` are taken away, for what must not take all.
    pub(super) fn without(self, bytes: usize) -> Self {
        Self(self.0.saturating_sub(bytes))
    }

    /// The beginning of `text` that has at most `limit` UTF-16 units (which is how ingestion counts) and for which there is room.
    pub(super) fn text<'t>(&mut self, text: &'t str, limit: usize) -> &'t str {
        let mut units = 0;
        for (at, c) in text.char_indices() {
            units += c.len_utf16();
            if units > limit || !self.take(escaped(c)) {
                return &text[..at];
            }
        }
        text
    }
}

/// The beginning of `text` that has at most `limit` UTF-16 units.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    Room::new(usize::MAX).text(text, limit)
}

/// How many bytes a character has in a JSON string.
fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

/// A moment as the specification wants it: `2026-01-01T00:00:00.000000Z`.
pub(super) fn moment(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let date = i64::try_from(since.as_secs()).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    let date = date.and_then(|date| date.replace_nanosecond(since.subsec_nanos()).ok());
    let date = date.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // Writing to a string fails for no date of this calendar.
    date.format(MOMENT).unwrap_or_else(|_| "1970-01-01T00:00:00.000000Z".to_owned())
}

/// A duration as `d.hh:mm:ss.ffffff`; ingestion takes less than a thousand days.
pub(super) fn duration(of: Duration) -> String {
    const LONGEST: Duration = Duration::from_micros(1000 * 24 * 60 * 60 * 1_000_000 - 1);
    let of = of.min(LONGEST);
    let (seconds, micros) = (of.as_secs(), of.subsec_micros());
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    format!("{days}.{:02}:{:02}:{:02}.{micros:06}", hours % 24, minutes % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        for (text, limit, beginning) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "abc"),
            ("añb", 2, "añ"),
            // Two units in UTF-16: half of it would be no character.
            ("a🧵b", 2, "a"),
            ("a🧵b", 3, "a🧵"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, limit), beginning, "{text} at {limit}");
        }
    }

    #[test]
    fn room_is_counted_as_json_counts() {
        let text = "a\"\\\n\u{1}ñ\u{7f}\u{8}\u{1f}🧵/";
        let json = serde_json::to_string(text).unwrap();
        let mut room = Room::new(json.len() - 2);
        assert_eq!(room.text(text, 100), text);
        assert!(!room.take(1), "the room is used up exactly");
        assert_eq!(Room::new(5).text("a\"\\b", 100), "a\"\\");
    }

    #[test]
    fn moments_and_durations_have_the_forms_of_the_specification() {
        let at = UNIX_EPOCH + Duration::from_micros(1_795_380_587_939_584);
        assert_eq!(moment(at), "2026-11-22T20:49:47.939584Z");
        assert_eq!(moment(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(moment(UNIX_EPOCH + Duration::from_secs(1 << 40)), "1970-01-01T00:00:00.000000Z");
        for (micros, written) in [
            (0, "0.00:00:00.000000"),
            (2_345, "0.00:00:00.002345"),
            (59_999_999, "0.00:00:59.999999"),
            (((25 * 60 + 1) * 60 + 2) * 1_000_000, "1.01:01:02.000000"),
            (u64::MAX, "999.23:59:59.999999"),
        ] {
            assert_eq!(duration(Duration::from_micros(micros)), written);
        }
    }
}
