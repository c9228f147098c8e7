//! Microsoft's emulator of Azure Blob Storage, and what of it the program has no part in.

use std::path::Path;

use tempfile::TempDir;

pub(crate) use driver::KEY;

const CONTAINER: &str = "journals";

/// A blob service of its own with one container, stopped when dropped.
pub(crate) struct Azurite {
    server: driver::Azurite,
    _folder: TempDir,
}

impl Azurite {
    /// Starts the one that `cargo xtask azurite` has installed.
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "where the test finds a server is no setting")]
        let installed = std::env::var_os("AZURITE").unwrap_or_else(|| panic!("run `cargo xtask azurite`"));
        let folder = tempfile::tempdir().unwrap();
        let server = driver::Azurite::start(Path::new(&installed), folder.path()).unwrap();
        server.create(CONTAINER).unwrap();
        Self { server, _folder: folder }
    }

    /// What the setting `rollback.journal` says.
    pub(crate) fn journal(&self, folder: &str) -> String {
        self.server.journal(&format!("{CONTAINER}/{folder}"))
    }

    /// The names of all blobs, in order.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<String> {
        self.server.names(CONTAINER).unwrap()
    }

    #[track_caller]
    pub(crate) fn put(&self, name: &str, text: &str) {
        self.server.write(CONTAINER, name, text).unwrap();
    }

    #[track_caller]
    pub(crate) fn delete(&self, name: &str) {
        self.server.remove(CONTAINER, name).unwrap();
    }

    /// What a blob holds.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> String {
        self.server.read(CONTAINER, name).unwrap()
    }
}
