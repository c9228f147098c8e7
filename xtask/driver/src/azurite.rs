//! A blob service of one's own, and what of it is looked at without the program.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::{Process, http};

/// The account that every Azurite has.
const ACCOUNT: &str = "devstoreaccount1";
/// The key of that account, which is no secret.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A shared access signature made with it: everything is allowed, for ever.
const SIGNATURE: &str = "sv=2019-12-12&ss=b&srt=co&sp=rwdlc&se=2999-01-01T00:00:00Z\
                         &sig=y47wFgHPd81RgNbNJBfUYD0NUx%2BSF7vCaGkwax9Y1Z0%3D";

/// Azurite, Microsoft's emulator of Azure Blob Storage; stopped when dropped.
///
/// # Errors
/// Each call fails when Azurite refuses it, or is gone.
pub struct Azurite {
    address: String,
    _process: Process,
}

impl Azurite {
    /// Starts the one that `cargo xtask azurite` has put into `installed`. Its blobs are in `folder`: with more than a thousand of them in
    /// memory Azurite 3.35.0 loops for ever when it first collects what is deleted, after ten minutes.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(installed: &Path, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).context("make a folder for blobs")?;
        let mut command = Command::new("node");
        command
            .arg(installed.join("serve.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--silent", "--disableTelemetry"])
            .arg("--location")
            .arg(folder)
            // It stops with its input.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let said = process.says("http://").context("start Azurite")?;
        let address = said.split("http://").nth(1).unwrap_or_default().trim().to_owned();
        Ok(Self { address, _process: process })
    }

    /// What the setting `rollback.journal` says for a container, or a folder in one.
    pub fn journal(&self, place: &str) -> String {
        format!("http://{}/{ACCOUNT}/{place}", self.address)
    }

    /// Makes a container.
    pub fn create(&self, container: &str) -> anyhow::Result<()> {
        self.ask("PUT", container, "restype=container&", "").map(drop)
    }

    /// Deletes a container.
    pub fn delete(&self, container: &str) -> anyhow::Result<()> {
        self.ask("DELETE", container, "restype=container&", "").map(drop)
    }

    /// The names of a container's blobs, in order: all of them, where there are no more than 5,000.
    pub fn names(&self, container: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.ask("GET", container, "restype=container&comp=list&", "")?;
        let names = listed.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next());
        Ok(names.map(str::to_owned).collect())
    }

    /// What a blob holds.
    pub fn read(&self, container: &str, name: &str) -> anyhow::Result<String> {
        self.ask("GET", &format!("{container}/{name}"), "", "")
    }

    /// Writes a blob.
    pub fn write(&self, container: &str, name: &str, text: &str) -> anyhow::Result<()> {
        self.ask("PUT", &format!("{container}/{name}"), "", text).map(drop)
    }

    /// Deletes a blob.
    pub fn remove(&self, container: &str, name: &str) -> anyhow::Result<()> {
        self.ask("DELETE", &format!("{container}/{name}"), "", "").map(drop)
    }

    fn ask(&self, method: &str, path: &str, query: &str, body: &str) -> anyhow::Result<String> {
        let kind = "x-ms-blob-type: BlockBlob\r\n";
        http::ask(&self.address, method, &format!("/{ACCOUNT}/{path}?{query}{SIGNATURE}"), kind, body)
    }
}
