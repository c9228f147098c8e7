//! A tenant: `selvedge emulator` as a process of its own, and what its admin surface does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Process, http, until};

/// How an emulator is started.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Where it runs, and writes what it complains of. Made if it is not there.
    pub folder: &'a Path,
    /// Where each request is written to when it is over.
    pub request_log: Option<&'a Path>,
    /// Where the certificate of its authority is written to, for clients that want https. Without it there is http alone.
    pub authority: Option<&'a Path>,
}

/// The emulator with its demo tenant; stopped when dropped.
///
/// # Errors
/// Each call fails when the emulator refuses it, or is gone.
pub struct Emulator {
    /// Its address, as `http://127.0.0.1:4711`.
    pub url: String,
    /// The variables that point a client at it.
    pub environment: BTreeMap<String, String>,
    _process: Process,
}

/// A request as the emulator's log has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// None while it is under way.
    pub status: Option<u16>,
    /// What came with it, as text.
    #[serde(default)]
    pub body: String,
    /// The fault that hit it.
    pub fault: Option<String>,
    /// The vault and the secret that it is about, as `vault/name`.
    pub secret: Option<String>,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
    environment: BTreeMap<String, String>,
}

impl Request {
    /// The path without its query.
    pub fn plain_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Method and path with `*` for ids: what is the same from run to run, and the pattern by which the emulator knows it again.
    pub fn shape(&self) -> String {
        let is_id = |segment: &str| segment.len() == 36 && segment.contains('-');
        let segments = self.plain_path().split('/');
        let path: Vec<_> = segments.map(|segment| if is_id(segment) { "*" } else { segment }).collect();
        format!("{} {}", self.method, path.join("/"))
    }

    /// Whether it goes to Entra ID.
    pub fn is_sign_in(&self) -> bool {
        self.path.contains("/oauth2/")
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.contains("/getDefinition") && !self.is_sign_in()
    }
}

impl Emulator {
    /// Starts the one that `binary` has.
    ///
    /// # Errors
    /// It does not start; then with what it complains of.
    pub fn start(binary: &Path, options: Options<'_>) -> anyhow::Result<Self> {
        fs::create_dir_all(options.folder).context("make the emulator's folder")?;
        fs::write(options.folder.join("project.config.json"), "{}")
            .context("write the emulator's project")?;
        let log = options.folder.join("emulator.log");
        let mut command = Command::new(binary);
        command
            .args(["emulator", "--port", "0", "--output", "json", "--exit-on-stdin-eof"])
            .current_dir(options.folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).context("create the emulator's log")?);
        if let Some(path) = options.request_log {
            command.arg("--request-log").arg(path);
        }
        if let Some(path) = options.authority {
            command.args(["--https", "127.0.0.1:0", "--export-ca"]).arg(path);
        }
        let mut process = Process::start(&mut command)?;
        let told = || format!("start the emulator: {}", fs::read_to_string(&log).unwrap_or_default());
        let ready: Ready =
            serde_json::from_str(&process.says("\n").with_context(told)?).context("read its ready line")?;
        Ok(Self { url: ready.url, environment: ready.environment, _process: process })
    }

    /// What it says that a variable has to be.
    pub fn variable(&self, name: &str) -> anyhow::Result<&str> {
        self.environment.get(name).map(String::as_str).with_context(|| format!("find {name}"))
    }

    /// As after the start: no fault, no hold, an empty log.
    pub fn reset(&self) -> anyhow::Result<()> {
        self.admin("POST", "reset", "").map(drop)
    }

    /// Puts faults in force, one a line.
    pub fn inject(&self, faults: &str) -> anyhow::Result<()> {
        self.admin("POST", "faults", faults).map(drop)
    }

    /// Puts every fault out of force.
    pub fn heal(&self) -> anyhow::Result<()> {
        self.admin("DELETE", "faults", "").map(drop)
    }

    /// Everything that is there, recycle bins and deleted workspaces included, and its hash by natural keys.
    pub fn inventory(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.admin("GET", "inventory", "")?)?)
    }

    /// What was asked since the last reset.
    pub fn requests(&self) -> anyhow::Result<Vec<Request>> {
        Ok(serde_json::from_str(&self.admin("GET", "requests", "")?)?)
    }

    /// Stops the request of that pattern that comes after `skip` others, `before` its effect or `after` it; the hold's number.
    pub fn hold(&self, pattern: &str, skip: usize, point: &str) -> anyhow::Result<u64> {
        let body = json!({ "pattern": pattern, "point": point, "skip": skip }).to_string();
        let hold: Value = serde_json::from_str(&self.admin("POST", "holds", &body)?)?;
        hold["id"].as_u64().context("find the hold's number")
    }

    /// Whether a request is stopped by that hold now.
    pub fn is_held(&self, hold: u64) -> anyhow::Result<bool> {
        let hold: Value = serde_json::from_str(&self.admin("GET", &format!("holds/{hold}"), "")?)?;
        Ok(hold["state"] == "held")
    }

    /// Lets the request go on.
    pub fn release(&self, hold: u64) -> anyhow::Result<()> {
        self.admin("POST", &format!("holds/{hold}/release"), "").map(drop)
    }

    /// Waits until every request was answered, or would have been had its sender lived.
    pub fn settle(&self) -> anyhow::Result<()> {
        until("every request is answered", || {
            Ok(self.requests()?.iter().all(|request| request.status.is_some()))
        })
    }

    /// A call of its own surface, as docs/emulator.md lists them; the body of the answer.
    pub fn admin(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        let kind = if body.starts_with('{') { "application/json" } else { "text/plain" };
        self.ask(method, &format!("/_emulator/{path}"), &format!("Content-Type: {kind}\r\n"), body)
    }

    /// Asks Fabric, as another program of the same team would. An empty answer is null.
    pub fn call(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}\
             &scope=https://api.fabric.microsoft.com/.default",
            self.variable("AZURE_CLIENT_ID")?,
            self.variable("AZURE_CLIENT_SECRET")?
        );
        let login = format!("/{}/oauth2/v2.0/token", self.variable("AZURE_TENANT_ID")?);
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer: Value = serde_json::from_str(&self.ask("POST", &login, kind, &form)?)?;
        let token = answer["access_token"].as_str().context("find the token")?;
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let answer = self.ask(method, path, &headers, body)?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer)? })
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> anyhow::Result<String> {
        let address = self.url.strip_prefix("http://").context("find the emulator's address")?;
        http::ask(address, method, path, headers, body)
    }
}
