//! Proof, against the emulator and with this project's settings: this very program deploys a small product, and something goes wrong.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use super::Check;
use crate::run::App;
use crate::text::one_line;

const SECTION: &str = "self-test";

const PROJECT: &str = r#"{"project":{"name":"self-test","prefix":"self"},"naming_patterns":{"workspace":"{prefix}-{name}-{environment}"},"environments":{"dev":{}}}"#;

const PRODUCT: &str = r#"product: { name: "Test" }
environments: { dev: { capacity_id: "11111111-1111-4111-8111-111111111111" } }
git: { enabled: false }
items: { lakehouses: [{ name: "one" }, { name: "two" }] }
users: [{ email: "data.owner@contoso.example", role: "Admin" }]
"#;

/// One deployment, and what must become of it.
struct Trial {
    name: &'static str,
    /// The flags that are on; all others are off.
    flags: &'static [&'static str],
    /// Settings that this trial needs.
    settings: &'static [(&'static str, &'static str)],
    fault: &'static str,
    /// Exit code and verdict, and what stderr has to say.
    ends: (i32, &'static str, &'static str),
    proves: &'static str,
}

const RETRY: &str = "FEATURE_USE_RETRY_LOGIC";
const BREAKER: &str = "FEATURE_USE_CIRCUIT_BREAKER";
const ROLLBACK: &str = "FEATURE_USE_ROLLBACK";

const TRIALS: [Trial; 5] = [
    Trial {
        name: "without retries",
        flags: &[ROLLBACK],
        settings: &[],
        fault: "POST */items=429,times=1",
        ends: (1, "rolled_back", ""),
        proves: "one 429 stops a deployment where FEATURE_USE_RETRY_LOGIC is off",
    },
    Trial {
        name: "retries",
        flags: &[ROLLBACK, RETRY],
        settings: &[("SELVEDGE_RETRY__MAX_ATTEMPTS", "3")],
        fault: "POST */items=429,times=1",
        ends: (0, "committed", ""),
        proves: "the same 429 is not noticed where it is on",
    },
    Trial {
        name: "circuit breaker",
        flags: &[ROLLBACK, RETRY, BREAKER],
        settings: &[
            ("SELVEDGE_RETRY__MAX_ATTEMPTS", "3"),
            ("SELVEDGE_BREAKER__TRIP", "consecutive"),
            ("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "3"),
        ],
        fault: "GET /v1/workspaces=503,times=100",
        ends: (1, "", "Circuit breaker opened"),
        proves: "it opens after 3 failures in a row",
    },
    Trial {
        name: "without rollback",
        flags: &[],
        settings: &[],
        fault: "POST */roleAssignments=400,times=1",
        ends: (3, "failed", ""),
        proves: "what a failed deployment made stays where FEATURE_USE_ROLLBACK is off",
    },
    Trial {
        name: "rollback",
        flags: &[ROLLBACK],
        settings: &[],
        fault: "POST */roleAssignments=400,times=1",
        ends: (1, "rolled_back", ""),
        proves: "a failed deployment leaves nothing where it is on",
    },
];

/// Runs each trial.
pub(super) fn look(app: &App) -> Vec<Check> {
    let checks = TRIALS.iter().map(|trial| match run(app, trial) {
        Ok(check) => check,
        Err(error) => Check::fail(trial.name, format!("{error:#}"), None),
    });
    checks.map(|check| Check { section: SECTION, ..check }).collect()
}

fn run(app: &App, trial: &Trial) -> anyhow::Result<Check> {
    let folder = tempfile::tempdir().context("make a folder")?;
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
    write("project.config.json", PROJECT).context("write the project")?;
    write("product_config.yaml", PRODUCT).context("write the project")?;
    let settings = app.root.join("selvedge.toml");
    if settings.is_file() {
        fs::copy(settings, folder.path().join("selvedge.toml")).context("copy the settings")?;
    }
    let output = command(folder.path(), trial)?.output().context("run this program")?;
    let (code, verdict, says) = trial.ends;
    let told = told(&output);
    let is_left = told["left"].as_array().is_some_and(|left| !left.is_empty());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let is_so = output.status.code() == Some(code)
        && told["verdict"].as_str().unwrap_or_default() == verdict
        && is_left == (verdict == "failed")
        && stderr.contains(says);
    if is_so {
        return Ok(Check::ok(trial.name, trial.proves));
    }
    let ended = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    let last = stderr.lines().rev().find(|line| !line.is_empty()).unwrap_or_default();
    let evidence = format!(
        "not proven that {}: it ended with {ended} and the verdict {}; {}",
        trial.proves,
        told["verdict"],
        one_line(last)
    );
    Ok(Check::fail(trial.name, evidence, Some("look at what selvedge.toml and SELVEDGE_* set".to_owned())))
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// Nothing of it is told to anybody: no telemetry, no CI annotations, an audit trail and a journal of its own.
fn command(folder: &Path, trial: &Trial) -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("find this program")?;
    let mut command = Command::new(program);
    command
        .args(["deploy", "--local", "--yes", "--output", "json", "--ci", "none", "--inject", trial.fault])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("HARDENING_STAGE", "current")
        .env("LOG_LEVEL", "error")
        .env("LOG_FORMAT", "text")
        .env_remove("RUST_LOG")
        .env("SELVEDGE_AUDIT__FILE", "audit.jsonl");
    for flag in &crate::flags::FLAGS {
        command.env(flag.variable, if trial.flags.contains(&flag.variable) { "true" } else { "false" });
    }
    command.envs(trial.settings.iter().copied());
    Ok(command)
}
