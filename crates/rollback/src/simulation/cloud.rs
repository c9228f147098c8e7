//! An object store that loses answers, carries puts out late or twice, and fails: the place of a journal and a lease.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use serde::Deserialize;
use tokio::time::Instant;

use super::book::Book;
use super::fate::PutFate;
use super::lock;
use super::world::World;

/// The objects, and the puts that are on their way.
#[derive(Default)]
pub(super) struct Cloud {
    memory: InMemory,
    coming: BTreeMap<(Instant, u64), Put>,
    number: u64,
    /// What came of the last landing of each put, for its sender.
    came: BTreeMap<u64, Result<PutResult>>,
    pub(super) book: Book,
    /// Which process wrote the records of each epoch.
    writers: BTreeMap<u32, u32>,
    /// Whose the lease is, as its object says.
    pub(super) holder: Option<u32>,
    /// From whom it was taken though it was alive, and when it must have noticed.
    pub(super) robbed: Option<(u32, Instant)>,
}

struct Put {
    sender: u32,
    location: Path,
    payload: PutPayload,
    options: PutOptions,
    request: u64,
}

/// What the object of a lease is read for.
#[derive(Deserialize)]
struct Said {
    holder: Holder,
    released: bool,
}

#[derive(Deserialize)]
struct Holder {
    pid: u32,
}

impl Cloud {
    /// Whether nothing more will happen by itself.
    pub(super) fn is_still(&self) -> bool {
        self.coming.is_empty()
    }

    /// Lets every put land that was due.
    pub(super) fn advance(&mut self, world: &mut World) {
        let now = Instant::now();
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= now) {
            let put = first.remove();
            let request = put.request;
            let came = self.land(put, world);
            self.came.insert(request, came);
        }
    }

    /// Whether the lease of the process was taken from it while it was alive, so lately that it need not have noticed.
    pub(super) fn has_not_noticed(&self, process: u32) -> bool {
        self.robbed.is_some_and(|(robbed, notices)| robbed == process && Instant::now() < notices)
    }

    fn land(&mut self, put: Put, world: &mut World) -> Result<PutResult> {
        let Put { sender, location, payload, options, .. } = put;
        let is_record = location.parts().any(|part| part.as_ref() == "tx");
        let there = self.memory.head(&location).now_or_never().is_some_and(|head| head.is_ok());
        let bytes: Vec<u8> = payload.iter().flat_map(|part| part.iter().copied()).collect();
        // The store is in memory: it answers at once.
        let came = self.memory.put_opts(&location, payload, options).now_or_never();
        let came = came.unwrap_or_else(|| Err(failed("no answer")))?;
        world.note(|| format!("of process {sender} the store takes {}", String::from_utf8_lossy(&bytes)));
        if is_record {
            if there {
                world.breaks("journal", || format!("process {sender} wrote over {location}"));
            }
            if let Some(epoch) = self.book.note(&bytes) {
                let writer = *self.writers.entry(epoch).or_insert(sender);
                if writer != sender {
                    world.breaks("journal", || format!("{writer} and {sender} write in epoch {epoch}"));
                }
            }
        } else if let Ok(Said { holder, released }) = serde_json::from_slice(&bytes) {
            self.holder = (!released).then_some(holder.pid);
        }
        Ok(came)
    }
}

/// The way of one process to the store.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) cloud: Arc<Mutex<Cloud>>,
    /// `None`: of somebody who looks in from outside, to whom nothing happens.
    pub(super) process: Option<u32>,
}

impl Door {
    /// Sends a put. Its number, and what becomes of it.
    fn send(&self, location: &Path, payload: &PutPayload, options: &PutOptions) -> (u64, PutFate) {
        let (mut world, mut cloud) = (lock(&self.world), lock(&self.cloud));
        cloud.advance(&mut world);
        let fate = if self.process.is_some() { world.fate_of_put() } else { PutFate::at_once() };
        let request = cloud.number;
        for after in &fate.lands {
            cloud.number += 1;
            let key = (Instant::now() + *after, cloud.number);
            let (location, payload, options) = (location.clone(), payload.clone(), options.clone());
            let sender = self.process.unwrap_or(u32::MAX);
            cloud.coming.insert(key, Put { sender, location, payload, options, request });
        }
        cloud.number += 1;
        (request, fate)
    }

    /// The time that a look takes to get there.
    async fn look(&self) -> Result<()> {
        if self.process.is_some() {
            let (takes, trouble) = lock(&self.world).fate_of_look();
            tokio::time::sleep(takes).await;
            if let Some(trouble) = trouble {
                return Err(failed(trouble));
            }
        }
        let mut world = lock(&self.world);
        lock(&self.cloud).advance(&mut world);
        Ok(())
    }
}

fn failed(why: &'static str) -> Error {
    Error::Generic { store: "simulation", source: why.into() }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("process", &self.process).finish_non_exhaustive()
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulation:")
    }
}

#[async_trait]
impl ObjectStore for Door {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (request, fate) = self.send(location, &payload, &options);
        if !fate.answered.is_zero() {
            tokio::time::sleep(fate.answered).await;
        }
        let came = {
            let (mut world, mut cloud) = (lock(&self.world), lock(&self.cloud));
            cloud.advance(&mut world);
            cloud.came.remove(&request)
        };
        match fate.trouble {
            Some(trouble) => Err(failed(trouble)),
            None => came.unwrap_or_else(|| Err(failed("nothing came of it"))),
        }
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(failed("it takes nothing in parts"))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.look().await?;
        let got = lock(&self.cloud).memory.get_opts(location, options).now_or_never();
        got.unwrap_or_else(|| Err(failed("no answer")))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(failed("nothing is removed"))).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (door, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            door.look().await?;
            Ok::<_, Error>(lock(&door.cloud).memory.list(prefix.as_ref()))
        };
        futures_util::stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.look().await?;
        let listed = lock(&self.cloud).memory.list_with_delimiter(prefix).now_or_never();
        listed.unwrap_or_else(|| Err(failed("no answer")))
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(failed("nothing is copied"))
    }
}
