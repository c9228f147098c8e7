//! Leases: one writer per subject at a time.
//!
//! A [`Lease`] keeps two deployments off one subject from the start; it is claimed before the first write and held to the end. It
//! is no fence: a process that is stopped for long and goes on may believe to have a lease that has passed to another. Against that
//! stand [`Lease::holds`], asked before each intent, and the journal, which takes no record of a process after another has taken
//! its transaction up ([`Superseded`](crate::journal::Superseded)).
//!
//! In a local folder a lease is a lock of the operating system on a file, which ends with its process. In an object store it is an
//! object that its owner renews and that claimants watch: the same content for a whole `ttl`, by the claimant's own monotonic
//! clock, means that the owner is gone. No two clocks are compared.

mod folder;
#[cfg(feature = "object-store")]
mod objects;
#[cfg(feature = "object-store")]
mod state;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::TransactionId;
use crate::plan::hex;
use folder::{Folder, Lock};
#[cfg(feature = "object-store")]
use objects::{Objects, Renewed};
#[cfg(feature = "object-store")]
pub use state::Terms;

/// Who has a lease. For people: nothing is decided by it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The transaction that it is about.
    pub transaction: TransactionId,
    /// When it was claimed, by that machine's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl Holder {
    /// How long ago it was claimed, as far as the two machines' clocks agree.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::try_from(OffsetDateTime::now_utc() - self.since).unwrap_or_default()
    }
}

/// A subject whose lease another has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The subject.
    pub subject: String,
    /// Who has it. `None` for a holder that has not said so yet.
    pub holder: Option<Holder>,
    /// After how long it may be claimed at the latest, should its holder be gone. `None` where it ends with the holder's process.
    pub expires_in: Option<Duration>,
    /// For how long it has not been renewed, by the store's own clock. `None` where nothing is renewed, or the store does not
    /// tell its time (`objects::StoreTime`). For people: who claims it watches it by a monotonic clock.
    pub silent: Option<Duration>,
}

impl Held {
    /// Whether its owner seems to be gone: for how long it has not renewed it, where that is longer than it lasts. For people.
    #[must_use]
    pub fn overdue(&self) -> Option<Duration> {
        self.silent.filter(|silent| self.expires_in.is_some_and(|ttl| *silent > ttl))
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is held by ", self.subject)?;
        match &self.holder {
            None => f.write_str("a process that has just claimed it"),
            Some(holder) => {
                let Holder { host, pid, transaction, .. } = holder;
                let seconds = holder.age().as_secs();
                write!(f, "process {pid} on {host} for {seconds} s, with transaction {transaction}")
            }
        }
    }
}

impl std::error::Error for Held {}

/// Why a lease could not be claimed or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another has it.
    #[error(transparent)]
    Held(#[from] Held),
    /// The place of leases failed.
    #[error("could not use the lease `{place}`")]
    Place {
        /// Where the lease is.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Says whether this process may still write. Clones say the same.
#[derive(Clone)]
pub struct Fence(Arc<dyn Fn() -> bool + Send + Sync>);

impl Fence {
    /// A fence that asks `holds`, which must not block.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Whether this process may still write.
    #[must_use]
    pub fn holds(&self) -> bool {
        cfg!(selvedge_bug = "no-fence") || self.0()
    }
}

impl fmt::Debug for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fence").field(&self.holds()).finish()
    }
}

/// The place where leases are. Clones are handles of one place.
#[derive(Clone, Debug)]
pub struct Leases(Place);

#[derive(Clone, Debug)]
enum Place {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Objects(Objects),
}

impl Leases {
    /// Leases in a local folder, which need not exist yet: for processes of one machine.
    pub fn folder(dir: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(Folder::new(dir.into())))
    }

    /// Leases in an object store, below `prefix`. The store must know creating and conditional puts
    /// ([`PutMode::Update`](object_store::PutMode::Update)), and its own retries should be off: `tries` are the retries.
    #[cfg(feature = "object-store")]
    pub fn objects(
        store: Arc<dyn object_store::ObjectStore>,
        prefix: object_store::path::Path,
        terms: Terms,
        tries: crate::objects::Tries,
    ) -> Self {
        Self(Place::Objects(Objects::new(store, prefix, terms, tries)))
    }

    /// How long it takes at most until the lease of an owner that is gone can be claimed. Zero where it ends with its process.
    #[must_use]
    pub fn expiry(&self) -> Duration {
        match &self.0 {
            Place::Folder(_) => Duration::ZERO,
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.expiry(),
        }
    }

    /// Claims the lease of `subject`, waiting up to `wait` for it to become free.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Held`] where another has it, and with it who; else where the place fails.
    pub async fn claim(&self, subject: &str, holder: Holder, wait: Duration) -> Result<Lease, LeaseError> {
        Ok(Lease(match &self.0 {
            Place::Folder(folder) => Keeper::Lock(Arc::new(folder.claim(subject, holder, wait).await?)),
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => Keeper::Renewed(objects.claim(subject, holder, wait).await?),
        }))
    }

    /// Who has the lease of `subject`, if anybody has, as far as a single look can tell.
    ///
    /// # Errors
    ///
    /// When the place cannot be read.
    pub async fn show(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        match &self.0 {
            Place::Folder(folder) => folder.show(subject).await,
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.show(subject).await,
        }
    }

    /// Every lease that somebody has, by subject.
    ///
    /// # Errors
    ///
    /// When the place cannot be read.
    pub async fn list(&self) -> Result<Vec<Held>, LeaseError> {
        let mut held = match &self.0 {
            Place::Folder(folder) => folder.list().await?,
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.list().await?,
        };
        held.sort_by(|one, other| one.subject.cmp(&other.subject));
        Ok(held)
    }

    /// Takes the lease of `subject` from whoever has it, and says from whom. It is free then.
    ///
    /// For an owner that is known to be gone. One that is alive notices before its next change in a folder, and at its next
    /// renewal, within a third of the `ttl`, in an object store; till then there are two writers. Once the other has taken its
    /// transaction up it intends nothing more, but may send what it has intended before, try an undo again or take a marker off.
    ///
    /// # Errors
    ///
    /// When the place cannot be read or written.
    pub async fn break_(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        match &self.0 {
            Place::Folder(folder) => folder.break_(subject).await,
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.break_(subject).await,
        }
    }
}

/// A lease that this process has. Dropped, it is given back as soon as the runtime gets to it.
#[derive(Debug)]
pub struct Lease(Keeper);

#[derive(Debug)]
enum Keeper {
    Lock(Arc<Lock>),
    #[cfg(feature = "object-store")]
    Renewed(Renewed),
}

impl Lease {
    /// Whether this process may still begin to write.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.fence().holds()
    }

    /// The same question, for a [`Transaction`](crate::Transaction) to ask.
    #[must_use]
    pub fn fence(&self) -> Fence {
        match &self.0 {
            Keeper::Lock(lock) => {
                let lock = Arc::downgrade(lock);
                Fence::new(move || lock.upgrade().is_some_and(|lock| lock.holds()))
            }
            #[cfg(feature = "object-store")]
            Keeper::Renewed(renewed) => renewed.fence(),
        }
    }

    /// Keeps it without renewing it, so that nobody has it before it has run out: for a process that ends while a call may be
    /// under way. In a folder it ends with the process.
    pub fn abandon(self) {
        match self.0 {
            Keeper::Lock(lock) => std::mem::forget(lock),
            #[cfg(feature = "object-store")]
            Keeper::Renewed(renewed) => renewed.abandon(),
        }
    }

    /// Gives it back, so that the next can claim it at once. Where that fails it expires by itself.
    pub async fn release(self) {
        match self.0 {
            Keeper::Lock(lock) => drop(lock),
            #[cfg(feature = "object-store")]
            Keeper::Renewed(renewed) => renewed.release().await,
        }
    }
}

/// The name under which the lease of `subject` is kept: a subject may hold what a file's name must not.
fn name(subject: &str) -> String {
    hex(&Sha256::digest(subject.as_bytes()))
}
