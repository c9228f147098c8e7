//! The program's own emulator as a process, each request of which takes a while.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, anyhow, ensure};
use bytes::Bytes;
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use serde::Deserialize;
use tower::ServiceExt;

/// An emulator. Stopped when dropped.
pub(crate) struct Tenant {
    process: Child,
    ready: Ready,
    http: HttpTransport,
}

#[derive(Default, Deserialize)]
struct Ready {
    url: String,
    environment: BTreeMap<String, String>,
}

/// A request as the emulator's log has it.
#[derive(Deserialize)]
pub(crate) struct Request {
    method: String,
    path: String,
}

impl Tenant {
    pub(crate) fn start(program: &Path) -> anyhow::Result<Self> {
        let http = HttpTransport::new(&TransportConfig::default()).context("build a client")?;
        let mut command = Command::new(program);
        command
            .args(["emulator", "--port", "0", "--output", "json", "--exit-on-stdin-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().with_context(|| format!("start {}", program.display()))?;
        let stdout = process.stdout.take().context("read the emulator's address")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("read the emulator's address")?;
        let mut tenant = Self { process, ready: Ready::default(), http };
        tenant.ready = serde_json::from_str(&line).context("read the emulator's address")?;
        Ok(tenant)
    }

    /// The variables that lead a client here.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.ready.environment
    }

    /// An empty tenant, with this fault in force.
    pub(crate) async fn reset(&self, fault: &str) -> anyhow::Result<()> {
        self.ask("POST", "reset", "").await?;
        self.ask("POST", "faults", fault).await.map(drop)
    }

    /// The requests since the last reset, by what they are and how often they came.
    pub(crate) async fn requests(&self) -> anyhow::Result<BTreeMap<String, u32>> {
        let requests: Vec<Request> = serde_json::from_slice(&self.ask("GET", "requests", "").await?)?;
        let mut counted = BTreeMap::new();
        for request in requests {
            *counted.entry(request.shape()).or_default() += 1;
        }
        Ok(counted)
    }

    async fn ask(&self, method: &str, what: &str, body: &str) -> anyhow::Result<Bytes> {
        let uri = format!("{}/_emulator/{what}", self.ready.url);
        // A deployment lies between two of these: a connection that waits so long may be gone.
        let request = http::Request::builder().method(method).uri(uri).header("connection", "close");
        let request = request.body(Bytes::from(body.to_owned()))?;
        let answer = self.http.clone().oneshot(request).await.map_err(|error| anyhow!(error))?;
        ensure!(answer.status().is_success(), "the emulator answered {} to {what}", answer.status());
        Ok(answer.into_body())
    }
}

impl Request {
    /// Method and path, without ids and query.
    fn shape(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let is_id = |segment: &str| segment.len() == 36 && segment.contains('-');
        let segments: Vec<_> =
            path.split('/').map(|segment| if is_id(segment) { "*" } else { segment }).collect();
        format!("{} {}", self.method, segments.join("/"))
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to stop.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The program beside this one.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("find this program")?;
    Ok(here.with_file_name(format!("selvedge{}", std::env::consts::EXE_SUFFIX)))
}
