//! Health as JSON: in the format of an expired draft that many tools read, and as the Python framework before this program told it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Check, DISABLED, Health};
use crate::timestamp;

/// `application/health+json`, the format of the expired draft
/// [draft-inadarei-api-health-check](https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check-06).
///
/// `version` is this program's. Each check is an array of one, as the draft has it, under the component's name. `output` is not there: it
/// is for what errors say.
#[must_use]
pub fn draft(health: &Health, version: &str, now: OffsetDateTime) -> Value {
    let at = now.format(&Rfc3339).unwrap_or_default();
    let mut told = json!({ "status": health.status().word(), "version": version });
    match &health.checks {
        None => told["notes"] = json!([DISABLED]),
        Some(checks) => {
            let checks = checks.iter().map(|check| {
                let told =
                    json!([{ "componentType": "component", "status": check.status.word(), "time": at }]);
                (check.component.to_owned(), told)
            });
            told["checks"] = checks.collect::<Map<_, _>>().into();
        }
    }
    told
}

/// The keys of the predecessor's `get_health_status` and `get_readiness_status`, in their order.
///
/// Its timestamp is UTC without saying so, as its readers expect.
#[must_use]
pub fn predecessors(health: &Health, now: OffsetDateTime) -> Value {
    let mut told = json!({ "status": health.status().predecessors_word(), "timestamp": timestamp(now) });
    match &health.checks {
        None => told["message"] = json!(DISABLED),
        Some(checks) => {
            told["checks"] = checks.iter().map(|check| (check.component.to_owned(), row(check))).collect();
        }
    }
    told["duration_ms"] = json!(milliseconds(health.took));
    told
}

fn row(check: &Check) -> Value {
    let mut row = Map::new();
    row.insert("status".to_owned(), json!(check.status.predecessors_word()));
    row.insert("message".to_owned(), json!(check.message));
    row.extend(check.counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    row.into()
}

/// With two decimals.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::super::{Finding, Status, tests::health};
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 20:07:04.197421 UTC);

    #[test]
    fn as_the_draft_has_it() {
        let told = draft(&health(&[Status::Pass, Status::Fail]), "1.2.3", NOW);
        let check = |status| json!([{ "componentType": "component", "status": status, "time": "2026-11-22T20:07:04.197421Z" }]);
        let expected = json!({
            "status": "fail",
            "version": "1.2.3",
            "checks": { "a": check("pass"), "b": check("fail") },
        });
        assert_eq!(told.to_string(), expected.to_string(), "with its order");
    }

    #[test]
    fn as_the_predecessor_had_it() {
        let mut health = health(&[Status::Warn]);
        let breakers = Finding::warn("1 circuit breaker(s) OPEN").with([("total", 3), ("open", 1)]);
        health.checks.as_mut().unwrap().push(Check::of("circuit_breakers", breakers));
        let expected = json!({
            "status": "degraded",
            "timestamp": "2026-11-22T20:07:04.197421",
            "checks": {
                "a": { "status": "degraded", "message": "said" },
                "circuit_breakers": { "status": "degraded", "message": "1 circuit breaker(s) OPEN", "total": 3, "open": 1 },
            },
            "duration_ms": 12.35,
        });
        assert_eq!(predecessors(&health, NOW).to_string(), expected.to_string(), "with its order");
        assert_eq!(Status::ALL.map(Status::predecessors_word), ["healthy", "degraded", "unhealthy"]);
    }

    #[test]
    fn nothing_is_looked_at_with_the_flag_off() {
        let expected = json!({
            "status": "healthy",
            "timestamp": "2026-11-22T20:07:04.197421",
            "message": "Health checks disabled by feature flag",
            "duration_ms": 0.0,
        });
        assert_eq!(predecessors(&Health::disabled(), NOW).to_string(), expected.to_string());
        let told = draft(&Health::disabled(), "1", NOW);
        assert_eq!(told, json!({ "status": "pass", "version": "1", "notes": [DISABLED] }));
    }
}
