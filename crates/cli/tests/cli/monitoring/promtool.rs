//! Prometheus' own tool, which `cargo xtask monitoring` has installed.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{exported::Exported, path};
use crate::program::{Ended, run};

/// What `cargo xtask monitoring` says where it is.
pub(super) fn tool(variable: &str) -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where the test finds a tool is no setting")]
    std::env::var_os(variable).unwrap_or_else(|| panic!("run `cargo xtask monitoring`")).into()
}

pub(super) fn promtool(args: &[&str]) -> Ended {
    run(Command::new(tool("PROMTOOL")).args(args).current_dir(path("deploy/monitoring/prometheus")))
}

/// When the series are looked at, and what of them: an expression and the value that it must have, `None` for nothing at all.
fn evaluated(exported: &Exported, from: u32, at: u32, expected: &[(String, Option<f64>)]) -> Ended {
    let series: Vec<Value> = exported
        .series()
        .map(|(series, value)| json!({ "series": series, "values": format!("_x{from} {value}x60") }))
        .collect();
    assert!(!series.is_empty());
    let expected: Vec<Value> = expected
        .iter()
        .map(|(expression, value)| {
            let samples: Vec<Value> =
                value.iter().map(|value| json!({ "labels": "{}", "value": value })).collect();
            json!({ "expr": expression, "eval_time": format!("{at}m"), "exp_samples": samples })
        })
        .collect();
    let test = json!({ "interval": "1m", "input_series": series, "promql_expr_test": expected });
    let rules = fs::canonicalize(path("deploy/monitoring/prometheus/alerts.yml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yml");
    let text = json!({ "rule_files": [rules], "evaluation_interval": "1m", "tests": [test] });
    fs::write(&file, text.to_string()).unwrap();
    promtool(&["test", "rules", file.to_str().unwrap()])
}

fn firing(alert: &str) -> String {
    format!("count(ALERTS{{alertname=~{alert:?},alertstate=\"firing\"}} >= 1)")
}

/// These alerts fire two minutes after the series began with these values.
#[track_caller]
pub(super) fn fires(exported: &Exported, alerts: &[&str]) {
    let expected: Vec<_> = alerts.iter().map(|alert| (firing(alert), Some(1.0))).collect();
    let told = evaluated(exported, 10, 12, &expected).is(0);
    assert!(told.stdout.contains("SUCCESS"), "{}", told.stdout);
}

/// As [`fires`], and of what has been so for longer.
#[track_caller]
pub(super) fn fires_after_a_while(exported: &Exported, alert: &str) {
    evaluated(exported, 10, 30, &[(firing(alert), Some(1.0))]).is(0);
    // Not at once.
    evaluated(exported, 10, 11, &[(firing(alert), None)]).is(0);
}

/// None of these alerts fires, and the expression has a value all the same.
#[track_caller]
pub(super) fn is_quiet_but(exported: &Exported, alerts: &str, expression: &str) {
    let expected = [(firing(alerts), None), (format!("count({expression})"), Some(1.0))];
    evaluated(exported, 10, 12, &expected).is(0);
}
