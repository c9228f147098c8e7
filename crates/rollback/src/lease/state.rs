//! Who has a lease, as data: what its object says, and what a watcher makes of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::Holder;

/// How long a lease lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a lease lasts without a renewal; whole seconds, at least one.
    pub ttl: Duration,
    /// How long before that its owner begins nothing more: as long as a request that is under way may take, and 5 s. Less than `ttl`.
    pub margin: Duration,
}

impl Default for Terms {
    /// 60 s, for requests that take up to 30 s.
    fn default() -> Self {
        Self { ttl: Duration::from_secs(60), margin: Duration::from_secs(35) }
    }
}

impl Terms {
    /// The pause between two renewals: a third of the `ttl`, or less where the margin leaves less than two of those.
    pub(super) fn renew_every(self) -> Duration {
        (self.ttl / 3).min(self.ttl.saturating_sub(self.margin) / 2)
    }

    /// Until when the owner may begin to write after a renewal that was sent at `sent` and succeeded.
    pub(super) fn good_until(self, sent: Instant) -> Instant {
        sent + self.ttl.saturating_sub(self.margin)
    }
}

/// What the object of a lease says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) subject: String,
    /// This claim, and no other: the same process may claim a subject twice.
    pub(super) claim: Uuid,
    pub(super) holder: Holder,
    pub(super) ttl_seconds: u64,
    /// Counts renewals.
    pub(super) beat: u64,
    pub(super) released: bool,
}

impl Record {
    pub(super) fn new(subject: &str, holder: Holder, terms: Terms) -> Self {
        let ttl_seconds = terms.ttl.as_secs().max(1);
        let (subject, claim) = (subject.to_owned(), Uuid::new_v4());
        Self { subject, claim, holder, ttl_seconds, beat: 0, released: false }
    }

    pub(super) fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_seconds)
    }

    /// The next renewal.
    pub(super) fn renewed(&self) -> Self {
        Self { beat: self.beat + 1, ..self.clone() }
    }
}

/// Whether a lease can be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Nobody has it, or who had it is gone.
    Free,
    /// Somebody has it, and is gone if nothing changes for so long.
    Held {
        /// That time.
        expires_in: Duration,
    },
}

/// What a claimant has seen of a lease: what it says now, and since when.
#[derive(Clone, Default, Debug)]
pub(super) struct Watch(Option<(Record, Instant)>);

impl Watch {
    /// Sees what the object says at `now`. What changes is alive; a clock that tells the time of day has no say.
    pub(super) fn on(self, record: Option<&Record>, now: Instant) -> (Self, Standing) {
        let Some(record) = record.filter(|record| !record.released) else {
            return (Self(None), Standing::Free);
        };
        let since = match self.0 {
            Some((seen, since)) if seen == *record => since,
            _ => now,
        };
        let expires_in = record.ttl().saturating_sub(now.duration_since(since));
        let standing = if expires_in.is_zero() { Standing::Free } else { Standing::Held { expires_in } };
        (Self(Some((record.clone(), since))), standing)
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::TransactionId;

    fn record(since: OffsetDateTime) -> Record {
        let holder =
            Holder { host: "here".to_owned(), pid: 1, transaction: TransactionId::generate(), since };
        Record::new("subject", holder, Terms::default())
    }

    #[test]
    fn r6_a_lease_expires_when_nothing_changed_for_its_whole_ttl_by_the_watchers_own_clock() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let held = |seconds| Standing::Held { expires_in: Duration::from_secs(seconds) };
        // Claimed in 1970 or in a hundred years, as the holder's clock has it.
        for since in
            [OffsetDateTime::UNIX_EPOCH, OffsetDateTime::now_utc() + Duration::from_secs(3_000_000_000)]
        {
            let one = record(since);
            let (watch, standing) = Watch::default().on(Some(&one), at(0));
            assert_eq!(standing, held(60));
            let (watch, standing) = watch.on(Some(&one), at(59));
            assert_eq!(standing, held(1));
            // Renewed in the last moment: it counts from there.
            let (watch, standing) = watch.on(Some(&one.renewed()), at(60));
            assert_eq!(standing, held(60));
            let (watch, standing) = watch.on(Some(&one.renewed()), at(119));
            assert_eq!(standing, held(1));
            assert_eq!(watch.clone().on(Some(&one.renewed()), at(120)).1, Standing::Free);
            // Another's claim is another lease.
            assert_eq!(watch.on(Some(&record(since)), at(120)).1, held(60));
        }
    }

    #[test]
    fn what_is_not_there_or_was_given_back_is_free() {
        let one = record(OffsetDateTime::UNIX_EPOCH);
        assert_eq!(Watch::default().on(None, Instant::now()).1, Standing::Free);
        let released = Record { released: true, ..one };
        assert_eq!(Watch::default().on(Some(&released), Instant::now()).1, Standing::Free);
    }

    #[test]
    fn r6_an_owner_renews_twice_before_it_stops_itself() {
        let terms =
            |ttl, margin| Terms { ttl: Duration::from_secs(ttl), margin: Duration::from_secs(margin) };
        for (terms, seconds) in [(terms(60, 0), 20.0), (terms(60, 20), 20.0), (terms(60, 35), 12.5)] {
            assert_eq!(terms.renew_every().as_secs_f64(), seconds);
            let start = Instant::now();
            assert!(terms.good_until(start) >= start + terms.renew_every() * 2, "{terms:?}");
        }
    }
}
