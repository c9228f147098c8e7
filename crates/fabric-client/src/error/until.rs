//! How long the service asks to be left alone where it says so in the message alone:
//! `Request is blocked by the upstream service until: 5/5/2025 1:56:41 PM (UTC)`.

use selvedge_resilience::retry::after::CAP;
use std::time::Duration;
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem, macros::format_description,
};

/// Month first, as in the United States.
const MOMENT: &[BorrowedFormatItem<'static>] = format_description!(
    "[month padding:none]/[day padding:none]/[year] [hour padding:none repr:12]:[minute]:[second] [period case_sensitive:false]"
);

/// The wait that `message` asks for, at most [`CAP`]. It is measured against `date`, the answer's own `Date` header: the two
/// come from one clock, ours is another. A moment in the past is a wait of zero.
///
/// `None` where the message names no moment, or `date` cannot be read.
pub(super) fn parse(message: &str, date: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("until: ")?;
    let (moment, _) = rest.split_once("(UTC)")?;
    // Newer releases of .NET write a narrow no-break space before `PM`.
    let moment = moment.split_whitespace().collect::<Vec<_>>().join(" ");
    let until = PrimitiveDateTime::parse(&moment, MOMENT).ok()?.assume_utc();
    let now = OffsetDateTime::from(httpdate::parse_http_date(date.trim()).ok()?);
    // A negative span is no `Duration`: it has passed.
    Some(Duration::try_from(until - now).unwrap_or_default().min(CAP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATE: &str = "Mon, 05 May 2025 13:55:41 GMT";

    #[test]
    fn pitfall_12_messages_as_the_service_writes_them() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (moment, expected) in [
            ("until: 5/5/2025 1:56:41 PM (UTC)", seconds(60)),
            ("until: 5/5/2025 1:56:41\u{202f}PM (UTC)", seconds(60)),
            ("until: 05/05/2025 01:56:41 pm (UTC)", seconds(60)),
            ("until: 5/5/2025 1:56:41 PM (UTC).", seconds(60)),
            ("until: 5/5/2025 1:55:41 PM (UTC)", seconds(0)),
            // Past, and hours past: noon is PM, midnight AM.
            ("until: 5/5/2025 1:55:40 PM (UTC)", seconds(0)),
            ("until: 5/5/2025 12:56:41 PM (UTC)", seconds(0)),
            ("until: 5/6/2025 12:00:00 AM (UTC)", Some(CAP)),
            // Month first: 5 June, not 6 May.
            ("until: 6/5/2025 1:56:41 PM (UTC)", Some(CAP)),
            ("until: 12/31/9999 11:59:59 PM (UTC)", Some(CAP)),
            ("until: 5/5/2025 13:56:41 (UTC)", None),
            ("until: 5/5/2025 1:56:41 PM", None),
            ("until: 5.5.2025 1:56:41 PM (UTC)", None),
            ("until: 13/5/2025 1:56:41 PM (UTC)", None),
            ("until: 2/30/2025 1:56:41 PM (UTC)", None),
            ("until: tomorrow (UTC)", None),
            ("until:", None),
            ("", None),
        ] {
            let message = format!("Request is blocked by the upstream service {moment}");
            assert_eq!(parse(&message, DATE), expected, "{message}");
        }
        let message = "until: 5/5/2025 1:56:41 PM (UTC)";
        assert_eq!(parse(message, "yesterday"), None);
        assert_eq!(parse(message, ""), None);
    }

    proptest! {
        #[test]
        fn any_message_is_survived_and_capped(
            text in ".*",
            moment in "[0-9]{0,5}/[0-9]{0,3}/[-+0-9]{0,7} [0-9]{0,3}:[0-9]{0,3}:[0-9]{0,3} ([AP]M)?",
            date in proptest::option::of(".*"),
        ) {
            let date = date.as_deref().unwrap_or(DATE);
            for message in [text.clone(), format!("until: {text}(UTC)"), format!("until: {moment} (UTC)")] {
                prop_assert!(parse(&message, date).is_none_or(|wait| wait <= CAP));
            }
        }

        #[test]
        fn a_moment_is_the_time_from_the_answer_to_it(now in 0_i64..4_000_000_000, wait in 0_i64..1000) {
            let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
            let moment = (now + time::Duration::seconds(wait)).format(MOMENT).unwrap();
            let date = httpdate::fmt_http_date(now.into());
            let expected = Duration::from_secs(wait.unsigned_abs()).min(CAP);
            prop_assert_eq!(parse(&format!("blocked until: {moment} (UTC)"), &date), Some(expected));
        }
    }
}
