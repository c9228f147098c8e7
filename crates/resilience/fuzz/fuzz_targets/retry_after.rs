//! What a server says of how long to wait: never a panic, never more than the cap, and digits are what they say.
//!
//! Each line of the input is a header: the first byte chooses which one.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use selvedge_resilience::{
    http::retry_after,
    retry::after::{CAP, parse, parse_millis},
};
use std::time::Duration;

const NAMES: [&str; 4] = ["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date"];

/// The number that a value of nothing but digits says, if it is one.
fn number(value: &str) -> Option<u128> {
    let value = value.trim_matches([' ', '\t']);
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    // One that does not fit is at least as much as any that does.
    digits.then(|| value.parse().unwrap_or(u128::MAX))
}

fn capped(number: u128, unit: Duration) -> Duration {
    u32::try_from(number).map_or(CAP, |number| unit.saturating_mul(number)).min(CAP)
}

fn check(value: &str, date: Option<&str>) {
    let (wait, millis) = (parse(value, date), parse_millis(value));
    assert!(wait.is_none_or(|wait| wait <= CAP), "{wait:?}");
    assert!(millis.is_none_or(|wait| wait <= CAP), "{millis:?}");
    if let Some(number) = number(value) {
        assert_eq!(wait, Some(capped(number, Duration::from_secs(1))));
        assert_eq!(millis, Some(capped(number, Duration::from_millis(1))));
    } else if let Some(millis) = millis {
        assert_eq!(wait, Some(millis), "a time span says its unit itself");
    }
    if let Some(undated) = parse(value, None) {
        assert_eq!(wait, Some(undated), "only a date is measured against a date");
    }
}

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((which, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(NAMES[usize::from(*which) % NAMES.len()], value);
        }
        let date = headers.get("date").and_then(|date| date.to_str().ok());
        if let Ok(value) = std::str::from_utf8(value) {
            check(value, date);
        }
    }

    let wait = retry_after(&headers);
    assert!(wait.is_none_or(|wait| wait <= CAP), "{wait:?}");
    for value in headers.get_all("retry-after").iter().filter_map(|value| value.to_str().ok()) {
        assert!(number(value).is_none_or(|number| wait >= Some(capped(number, Duration::from_secs(1)))));
    }
    for value in NAMES[1..3].iter().flat_map(|name| headers.get_all(*name)) {
        let number = value.to_str().ok().and_then(number);
        assert!(number.is_none_or(|number| wait >= Some(capped(number, Duration::from_millis(1)))));
    }
});
