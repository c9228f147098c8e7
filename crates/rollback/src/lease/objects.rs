//! Leases in an object store: one object per subject, compared and swapped, renewed by its owner.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, UpdateVersion};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::state::{Record, Standing, Terms, Watch};
use super::{Fence, Held, Holder, LeaseError, name};
use crate::objects::{StoreTime, Tries, may_pass};
#[cfg(any(test, feature = "simulation"))]
use crate::simulation::process::beside;

/// What a process does beside its work; the simulation stops and kills it with the process.
#[cfg(not(any(test, feature = "simulation")))]
fn beside<F>(work: F) -> F {
    work
}

/// The part of an object's path that all leases have.
const FOLDER: &str = "locks";
/// The most time for giving a lease back; it expires by itself.
const RELEASE: Duration = Duration::from_secs(10);
/// A claimant looks so many times while a lease expires.
const LOOKS: u32 = 12;

/// A place for leases in an object store.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    terms: Terms,
    tries: Tries,
}

/// What became of an exchange.
enum Swap {
    Done(UpdateVersion),
    /// Somebody else was first.
    Lost,
}

impl Objects {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path, terms: Terms, tries: Tries) -> Self {
        Self { store, prefix: prefix.join(FOLDER), terms, tries }
    }

    /// The whole `ttl`, and the time between two looks.
    pub(super) fn expiry(&self) -> Duration {
        self.terms.ttl + self.terms.ttl / LOOKS
    }

    fn path(&self, subject: &str) -> Path {
        self.prefix.clone().join(format!("{}.json", name(subject)))
    }

    pub(super) async fn claim(
        &self,
        subject: &str,
        holder: Holder,
        wait: Duration,
    ) -> Result<Renewed, LeaseError> {
        let path = self.path(subject);
        let failed = |source| self.failed(&path, source);
        let record = Record::new(subject, holder, self.terms);
        let started = Instant::now();
        let mut watch = Watch::default();
        loop {
            let (found, version) = self.read(&path).await.map_err(failed)?.unzip();
            let standing;
            (watch, standing) = watch.on(found.as_ref(), Instant::now());
            match standing {
                Standing::Free => {
                    let sent = Instant::now();
                    if let Swap::Done(version) = self.swap(&path, &record, version).await.map_err(failed)? {
                        return Ok(Renewed::start(self.clone(), path, record, version, sent));
                    }
                }
                Standing::Held { expires_in } => {
                    let left = wait.saturating_sub(started.elapsed());
                    if left.is_zero() {
                        let holder = found.map(|record| record.holder);
                        let subject = subject.to_owned();
                        return Err(
                            Held { subject, holder, expires_in: Some(expires_in), silent: None }.into()
                        );
                    }
                    let look = self.terms.ttl / LOOKS;
                    tokio::time::sleep(look.min(expires_in).min(left)).await;
                }
            }
        }
    }

    pub(super) async fn show(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        let path = self.path(subject);
        Ok(self.get(&path).await.map_err(|source| self.failed(&path, source))?.and_then(Found::held))
    }

    pub(super) async fn list(&self) -> Result<Vec<Held>, LeaseError> {
        let failed = |source| self.failed(&self.prefix, source);
        let objects: Vec<_> = self.store.list(Some(&self.prefix)).try_collect().await.map_err(failed)?;
        let mut all = Vec::new();
        for object in objects {
            let found = self.get(&object.location).await.map_err(failed)?;
            all.extend(found.and_then(Found::held));
        }
        Ok(all)
    }

    pub(super) async fn break_(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        let path = self.path(subject);
        let failed = |source| self.failed(&path, source);
        loop {
            let Some(found) = self.get(&path).await.map_err(failed)? else {
                return Ok(None);
            };
            let (record, version) = (found.record.clone(), found.version.clone());
            let Some(held) = found.held() else {
                return Ok(None);
            };
            // With another claim in it, so that its owner does not take it for its own.
            let broken = Record { released: true, claim: uuid::Uuid::new_v4(), ..record };
            if let Swap::Done(_) = self.swap(&path, &broken, Some(version)).await.map_err(failed)? {
                return Ok(Some(held));
            }
        }
    }

    async fn read(&self, path: &Path) -> Result<Option<(Record, UpdateVersion)>, Error> {
        Ok(self.get(path).await?.map(|Found { record, version, .. }| (record, version)))
    }

    async fn get(&self, path: &Path) -> Result<Option<Found>, Error> {
        let found = match self.store.get(path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let now = found.extensions.get::<StoreTime>();
        let seconds = now.map(|now| now.0.unix_timestamp() - found.meta.last_modified.timestamp());
        let silent = seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        let bytes = found.bytes().await?;
        let record = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Generic { store: "lease", source: error.into() })?;
        Ok(Some(Found { record, version, silent }))
    }

    /// Puts `record` in the place of `version`, or where nothing is. An answer that was lost is looked for.
    async fn swap(
        &self,
        path: &Path,
        record: &Record,
        mut version: Option<UpdateVersion>,
    ) -> Result<Swap, Error> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::Generic { store: "lease", source: error.into() })?;
        let payload = PutPayload::from(bytes);
        let mut attempt = 1;
        loop {
            let mode = version.clone().map_or(PutMode::Create, PutMode::Update);
            let error = match self.store.put_opts(path, payload.clone(), mode.into()).await {
                Ok(put) => return Ok(Swap::Done(put.into())),
                Err(error) => error,
            };
            match self.read(path).await {
                Ok(Some((found, there))) if found == *record => return Ok(Swap::Done(there)),
                // An earlier renewal of ours, whose answer was lost, has come after all.
                Ok(Some((found, there))) if found.claim == record.claim => version = Some(there),
                Ok(Some((_, there))) if version.as_ref() != Some(&there) => return Ok(Swap::Lost),
                Ok(None) if version.is_some() => return Ok(Swap::Lost),
                // As it was, or not to be read: it is not known whether it came.
                Ok(_) | Err(_) => {}
            }
            if attempt >= self.tries.attempts || !may_pass(&error) {
                return Err(error);
            }
            tokio::time::sleep(self.tries.delay(attempt)).await;
            attempt += 1;
        }
    }

    fn failed(&self, path: &Path, error: Error) -> LeaseError {
        LeaseError::Place { place: format!("{}/{path}", self.store), source: error.into() }
    }
}

/// What the object of a lease says, as it was read.
struct Found {
    record: Record,
    version: UpdateVersion,
    /// How long ago it was put, by the store's own clock.
    silent: Option<Duration>,
}

impl Found {
    /// Who has the lease, unless it was given back.
    fn held(self) -> Option<Held> {
        let Self { record, silent, .. } = self;
        let expires_in = Some(record.ttl());
        let (subject, holder) = (record.subject, Some(record.holder));
        (!record.released).then_some(Held { subject, holder, expires_in, silent })
    }
}

/// Until when the owner may begin to write; `None` once the lease is another's.
type Good = Arc<Mutex<Option<Instant>>>;

/// A lease that a task renews. The task ends, and gives the lease back, when this is dropped.
#[derive(Debug)]
pub(super) struct Renewed {
    good: Good,
    dropped: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Renewed {
    fn start(objects: Objects, path: Path, record: Record, version: UpdateVersion, sent: Instant) -> Self {
        let good = Arc::new(Mutex::new(Some(objects.terms.good_until(sent))));
        let (dropped, wait) = oneshot::channel();
        let renewing = Renewing { objects, path, record, version, good: Arc::clone(&good) };
        Self { good, dropped, task: tokio::spawn(beside(renewing.run(wait))) }
    }

    pub(super) fn fence(&self) -> Fence {
        let good = Arc::downgrade(&self.good);
        Fence::new(move || {
            let until = good.upgrade().and_then(|good| *good.lock().unwrap_or_else(PoisonError::into_inner));
            until.is_some_and(|until| Instant::now() < until)
        })
    }

    pub(super) fn abandon(self) {
        self.task.abort();
    }

    pub(super) async fn release(self) {
        let Self { good, dropped, task } = self;
        drop((good, dropped));
        // It ends by itself, within `RELEASE`; what it could not give back expires.
        drop(task.await);
    }
}

struct Renewing {
    objects: Objects,
    path: Path,
    record: Record,
    version: UpdateVersion,
    good: Good,
}

impl Renewing {
    async fn run(mut self, mut dropped: oneshot::Receiver<()>) {
        let claim = self.record.claim;
        let (objects, path) = (self.objects.clone(), self.path.clone());
        tokio::select! {
            biased;
            _ = &mut dropped => {}
            () = self.renew() => return,
        }
        let release = async {
            // What became of a renewal that was under way is not known: what is there says it.
            if let Ok(Some((record, version))) = objects.read(&path).await
                && record.claim == claim
            {
                let released = Record { released: true, ..record };
                drop(objects.swap(&path, &released, Some(version)).await);
            }
        };
        drop(tokio::time::timeout(RELEASE, release).await);
    }

    /// Renews until the lease is another's. A renewal that fails is tried again; till one succeeds, the time runs.
    async fn renew(&mut self) {
        loop {
            tokio::time::sleep(self.objects.terms.renew_every()).await;
            let next = self.record.renewed();
            let sent = Instant::now();
            match self.objects.swap(&self.path, &next, Some(self.version.clone())).await {
                Ok(Swap::Done(version)) => {
                    (self.record, self.version) = (next, version);
                    self.note(Some(self.objects.terms.good_until(sent)));
                }
                Ok(Swap::Lost) => return self.note(None),
                Err(error) => crate::events::lease_not_renewed(&self.record.subject, &error),
            }
        }
    }

    fn note(&self, good: Option<Instant>) {
        *self.good.lock().unwrap_or_else(PoisonError::into_inner) = good;
    }
}
