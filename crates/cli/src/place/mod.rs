//! Where journals and leases are: a local folder, or a container of Azure Blob Storage.

mod address;
mod blob;
mod container;
mod writable;

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use secrecy::ExposeSecret as _;
use selvedge_rollback::journal::{JournalError, Journals, SealKey, Summary};
use selvedge_rollback::lease::{Fence, Held, Holder, Lease, LeaseError, Leases, Terms};
use selvedge_rollback::objects::Tries;
use selvedge_rollback::{Target, TransactionId};

pub(crate) use address::Address;
pub(crate) use writable::{Writable, write as write_to};

use crate::exit;
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::settings::JOURNAL_KEY;
use crate::subject;

/// What a request may take over its attempt's timeout before a lease runs out.
const SPARE: Duration = Duration::from_secs(5);

/// So long a lease is waited for without a word.
const QUIET: Duration = Duration::from_secs(1);
/// What fails where another has the lease.
const LOCK: &str = "lock this workspace";

/// Journals and leases.
pub(crate) struct Place {
    pub(crate) journals: Journals,
    pub(crate) leases: Leases,
    /// Whether it can be reached from other machines. What a process there does is known by its lease alone.
    pub(crate) is_shared: bool,
}

/// The leases of what a transaction is about.
pub(crate) struct Claimed(Vec<Lease>);

/// What the settings name as the place of journals.
enum Named {
    Folder(PathBuf),
    Container(Address),
}

impl Named {
    /// # Errors
    ///
    /// It is neither. The settings were checked, and it is not to be expected.
    fn by(app: &App) -> anyhow::Result<Self> {
        let rollback = &app.settings.rollback;
        let Some(named) = &rollback.journal else {
            return Ok(Self::Folder(app.root.join(&rollback.journal_dir)));
        };
        match Address::parse(named) {
            Ok(None) => Ok(Self::Folder(app.root.join(named))),
            Ok(Some(address)) => Ok(Self::Container(address)),
            Err(problem) => {
                Err(anyhow!("rollback.journal {problem}").context(ExitWith::usage("find the journal")))
            }
        }
    }
}

/// A transaction that a process has in hand.
#[derive(Default)]
pub(crate) struct Running {
    /// Which, where a lease says so.
    pub(crate) owner: Option<Holder>,
    /// After how long its lease may be claimed at the latest. `None` where it ends with its process.
    pub(crate) expires_in: Option<Duration>,
    /// For how long that lease has not been renewed, where its process seems to be gone. For people: who claims it waits all the same.
    pub(crate) overdue: Option<Duration>,
}

impl Place {
    /// The place that the settings name. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// When there are no credentials for it, or the key of its journals is none.
    pub(crate) async fn of(app: &App) -> anyhow::Result<Self> {
        let place = Self::unsealed(app).await?;
        let Some(key) = app.secret(JOURNAL_KEY).await? else {
            let problem = || {
                anyhow!(
                    "{JOURNAL_KEY} is not set, and rollback.require_seal does not let journals be without"
                )
            };
            return if app.settings.rollback.require_seal {
                Err(problem().context(ExitWith::usage("seal journals")))
            } else {
                Ok(place)
            };
        };
        let key = SealKey::from_base64(key.expose_secret())
            .with_context(|| ExitWith::usage(format!("seal journals with the key {JOURNAL_KEY}")))?;
        Ok(Self { journals: place.journals.sealed_with(key), ..place })
    }

    async fn unsealed(app: &App) -> anyhow::Result<Self> {
        let rollback = &app.settings.rollback;
        let spill = match &rollback.spill_dir {
            Some(spill) => app.root.join(spill),
            None => app.root.join(&rollback.journal_dir).join("spill"),
        };
        Ok(match Named::by(app)? {
            Named::Folder(dir) => Self {
                leases: Leases::folder(dir.join("locks")),
                journals: Journals::folder(dir).spill_to(spill),
                is_shared: false,
            },
            Named::Container(address) => {
                let store = blob::store(app, &address).await?;
                let prefix = address.prefix;
                let journals = Journals::objects(store.clone(), prefix.clone(), Tries::default());
                let leases = Leases::objects(store, prefix, terms(app), Tries::default());
                Self { journals: journals.spill_to(spill), leases, is_shared: true }
            }
        })
    }

    /// The place, for a deployment. Without the flag nothing is asked that would not be asked without this program: then only a folder
    /// is looked into.
    ///
    /// # Errors
    ///
    /// As [`Place::of`].
    pub(crate) async fn of_deployment(app: &App) -> anyhow::Result<Option<Self>> {
        let is_shared = !matches!(Named::by(app), Ok(Named::Folder(_)));
        if is_shared && !app.flags.rollback.on { Ok(None) } else { Self::of(app).await.map(Some) }
    }

    /// Claims the leases of `subject`, and waits for those of an owner that is gone to run out.
    ///
    /// # Errors
    ///
    /// When another has it, with what resolves that; or when the place cannot be reached.
    pub(crate) async fn claim(
        &self,
        app: &App,
        subject: &str,
        transaction: TransactionId,
        progress: &Progress,
    ) -> anyhow::Result<Claimed> {
        let mut claimed = Claimed(Vec::new());
        for line in subject::canonical(subject).lines() {
            match self.claim_one(app, line, transaction, progress).await {
                Ok(lease) => claimed.0.push(lease),
                Err(error) => {
                    claimed.release().await;
                    return Err(error);
                }
            }
        }
        Ok(claimed)
    }

    async fn claim_one(
        &self,
        app: &App,
        subject: &str,
        transaction: TransactionId,
        progress: &Progress,
    ) -> anyhow::Result<Lease> {
        let holder = Holder {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            transaction,
            since: time::OffsetDateTime::now_utc(),
        };
        let most = self.leases.expiry();
        let mut claim = pin!(self.leases.claim(subject, holder, most));
        let claimed = match tokio::time::timeout(QUIET, &mut claim).await {
            Ok(claimed) => claimed,
            Err(_) => {
                progress.note(&format!("waiting up to {} s for the lease of this workspace", most.as_secs()));
                claim.await
            }
        };
        claimed.map_err(|error| match error {
            LeaseError::Held(held) => locked(app, held),
            error => unusable(error),
        })
    }

    /// Whether and by whom a transaction is in hand. In an object store also where its process has died so lately that its lease has
    /// not run out; in a folder the journal itself tells.
    ///
    /// # Errors
    ///
    /// When the place cannot be reached.
    pub(crate) async fn running<T: Target>(&self, found: &Summary<T>) -> anyhow::Result<Option<Running>> {
        let Some(state) = found.state.as_ref().ok().filter(|_| found.running || self.is_shared) else {
            return Ok(None);
        };
        // They are all claimed for one transaction.
        let held = self.leases.show(first(&state.begin().subject)).await.map_err(unusable)?;
        Ok(match held.filter(|held| is_of(held, found.id)) {
            Some(held) => {
                let overdue = held.overdue();
                Some(Running { owner: held.holder, expires_in: held.expires_in, overdue })
            }
            None => found.running.then(Running::default),
        })
    }

    /// What to do about a transaction whose journal another process of this machine has open.
    pub(crate) async fn in_use<T: Target>(
        &self,
        app: &App,
        id: TransactionId,
        error: JournalError,
    ) -> anyhow::Error {
        let state = self.journals.peek::<T>(id).await;
        let held = match &state {
            Ok(state) => self.leases.show(first(&state.begin().subject)).await,
            Err(_) => Ok(None),
        };
        match held {
            Ok(Some(held)) if is_of(&held, id) => locked(app, held),
            // It has just claimed it, or gives it back.
            _ => anyhow::Error::from(error).context(
                ExitWith::new(exit::LOCKED, LOCK)
                    .help(format!("wait for it to end; see `{}`", app.command("transactions list"))),
            ),
        }
    }
}

impl Claimed {
    /// Whether this process may still write to all of it.
    pub(crate) fn fence(&self) -> Fence {
        let fences: Vec<_> = self.0.iter().map(Lease::fence).collect();
        Fence::new(move || fences.iter().all(Fence::holds))
    }

    /// As [`Lease::abandon`].
    pub(crate) fn abandon(self) {
        self.0.into_iter().for_each(Lease::abandon);
    }

    /// As [`Lease::release`].
    pub(crate) async fn release(self) {
        for lease in self.0 {
            lease.release().await;
        }
    }
}

/// The subject of the lease that tells of all of them.
fn first(subject: &str) -> &str {
    subject.lines().next().unwrap_or_default()
}

fn is_of(held: &Held, id: TransactionId) -> bool {
    held.holder.as_ref().is_some_and(|holder| holder.transaction == id)
}

fn unusable(error: LeaseError) -> anyhow::Error {
    anyhow::Error::from(error).context(
        ExitWith::usage("use the lease of this workspace")
            .help("check rollback.journal, rollback.journal_dir and the rights to write there"),
    )
}

/// What to do about a lease that another has.
fn locked(app: &App, held: Held) -> anyhow::Error {
    let command = |verb| app.command(&format!("lock {verb} {}", quoted(&held.subject)));
    let when = match held.expires_in {
        Some(_) => "where its process is known to be gone",
        // It would be free.
        None => "where it must not go on: it stops before its next change, and leaves what it has made",
    };
    let help = format!(
        "wait for it to end; see `{}` and `{}`; {when}, run `{}`",
        app.command("transactions list"),
        command("show"),
        command("break"),
    );
    anyhow::Error::from(held).context(ExitWith::new(exit::LOCKED, LOCK).help(help))
}

/// A word for a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A lease lasts as the settings say; its owner stops while a request that it has begun can still end before that.
fn terms(app: &App) -> Terms {
    Terms {
        ttl: app.settings.rollback.lease_ttl,
        margin: app.settings.http.attempt_timeout.saturating_add(SPARE),
    }
}

/// The least time for a lease with requests that take so long: to begin one, and to renew the lease meanwhile.
pub(crate) fn least_ttl(attempt_timeout: Duration) -> Duration {
    attempt_timeout.saturating_add(SPARE * 2)
}
