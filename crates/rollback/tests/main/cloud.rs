//! An object store in memory that loses answers, goes away and stalls on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use selvedge_rollback::journal::Journals;
use selvedge_rollback::lease::{Leases, Terms};
use selvedge_rollback::objects::{StoreTime, Tries};
use time::OffsetDateTime;
use tokio::sync::Notify;

/// What happens to one put.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Trouble {
    None,
    /// It fails and may work next time.
    Fails,
    /// It works, and the answer is lost.
    Lost,
    /// It is refused for good, and so is everything after it.
    Gone,
    /// It waits until it is let go.
    Held,
}

/// One process's way to the store. Those of the same `memory` see the same objects.
#[derive(Debug, Default)]
pub(crate) struct Cloud {
    pub(crate) memory: Arc<InMemory>,
    /// Troubles of the coming puts, then none.
    pub(crate) troubles: Mutex<VecDeque<Trouble>>,
    gone: Mutex<bool>,
    /// Whether requests are never answered: what a process that is stopped sees.
    pub(crate) stalled: Mutex<bool>,
    /// How many turns others have before a request arrives.
    pub(crate) turns: Mutex<usize>,
    /// How long a request takes.
    pub(crate) latency: Mutex<Duration>,
    /// How many objects were read.
    pub(crate) gets: Mutex<usize>,
    /// How many deletes there may be yet; `None`: any number.
    pub(crate) deletes: Mutex<Option<usize>>,
    /// What the store says that the time is.
    pub(crate) time: Mutex<Option<OffsetDateTime>>,
    pub(crate) held: Notify,
    pub(crate) go: Notify,
}

impl Cloud {
    /// Another process's way to the same objects.
    pub(crate) fn another(&self) -> Arc<Self> {
        Arc::new(Self { memory: Arc::clone(&self.memory), ..Self::default() })
    }

    /// After so many puts without trouble.
    pub(crate) fn trouble_after(self: Arc<Self>, puts: usize, trouble: Trouble) -> Arc<Self> {
        let mut troubles = self.troubles.lock().unwrap();
        troubles.extend(std::iter::repeat_n(Trouble::None, puts));
        troubles.push_back(trouble);
        drop(troubles);
        self
    }

    pub(crate) fn journals(self: &Arc<Self>) -> Journals {
        let store: Arc<dyn ObjectStore> = self.clone();
        Journals::objects(store, Path::from("some/where"), tries())
    }

    pub(crate) fn leases(self: &Arc<Self>) -> Leases {
        let store: Arc<dyn ObjectStore> = self.clone();
        Leases::objects(store, Path::from("some/where"), Terms::default(), tries())
    }

    async fn reach(&self) -> Result<()> {
        let turns = *self.turns.lock().unwrap();
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let latency = *self.latency.lock().unwrap();
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
        if *self.stalled.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        if *self.gone.lock().unwrap() {
            return Err(refused());
        }
        Ok(())
    }
}

fn tries() -> Tries {
    Tries { attempts: 3, delay: Duration::from_millis(100) }
}

fn refused() -> Error {
    Error::PermissionDenied { path: "container".to_owned(), source: "the container is gone".into() }
}

fn in_passing() -> Error {
    Error::Generic { store: "cloud", source: "no answer".into() }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cloud:")
    }
}

#[async_trait]
impl ObjectStore for Cloud {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.reach().await?;
        let trouble = self.troubles.lock().unwrap().pop_front().unwrap_or(Trouble::None);
        match trouble {
            Trouble::None => {}
            Trouble::Fails => return Err(in_passing()),
            Trouble::Lost => {
                self.memory.put_opts(location, payload, opts).await?;
                return Err(in_passing());
            }
            Trouble::Gone => {
                *self.gone.lock().unwrap() = true;
                return Err(refused());
            }
            Trouble::Held => {
                self.held.notify_one();
                self.go.notified().await;
            }
        }
        self.memory.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.memory.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reach().await?;
        *self.gets.lock().unwrap() += 1;
        let mut found = self.memory.get_opts(location, options).await?;
        if let Some(time) = *self.time.lock().unwrap() {
            found.extensions.insert(StoreTime(time));
        }
        Ok(found)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let Some(left) = *self.deletes.lock().unwrap() else {
            return self.memory.delete_stream(locations);
        };
        if left == 0 {
            return futures_util::stream::once(async { Err(refused()) }).boxed();
        }
        *self.deletes.lock().unwrap() = Some(left - 1);
        self.memory.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reach().await?;
        self.memory.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}
