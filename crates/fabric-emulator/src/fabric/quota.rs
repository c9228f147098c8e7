//! Quotas: so many calls of a kind in a minute, for each identity.
//!
//! The service has fixed windows of 60 seconds that begin with the first call; when one is used up, `Retry-After` is
//! what is left of it. <https://learn.microsoft.com/rest/api/fabric/articles/throttling>

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::config::Quotas;
use crate::wire::blocked_until;
use crate::world::ApiError;

const WINDOW: Duration = Duration::seconds(60);

/// Which quota a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    Admin,
    Jobs,
    Operations,
    Platform,
}

impl Bucket {
    /// Told by the path's segments in lower case.
    pub(crate) fn of(segments: &[String]) -> Self {
        let is = |at: usize, name: &str| segments.get(at).is_some_and(|it| it.eq_ignore_ascii_case(name));
        match () {
            () if is(1, "admin") => Self::Admin,
            () if is(1, "operations") => Self::Operations,
            () if is(5, "jobs") => Self::Jobs,
            () => Self::Platform,
        }
    }

    fn limit(self, quotas: &Quotas) -> Option<u32> {
        match self {
            Self::Admin => quotas.admin,
            Self::Jobs => quotas.jobs,
            Self::Operations => quotas.operations,
            Self::Platform => quotas.platform,
        }
    }
}

/// The windows that are open.
#[derive(Default)]
pub(crate) struct Usage(HashMap<(Uuid, Bucket), Window>);

struct Window {
    since: OffsetDateTime,
    calls: u32,
}

impl Usage {
    /// Counts a call, or refuses it until the window is over.
    pub(super) fn count(
        &mut self,
        caller: Uuid,
        bucket: Bucket,
        quotas: &Quotas,
        now: OffsetDateTime,
    ) -> Result<(), ApiError> {
        let Some(limit) = bucket.limit(quotas) else { return Ok(()) };
        let window = self.0.entry((caller, bucket)).or_insert(Window { since: now, calls: 0 });
        let until = window.since + WINDOW;
        if now >= until {
            *window = Window { since: now, calls: 0 };
        }
        if window.calls < limit {
            window.calls += 1;
            return Ok(());
        }
        let left = (until - now).as_seconds_f64().ceil().max(1.0);
        Err(blocked(until).after(left as u32))
    }
}

/// The refusal as it was recorded.
fn blocked(until: OffsetDateTime) -> ApiError {
    ApiError::new(429, "RequestBlocked", blocked_until(until)).retriable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_with_its_first_call() {
        let quotas = Quotas { platform: Some(2), ..Quotas::default() };
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let start = time::macros::datetime!(2025-09-02 18:16:18 UTC);
        let mut usage = Usage::default();
        let mut count = |caller, bucket, seconds: f64| {
            let now = start + Duration::seconds_f64(seconds);
            usage
                .count(caller, bucket, &quotas, now)
                .map_err(|error| (error.message, error.retry_after.unwrap()))
        };
        let blocked =
            "Request is blocked by the upstream service until: 9/2/2025 6:17:18 PM (UTC)".to_owned();
        assert_eq!(count(one, Bucket::Platform, 0.0), Ok(()));
        assert_eq!(count(one, Bucket::Platform, 1.0), Ok(()));
        assert_eq!(count(one, Bucket::Platform, 1.5), Err((blocked.clone(), 59)));
        assert_eq!(count(one, Bucket::Platform, 59.9), Err((blocked, 1)));
        assert_eq!(count(other, Bucket::Platform, 2.0), Ok(()));
        assert_eq!(count(one, Bucket::Jobs, 2.0), Ok(()));
        assert_eq!(count(one, Bucket::Platform, 60.0), Ok(()));
        assert_eq!(count(one, Bucket::Platform, 119.0), Ok(()));
        assert!(count(one, Bucket::Platform, 119.5).is_err());
    }
}
