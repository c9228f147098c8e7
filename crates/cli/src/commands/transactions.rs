//! `selvedge transactions`: shows transactions and takes up interrupted ones.

use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_rollback::journal::JournalError;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Event, Interrupt, Observer as _, State, StepState, Transaction, TransactionId, Verdict,
    describe,
};
use serde_json::{Value, json};

use super::deploy::target::{self, Target};
use super::deploy::{Applied, Outcome, account, apply};
use super::{export, gc, recheck, sweep};
use crate::args::{TransactionsAction, TransactionsArgs};
use crate::clients::Clients;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render::{self, Progress};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

/// Which way an operator sends a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Where its journal says it was going.
    On,
    Back,
}

/// Runs the sub-command.
///
/// # Errors
///
/// When there is no such transaction, it is running, its journal is damaged, or it cannot be brought to an end.
pub(crate) async fn run(app: &App, args: &TransactionsArgs) -> anyhow::Result<u8> {
    let place = &Place::of(app)?;
    match &args.action {
        TransactionsAction::List => list(app, place).await,
        TransactionsAction::Show(named) => show(app, place, find(place, &named.id).await?).await,
        TransactionsAction::Sweep(args) => sweep::run(app, place, args.workspace.as_deref()).await,
        TransactionsAction::Export(args) => export::run(place, find(place, &args.id).await?, args).await,
        TransactionsAction::Gc(args) => gc::run(app, place, args).await,
        TransactionsAction::Rollback(named) => {
            take_up(app, place, find(place, &named.id).await?, Way::Back).await
        }
        TransactionsAction::Resume(named) => {
            take_up(app, place, find(place, &named.id).await?, Way::On).await
        }
    }
}

async fn find(place: &Place, prefix: &str) -> anyhow::Result<TransactionId> {
    place.journals.find(prefix).await.map_err(|error| {
        anyhow::Error::from(error)
            .context(ExitWith::usage("find the transaction").help("run `selvedge transactions list`"))
    })
}

async fn list(app: &App, place: &Place) -> anyhow::Result<u8> {
    let mut found = place.journals.list::<Target>().await?;
    for found in &mut found {
        if let Ok(state) = &found.state {
            let open = !state.direction().has_ended();
            found.running |= open && place.is_running(&state.begin().subject, found.id).await?;
        }
    }
    if app.output != Format::Text {
        let rows: Vec<_> = found
            .iter()
            .map(|found| match &found.state {
                Ok(state) => as_json(app, state, found.running),
                Err(error) => json!({ "transaction": found.id.to_string(), "state": "unreadable",
                                      "reason": describe(error) }),
            })
            .collect();
        render::result(app.output, json!({ "transactions": rows }))?;
        return Ok(exit::DONE);
    }
    if found.is_empty() {
        output::line("There are no transactions.")?;
    }
    for found in found {
        let line = match &found.state {
            Ok(state) => {
                let (name, subject) = (state_name(state, found.running), &state.begin().subject);
                format!("{}  {name:<11}  {subject}", found.id)
            }
            Err(error) => format!("{}  unreadable   {}", found.id, describe(error)),
        };
        output::line(&one_line(&line))?;
    }
    Ok(exit::DONE)
}

async fn show(app: &App, place: &Place, id: TransactionId) -> anyhow::Result<u8> {
    let state = place.journals.peek::<Target>(id).await.map_err(unusable)?;
    if app.output != Format::Text {
        render::result(app.output, as_json(app, &state, false))?;
        return Ok(exit::DONE);
    }
    let mut text = format!("transaction {id}: {}\n{}\n", state_name(&state, false), state.begin().subject);
    if let Some((_, reason)) = state.reason() {
        text.push_str(&format!("because: {}\n", one_line(reason)));
    }
    for (step, how) in state.steps() {
        let line = format!("  {:>3}  {:<10}  {}", step.id.to_string(), step_name(how), step.change);
        text.push_str(&one_line(&line));
        if let Some(reason) = how.reason() {
            text.push_str(&format!(": {}", one_line(reason)));
        }
        text.push('\n');
    }
    for command in commands(app, &state) {
        text.push_str(&format!("run `{command}`\n"));
    }
    output::line(text.trim_end())?;
    Ok(exit::DONE)
}

async fn take_up(app: &App, place: &Place, id: TransactionId, way: Way) -> anyhow::Result<u8> {
    let loaded = place.journals.open::<Target>(id).await.map_err(unusable)?;
    let begin = loaded.state.begin();
    refuse_elsewhere(app, begin)?;
    recheck::refuse_unfit(begin)?;
    if way == Way::Back && loaded.state.direction().has_ended() {
        let problem = anyhow!("it has ended: {}", state_name(&loaded.state, false));
        return Err(problem.context(ExitWith::usage(format!("roll transaction {id} back"))));
    }
    let (plan, what) = (begin.plan.clone(), json!({ "subject": begin.subject }));
    // What has come and gone since it ended is not its doing.
    let is_open = !loaded.state.direction().has_ended();
    let inventory = account::recorded(begin).filter(|_| is_open);
    let clients = Clients::new(&app.settings, &app.flags, &app.environment)?;
    if is_open {
        recheck::refuse_blind(app, &clients, begin, inventory.as_ref()).await?;
    }
    let fabric = target::target(app, &clients);
    let progress = Progress::new(app);
    if way == Way::On && loaded.state.direction() == Direction::Forward {
        let due = loaded.state.steps().filter(|(_, how)| **how != StepState::Done);
        progress.expect(due.map(|(step, _)| step.id).collect::<Vec<_>>());
    }
    if place.is_running(&begin.subject, id).await? {
        let most = place.leases.expiry().as_secs();
        progress
            .note(&format!("waiting up to {most} s for the lease of the process that began it to run out"));
    }
    let lease = place.claim(app, &begin.subject, id, true).await?;
    clients.fence.ask(lease.fence());
    let started = std::time::Instant::now();
    let interrupt = Interrupt::default();
    let observer = |event: &Event<'_, Change>| progress.on(event);
    let writer = target::writer();
    let run = async {
        // Who had the lease may have gone on until now. In a folder the journal was locked before.
        let loaded = if place.is_shared { place.journals.open::<Target>(id).await? } else { loaded };
        let policy = target::policy(app);
        let transaction =
            Transaction::recover(&fabric, loaded, &writer, policy, interrupt.clone(), observer).await?;
        let transaction = transaction.fenced(lease.fence());
        let verdict = match way {
            Way::On => transaction.run().await,
            Way::Back => transaction.roll_back("an operator asked for it").await,
        }?;
        Ok(account::account(app, &clients.fabric, inventory.as_ref(), &plan, verdict, &progress).await)
    };
    let ended = apply::interruptible(run, &interrupt, &progress).await;
    apply::give_back(lease, matches!(ended, Ok(Ok(_)))).await;
    let verdict = ended?.map_err(|error| apply::unfinished(app, error, id))?;
    drop(progress);
    // A rollback that was asked for and succeeded is a success.
    let wanted = way == Way::Back && matches!(verdict, Verdict::RolledBack { .. });
    let applied = Applied::Transaction { id, verdict, interrupted: interrupt.is_raised() };
    let told = Outcome { applied, plan: &plan, elapsed: started.elapsed(), what }.finish(app);
    if wanted { Ok(exit::DONE) } else { told }
}

/// "Not found" from another tenant, or to another identity, must not count as "undone".
pub(super) fn refuse_elsewhere(app: &App, begin: &Begin<Change>) -> anyhow::Result<()> {
    let settings = &app.settings;
    let here = [
        (apply::context::ENDPOINT, settings.fabric.base_url.as_str()),
        (apply::context::TENANT, settings.entra.tenant_id.as_deref().unwrap_or_default()),
        (apply::context::CLIENT, settings.entra.client_id.as_deref().unwrap_or_default()),
    ];
    for (key, here) in here {
        let there = begin.context.get(key).map(String::as_str).unwrap_or_default();
        if here != there {
            let problem = anyhow!("the transaction's {key} is `{there}`, and `{here}` is configured");
            return Err(problem.context(
                ExitWith::usage("take up the transaction").help(format!("configure the same {key}")),
            ));
        }
    }
    Ok(())
}

pub(super) fn unusable(error: JournalError) -> anyhow::Error {
    let code = if matches!(error, JournalError::Running { .. }) { exit::LOCKED } else { exit::FAILED };
    anyhow::Error::from(error).context(ExitWith::new(code, "read the transaction"))
}

fn as_json(app: &App, state: &State<Target>, running: bool) -> Value {
    let steps: Vec<_> = state
        .steps()
        .map(|(step, how)| {
            json!({ "step": step.id.number(), "change": step.change.to_string(), "state": step_name(how),
                    "reason": how.reason() })
        })
        .collect();
    json!({
        "transaction": state.begin().id.to_string(),
        "state": state_name(state, running),
        "subject": state.begin().subject,
        "context": apply::context::shown(state.begin()),
        "reason": state.reason().map(|(_, reason)| reason),
        "steps": steps,
        "commands": if running { Vec::new() } else { commands(app, state) },
    })
}

pub(super) fn state_name(state: &State<Target>, running: bool) -> &'static str {
    match state.direction() {
        Direction::Committed => "committed",
        Direction::RolledBack => "rolled_back",
        Direction::RolledBackPartial => "rolled_back_partial",
        Direction::Abandoned => "abandoned",
        Direction::Forward | Direction::Back if running => "running",
        Direction::Forward => "interrupted",
        Direction::Back => "left",
    }
}

fn step_name(state: &StepState) -> &'static str {
    match state {
        StepState::Planned => "planned",
        StepState::Open { .. } => "in_doubt",
        StepState::Done => "done",
        StepState::NotDone => "not_done",
        StepState::Foreign => "foreign",
        StepState::Undoing => "undoing",
        StepState::Undone => "undone",
        StepState::Kept { .. } => "kept",
        StepState::Stuck { .. } => "stuck",
        StepState::Skipped { .. } => "skipped",
    }
}

/// What brings it to an end.
pub(super) fn commands(app: &App, state: &State<Target>) -> Vec<String> {
    let id = state.begin().id;
    let past_pivot = state.steps().any(|(step, how)| how.remains() && !step.change.reversible());
    let verbs: &[&str] = match state.direction() {
        Direction::Forward if past_pivot => &["resume"],
        Direction::Forward => &["rollback", "resume"],
        Direction::Back => &["rollback"],
        _ => &[],
    };
    verbs.iter().map(|verb| app.transactions(verb, id)).collect()
}
