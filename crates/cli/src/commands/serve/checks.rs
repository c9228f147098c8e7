//! The checks: each asks what a deployment would ask, and changes nothing.
//!
//! What they find is told in fixed words. What an error says goes to the log, redacted, and nowhere else.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use selvedge_fabric_client::{ErrorKind, workspaces};
use selvedge_observability::health::{Finding, Prober, Status};
use selvedge_observability::telemetry::Probe;
use selvedge_resilience::Outcome;
use selvedge_resilience::breaker::{BreakerSnapshot, Breakers};
use selvedge_rollback::describe;
use selvedge_secrets::{KeyVault, SecretName, SecretStore as _};
use tokio::sync::OnceCell;

use super::ledger::Ledger;
use crate::clients::{Clients, Connections};
use crate::commands::doctor::is_about_secret;
use crate::events;
use crate::place::{Place, Writable};
use crate::run::App;
use crate::settings::{CLIENT_SECRET, SecretPolicy};
use crate::telemetry;

type Look = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// Components, by the predecessor's names where it had one.
const ENTRA: &str = "azure_connectivity";
const VAULT: &str = "secret_manager";
const FABRIC: &str = "fabric";
const JOURNAL: &str = "journal";
const TELEMETRY: &str = "telemetry";
pub(super) const TRANSACTIONS: &str = "transactions";

/// What is behind the checks. All of it is made when it is first asked for, for making it may ask a vault that hangs.
pub(super) struct Behind {
    app: Arc<App>,
    clients: OnceCell<Clients>,
    vault: OnceCell<(KeyVault, Vec<Breakers>)>,
    writable: OnceCell<Writable>,
    place: OnceCell<Option<Place>>,
    telemetry: OnceCell<Probe>,
    ledger: Mutex<Option<Arc<Ledger>>>,
    /// What each component was last found to suffer from: it is logged once, not at each look.
    ails: Mutex<BTreeMap<&'static str, String>>,
    journal_is_busy: Arc<AtomicBool>,
    ledger_is_busy: Arc<AtomicBool>,
}

impl Behind {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self {
            app: Arc::clone(app),
            clients: OnceCell::new(),
            vault: OnceCell::new(),
            writable: OnceCell::new(),
            place: OnceCell::new(),
            telemetry: OnceCell::new(),
            ledger: Mutex::default(),
            ails: Mutex::default(),
            journal_is_busy: Arc::default(),
            ledger_is_busy: Arc::default(),
        }
    }

    /// All checks that make sense with the flags of this run.
    pub(super) fn prober(self: &Arc<Self>, interval: Duration) -> Prober {
        let with = |prober: Prober, component, look: fn(Arc<Self>) -> Look| {
            let behind = Arc::clone(self);
            prober.with(component, move || look(Arc::clone(&behind)))
        };
        let mut prober = with(Prober::new(interval), ENTRA, |it| Box::pin(async move { it.entra().await }));
        prober = with(prober, FABRIC, |it| Box::pin(async move { it.fabric().await }));
        prober = with(prober, VAULT, |it| Box::pin(async move { it.vault().await }));
        if self.app.flags.rollback.on {
            prober = with(prober, JOURNAL, |it| Box::pin(it.journal()));
        }
        if telemetry::is_on(&self.app.settings, &self.app.flags) {
            prober = with(prober, TELEMETRY, |it| Box::pin(async move { it.telemetry().await }));
        }
        with(prober, TRANSACTIONS, |it| Box::pin(it.transactions()))
    }

    /// The circuit breakers of everything that the checks have asked.
    pub(super) fn breakers(&self) -> Vec<BreakerSnapshot> {
        let own = self.clients.get().into_iter().flat_map(|clients| &clients.breakers);
        let of_vault = self.vault.get().into_iter().flat_map(|(_, breakers)| breakers);
        own.chain(of_vault).flat_map(Breakers::snapshot).collect()
    }

    /// What the journals said when they were last read.
    pub(super) fn ledger(&self) -> Option<Arc<Ledger>> {
        lock(&self.ledger).clone()
    }

    async fn clients(&self) -> anyhow::Result<&Clients> {
        self.clients.get_or_try_init(|| Clients::new(&self.app)).await
    }

    /// Whether there is a token for Fabric.
    async fn entra(&self) -> Finding {
        let found = match self.clients().await {
            Ok(clients) => clients.identity.principal().await.map(drop).map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        self.told(ENTRA, found, "Azure authentication successful", "Azure authentication failed")
    }

    /// Whether Fabric answers the cheapest question there is.
    async fn fabric(&self) -> Finding {
        let clients = match self.clients().await {
            Ok(clients) => clients,
            Err(error) => return self.told(FABRIC, Err(error), "", "Not asked: there are no credentials"),
        };
        let mut workspaces = pin!(clients.fabric.list(workspaces::list()));
        let Some(Err(error)) = workspaces.next().await else {
            return self.told(FABRIC, Ok(()), "Fabric answers", "");
        };
        let failed = match (error.kind(), error.status().map(|status| status.as_u16()), error.outcome()) {
            (ErrorKind::Auth(_), ..) => "Not asked: there is no token",
            (_, Some(401 | 403), _) => "Fabric refuses this identity",
            (_, _, Outcome::Throttled { .. }) => {
                self.told(FABRIC, Err(error.into()), "", "");
                return Finding::warn("Fabric is throttling");
            }
            _ => "Fabric does not answer",
        };
        self.told(FABRIC, Err(error.into()), "", failed)
    }

    /// Whether the vault lets us in, where it is asked at all.
    async fn vault(&self) -> Finding {
        if !self.app.flags.key_vault.on || self.app.settings.secrets.policy == SecretPolicy::EnvOnly {
            return Finding::pass("Azure Key Vault not in use");
        }
        let found = async {
            let vault = self.vault.get_or_try_init(async || {
                let App { settings, flags, environment, .. } = &*self.app;
                let connections = Connections::new(settings, flags, environment)?;
                let vault = self.app.sources().vault_over(&connections)?;
                anyhow::Ok((vault, connections.breakers()))
            });
            match vault.await?.0.get(&CLIENT_SECRET.parse::<SecretName>()?).await {
                Ok(_) => Ok(()),
                // It let us in, and said so.
                Err(error) if is_about_secret(error.kind()) => Ok(()),
                Err(error) => Err(error.into()),
            }
        };
        self.told(VAULT, found.await, "Secret Manager available", "Secret Manager error")
    }

    /// Whether a journal could be written.
    async fn journal(self: Arc<Self>) -> Finding {
        let busy = Arc::clone(&self.journal_is_busy);
        aside(busy, move || async move {
            let found =
                async { self.writable.get_or_try_init(|| Writable::of(&self.app)).await?.check().await };
            self.told(JOURNAL, found.await, "Journals can be written", "Journals cannot be written")
        })
        .await
    }

    /// Whether what is told arrives. Nothing depends on it, and so it is a warning at most.
    async fn telemetry(&self) -> Finding {
        let found = async {
            let App { settings, environment, .. } = &*self.app;
            let probe = self.telemetry.get_or_try_init(async || telemetry::probe(settings, environment));
            anyhow::Ok(probe.await?.ask().await?)
        };
        let found = self.told(TELEMETRY, found.await, "Telemetry is taken", "Telemetry is not taken");
        Finding { status: found.status.min(Status::Warn), ..found }
    }

    /// Whether transactions wait for somebody.
    async fn transactions(self: Arc<Self>) -> Finding {
        let busy = Arc::clone(&self.ledger_is_busy);
        aside(busy, move || async move {
            let read = async {
                match self.place.get_or_try_init(|| Place::of_deployment(&self.app)).await? {
                    Some(place) => Ledger::read(&self.app, place).await,
                    None => Ok(Ledger::empty()),
                }
            };
            match read.await {
                Ok(ledger) => {
                    let found = ledger.judged();
                    *lock(&self.ledger) = Some(Arc::new(ledger));
                    self.told(TRANSACTIONS, Ok(()), "", "");
                    found
                }
                Err(error) => self.told(TRANSACTIONS, Err(error), "", "Journals cannot be read"),
            }
        })
        .await
    }

    /// What is said to everybody; what an error says is for the log alone, and there once.
    fn told(
        &self,
        component: &'static str,
        found: anyhow::Result<()>,
        well: &'static str,
        failed: &'static str,
    ) -> Finding {
        let mut ails = lock(&self.ails);
        match found {
            Ok(()) => {
                if ails.remove(component).is_some() {
                    events::health_recovered(component);
                }
                Finding::pass(well)
            }
            Err(error) => {
                let error = describe(&*error);
                if ails.get(component) != Some(&error) {
                    events::health_failed(component, &error);
                    ails.insert(component, error);
                }
                Finding::fail(failed)
            }
        }
    }
}

/// Looks where a file system that hangs holds nobody up, and not again before it has come back.
async fn aside<F>(busy: Arc<AtomicBool>, look: impl FnOnce() -> F + Send + 'static) -> Finding
where
    F: Future<Output = Finding>,
{
    if busy.swap(true, Ordering::AcqRel) {
        return Finding::fail("No answer in time");
    }
    let runtime = tokio::runtime::Handle::current();
    let looked = tokio::task::spawn_blocking(move || {
        let _done = Done(busy);
        runtime.block_on(look())
    });
    looked.await.unwrap_or_else(|_| Finding::fail("The check has failed"))
}

/// Says that it is over, however it ends.
struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
