//! Makes a plan true: as a transaction where the rollback flag is on, plainly where it is off.

use std::collections::BTreeSet;

use anyhow::Context as _;
use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_deployment::desired::Desired;
use selvedge_fabric_client::layer::Principal;
use selvedge_rollback::journal::{Ended, JournalError, Summary};
use selvedge_rollback::lease::{Holder, Lease};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Error, Interrupt, Plan, State, Transaction, TransactionId, Unfinished, Verdict, describe,
    plain,
};

use super::account::{self, Accounted};
use super::prepare::Prepared;
use super::target::{self, Target};
use crate::audit::{Audit, Trail, Watch};
use crate::commands::transactions::{Report, tool};
use crate::place::{Place, Running};
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::{exit, signal};

/// How a plan ended.
pub(crate) enum Applied {
    /// As a transaction, or as far as it came. The report says how it stands now.
    Transaction { ended: Result<Accounted, Error>, interrupted: bool, report: Box<Report> },
    /// Without one: to the end, or not.
    Plain(Result<(), Unfinished>),
}

/// The keys of [`Begin::context`].
pub(crate) mod context {
    use std::collections::BTreeMap;

    use selvedge_deployment::change::Change;
    use selvedge_rollback::record::Begin;

    /// The API's base address.
    pub(crate) const ENDPOINT: &str = "endpoint";
    /// The tenant.
    pub(crate) const TENANT: &str = "tenant";
    /// The application that acts.
    pub(crate) const CLIENT: &str = "client";
    /// Who acts, as the token says it: object id and tenant. Not there where the token does not say it.
    pub(crate) const PRINCIPAL: &str = "principal";
    /// The product.
    pub(crate) const PRODUCT: &str = "product";
    /// The environment.
    pub(crate) const ENVIRONMENT: &str = "environment";
    /// What the workspace held, where it was there. Too long to be shown.
    pub(crate) const INVENTORY: &str = "inventory";

    /// What of it people are shown.
    pub(crate) fn shown(begin: &Begin<Change>) -> BTreeMap<String, String> {
        let all = begin.context.iter().filter(|(key, _)| *key != INVENTORY);
        all.map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// Makes the plan true.
///
/// # Errors
///
/// When it could not be begun, or its journal could not be written.
pub(crate) async fn apply(
    app: &App,
    prepared: &Prepared,
    progress: &Progress,
    audit: &Audit,
) -> anyhow::Result<Applied> {
    let Some(clients) = &prepared.clients else {
        return Err(anyhow!("there are no credentials").context(ExitWith::new(exit::DENIED, "deploy")));
    };
    let (plan, inventory) = (&prepared.planned.plan, prepared.inventory.as_ref());
    let changes = plan.steps().iter().map(|step| &step.change);
    let fabric = target::target(app, clients, changes, inventory).await?;
    let interrupt = Interrupt::default();
    let policy = target::policy(app);
    progress.expect(plan.steps().iter().map(|step| step.id));
    let Some((place, before)) = prepared.place.as_ref().filter(|_| app.flags.rollback.on) else {
        // Something was read with that token.
        let principal = clients.identity.principal().await.ok().flatten();
        let trail = Trail::new(audit, app, what(prepared), None, principal.map(|who| who.to_string()));
        trail.begin(plan)?;
        let watch = Watch { progress, trail: &trail };
        let run = plain::run_showing(&fabric, plan, &policy, &interrupt, &watch, trail.receipts());
        let ended = interruptible(async { run.await.map(drop) }, &interrupt, progress).await;
        let ended = ended.inspect_err(|error| trail.not_begun(error))?;
        trail.ended_plainly(plan, ended.as_ref().copied());
        return Ok(Applied::Plain(ended));
    };
    let principal = clients.identity.principal().await.context("sign in to Fabric")?;
    let begin = begin(app, prepared, plan, principal.as_ref())?;
    let id = begin.id;
    let trail = Trail::new(audit, app, what(prepared), Some(id), principal.map(|who| who.to_string()));
    let trail = &trail;
    // Signals are heard before the lease is claimed: neither it nor a transaction that has just begun is left behind.
    let transaction = async {
        let lease = place.claim(app, &begin.subject, id, progress).await?;
        clients.fence.ask(lease.fence());
        let begun = async {
            // Once more: the question may have been open for long.
            let due = refuse_if_open(app, place, &prepared.desired).await?;
            refuse_if_stale(app, place, &prepared.desired, before).await?;
            trail.begin(plan)?;
            let store = place.journals.create(id).await.with_context(no_journal)?;
            let watch = Watch { progress, trail };
            let begun = Transaction::begin(&fabric, store, begin, policy, interrupt.clone(), watch).await;
            Ok((begun.with_context(no_journal)?, due))
        };
        let (begun, due) = match begun.await {
            Ok((begun, due)) => (begun.fenced(lease.fence()), due),
            Err(error) => {
                lease.release().await;
                trail.not_begun(&error);
                return Err(error);
            }
        };
        trail.look_at(begun.view());
        let view = begun.view();
        let ended = begun.run().await;
        let ended = account::account(app, &clients.fabric, inventory, plan, ended, progress).await;
        give_back(lease, is_over(&ended)).await;
        trail.ended(plan, ended.as_ref());
        if matches!(ended, Ok(Accounted { verdict: Verdict::Committed, .. })) {
            remove(place, &due).await;
        }
        let report = Box::new(view.read(|state| Report::of(app, state, None)));
        Ok(Applied::Transaction { ended, interrupted: interrupt.is_raised(), report })
    };
    interruptible(transaction, &interrupt, progress).await?
}

/// The product and the environment.
fn what(prepared: &Prepared) -> (&str, &str) {
    (&prepared.desired.product, &prepared.desired.environment)
}

/// How many old journals a deployment removes at most: it is not to take noticeably longer for them.
const REMOVED_AT_MOST: usize = 20;

/// Removes journals that nobody needs any more. It is no part of the deployment, and does not fail it.
async fn remove(place: &Place, due: &[Ended]) {
    for ended in due.iter().take(REMOVED_AT_MOST) {
        let id = ended.id();
        match place.journals.remove(ended).await {
            Ok(()) => {
                tracing::info!(transaction = %id, "Removed the journal of a transaction that committed long ago")
            }
            Err(error) => {
                tracing::warn!(transaction = %id, error = describe(&error), "Could not remove an old journal");
                return;
            }
        }
    }
}

/// Where it did not come to its end, a call may be under way: nobody else begins until the lease runs out.
pub(crate) async fn give_back(lease: Lease, is_over: bool) {
    if is_over {
        lease.release().await;
    } else {
        lease.abandon();
    }
}

/// Whether nothing that was sent can still be under way. A rollback that is refused past the pivot has sent nothing.
pub(crate) fn is_over(ended: &Result<Accounted, Error>) -> bool {
    matches!(ended, Ok(_) | Err(Error::PastPivot(_) | Error::Ended | Error::NotSkippable(_)))
}

/// Runs to its end. The first signal asks it to stop and take everything back, the second to stop at once.
///
/// # Errors
///
/// When signals cannot be listened to.
pub(crate) async fn interruptible<T>(
    run: impl Future<Output = T>,
    interrupt: &Interrupt,
    progress: &Progress,
) -> anyhow::Result<T> {
    let first = signal::stop().context("listen to signals")?;
    let signals = async {
        first.await;
        interrupt.raise();
        // Before the note: whoever reads it may send the second signal at once.
        let second = signal::stop();
        progress.note("interrupted: stopping after the requests under way; once more stops at once");
        if let Ok(second) = second {
            second.await;
            interrupt.abort();
        }
        std::future::pending().await
    };
    tokio::select! {
        result = run => Ok(result),
        never = signals => match never {},
    }
}

/// A transaction that cannot go on is open, and the journal says how far it came. What works from there is offered, as its `report`
/// has it.
pub(crate) fn unfinished(app: &App, error: Error, report: &Report) -> anyhow::Error {
    let id = report.transaction;
    let see = format!("see `{}`", app.transactions("show", id));
    let help = match (&error, report.help()) {
        (Error::Journal(JournalError::Superseded { .. }), _) => {
            format!("{see}: another process goes on with it")
        }
        (Error::Ended | Error::NotSkippable(_), _) | (_, None) => see,
        (Error::PastPivot(_) | Error::Aborted, Some(help)) => help,
        (Error::Journal(JournalError::Fenced), Some(help)) => {
            format!("unless another process has taken it up, {help}")
        }
        (_, Some(help)) => format!("once the journal can be written, {help}"),
    };
    let code = match &error {
        // Another process was faster.
        Error::Ended | Error::NotSkippable(_) => exit::USAGE,
        _ => exit::LEFT,
    };
    let doing = match &error {
        Error::Aborted => "interrupted twice: what was made is left".to_owned(),
        _ => format!("go on with transaction {id}"),
    };
    anyhow::Error::from(error).context(ExitWith::new(code, doing).help(help))
}

fn begin(
    app: &App,
    prepared: &Prepared,
    plan: &Plan<Change>,
    principal: Option<&Principal>,
) -> anyhow::Result<Begin<Change>> {
    let settings = &app.settings;
    let known = |value: &Option<String>| value.clone().unwrap_or_default();
    let context = [
        (context::ENDPOINT, settings.fabric.base_url.clone()),
        (context::TENANT, known(&settings.entra.tenant_id)),
        (context::CLIENT, known(&settings.entra.client_id)),
        (context::PRODUCT, prepared.desired.product.clone()),
        (context::ENVIRONMENT, prepared.desired.environment.clone()),
    ];
    let inventory = prepared.inventory.as_ref().map(serde_json::to_string).transpose();
    let inventory = inventory.context("write down what the workspace holds")?;
    let more = [
        inventory.map(|held| (context::INVENTORY, held)),
        principal.map(|who| (context::PRINCIPAL, who.to_string())),
    ];
    let context = context.into_iter().chain(more.into_iter().flatten());
    let context = context.map(|(key, value)| (key.to_owned(), value)).collect();
    let subject = subject(app, &prepared.desired.workspace.name);
    let begin = Begin::new(plan.clone(), tool(), target::writer(), subject).context("hash the plan")?;
    Ok(Begin { id: app.run, context, ..begin })
}

/// Without a journal nothing is begun.
fn no_journal() -> ExitWith {
    ExitWith::usage("begin a transaction")
        .help("set rollback.journal_dir to a folder that can be written, or rollback.journal to a container")
}

/// What a transaction is about: one workspace of one tenant, however the settings spell it. Fabric tells no names apart by case.
pub(crate) fn subject(app: &App, workspace: &str) -> String {
    canonical(&format!("{} {workspace}", app.settings.fabric.base_url))
}

/// The one spelling of a subject.
pub(crate) fn canonical(subject: &str) -> String {
    let (endpoint, workspace) = subject.split_once(' ').unwrap_or((subject, ""));
    format!("{} {}", endpoint.trim_end_matches('/'), workspace.trim()).to_lowercase()
}

/// An open transaction on the same workspace has to be ended first: two would undo each other's changes.
///
/// Says which journals are kept no longer: those of what committed so long ago, and has no marker left.
///
/// # Errors
///
/// When there is one, or the journals cannot be listed.
pub(crate) async fn refuse_if_open(
    app: &App,
    place: &Place,
    desired: &Desired,
) -> anyhow::Result<Vec<Ended>> {
    let subject = subject(app, &desired.workspace.name);
    let mut due = Vec::new();
    let kept = app.settings.rollback.retention;
    for found in place.journals.list_unless_ended::<Target>(kept).await.with_context(no_journal)? {
        due.extend(kept_no_longer(app, &found));
        let is_ours = |state: &State<Target>| canonical(&state.begin().subject) == subject;
        if found.state.as_ref().is_ok_and(|state| state.direction().has_ended() || !is_ours(state)) {
            continue;
        }
        let running = place.running(&found).await?;
        let id = found.id;
        let choices = match found.state {
            Ok(state) => Report::of(app, &state, None).choices(app),
            // It may be of an open transaction on this very workspace.
            Err(error) => {
                let help = "look into it, and move it away if what it was about is settled";
                let with = ExitWith::new(exit::LOCKED, "see which transactions are open").help(help);
                return Err(anyhow::Error::from(error).context(with));
            }
        };
        let (problem, help) = if let Some(Running { owner, overdue: None, .. }) = running {
            let owner = owner.map(|owner| {
                let Holder { host, pid, .. } = &owner;
                format!(", in process {pid} on {host} for {} s", owner.age().as_secs())
            });
            let problem = anyhow!("transaction {id} is running{}", owner.unwrap_or_default());
            let rollback = app.transactions("rollback", id);
            let gone = if place.is_shared {
                format!("; if its process is gone, run `{rollback}`, which waits until its lease has run out")
            } else {
                String::new()
            };
            (problem, format!("wait for it to end{gone}"))
        } else {
            let silent = running.and_then(|gone| Some((gone.owner?, gone.overdue?.as_secs())));
            let silent = silent.map(|(Holder { host, pid, .. }, silent)| {
                format!(": process {pid} on {host} has not renewed its lease for {silent} s")
            });
            let problem =
                anyhow!("transaction {id} was interrupted and is open{}", silent.unwrap_or_default());
            (problem, choices.unwrap_or_default())
        };
        return Err(
            problem.context(ExitWith::new(exit::LOCKED, "begin a transaction on this workspace").help(help))
        );
    }
    Ok(due)
}

/// The transactions that have begun by now.
///
/// # Errors
///
/// When the journals cannot be listed.
pub(crate) async fn begun(place: &Place) -> anyhow::Result<BTreeSet<TransactionId>> {
    Ok(place.journals.ids().await.with_context(no_journal)?.into_iter().collect())
}

/// Whoever wrote to the workspace since it was read has changed what the plan was made for.
async fn refuse_if_stale(
    app: &App,
    place: &Place,
    desired: &Desired,
    before: &BTreeSet<TransactionId>,
) -> anyhow::Result<()> {
    let subject = subject(app, &desired.workspace.name);
    for id in begun(place).await?.difference(before) {
        let found = place.journals.summary::<Target>(*id).await;
        if found.state.is_ok_and(|state| canonical(&state.begin().subject) == subject) {
            let problem = anyhow!("transaction {id} has written to this workspace since the plan was made");
            let with = ExitWith::new(exit::LOCKED, "begin a transaction on this workspace");
            return Err(problem.context(with.help("run the deployment again: it plans anew")));
        }
    }
    Ok(())
}

/// Of what committed so long ago, and has no marker left.
fn kept_no_longer(app: &App, found: &Summary<Target>) -> Option<Ended> {
    let (ended, state) = (found.ended()?, found.state.as_ref().ok()?);
    let is_old = ended.age() >= app.settings.rollback.retention;
    (is_old && ended.direction() == Direction::Committed && !state.has_markers()).then_some(ended)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn r8_a_subject_has_one_spelling() {
        for spelled in [
            "https://a.example/v1 Sales-Dev",
            "https://a.example/v1/ sales-dev",
            "https://A.example/v1 SALES-dev ",
        ] {
            assert_eq!(canonical(spelled), "https://a.example/v1 sales-dev", "{spelled}");
        }
        assert_ne!(canonical("https://a.example/v1 sales dev"), canonical("https://a.example/v1 salesdev"));
    }
}
