//! Makes a plan true: as a transaction where the rollback flag is on, plainly where it is off.

use std::collections::BTreeSet;

use anyhow::Context as _;
use selvedge_deployment::change::{Change, Receipt};
use selvedge_deployment::inventory::Inventory;
use selvedge_fabric_client::layer::Principal;
use selvedge_rollback::journal::{Ended, JournalError};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Error, Interrupt, Plan, Receipts, Transaction, TransactionId, Unfinished, Verdict, describe, plain,
};

use super::account::{self, Accounted};
use super::{open, target};
use crate::audit::{Audit, Trail, Watch};
use crate::clients::Clients;
use crate::commands::transactions::{Report, tool};
use crate::place::{Claimed, Place};
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::{exit, signal};

/// How a plan ended, and what its steps gave back.
pub(crate) struct Applied {
    pub(crate) how: How,
    pub(crate) receipts: Receipts<Receipt>,
}

/// How a plan ended.
pub(crate) enum How {
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

/// A plan that is to be made true, and what is known of it.
pub(crate) struct Work<'a> {
    pub(crate) plan: &'a Plan<Change>,
    /// The transaction that it becomes.
    pub(crate) id: TransactionId,
    /// What it is about: nobody else writes to these workspaces meanwhile.
    pub(crate) subject: String,
    /// The product, where it is one's.
    pub(crate) product: Option<&'a str>,
    pub(crate) environment: Option<&'a str>,
    /// What the workspace held when it was read; `None` where there was none, or there are several.
    pub(crate) inventory: Option<&'a Inventory>,
    /// Where journals are, and the transactions that had begun before anything was read.
    pub(crate) place: Option<&'a (Place, BTreeSet<TransactionId>)>,
    pub(crate) clients: &'a Clients,
}

/// Makes the plan true.
///
/// # Errors
///
/// When it could not be begun, or its journal could not be written.
pub(crate) async fn apply(
    app: &App,
    work: &Work<'_>,
    progress: &Progress,
    audit: &Audit,
) -> anyhow::Result<Applied> {
    let Work { plan, inventory, clients, .. } = *work;
    let changes = plan.steps().iter().map(|step| &step.change);
    let fabric = target::target(app, clients, changes, inventory).await?;
    let interrupt = Interrupt::default();
    let policy = target::policy(app);
    progress.expect(plan.steps().iter().map(|step| step.id));
    let what = (work.product, work.environment);
    let Some((place, before)) = work.place.filter(|_| app.flags.rollback.on) else {
        // Something was read with that token.
        let principal = clients.identity.principal().await.ok().flatten();
        let trail = Trail::new(audit, app, what, None, principal.map(|who| who.to_string()));
        trail.begin(plan)?;
        let watch = Watch { progress, trail: &trail };
        let run = plain::run_showing(&fabric, plan, &policy, &interrupt, &watch, trail.receipts());
        let ended = interruptible(async { run.await.map(drop) }, &interrupt, progress).await;
        let ended = ended.inspect_err(|error| trail.not_begun(error))?;
        trail.ended_plainly(plan, ended.as_ref().copied());
        return Ok(Applied { how: How::Plain(ended), receipts: trail.into_receipts() });
    };
    let principal = clients.identity.principal().await.context("sign in to Fabric")?;
    let begin = begin(app, work, principal.as_ref())?;
    let id = begin.id;
    let trail = Trail::new(audit, app, what, Some(id), principal.map(|who| who.to_string()));
    let trail = &trail;
    // Signals are heard before the lease is claimed: neither it nor a transaction that has just begun is left behind.
    let transaction = async {
        let lease = place.claim(app, &begin.subject, id, progress).await?;
        clients.fence.ask(lease.fence());
        let begun = async {
            // Once more: the question may have been open for long.
            let due = open::refuse_if_open(app, place, &work.subject).await?;
            open::refuse_if_stale(place, &work.subject, before).await?;
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
        let (report, receipts) =
            view.read(|state| (Box::new(Report::of(app, state, None)), state.receipts().clone()));
        let how = How::Transaction { ended, interrupted: interrupt.is_raised(), report };
        Ok(Applied { how, receipts })
    };
    interruptible(transaction, &interrupt, progress).await?
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
pub(crate) async fn give_back(lease: Claimed, is_over: bool) {
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

fn begin(app: &App, work: &Work<'_>, principal: Option<&Principal>) -> anyhow::Result<Begin<Change>> {
    let settings = &app.settings;
    let known = |value: &Option<String>| value.clone().unwrap_or_default();
    let context = [
        (context::ENDPOINT, settings.fabric.base_url.clone()),
        (context::TENANT, known(&settings.entra.tenant_id)),
        (context::CLIENT, known(&settings.entra.client_id)),
        (context::PRODUCT, work.product.unwrap_or_default().to_owned()),
        (context::ENVIRONMENT, work.environment.unwrap_or_default().to_owned()),
    ];
    let inventory = work.inventory.map(serde_json::to_string).transpose();
    let inventory = inventory.context("write down what the workspace holds")?;
    let more = [
        inventory.map(|held| (context::INVENTORY, held)),
        principal.map(|who| (context::PRINCIPAL, who.to_string())),
    ];
    let context = context.into_iter().chain(more.into_iter().flatten());
    let context = context.map(|(key, value)| (key.to_owned(), value)).collect();
    let (plan, subject) = (work.plan.clone(), work.subject.clone());
    let begin = Begin::new(plan, tool(), target::writer(), subject).context("hash the plan")?;
    Ok(Begin { id: work.id, context, ..begin })
}

/// Without a journal nothing is begun.
pub(super) fn no_journal() -> ExitWith {
    ExitWith::usage("begin a transaction")
        .help("set rollback.journal_dir to a folder that can be written, or rollback.journal to a container")
}
