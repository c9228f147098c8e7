//! A journal on a disk that fails: what was not synced when its process died may be lost, or torn.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::book::Book;
use super::world::World;
use super::{Sim, lock};
use crate::Store;
use crate::journal::{Corrupt, Loaded, read};

/// What survives its process.
#[derive(Default)]
pub(super) struct Disk {
    /// Whole lines, and perhaps a torn one.
    pub(super) bytes: Vec<u8>,
    /// What the whole lines say.
    pub(super) book: Book,
    /// Told to be durable, and not: only a bug makes use of it.
    unsynced: Vec<u8>,
}

impl Disk {
    fn sync(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.book.note(line);
    }

    /// A write that its process, or the disk, did not finish: nothing of it, a part, or all of it is there.
    fn tear(&mut self, line: &[u8], world: &mut World) {
        match world.dice.pick(0..3) {
            0 => {}
            1 => {
                // A share, as the time of day in it makes lines longer or shorter.
                let part = line.len() * world.dice.pick(0..1000) as usize / 1000;
                self.bytes.extend_from_slice(&line[..part]);
            }
            _ => self.sync(line),
        }
    }

    /// Its process is gone.
    pub(super) fn crash(&mut self) {
        self.unsynced.clear();
    }

    /// Reads it as the next process would, and cuts off what was never finished.
    pub(super) fn load(shared: &Arc<Mutex<Self>>, sim: &Sim) -> Result<Option<Loaded<Sim, File>>, Corrupt> {
        let mut disk = lock(shared);
        if !disk.bytes.contains(&b'\n') {
            disk.bytes.clear();
            return Ok(None);
        }
        let read = read::<Sim>(&disk.bytes)?;
        let whole = disk.bytes.len() - read.torn;
        disk.bytes.truncate(whole);
        Ok(Some(read.into_loaded(File::open(shared, sim))))
    }
}

/// The journal as one process has it open.
pub(super) struct File {
    disk: Arc<Mutex<Disk>>,
    world: Arc<Mutex<World>>,
    failed: bool,
    /// A line that is on its way.
    writing: Option<Vec<u8>>,
}

impl File {
    pub(super) fn open(disk: &Arc<Mutex<Disk>>, sim: &Sim) -> Self {
        Self { disk: Arc::clone(disk), world: Arc::clone(&sim.world), failed: false, writing: None }
    }
}

impl Store for File {
    async fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write failed"));
        }
        if cfg!(selvedge_bug = "acknowledges-before-fsync") {
            let mut disk = lock(&self.disk);
            let before = std::mem::replace(&mut disk.unsynced, line);
            disk.sync(&before);
            self.failed = false;
            return Ok(());
        }
        self.writing = Some(line);
        let (takes, fails) = {
            let mut world = lock(&self.world);
            let takes = world.dice.time(Duration::from_millis(8));
            let fails = !world.calm && world.disk_fails && world.dice.chance(0.03);
            (takes, fails)
        };
        tokio::time::sleep(takes).await;
        let Some(line) = self.writing.take() else {
            return Err(io::Error::other("nothing to write"));
        };
        if fails {
            let mut world = lock(&self.world);
            world.count("the journal failed");
            lock(&self.disk).tear(&line, &mut world);
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        lock(&self.disk).sync(&line);
        self.failed = false;
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(line) = self.writing.take() {
            let mut world = lock(&self.world);
            lock(&self.disk).tear(&line, &mut world);
        }
    }
}
