//! `selvedge transactions resume` and `rollback`: brings an interrupted transaction to its end.

use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_rollback::journal::{JournalError, JournalStore, Loaded};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Interrupt, State, StepId, StepState, Transaction, TransactionId, Verdict,
};
use serde_json::json;

use super::recheck::{is_same_id, refuse_blind, refuse_unfit};
use super::report::{Report, state_name};
use super::text::spaced;
use super::unusable;
use crate::args::RollbackArgs;
use crate::audit::{Audit, Trail, Watch};
use crate::clients::Clients;
use crate::commands::deploy::account::Accounted;
use crate::commands::deploy::target::{self, Target};
use crate::commands::deploy::{Asked, How, Outcome, account, apply};
use crate::exit;
use crate::place::{Claimed, Place};
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;

/// Which way an operator sends a transaction.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// Where its journal says it was going.
    On,
    Back(&'a RollbackArgs),
}

/// Takes it up.
///
/// # Errors
///
/// When it is running, must not be taken up from here or in this way, or cannot be brought to an end.
pub(super) async fn run(app: &App, place: &Place, id: TransactionId, way: Way<'_>) -> anyhow::Result<u8> {
    let audit = Audit::open(app)?;
    let loaded = open(app, place, id).await?;
    let begin = loaded.state.begin();
    refuse_elsewhere(app, begin)?;
    refuse_unfit(begin)?;
    if let Way::Back(args) = way {
        refuse_ended(&loaded.state, "roll back")?;
        refuse_odd(app, &loaded.state, args)?;
    }
    let (plan, what) = (begin.plan.clone(), json!({ "subject": begin.subject }));
    // What has come and gone since it ended is not its doing.
    let is_open = !loaded.state.direction().has_ended();
    let recorded = account::recorded(begin);
    let before = recorded.as_ref().filter(|_| is_open);
    let clients = Clients::new(app).await?;
    if is_open {
        refuse_blind(app, &clients, begin, before).await?;
    }
    // The way back needs none, and must not fail for want of one.
    let goes_on = matches!(way, Way::On) && loaded.state.direction() == Direction::Forward;
    let made = plan.steps().iter().map(|step| &step.change).filter(|_| goes_on);
    let fabric = target::target(app, &clients, made, recorded.as_ref()).await?;
    let progress = Progress::new(app);
    if goes_on {
        let due = loaded.state.steps().filter(|(_, how)| **how != StepState::Done);
        progress.expect(due.map(|(step, _)| step.id).collect::<Vec<_>>());
    }
    let (loaded, lease) = claim(app, place, loaded, &progress).await?;
    clients.fence.ask(lease.fence());
    let (found, had_ended) = (Report::of(app, &loaded.state, None), loaded.state.direction().has_ended());
    let had_markers = loaded.state.has_markers();
    // Nothing is done about what has ended, but for its markers.
    let acts = !had_ended || had_markers;
    let principal = if acts { clients.identity.principal().await.ok().flatten() } else { None };
    let principal = principal.map(|who| who.to_string());
    let trail = Trail::of_journal(&audit, app, loaded.state.begin(), principal);
    let command = if matches!(way, Way::On) { "resume" } else { "rollback" };
    if acts && let Err(error) = trail.take_up(&loaded.state, command) {
        lease.release().await;
        return Err(error);
    }
    let started = std::time::Instant::now();
    let interrupt = Interrupt::default();
    let writer = target::writer();
    let run = async {
        let policy = target::policy(app);
        let watch = Watch { progress: &progress, trail: &trail };
        let transaction =
            Transaction::recover(&fabric, loaded, &writer, policy, interrupt.clone(), watch).await?;
        let mut transaction = transaction.fenced(lease.fence());
        let view = transaction.view();
        trail.look_at(transaction.view());
        let go = async {
            let Way::Back(args) = way else {
                return transaction.run().await;
            };
            let reason = args.reason.as_deref().unwrap_or_default();
            for step in &args.skip {
                transaction.skip(StepId::new(*step), reason).await?;
                trail.skipped(StepId::new(*step), reason);
            }
            transaction.roll_back("an operator asked for it").await
        };
        let ended = account::account(app, &clients.fabric, before, &plan, go.await, &progress).await;
        Ok((ended, view.read(|state| Report::of(app, state, None))))
    };
    let ended = apply::interruptible(run, &interrupt, &progress).await;
    let is_over = matches!(&ended, Ok(Ok((ended, _))) if apply::is_over(ended));
    apply::give_back(lease, is_over).await;
    match &ended {
        Ok(Ok((Ok(Accounted { verdict: Verdict::Committed, .. }), _))) if had_ended => {
            trail.unmarked_since(had_markers);
        }
        Ok(Ok(_)) if had_ended => {}
        Ok(Ok((ended, _))) => trail.ended(&plan, ended.as_ref()),
        Ok(Err(error)) => trail.ended(&plan, Err(error)),
        Err(error) => trail.not_begun(error),
    }
    drop(progress);
    audit.close();
    let (ended, report) = ended?.map_err(|error| apply::unfinished(app, error, &found))?;
    // A rollback that was asked for and succeeded is a success.
    let taken_back = matches!(&ended, Ok(Accounted { verdict: Verdict::RolledBack { .. }, .. }));
    let wanted = taken_back && matches!(way, Way::Back(_));
    let (interrupted, report) = (interrupt.is_raised(), Box::new(report));
    let how = How::Transaction { ended, interrupted, report };
    let verb = if matches!(way, Way::On) { "resume" } else { "roll back" };
    let asked = Asked::GoOn { verb, had_ended };
    let told = Outcome { how, plan: &plan, elapsed: started.elapsed(), what, asked }.finish(app);
    if wanted { Ok(exit::DONE) } else { told }
}

/// Opens the journal of a transaction that no process of this machine has in hand.
pub(super) async fn open(
    app: &App,
    place: &Place,
    id: TransactionId,
) -> anyhow::Result<Loaded<Target, JournalStore>> {
    match place.journals.open::<Target>(id).await {
        Err(error @ JournalError::Running { .. }) => Err(place.in_use::<Target>(app, id, error).await),
        opened => opened.map_err(unusable),
    }
}

/// Claims the leases of an open transaction, waiting for those of the process that began it to run out.
pub(super) async fn claim(
    app: &App,
    place: &Place,
    loaded: Loaded<Target, JournalStore>,
    progress: &Progress,
) -> anyhow::Result<(Loaded<Target, JournalStore>, Claimed)> {
    let (id, subject) = (loaded.state.begin().id, &loaded.state.begin().subject);
    let lease = place.claim(app, subject, id, progress).await?;
    // Who had the lease may have gone on until now. In a folder the journal was locked before.
    let loaded = if place.is_shared { open(app, place, id).await } else { Ok(loaded) };
    match loaded {
        Ok(loaded) => Ok((loaded, lease)),
        Err(error) => {
            lease.release().await;
            Err(error)
        }
    }
}

/// There is nothing to be done about what has ended.
pub(super) fn refuse_ended(state: &State<Target>, what: &str) -> anyhow::Result<()> {
    if !state.direction().has_ended() {
        return Ok(());
    }
    let id = state.begin().id;
    let words = spaced(state_name(state.direction(), false));
    Err(anyhow!("it has ended: {words}").context(ExitWith::usage(format!("{what} transaction {id}"))))
}

/// Only a rollback that was begun can be gone on with, and only what it has failed at can be left.
fn refuse_odd(app: &App, state: &State<Target>, args: &RollbackArgs) -> anyhow::Result<()> {
    let id = state.begin().id;
    if (args.go_on || !args.skip.is_empty()) && state.direction() == Direction::Forward {
        let problem = anyhow!("no rollback of it was begun");
        let with = ExitWith::usage(format!("go on with the rollback of transaction {id}"));
        return Err(
            problem.context(with.help(format!("run `{}` to begin one", app.transactions("rollback", id))))
        );
    }
    for number in &args.skip {
        let step = StepId::new(*number);
        let problem = match (state.step(step), state.begin().plan.get(step)) {
            (Some(how), _) if how.may_be_skipped() => continue,
            (Some(_), Some(step)) => anyhow!("the rollback has not failed at it: {}", step.change),
            _ => anyhow!("there is no such step"),
        };
        let skippable = state.steps().filter(|(_, how)| how.may_be_skipped());
        let skippable: Vec<_> = skippable.map(|(step, _)| step.id.to_string()).collect();
        let help = match &skippable[..] {
            [] => "nothing of it can be left; go on without --skip".to_owned(),
            some => format!("what can be left: {}; see `{}`", some.join(", "), app.transactions("show", id)),
        };
        return Err(problem.context(ExitWith::usage(format!("leave step {number} where it is")).help(help)));
    }
    Ok(())
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
        if !is_same_id(here, there) {
            let problem = anyhow!("the transaction's {key} is `{there}`, and `{here}` is configured");
            return Err(problem.context(
                ExitWith::usage("take up the transaction").help(format!("configure the same {key}")),
            ));
        }
    }
    Ok(())
}
