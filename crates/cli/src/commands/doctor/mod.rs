//! `selvedge doctor`: what is wrong, or soon will be, with the evidence and the command that mends it. It changes nothing.

mod env_file;
mod fabric;
mod project;
mod secrets;
#[cfg(feature = "emulator")]
mod self_test;
mod stage;
mod telemetry;

pub(crate) use secrets::is_about_secret;

use serde_json::{Value, json};

use crate::args::{DoctorArgs, Selection, StageName};
use crate::exit;
use crate::flags::Stage;
use crate::output::{self, Format};
use crate::render;
use crate::run::App;
use crate::text::{counted, one_line};

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
pub(crate) async fn run(app: &App, args: &DoctorArgs) -> anyhow::Result<u8> {
    let stage = args.stage.map_or(app.flags.stage, Stage::from);
    let selection = Selection::of(args.env);
    let mut checks = project::look(app, &selection).await;
    checks.extend(secrets::look(app).await);
    checks.extend(env_file::look(app));
    checks.extend(telemetry::look(app).await);
    checks.extend(fabric::look(app, &selection).await);
    checks.extend(stage::look(app, stage).await);
    #[cfg(feature = "emulator")]
    if args.self_test {
        checks.extend(self_test::look(app));
    }
    let told = match app.output {
        Format::Text => output::line(&text(&checks, stage)),
        format => {
            let rows: Vec<_> = checks.iter().map(row).collect();
            render::result(format, json!({ "stage": stage, "checks": rows }))
        }
    };
    let failed = checks.iter().any(|check| check.state == State::Fail);
    output::coded(told, if failed { exit::FAILED } else { exit::DONE })
}

/// Section by section, and how many are wrong.
fn text(checks: &[Check], stage: Stage) -> String {
    let mut text = String::new();
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    let mut section = "";
    for check in checks {
        if check.section != section {
            section = check.section;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{section}\n"));
        }
        text.push_str(&format!("{}\n", shown(check, width)));
    }
    let count = |state: State| checks.iter().filter(|check| check.state == state).count();
    let (failed, warned) = (count(State::Fail), count(State::Warn));
    text + &format!("\nStage {}: {failed} failed, {}", stage.name(), counted(warned, "warning"))
}

fn shown(check: &Check, width: usize) -> String {
    let mark = match check.state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Fail => "fail",
    };
    let line = one_line(&format!("{mark}  {:<width$}  {}", check.name, check.evidence));
    match &check.help {
        Some(help) => format!("{line}\n      help: {}", one_line(help)),
        None => line,
    }
}

impl From<StageName> for Stage {
    fn from(name: StageName) -> Self {
        match name {
            StageName::Current => Self::Current,
            StageName::Intermediate => Self::Intermediate,
            StageName::Target => Self::Target,
        }
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
