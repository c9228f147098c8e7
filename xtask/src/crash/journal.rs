//! Where the journals of a trial are, and how they are looked at without the program.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use driver::KEY;
use serde_json::Value;

use super::plant::WORKSPACE;
use super::worker::{Whose, Worker, run};

/// Where the journals are, and where a recovery runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Journal {
    /// In the project's folder, and so is the recovery.
    Local,
    /// In Blob Storage; the recovery runs in another project, where nothing of this one is known. The lease of the dead is broken, as an
    /// operator does it who knows that its process is gone.
    Blob,
    /// The same, but the recovery waits until the lease of the dead has run out.
    BlobWaiting,
}

impl Journal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Blob => "blob",
            Self::BlobWaiting => "blob-waiting",
        }
    }

    /// The settings of every process.
    fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Local => &[],
            // Longer than an attempt, as the program demands it.
            Self::Blob => &[("SELVEDGE_ROLLBACK__LEASE_TTL", "70s"), ("AZURE_STORAGE_KEY", KEY)],
            Self::BlobWaiting => &[
                ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "5s"),
                ("SELVEDGE_ROLLBACK__LEASE_TTL", "15s"),
                ("AZURE_STORAGE_KEY", KEY),
            ],
        }
    }
}

impl Worker {
    /// What a process must know to find the journals.
    pub(super) fn variables_of(&self, journal: Journal) -> Vec<(&'static str, String)> {
        let mut variables: Vec<_> =
            journal.variables().iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        if journal != Journal::Local {
            variables.push(("SELVEDGE_ROLLBACK__JOURNAL", self.azurite.journal(&self.container())));
        }
        variables
    }

    /// The lines of the one journal that there is.
    pub(super) fn journal(&self, journal: Journal) -> anyhow::Result<Vec<Value>> {
        let text = match journal {
            Journal::Local => fs::read_to_string(self.local_journal()?).context("read the journal")?,
            Journal::Blob | Journal::BlobWaiting => {
                let container = self.container();
                let records = self.record_names()?;
                let read = |name: &String| self.azurite.read(&container, name);
                records.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?.concat()
            }
        };
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// How many records are durable.
    pub(super) fn written(&self, journal: Journal) -> anyhow::Result<u64> {
        Ok(match journal {
            Journal::Local => self.journal(journal)?.len() as u64,
            Journal::Blob | Journal::BlobWaiting => self.record_names()?.len() as u64,
        })
    }

    /// Cuts the last record in the middle, as a crash leaves what was not yet on the disk: its line break is missing, or all but its
    /// first byte, or half of it.
    pub(super) fn tear(&self, journal: Journal) -> anyhow::Result<()> {
        ensure!(journal == Journal::Local, "a blob is there as a whole or not at all");
        let path = self.local_journal()?;
        let bytes = fs::read(&path).context("read the journal")?;
        let whole = bytes.strip_suffix(b"\n").context("the last record is torn already")?;
        let last = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let length = whole.len() - last;
        let left = [length, 1, length / 2][whole.len() % 3];
        fs::write(&path, &bytes[..last + left]).context("tear the journal")
    }

    /// Breaks the lease of the dead where it would have to be waited for otherwise.
    pub(super) fn break_lease(&self, journal: Journal) -> anyhow::Result<()> {
        if journal != Journal::Blob {
            return Ok(());
        }
        let args = ["lock", "break", WORKSPACE, "--yes"];
        let broken = run(&mut self.selvedge(Whose::Operator, journal, &args))?;
        ensure!(broken.code == Some(0), "`lock break` failed: {}", broken.stderr);
        Ok(())
    }

    fn local_journal(&self) -> anyhow::Result<PathBuf> {
        let entries =
            fs::read_dir(self.project().join(".selvedge/transactions")).context("find the journal")?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        // Beside them are locks.
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        match paths.pop() {
            Some(path) if paths.is_empty() => Ok(path),
            _ => bail!("there is not one journal"),
        }
    }

    /// The names of the blobs of the one journal that there is.
    fn record_names(&self) -> anyhow::Result<Vec<String>> {
        let mut names = self.azurite.names(&self.container())?;
        names.retain(|name| name.starts_with("tx/") && name.ends_with(".json"));
        let transaction = |name: &String| name.split('/').nth(1).map(str::to_owned);
        ensure!(
            names.windows(2).all(|pair| transaction(&pair[0]) == transaction(&pair[1])),
            "there are journals"
        );
        Ok(names)
    }
}
