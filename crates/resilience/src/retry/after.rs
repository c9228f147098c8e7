//! How long a server asks to be left alone, read purely and capped.
//!
//! `Retry-After` is that of RFC 9110 section 10.2.3; services of Azure also say it in milliseconds
//! (`retry-after-ms`, `x-ms-retry-after-ms`), and some of them write a time span where seconds belong (`00:00:00.033`).

use std::time::Duration;

/// The longest wait a header can ask for; longer ones are cut to it.
///
/// A server that is wrong, or hostile, must not be able to park a client for years.
pub const CAP: Duration = Duration::from_secs(600);

/// Whether a wait stands for any longer one: whoever asks for the longest that is understood may have asked for more.
#[must_use]
pub fn may_be_longer(wait: Duration) -> bool {
    wait >= CAP
}

/// The wait that a `Retry-After` of `value` asks for, at most [`CAP`].
///
/// An HTTP-date is measured against `date`, the answer's own `Date` header: the two come from one clock, ours is
/// another. A moment in the past is a wait of zero.
///
/// `None` where the header says nothing usable: neither digits, a time span nor an HTTP-date, or an HTTP-date in an answer
/// without a readable `Date`.
#[must_use]
pub fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    let wait = match digits(value).map(Duration::from_secs).or_else(|| time_span(value)) {
        Some(wait) => wait,
        None => {
            let until = httpdate::parse_http_date(value).ok()?;
            let now = httpdate::parse_http_date(date?).ok()?;
            until.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(CAP))
}

/// The wait that a header in milliseconds asks for, at most [`CAP`].
///
/// `None` where it is neither a whole number nor a time span.
#[must_use]
pub fn parse_millis(value: &str) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    let wait = digits(value).map(Duration::from_millis).or_else(|| time_span(value))?;
    Some(wait.min(CAP))
}

/// The number that `1*DIGIT` is. One that does not fit is a large number, not garbage.
fn digits(value: &str) -> Option<u64> {
    // `u64::from_str` would take a sign as well, which the grammar does not have.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(value.parse().unwrap_or(u64::MAX))
}

/// A time span as .NET writes it, `hh:mm:ss` with a fraction or without. A part of a millisecond counts as a whole one.
fn time_span(value: &str) -> Option<Duration> {
    let mut parts = value.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let two = |text: &str| digits(text).filter(|number| text.len() == 2 && *number < 60);
    let hours = digits(hours).filter(|_| hours.len() == 2)?;
    let whole = hours * 3600 + two(minutes)? * 60 + two(seconds)?;
    digits(fraction)?;
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let millis = Duration::try_from_secs_f64((fraction * 1e3).ceil() / 1e3).ok()?;
    Some(Duration::from_secs(whole) + millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn pitfall_11_values_as_servers_send_them() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (value, date, expected) in [
            ("0", None, seconds(0)),
            ("58", None, seconds(58)),
            (" 7\t", None, seconds(7)),
            ("007", None, seconds(7)),
            ("601", None, Some(CAP)),
            ("99999999999", None, Some(CAP)),
            ("99999999999999999999999999", None, Some(CAP)),
            ("-1", None, None),
            ("+5", None, None),
            ("1.5", None, None),
            ("\u{b2}", None, None),
            ("\u{663}", None, None),
            ("", None, None),
            (" ", None, None),
            ("soon", None, None),
            ("5, 5", None, None),
            ("00:00:00.033", None, Some(Duration::from_millis(33))),
            ("00:00:00.0334207", None, Some(Duration::from_millis(34))),
            ("00:01:30", None, seconds(90)),
            ("23:59:59.9999999", None, Some(CAP)),
            ("00:60:00", None, None),
            ("0:00:05", None, None),
            ("00:05", None, None),
            ("00:00:00:05", None, None),
            ("00:00:05.", None, None),
            ("00:00:05.-1", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(DATE), seconds(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(DATE), seconds(60)),
            ("Sun Nov  6 08:50:37 1994", Some(DATE), seconds(60)),
            (DATE, Some(DATE), seconds(0)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(DATE), seconds(0)),
            ("Tue, 06 Jan 2099 08:49:37 GMT", Some(DATE), Some(CAP)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("\t Sun, 06 Nov 1994 08:49:37 GMT \t"), seconds(60)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("yesterday"), None),
        ] {
            assert_eq!(parse(value, date), expected, "{value:?} at {date:?}");
        }
    }

    #[test]
    fn pitfall_12_milliseconds_as_azure_sends_them() {
        let millis = |n| Some(Duration::from_millis(n));
        for (value, expected) in [
            ("0", millis(0)),
            (" 33 ", millis(33)),
            ("600001", Some(CAP)),
            ("99999999999999999999999999", Some(CAP)),
            ("00:00:00.033", millis(33)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            (DATE, None),
        ] {
            assert_eq!(parse_millis(value), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn any_input_is_survived_and_capped(value in ".*", date in proptest::option::of(".*")) {
            if let Some(wait) = parse(&value, date.as_deref()) {
                prop_assert!(wait <= CAP);
            }
            prop_assert!(parse_millis(&value).is_none_or(|wait| wait <= CAP));
        }

        #[test]
        fn a_time_span_is_what_its_parts_add_up_to(h in 0_u64..100, m in 0_u64..60, s in 0_u64..60, ms in 0_u64..1000) {
            let expected = Duration::from_millis(((h * 60 + m) * 60 + s) * 1000 + ms).min(CAP);
            prop_assert_eq!(parse(&format!("{h:02}:{m:02}:{s:02}.{ms:03}"), None), Some(expected));
        }

        #[test]
        fn a_date_is_the_time_from_the_answer_to_it(now in 0_u64..4_000_000_000, wait in 0_u64..10_000) {
            let date = |seconds| httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds));
            let expected = Some(Duration::from_secs(wait).min(CAP));
            prop_assert_eq!(parse(&date(now + wait), Some(&date(now))), expected);
        }

        #[test]
        fn any_number_of_seconds_is_kept_up_to_the_cap(n in any::<u64>()) {
            prop_assert_eq!(parse(&n.to_string(), None), Some(Duration::from_secs(n).min(CAP)));
        }
    }
}
