//! What is known of this process and of what it needs, for every answer.

use std::sync::Arc;
use std::time::Duration;

use selvedge_observability::health::page::{self, Page};
use selvedge_observability::health::prometheus::{self, Gauge};
use selvedge_observability::health::{Check, Finding, Health, Prober, Status};
use selvedge_resilience::breaker::{BreakerSnapshot, BreakerStatus};
use time::OffsetDateTime;

use super::checks::{Behind, TRANSACTIONS};
use super::ledger::at;
use crate::run::App;
use crate::text::one_line;

/// The component of the circuit breakers, as the predecessor called it.
const BREAKERS: &str = "circuit_breakers";

/// Looks after what the endpoints tell of.
pub(super) struct Watch {
    app: Arc<App>,
    behind: Arc<Behind>,
    prober: Prober,
}

impl Watch {
    /// Nothing is asked of anything yet. What a check finds is good for `interval`.
    pub(super) fn new(app: &Arc<App>, interval: Duration) -> Self {
        let behind = Arc::new(Behind::new(app));
        Self { app: Arc::clone(app), prober: behind.prober(interval), behind }
    }

    /// That we answer says all; these are the predecessor's words for it.
    pub(super) fn liveness(&self) -> Health {
        if !self.app.flags.health_checks.on {
            return Health::disabled();
        }
        let checks = vec![
            Check::of("application", Finding::pass("Application is running")),
            Check::of("feature_flags", Finding::pass("Feature flags accessible")),
        ];
        Health::of(checks, Duration::ZERO)
    }

    /// How everything is that a deployment would need.
    pub(super) async fn readiness(&self) -> Health {
        if !self.app.flags.health_checks.on {
            return Health::disabled();
        }
        let mut health = self.prober.look().await;
        // Now, and not as they were when the requests began that moved them.
        let breakers =
            Check::of(BREAKERS, judged(self.behind.breakers().iter().map(|breaker| breaker.status)));
        health.checks.get_or_insert_default().push(breakers);
        health
    }

    /// Everything that is counted or measured.
    pub(super) fn gauges(&self, health: &Health) -> Vec<Gauge> {
        let mut gauges = prometheus::gauges(health, env!("CARGO_PKG_VERSION"));
        let of = |component: &str, name, help, left_out: &str| {
            let checks = health.checks().iter().filter(|check| check.component == component);
            let counts = checks.flat_map(|check| check.counts.iter().filter(|(state, _)| *state != left_out));
            let samples = counts.map(|(state, count)| (vec![("state", (*state).to_owned())], *count as f64));
            Gauge { name, help, samples: samples.collect() }
        };
        gauges.push(of(
            BREAKERS,
            "selvedge_circuit_breakers",
            "The circuit breakers of this process, by state.",
            "total",
        ));
        gauges.push(of(
            TRANSACTIONS,
            "selvedge_open_transactions",
            "Transactions that have not ended: running, or waiting for somebody to take them up.",
            "",
        ));
        gauges
    }

    /// The status page. Every text goes through the redactor here; it is escaped there.
    pub(super) fn page(&self, health: &Health, now: OffsetDateTime) -> Page {
        let breakers = self.behind.breakers().into_iter().map(|breaker| page::Breaker {
            status: status(&breaker),
            state: match breaker.status {
                BreakerStatus::Open { remaining } => {
                    format!("open, tries again in {} s", remaining.as_secs())
                }
                BreakerStatus::HalfOpen => "half-open".to_owned(),
                _ => "closed".to_owned(),
            },
            name: one_line(&breaker.name),
            openings: breaker.openings,
        });
        // What was read before is no news where it cannot be read now.
        let is_known = health
            .checks()
            .iter()
            .any(|check| check.component == TRANSACTIONS && check.status < Status::Fail);
        let ledger = is_known.then(|| self.behind.ledger()).flatten();
        let (open, last) = ledger.map(|ledger| (ledger.open.clone(), ledger.last.clone())).unzip();
        Page {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            stage: self.app.flags.stage.name().to_owned(),
            flags: self
                .app
                .flags
                .rows()
                .map(|(flag, switch)| (flag.variable.to_owned(), switch.on))
                .collect(),
            breakers: breakers.collect(),
            open,
            last,
            at: at(now),
        }
    }
}

/// Open or half-open is no failure of ours: it is what a breaker is for.
fn status(breaker: &BreakerSnapshot) -> Status {
    if breaker.status == BreakerStatus::Closed { Status::Pass } else { Status::Warn }
}

fn judged(breakers: impl Iterator<Item = BreakerStatus>) -> Finding {
    let (mut open, mut half_open, mut closed) = (0, 0, 0);
    for status in breakers {
        match status {
            BreakerStatus::Open { .. } => open += 1,
            BreakerStatus::HalfOpen => half_open += 1,
            _ => closed += 1,
        }
    }
    let found = match (open, half_open, closed) {
        (0, 0, 0) => return Finding::pass("No circuit breakers registered"),
        (1.., ..) => Finding::warn("Circuit breakers OPEN"),
        (_, 1.., _) => Finding::warn("Circuit breakers HALF_OPEN"),
        _ => Finding::pass("All circuit breakers CLOSED"),
    };
    let total = open + half_open + closed;
    found.with([("total", total), ("open", open), ("half_open", half_open), ("closed", closed)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakers_are_judged_as_the_predecessor_meant_to() {
        const CLOSED: BreakerStatus = BreakerStatus::Closed;
        const HALF_OPEN: BreakerStatus = BreakerStatus::HalfOpen;
        const OPEN: BreakerStatus = BreakerStatus::Open { remaining: Duration::from_secs(3) };
        for (breakers, status, message, counts) in [
            (&[][..], Status::Pass, "No circuit breakers registered", None),
            (&[CLOSED, CLOSED], Status::Pass, "All circuit breakers CLOSED", Some([2, 0, 0, 2])),
            (&[CLOSED, HALF_OPEN], Status::Warn, "Circuit breakers HALF_OPEN", Some([2, 0, 1, 1])),
            (&[CLOSED, OPEN, HALF_OPEN], Status::Warn, "Circuit breakers OPEN", Some([3, 1, 1, 1])),
        ] {
            let found = judged(breakers.iter().copied());
            assert_eq!((found.status, found.message), (status, message));
            let names = ["total", "open", "half_open", "closed"];
            let counts: Vec<_> =
                counts.map(|counts| names.into_iter().zip(counts)).into_iter().flatten().collect();
            assert_eq!(found.counts, counts, "{message}");
        }
    }
}
