//! Whether a journal could be written, found out by writing something that is gone again.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::{Named, blob};
use crate::run::App;

/// The name of what is written to a container. It is the same each time, so that what a process leaves that dies is taken away by the next;
/// and it is no folder, and so no journal.
const NAME: &str = "health-check";

/// About as much as the first record of a journal.
const BYTES: [u8; 4096] = [0; 4096];

/// The place of the journals.
#[derive(Clone)]
pub(crate) enum Writable {
    Folder(PathBuf),
    Container(Arc<dyn ObjectStore>, Path),
}

impl Writable {
    /// The place that the settings name. Nothing is asked of it yet.
    ///
    /// # Errors
    ///
    /// When there are no credentials for it.
    pub(crate) async fn of(app: &App) -> anyhow::Result<Self> {
        Ok(match Named::by(app)? {
            Named::Folder(folder) => Self::Folder(folder),
            Named::Container(address) => {
                let store = blob::store(app, &address).await?;
                Self::Container(store, address.prefix.join(NAME))
            }
        })
    }

    /// Writes, and leaves nothing behind: not the folder either, where there is none yet. A file system that hangs holds up who asks.
    ///
    /// # Errors
    ///
    /// When a journal could not be written either.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Folder(folder) => write(folder).context("write to the folder of journals"),
            Self::Container(store, path) => {
                store.put(path, BYTES.to_vec().into()).await.context("write to the container of journals")?;
                store.delete(path).await.context("delete from the container of journals")
            }
        }
    }
}

/// Writes a file without a name, in the folder or, where there is none yet, where it would be made.
///
/// # Errors
///
/// When it cannot be.
pub(crate) fn write(mut folder: &std::path::Path) -> io::Result<()> {
    while !folder.try_exists()? {
        folder = folder.parent().ok_or(io::ErrorKind::NotFound)?;
    }
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&BYTES)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn nothing_is_left_in_a_folder() {
        let root = tempfile::tempdir().unwrap();
        let listed = || std::fs::read_dir(root.path()).unwrap().count();
        Writable::Folder(root.path().to_owned()).check().await.unwrap();
        Writable::Folder(root.path().join("deep/er")).check().await.unwrap();
        assert_eq!(listed(), 0);
        std::fs::write(root.path().join("file"), "").unwrap();
        assert!(Writable::Folder(root.path().join("file")).check().await.is_err());
        assert!(Writable::Folder(root.path().join("file/below")).check().await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_left_in_a_container() {
        let store = Arc::new(InMemory::new());
        let path = Path::from("journals").join(NAME);
        Writable::Container(store.clone(), path.clone()).check().await.unwrap();
        assert!(matches!(store.head(&path).await, Err(object_store::Error::NotFound { .. })));
    }
}
