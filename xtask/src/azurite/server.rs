//! A blob service of one's own, and what of it is looked at without the program.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;

use crate::http;

/// The account that every Azurite has, and its key, which is no secret.
const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A shared access signature made with it: everything is allowed, for ever.
const SIGNATURE: &str = "sv=2019-12-12&ss=b&srt=co&sp=rwdlc&se=2999-01-01T00:00:00Z\
                         &sig=y47wFgHPd81RgNbNJBfUYD0NUx%2BSF7vCaGkwax9Y1Z0%3D";

/// A blob service, empty at first; stopped when dropped.
pub(crate) struct Server {
    address: String,
    process: Child,
    /// Open as long as it runs.
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Server {
    /// Starts the one in `installed`. Its blobs are in `folder`, which is emptied: with more than a thousand of them in memory Azurite
    /// 3.35.0 loops for ever when it first collects what is deleted, after ten minutes.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(installed: &Path, folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("remove the blobs of the last run")?;
        }
        fs::create_dir_all(folder).context("make a folder for blobs")?;
        let mut process = Command::new("node")
            .arg(installed.join("serve.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--silent", "--disableTelemetry"])
            .arg("--location")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start Azurite")?;
        let mut stdout = BufReader::new(process.stdout.take().context("read what Azurite says")?);
        let mut said = String::new();
        while !said.contains("http://") {
            let read = stdout.read_line(&mut said).context("read what Azurite says")?;
            anyhow::ensure!(read > 0, "Azurite did not start: {said}");
        }
        let address = said.split("http://").nth(1).unwrap_or_default().trim().to_owned();
        Ok(Self { address, process, _stdout: stdout })
    }

    /// What the setting `rollback.journal` says for a container.
    pub(crate) fn journal(&self, container: &str) -> String {
        format!("http://{}/{ACCOUNT}/{container}", self.address)
    }

    /// # Errors
    /// When it cannot be made.
    pub(crate) fn create(&self, container: &str) -> anyhow::Result<()> {
        self.ask("PUT", container, "restype=container&").map(drop)
    }

    /// # Errors
    /// When it cannot be deleted.
    pub(crate) fn delete(&self, container: &str) -> anyhow::Result<()> {
        self.ask("DELETE", container, "restype=container&").map(drop)
    }

    /// The names of a container's blobs, in order: all of them, where there are no more than 5,000.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub(crate) fn names(&self, container: &str) -> anyhow::Result<Vec<String>> {
        let listed = self.ask("GET", container, "restype=container&comp=list&")?;
        let names = listed.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next());
        Ok(names.map(str::to_owned).collect())
    }

    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, container: &str, name: &str) -> anyhow::Result<String> {
        self.ask("GET", &format!("{container}/{name}"), "")
    }

    fn ask(&self, method: &str, path: &str, query: &str) -> anyhow::Result<String> {
        http::ask(&self.address, method, &format!("/{ACCOUNT}/{path}?{query}{SIGNATURE}"), "", "")
    }
}
