//! Makes a plan true: as a transaction where the rollback flag is on, plainly where it is off.

use std::collections::BTreeMap;

use anyhow::Context as _;
use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_deployment::desired::Desired;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Event, Interrupt, Observer as _, Plan, Transaction, TransactionId, Unfinished, Verdict, plain,
};

use super::prepare::Prepared;
use super::target::{self, Target};
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::{exit, signal};

/// How a plan ended.
pub(crate) enum Applied {
    /// As a transaction.
    Transaction { id: TransactionId, verdict: Verdict, interrupted: bool },
    /// Without one: to the end, or not.
    Plain(Result<(), Unfinished>),
}

/// The keys of [`Begin::context`].
pub(crate) mod context {
    /// The API's base address.
    pub(crate) const ENDPOINT: &str = "endpoint";
    /// The tenant.
    pub(crate) const TENANT: &str = "tenant";
    /// The application that acts.
    pub(crate) const CLIENT: &str = "client";
    /// The product.
    pub(crate) const PRODUCT: &str = "product";
    /// The environment.
    pub(crate) const ENVIRONMENT: &str = "environment";
}

/// Makes the plan true.
///
/// # Errors
///
/// When it could not be begun, or its journal could not be written.
pub(crate) async fn apply(app: &App, prepared: &Prepared, progress: &Progress) -> anyhow::Result<Applied> {
    let Some(clients) = &prepared.clients else {
        return Err(anyhow!("there are no credentials").context(ExitWith::new(exit::DENIED, "deploy")));
    };
    let fabric = target::target(app, clients);
    let plan = &prepared.planned.plan;
    let interrupt = Interrupt::default();
    let policy = target::policy(app);
    progress.expect(plan.steps().iter().map(|step| step.id));
    if !app.flags.rollback.on {
        let run = async { plain::run(&fabric, plan, &policy, &interrupt, progress).await.map(drop) };
        return Ok(Applied::Plain(interruptible(run, &interrupt, progress).await?));
    }
    let journals = target::journals(app);
    let begin = begin(app, prepared, plan)?;
    // Once more: the question may have been open for long.
    refuse_if_open(app, &prepared.desired)?;
    let id = begin.id;
    let store = journals
        .create(id)
        .with_context(|| format!("create the journal {}", journals.path(id).display()))
        .with_context(no_journal)?;
    let run = async {
        let observer = |event: &Event<'_, Change>| progress.on(event);
        Transaction::begin(&fabric, store, begin, policy, interrupt.clone(), observer).await?.run().await
    };
    let verdict =
        interruptible(run, &interrupt, progress).await?.map_err(|error| unfinished(app, error, id))?;
    Ok(Applied::Transaction { id, verdict, interrupted: interrupt.is_raised() })
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

/// A transaction that cannot go on is open, and the journal says how far it came.
pub(crate) fn unfinished(app: &App, error: selvedge_rollback::Error, id: TransactionId) -> anyhow::Error {
    use selvedge_rollback::Error;
    let (doing, help) = match error {
        Error::PastPivot(_) => {
            (format!("go on with transaction {id}"), format!("run `{}`", app.transactions("resume", id)))
        }
        Error::Aborted => {
            let (back, on) = (app.transactions("rollback", id), app.transactions("resume", id));
            (
                "interrupted twice: what was made is left".to_owned(),
                format!("run `{back}` to take it back, or `{on}` to go on where it was going"),
            )
        }
        _ => {
            let rollback = app.transactions("rollback", id);
            (
                format!("go on with transaction {id}"),
                format!("run `{rollback}` once the journal can be written"),
            )
        }
    };
    anyhow::Error::from(error).context(ExitWith::new(exit::LEFT, doing).help(help))
}

fn begin(app: &App, prepared: &Prepared, plan: &Plan<Change>) -> anyhow::Result<Begin<Change>> {
    let settings = &app.settings;
    let known = |value: &Option<String>| value.clone().unwrap_or_default();
    let context = [
        (context::ENDPOINT, settings.fabric.base_url.clone()),
        (context::TENANT, known(&settings.entra.tenant_id)),
        (context::CLIENT, known(&settings.entra.client_id)),
        (context::PRODUCT, prepared.desired.product.clone()),
        (context::ENVIRONMENT, prepared.desired.environment.clone()),
    ];
    Ok(Begin {
        id: TransactionId::generate(),
        tool: concat!("selvedge ", env!("CARGO_PKG_VERSION")).to_owned(),
        writer: target::writer(),
        subject: subject(app, &prepared.desired),
        context: context.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<BTreeMap<_, _>>(),
        plan_digest: plan.digest().context("hash the plan")?,
        plan: plan.clone(),
    })
}

/// Without a journal nothing is begun.
fn no_journal() -> ExitWith {
    ExitWith::usage("begin a transaction").help("set rollback.journal_dir to a folder that can be written")
}

/// What a transaction is about: one workspace of one tenant.
fn subject(app: &App, desired: &Desired) -> String {
    format!("{} {}", app.settings.fabric.base_url, desired.workspace.name)
}

/// An open transaction on the same workspace has to be ended first: two would undo each other's changes.
///
/// # Errors
///
/// When there is one, or the journals cannot be listed.
pub(crate) fn refuse_if_open(app: &App, desired: &Desired) -> anyhow::Result<()> {
    let subject = subject(app, desired);
    for found in target::journals(app).list::<Target>().with_context(no_journal)? {
        let state = match found.state {
            Ok(state) => state,
            // It may be of an open transaction on this very workspace.
            Err(error) => {
                let help = "look into it, and move it away if what it was about is settled";
                let with = ExitWith::new(exit::LOCKED, "see which transactions are open").help(help);
                return Err(anyhow::Error::from(error).context(with));
            }
        };
        if state.direction().has_ended() || state.begin().subject != subject {
            continue;
        }
        let id = found.id;
        let (problem, help) = if found.running {
            (anyhow!("transaction {id} is running"), "wait for it to end".to_owned())
        } else {
            let problem = anyhow!("transaction {id} was interrupted and is open");
            (problem, format!("run `{}`, or `resume` to finish it", app.transactions("rollback", id)))
        };
        return Err(
            problem.context(ExitWith::new(exit::LOCKED, "begin a transaction on this workspace").help(help))
        );
    }
    Ok(())
}
