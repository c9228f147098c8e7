//! One tenant and one project folder, and the program that is run in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, ensure};
use driver::{Azurite, Emulator, Options, Request};
use serde_json::Value;

use super::journal::Journal;
use super::scenario::Scenario;

/// Settings under which nobody waits: the emulator does not lag.
const IN_A_HURRY: [(&str, &str); 9] = [
    ("SELVEDGE_BREAKER__OPEN_FOR", "50ms"),
    ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "60s"),
    ("SELVEDGE_HTTP__CALL_DEADLINE", "90s"),
    ("SELVEDGE_POLLING__FIRST_POLL", "10ms"),
    ("SELVEDGE_RETRY__BASE_DELAY", "10ms"),
    ("SELVEDGE_RETRY__MAX_DELAY", "100ms"),
    ("SELVEDGE_ROLLBACK__CONSISTENCY_DELAY", "10ms"),
    // Longer than the longest operation here takes.
    ("SELVEDGE_ROLLBACK__IN_FLIGHT", "600ms"),
    // The same requests and records in the same order each time, so that every place to die has a number.
    ("SELVEDGE_ROLLBACK__CONCURRENCY", "1"),
];

/// Who runs the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The deployment.
    Deployer,
    /// Whoever takes up what it left.
    Operator,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A transaction as the program lists it.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) state: String,
}

/// One tenant and what is deployed to it.
pub(super) struct Worker {
    pub(super) tenant: Emulator,
    pub(super) azurite: Arc<Azurite>,
    number: usize,
    /// How many containers have been made for it.
    containers: AtomicU64,
    binary: PathBuf,
    folder: PathBuf,
}

impl Worker {
    /// With a folder of its own below `folder`.
    pub(super) fn new(
        number: usize,
        binary: &Path,
        folder: &Path,
        azurite: Arc<Azurite>,
    ) -> anyhow::Result<Self> {
        let folder = folder.join(format!("worker-{number}"));
        let elsewhere = folder.join("elsewhere");
        fs::create_dir_all(&elsewhere).context("make the worker's folders")?;
        fs::write(elsewhere.join("project.config.json"), "{}").context("write the other project")?;
        let tenant = Emulator::start(
            binary,
            Options { folder: &folder.join("emulator"), request_log: None, authority: None },
        )?;
        let containers = AtomicU64::new(0);
        Ok(Self { tenant, azurite, number, containers, binary: binary.to_owned(), folder })
    }

    /// The project's folder with `scenario` in it and no journal anywhere.
    pub(super) fn lay_out(&self, scenario: &Scenario) -> anyhow::Result<()> {
        scenario.lay_out(&self.project())?;
        let journals = self.project().join(".selvedge");
        if journals.exists() {
            fs::remove_dir_all(journals).context("remove the journals of the last run")?;
        }
        Ok(())
    }

    /// An empty container in the place of the last one.
    pub(super) fn renew_container(&self) -> anyhow::Result<()> {
        if self.containers.load(Ordering::Relaxed) > 0 {
            self.azurite.delete(&self.container())?;
        }
        self.containers.fetch_add(1, Ordering::Relaxed);
        self.azurite.create(&self.container())
    }

    pub(super) fn container(&self) -> String {
        format!("worker-{}-{}", self.number, self.containers.load(Ordering::Relaxed))
    }

    pub(super) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// The program, with this tenant in its environment, and the rollback flag on.
    pub(super) fn selvedge(&self, whose: Whose, journal: Journal, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).env_clear().stdin(Stdio::null());
        command.envs(&self.tenant.environment).envs(IN_A_HURRY);
        command.env("GITHUB_TOKEN", "a-token").env("FEATURE_USE_ROLLBACK", "true");
        command.envs(self.variables_of(journal));
        command.current_dir(match (whose, journal) {
            (Whose::Operator, Journal::Blob | Journal::BlobWaiting) => self.folder.join("elsewhere"),
            _ => self.project(),
        });
        command
    }

    /// What is there, and its hash by natural keys.
    pub(super) fn inventory(&self) -> anyhow::Result<(String, Value)> {
        let mut inventory = self.tenant.inventory()?;
        let hash = inventory["hash"].as_str().context("find the inventory's hash")?.to_owned();
        Ok((hash, inventory["world"].take()))
    }

    /// What was asked since the last reset, but for tokens.
    pub(super) fn requests(&self) -> anyhow::Result<Vec<Request>> {
        let mut requests = self.tenant.requests()?;
        requests.retain(|request| !request.is_sign_in());
        Ok(requests)
    }

    /// The transactions that the program lists.
    pub(super) fn list(&self, journal: Journal) -> anyhow::Result<Vec<Listed>> {
        let ended =
            run(&mut self.selvedge(Whose::Operator, journal, &["transactions", "list", "--output", "json"]))?;
        ensure!(ended.code == Some(0), "`transactions list` failed: {}", ended.stderr);
        let told: Value = serde_json::from_str(&ended.stdout).context("read what `list` prints")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let listed =
            told["transactions"].as_array().context("find the transactions in what `list` prints")?;
        Ok(listed
            .iter()
            .map(|it| Listed { id: text(&it["transaction"]), state: text(&it["state"]) })
            .collect())
    }
}

/// Runs to the end.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Ended> {
    Ok(command.output().with_context(|| format!("run {command:?}"))?.into())
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
