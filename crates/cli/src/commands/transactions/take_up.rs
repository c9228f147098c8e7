//! `selvedge transactions resume` and `rollback`: brings an interrupted transaction to its end.

use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Event, Interrupt, Observer as _, StepState, Transaction, TransactionId, Verdict,
};
use serde_json::json;

use super::report::state_name;
use super::unusable;
use crate::clients::Clients;
use crate::commands::deploy::target::{self, Target};
use crate::commands::deploy::{Applied, Outcome, apply};
use crate::exit;
use crate::place::Place;
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;

/// Which way an operator sends a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Where its journal says it was going.
    On,
    Back,
}

pub(super) async fn run(app: &App, place: &Place, id: TransactionId, way: Way) -> anyhow::Result<u8> {
    let loaded = place.journals.open::<Target>(id).await.map_err(unusable)?;
    let begin = loaded.state.begin();
    refuse_elsewhere(app, begin)?;
    if way == Way::Back && loaded.state.direction().has_ended() {
        let problem = anyhow!("it has ended: {}", state_name(&loaded.state, false));
        return Err(problem.context(ExitWith::usage(format!("roll transaction {id} back"))));
    }
    let (plan, what) = (begin.plan.clone(), json!({ "subject": begin.subject }));
    let clients = Clients::new(&app.settings, &app.flags, &app.environment)?;
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
        match way {
            Way::On => transaction.run().await,
            Way::Back => transaction.roll_back("an operator asked for it").await,
        }
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
fn refuse_elsewhere(app: &App, begin: &Begin<Change>) -> anyhow::Result<()> {
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
