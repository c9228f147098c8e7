//! What commands change, made true as deployments are: a transaction where the rollback flag is on, in the audit trail, beneath a lock.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use futures_util::future::poll_immediate;
use selvedge_deployment::change::{Change, Receipt};
use selvedge_rollback::{Plan, Receipts, TransactionId};
use serde_json::json;

use super::deploy::apply::{self, Work};
use super::deploy::{Asked, Outcome, open};
use crate::audit::Audit;
use crate::clients::Clients;
use crate::place::Place;
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::{exit, signal, subject};

/// What a command has at hand that looks, and then changes.
pub(crate) struct Session<'a> {
    app: &'a App,
    audit: Audit,
    /// As it was before anything was read.
    place: Option<(Place, BTreeSet<TransactionId>)>,
    pub(crate) clients: Clients,
    pub(crate) progress: Progress,
}

/// What a command wants to change.
pub(crate) struct Task<'t> {
    pub(crate) plan: Plan<Change>,
    /// The names of the workspaces that it is about.
    pub(crate) workspaces: Vec<String>,
    pub(crate) environment: Option<&'t str>,
    /// How an error says what was tried.
    pub(crate) words: String,
}

impl<'a> Session<'a> {
    /// Before anything is read.
    ///
    /// # Errors
    ///
    /// When the stage asks for what is not there, or there are no credentials.
    pub(crate) async fn open(app: &'a App) -> anyhow::Result<Self> {
        app.flags.require_stage(&app.settings)?;
        let audit = Audit::open(app)?;
        let clients = Clients::new(app).await?;
        let place = match Place::of_deployment(app).await? {
            Some(place) => {
                let begun = open::begun(&place).await?;
                Some((place, begun))
            }
            None => None,
        };
        Ok(Self { app, audit, place, clients, progress: Progress::of_command(app) })
    }

    /// Makes the plan true. One without a change is.
    ///
    /// # Errors
    ///
    /// Whatever stands in the way, and the cause where it was not carried out.
    pub(crate) async fn make(&self, task: Task<'_>) -> anyhow::Result<Receipts<Receipt>> {
        let made = self.transact(self.app.run, task, Asked::Command).await;
        self.audit.close();
        made
    }

    /// Makes plans true that nothing joins, each as a transaction of its own, and says how each ended. One that fails does not keep the
    /// others from being tried; a signal does.
    ///
    /// # Errors
    ///
    /// When signals cannot be listened to.
    pub(crate) async fn make_each(&self, tasks: Vec<Task<'_>>) -> anyhow::Result<Vec<anyhow::Result<()>>> {
        // One between two transactions is heard as well.
        let mut stop = pin!(signal::stop().context("listen to signals")?);
        let (mut ended, mut is_stopped) = (Vec::new(), false);
        for task in tasks {
            is_stopped = is_stopped || poll_immediate(&mut stop).await.is_some();
            if is_stopped {
                let with = ExitWith::new(exit::INTERRUPTED, task.words);
                ended.push(Err(anyhow!("not tried: interrupted").context(with)));
                continue;
            }
            // The first is the run itself.
            let id = if ended.is_empty() { self.app.run } else { TransactionId::generate() };
            ended.push(self.transact(id, task, Asked::Part).await.map(drop));
        }
        self.audit.close();
        Ok(ended)
    }

    async fn transact(
        &self,
        id: TransactionId,
        task: Task<'_>,
        asked: impl FnOnce(String) -> Asked,
    ) -> anyhow::Result<Receipts<Receipt>> {
        let Task { plan, workspaces, environment, words } = task;
        if plan.is_empty() {
            self.progress.note("nothing to do: it is so already");
            return Ok(Receipts::new());
        }
        let app = self.app;
        let subject = subject::of(app, workspaces.iter().map(String::as_str));
        // Without the flag too: the rollback of one that is open would take away what this builds on.
        if let Some((place, _)) = &self.place {
            open::refuse_if_open(app, place, &subject).await?;
        }
        let work = Work {
            plan: &plan,
            id,
            subject,
            product: None,
            environment: environment.or(Some(&app.settings.environment)),
            inventory: None,
            place: self.place.as_ref(),
            clients: &self.clients,
        };
        let started = Instant::now();
        let applied = apply::apply(app, &work, &self.progress, &self.audit).await?;
        let (how, receipts) = (applied.how, applied.receipts);
        let what = json!({ "workspaces": workspaces, "environment": environment });
        let outcome = Outcome { how, plan: &plan, elapsed: started.elapsed(), what, asked: asked(words) };
        match outcome.finish(app)? {
            exit::DONE => Ok(receipts),
            code => Err(anyhow!("it ended with exit code {code}")),
        }
    }
}
