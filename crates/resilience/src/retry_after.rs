//! The `Retry-After` header (RFC 9110 section 10.2.3), read purely and capped.

use std::time::Duration;

/// The longest wait a header can ask for; longer ones are cut to it.
///
/// A server that is wrong, or hostile, must not be able to park a client for years.
pub const CAP: Duration = Duration::from_secs(600);

/// The wait that a `Retry-After` of `value` asks for, at most [`CAP`].
///
/// An HTTP-date is measured against `date`, the answer's own `Date` header: the two come from one clock, ours is
/// another. A moment in the past is a wait of zero.
///
/// `None` where the header says nothing usable: neither digits nor an HTTP-date, or an HTTP-date in an answer
/// without a readable `Date`.
#[must_use]
pub fn parse(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    let wait = match delta_seconds(value) {
        Some(wait) => wait,
        None => {
            let until = httpdate::parse_http_date(value).ok()?;
            let now = httpdate::parse_http_date(date?.trim_matches([' ', '\t'])).ok()?;
            until.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(CAP))
}

fn delta_seconds(value: &str) -> Option<Duration> {
    // `u64::from_str` would take a sign as well, which the grammar (1*DIGIT) does not have.
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Digits that do not fit are a large number, not garbage.
    Some(value.parse().map_or(CAP, Duration::from_secs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn values_as_servers_send_them() {
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
            ("00:00:00.033", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(DATE), seconds(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(DATE), seconds(60)),
            ("Sun Nov  6 08:50:37 1994", Some(DATE), seconds(60)),
            (DATE, Some(DATE), seconds(0)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(DATE), seconds(0)),
            ("Tue, 06 Jan 2099 08:49:37 GMT", Some(DATE), Some(CAP)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("yesterday"), None),
        ] {
            assert_eq!(parse(value, date), expected, "{value:?} at {date:?}");
        }
    }

    proptest! {
        #[test]
        fn any_input_is_survived_and_capped(value in ".*", date in proptest::option::of(".*")) {
            if let Some(wait) = parse(&value, date.as_deref()) {
                prop_assert!(wait <= CAP);
            }
        }

        #[test]
        fn any_number_of_seconds_is_kept_up_to_the_cap(n in any::<u64>()) {
            prop_assert_eq!(parse(&n.to_string(), None), Some(Duration::from_secs(n).min(CAP)));
        }
    }
}
