//! The report, key by key as the predecessor wrote it.

use selvedge_observability::timestamp;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

/// What was found.
pub(super) struct Report {
    workspace: String,
    environment: String,
    at: OffsetDateTime,
    critical: Vec<Value>,
    warnings: Vec<Value>,
    pub(super) metrics: Map<String, Value>,
    pub(super) failed_items: Vec<Value>,
}

/// So many warnings are healthy yet.
const HEALTHY_WARNINGS: usize = 3;

impl Report {
    /// Of which nothing is known yet.
    pub(super) fn new(workspace: &str, environment: &str) -> Self {
        let unknown = json!({
            "workspace_response_time": null,
            "item_counts": {},
            "total_items": null,
            "recent_activity": { "last_24h_deployments": null, "failed_operations": null, "active_users": null },
            // Fabric's interface does not tell, and one look is no trend.
            "capacity": { "cpu_usage": "unknown", "memory_usage": "unknown", "storage_usage": "unknown" },
            "git_integration": { "connected": null },
            "performance_trends": { "trend_analysis": "insufficient_data", "performance_score": "unknown" },
        });
        let metrics = match unknown {
            Value::Object(metrics) => metrics,
            _ => Map::new(),
        };
        Self {
            workspace: workspace.to_owned(),
            environment: environment.to_owned(),
            at: OffsetDateTime::now_utc(),
            critical: Vec::new(),
            warnings: Vec::new(),
            metrics,
            failed_items: Vec::new(),
        }
    }

    pub(super) fn metric(&mut self, name: &str, value: impl Into<Value>) {
        self.metrics.insert(name.to_owned(), value.into());
    }

    /// Something without which the workspace is of no use.
    pub(super) fn critical(&mut self, kind: &str, description: impl Into<String>) {
        self.critical.push(self.issue(kind, "critical", &description.into()));
    }

    /// Something to look at.
    pub(super) fn warn(&mut self, kind: &str, description: impl Into<String>) {
        self.warnings.push(self.issue(kind, "warning", &description.into()));
    }

    /// Items that cannot be read, each in `failed_items`.
    pub(super) fn items_failed(&mut self) {
        if self.failed_items.is_empty() {
            return;
        }
        let description = format!("{} items cannot be read", self.failed_items.len());
        let mut issue = self.issue("item_failures", "critical", &description);
        issue["details"] = json!(self.failed_items);
        self.critical.push(issue);
    }

    pub(super) fn is_critical(&self) -> bool {
        !self.critical.is_empty()
    }

    fn issue(&self, kind: &str, severity: &str, description: &str) -> Value {
        json!({ "type": kind, "description": description, "severity": severity, "timestamp": timestamp(self.at) })
    }

    fn overall(&self) -> &'static str {
        match (self.critical.len(), self.warnings.len()) {
            (1.., _) => "critical",
            (0, warnings) if warnings > HEALTHY_WARNINGS => "degraded",
            (0, 1..) => "healthy_with_warnings",
            (0, 0) => "healthy",
        }
    }

    fn recommendations(&self) -> Vec<&'static str> {
        let kinds =
            |kind: &str| self.critical.iter().chain(&self.warnings).any(|issue| issue["type"] == kind);
        let known = [
            ("connection_error", "Check the credentials and the network with `selvedge doctor`"),
            ("accessibility", "Check the workspace's name and this identity's role in it"),
            ("item_failures", "Look at the items that cannot be read in the Fabric portal"),
            ("performance", "Look at the load of the capacity in the Fabric Capacity Metrics app"),
            ("capacity_check", "Assign the workspace to a capacity"),
            ("git_sync", "Commit or update, so that the workspace and its repository agree"),
            (
                "telemetry",
                "Look at what OTEL_EXPORTER_OTLP_ENDPOINT or APPLICATIONINSIGHTS_CONNECTION_STRING names",
            ),
            ("activity_check", "Look at open and failed deployments with `selvedge transactions list`"),
        ];
        let advice: Vec<_> =
            known.into_iter().filter(|(kind, _)| kinds(kind)).map(|(_, what)| what).collect();
        match advice.is_empty() {
            true => vec!["Workspace is operating normally - continue regular monitoring"],
            false => advice,
        }
    }

    /// The document.
    pub(super) fn as_json(&self) -> Value {
        json!({
            "workspace": self.workspace,
            "environment": self.environment,
            "check_timestamp": timestamp(self.at),
            "overall_status": self.overall(),
            "critical_issues": self.critical,
            "warnings": self.warnings,
            "metrics": self.metrics,
            "item_health": { "failed_items": self.failed_items },
            "recommendations": self.recommendations(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_the_predecessors() {
        let report = Report::new("w", "dev").as_json();
        let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            keys(&report),
            "workspace environment check_timestamp overall_status critical_issues warnings metrics item_health recommendations"
        );
        assert_eq!(
            keys(&report["metrics"]),
            "workspace_response_time item_counts total_items recent_activity capacity git_integration performance_trends"
        );
    }

    #[test]
    fn issues_decide() {
        let overall = |critical: usize, warnings: usize| {
            let mut report = Report::new("w", "dev");
            (0..critical).for_each(|_| report.critical("accessibility", "gone"));
            (0..warnings).for_each(|_| report.warn("git_sync", "behind"));
            report.as_json()["overall_status"].as_str().unwrap().to_owned()
        };
        for (critical, warnings, expected) in [
            (0, 0, "healthy"),
            (0, 1, "healthy_with_warnings"),
            (0, 3, "healthy_with_warnings"),
            (0, 4, "degraded"),
            (1, 0, "critical"),
            (1, 9, "critical"),
        ] {
            assert_eq!(overall(critical, warnings), expected);
        }
    }

    #[test]
    fn advice_follows_what_is_wrong() {
        let mut report = Report::new("w", "dev");
        assert!(report.as_json()["recommendations"][0].as_str().unwrap().contains("operating normally"));
        report.warn("git_sync", "behind");
        assert_eq!(report.as_json()["recommendations"].as_array().unwrap().len(), 1);
    }
}
