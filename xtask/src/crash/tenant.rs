//! The tenant of a matrix: the emulator as a process of its own, and what its admin surface does.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http;

/// How long anything may take that takes milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// An emulator; stopped when dropped.
pub(super) struct Tenant {
    address: String,
    /// What points a client at it.
    pub(super) environment: Vec<(String, String)>,
    process: Child,
}

/// A request as the emulator's log has it.
#[derive(Clone, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) body: String,
    pub(super) fault: Option<String>,
}

impl Drop for Tenant {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Tenant {
    /// Starts one, with the demo tenant in it. It runs in `folder`.
    pub(super) fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("make the emulator's folder")?;
        std::fs::write(folder.join("project.config.json"), "{}").context("write the emulator's project")?;
        let log = std::fs::File::create(folder.join("emulator.log")).context("create the emulator's log")?;
        let mut process = Command::new(binary)
            .args(["emulator", "--port", "0", "--output", "json", "--exit-on-stdin-eof"])
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("start the emulator")?;
        let mut line = String::new();
        if let Some(stdout) = process.stdout.as_mut() {
            BufReader::new(stdout).read_line(&mut line).context("read what the emulator says")?;
        }
        let ready: Value = serde_json::from_str(&line).context("the emulator did not start; see its log")?;
        let url = ready["url"].as_str().unwrap_or_default();
        let address = url.strip_prefix("http://").context("find the emulator's address")?.to_owned();
        let variables = ready["environment"].as_object().context("find the emulator's variables")?;
        let environment = variables
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect();
        Ok(Self { address, environment, process })
    }

    /// As `snapshot` says, or else as after the start; no fault, no hold, an empty log.
    pub(super) fn reset(&self, snapshot: Option<&str>) -> anyhow::Result<()> {
        self.send("POST", "reset", "")?;
        if let Some(snapshot) = snapshot {
            self.send("PUT", "snapshot", snapshot)?;
        }
        Ok(())
    }

    /// The whole tenant, to be put back by [`Tenant::reset`].
    pub(super) fn snapshot(&self) -> anyhow::Result<String> {
        self.send("GET", "snapshot", "")
    }

    pub(super) fn seed(&self, world: &Value) -> anyhow::Result<()> {
        self.send("POST", "seed", &world.to_string()).map(drop)
    }

    pub(super) fn set(&self, settings: &Value) -> anyhow::Result<()> {
        self.send("POST", "settings", &settings.to_string()).map(drop)
    }

    /// Puts the tenant's clock forward.
    pub(super) fn advance(&self, by: &str) -> anyhow::Result<()> {
        self.send("POST", "clock", &json!({ "advance": by }).to_string()).map(drop)
    }

    /// Puts faults in force, one a line.
    pub(super) fn inject(&self, faults: &str) -> anyhow::Result<()> {
        self.send("POST", "faults", faults).map(drop)
    }

    pub(super) fn heal(&self) -> anyhow::Result<()> {
        self.send("DELETE", "faults", "").map(drop)
    }

    /// Everything that is there, recycle bins and deleted workspaces included, and its hash by natural keys.
    pub(super) fn inventory(&self) -> anyhow::Result<(String, Value)> {
        let mut inventory = self.get("inventory")?;
        let hash = inventory["hash"].as_str().context("find the inventory's hash")?.to_owned();
        Ok((hash, inventory["world"].take()))
    }

    /// What was asked since the last reset, but for tokens.
    pub(super) fn requests(&self) -> anyhow::Result<Vec<Request>> {
        let mut requests: Vec<Request> = serde_json::from_value(self.get("requests")?)?;
        requests.retain(|request| !request.path.contains("/oauth2/"));
        Ok(requests)
    }

    pub(super) fn forget_requests(&self) -> anyhow::Result<()> {
        self.send("DELETE", "requests", "").map(drop)
    }

    /// Stops the request of that pattern that comes after `skip` others, `before` its effect or `after` it; the hold's number.
    pub(super) fn hold(&self, pattern: &str, skip: usize, point: &str) -> anyhow::Result<u64> {
        let body = json!({ "pattern": pattern, "point": point, "skip": skip }).to_string();
        let hold: Value = serde_json::from_str(&self.send("POST", "holds", &body)?)?;
        hold["id"].as_u64().context("find the hold's number")
    }

    /// Whether a request is stopped by that hold now.
    pub(super) fn is_held(&self, hold: u64) -> anyhow::Result<bool> {
        Ok(self.get(&format!("holds/{hold}"))?["state"] == "held")
    }

    /// How many requests have been answered since the last reset, but for tokens.
    pub(super) fn answered(&self) -> anyhow::Result<usize> {
        Ok(self.requests()?.iter().filter(|request| request.status.is_some()).count())
    }

    pub(super) fn release(&self, hold: u64) -> anyhow::Result<()> {
        self.send("POST", &format!("holds/{hold}/release"), "").map(drop)
    }

    /// Waits until every request was answered, or would have been had its sender lived.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.requests()?.iter().any(|request| request.status.is_none()) {
            ensure!(started.elapsed() < PATIENCE, "a released request was never carried out");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.send("GET", path, "")?)?)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        self.ask(method, &format!("/_emulator/{path}"), &format!("Content-Type: {kind}\r\n"), body)
    }

    /// The body of the answer, which must be a success. Each of `headers` is a line.
    pub(super) fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<String> {
        http::ask(&self.address, method, path, headers, body)
    }
}
