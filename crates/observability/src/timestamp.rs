//! Times as the Python framework before this program wrote them.

use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// UTC to the microsecond, without saying that it is UTC: `2026-11-22T20:07:04.197421`.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");
    // What is written out of numbers cannot fail.
    at.to_offset(UtcOffset::UTC).format(format).unwrap_or_default()
}
