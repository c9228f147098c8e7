//! `selvedge doctor`: what is wrong, or soon will be, with the evidence and the command that mends it. It changes nothing.

mod env_file;
mod secrets;
mod telemetry;

pub(crate) use secrets::is_about_secret;

use serde_json::{Value, json};

use crate::exit;
use crate::output::{self, Format};
use crate::render;
use crate::run::App;
use crate::text::one_line;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Works, and ought to be changed.
    Warn,
    /// Does not work, or gives something away.
    Fail,
}

/// One thing that was looked at.
struct Check {
    section: &'static str,
    name: String,
    state: State,
    evidence: String,
    help: Option<String>,
}

impl Check {
    fn ok(name: &str, evidence: impl Into<String>) -> Self {
        Self {
            section: "secrets",
            name: name.to_owned(),
            state: State::Ok,
            evidence: evidence.into(),
            help: None,
        }
    }

    fn warn(name: &str, evidence: impl Into<String>, help: impl Into<String>) -> Self {
        Self { state: State::Warn, help: Some(help.into()), ..Self::ok(name, evidence) }
    }

    fn fail(name: &str, evidence: impl Into<String>, help: Option<String>) -> Self {
        Self { state: State::Fail, help, ..Self::ok(name, evidence) }
    }
}

/// Looks, and tells. The exit code is 1 where something does not work.
///
/// # Errors
///
/// Stdout cannot be written.
pub(crate) async fn run(app: &App) -> anyhow::Result<u8> {
    let mut checks = secrets::look(app).await;
    checks.extend(env_file::look(app));
    checks.extend(telemetry::look(app).await);
    let told = match app.output {
        Format::Text => checks.iter().try_for_each(|check| output::line(&shown(check))),
        format => render::result(format, json!({ "checks": checks.iter().map(row).collect::<Vec<_>>() })),
    };
    let failed = checks.iter().any(|check| check.state == State::Fail);
    output::coded(told, if failed { exit::FAILED } else { exit::DONE })
}

fn shown(check: &Check) -> String {
    let mark = match check.state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Fail => "fail",
    };
    let line = one_line(&format!("{mark}  {:<24} {}", check.name, check.evidence));
    match &check.help {
        Some(help) => format!("{line}\n      help: {}", one_line(help)),
        None => line,
    }
}

fn row(check: &Check) -> Value {
    json!({
        "section": check.section,
        "name": check.name,
        "state": check.state,
        "evidence": check.evidence,
        "help": check.help,
    })
}
