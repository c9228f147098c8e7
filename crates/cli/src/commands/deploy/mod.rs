//! `selvedge deploy`: plan, confirm, make it true, say how it ended.

pub(crate) mod account;
pub(crate) mod apply;
mod confirm;
#[cfg(feature = "emulator")]
pub(crate) mod local;
pub(crate) mod open;
mod outcome;
pub(crate) mod planned;
pub(crate) mod prepare;
pub(crate) mod target;

use std::path::PathBuf;
use std::time::Instant;

use selvedge_deployment::summary::Summary;
use serde_json::json;
use tracing::Instrument as _;

use crate::args::DeployArgs;
use crate::audit::Audit;
use crate::ci::Told;
use crate::commands::plan;
use crate::render::{self, Progress, Stage};
use crate::run::App;
use crate::{events, exit, output};

use planned::PlanFile;

pub(crate) use apply::How;
pub(crate) use outcome::{Asked, Outcome};

/// Deploys.
///
/// # Errors
///
/// Whatever stands in the way, and a deployment that was not committed.
pub(crate) async fn run(
    app: &App,
    args: &DeployArgs,
    config: PathBuf,
    planned: Option<&PlanFile>,
) -> anyhow::Result<u8> {
    let started = Instant::now();
    let span = events::deployment(app.run, args.dry_run);
    let ended = deploy(app, args, config, planned).instrument(span.clone()).await;
    span.in_scope(|| events::deployment_ended(&ended, started.elapsed()));
    ended
}

async fn deploy(
    app: &App,
    args: &DeployArgs,
    config: PathBuf,
    planned: Option<&PlanFile>,
) -> anyhow::Result<u8> {
    let progress = Progress::new(app);
    // A dry run changes nothing, and writes nothing.
    let audit = if args.dry_run { None } else { Some(Audit::open(app)?) };
    let prepared = prepare::prepare(app, &args.selection, config, args.dry_run, &progress).await?;
    if let Some(planned) = planned {
        planned.require(app, &prepared)?;
    }
    events::deployment_started(&prepared.desired.product, &prepared.desired.environment);
    let plan = &prepared.planned.plan;
    let Some(audit) = audit else {
        plan::show(app, &prepared, false)?;
        return Ok(exit::DONE);
    };
    // Before the plan is shown: what an open transaction made is part of what was read. Without the flag too: its
    // rollback would later take away what this deployment builds on.
    if let Some((place, _)) = &prepared.place {
        open::refuse_if_open(app, place, &prepared.subject(app)).await?;
    }
    progress.note(&Summary::of(plan).to_string());
    if plan.is_empty() {
        nothing_to_do(app, &prepared)?;
        return Ok(exit::DONE);
    }
    // Whoever made the plan file has seen it.
    if planned.is_none() {
        confirm::overwrites(app, plan)?;
    }
    let started = Instant::now();
    let applied = apply::apply(app, &prepared.work(app)?, &progress, &audit).await;
    if applied.is_ok() {
        progress.stage(Stage::Summary);
    }
    drop(progress);
    audit.close();
    let applied = applied?;
    let how = applied.how;
    Outcome { how, plan, elapsed: started.elapsed(), what: prepared.what(), asked: Asked::Deploy }.finish(app)
}

fn nothing_to_do(app: &App, prepared: &prepare::Prepared) -> anyhow::Result<()> {
    const NOTHING: &str = "Nothing to do: the workspace is as the files say.";
    app.job.tell(Told {
        verdict: "nothing_to_do",
        headline: NOTHING.to_owned(),
        about: prepared.what(),
        transaction: None,
        changes: Vec::new(),
        left: Vec::new(),
        commands: Vec::new(),
    });
    match app.output {
        output::Format::Text => output::line(NOTHING),
        format => render::result(
            format,
            json!({ "verdict": "nothing_to_do", "deployment": prepared.what(), "changes": [] }),
        ),
    }
}
