//! A journal in memory, for embedders without a disk and for tests.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Corrupt, Loaded, Store, read};
use crate::Target;

/// Lines in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Option<usize>,
}

impl MemoryStore {
    /// A store that takes `lines` more lines and refuses the next, as a full disk does.
    #[must_use]
    pub fn with_room_for(mut self, lines: usize) -> Self {
        self.room = Some(lines);
        self
    }

    /// Everything written so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the lines back, as a process that comes later would.
    ///
    /// # Errors
    ///
    /// When they are not a journal that can be acted on.
    pub fn load<T: Target>(&self) -> Result<Loaded<T, Self>, Corrupt> {
        let store = Self { bytes: Arc::clone(&self.bytes), room: self.room };
        Ok(read::<T>(&self.bytes())?.into_loaded(store))
    }
}

impl From<Vec<u8>> for MemoryStore {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(Mutex::new(bytes)), room: None }
    }
}

impl Store for MemoryStore {
    async fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(1).ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
        }
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&line);
        Ok(())
    }
}
