//! A tenant to deploy to: the emulator as a process of its own, and what its admin surface tells.

use std::{path::Path, process::Command};

pub(crate) use driver::Request;
use driver::{Emulator, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    program::{Ended, run, selvedge},
    project::Project,
};

/// Settings under which nobody waits: the emulator does not lag.
const IN_A_HURRY: [(&str, &str); 8] = [
    ("SELVEDGE_BREAKER__OPEN_FOR", "50ms"),
    ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "60s"),
    ("SELVEDGE_HTTP__CALL_DEADLINE", "90s"),
    ("SELVEDGE_POLLING__FIRST_POLL", "10ms"),
    ("SELVEDGE_RETRY__BASE_DELAY", "10ms"),
    ("SELVEDGE_RETRY__MAX_DELAY", "100ms"),
    ("SELVEDGE_ROLLBACK__CONSISTENCY_DELAY", "10ms"),
    ("SELVEDGE_ROLLBACK__IN_FLIGHT", "10ms"),
];

/// The emulator, with its demo tenant; stopped when dropped.
pub(crate) struct Tenant {
    pub(crate) url: String,
    emulator: Emulator,
    folder: TempDir,
}

/// A request that is to be stopped on its way.
pub(crate) struct Hold<'a> {
    tenant: &'a Tenant,
    id: u64,
}

impl Hold<'_> {
    /// Waits until a request is stopped.
    #[track_caller]
    pub(crate) fn wait(&self) {
        driver::until("a request is held", || self.tenant.emulator.is_held(self.id)).unwrap();
    }

    pub(crate) fn release(&self) {
        self.tenant.emulator.release(self.id).unwrap();
    }
}

/// Looks until it is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    driver::until(what, || Ok(is_so())).unwrap();
}

impl Tenant {
    pub(crate) fn start() -> Self {
        Self::start_with(false)
    }

    /// With https, for [`Tenant::with_vault`].
    pub(crate) fn with_https() -> Self {
        Self::start_with(true)
    }

    fn start_with(https: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        // Where `cargo xtask conformance --log` looks at what the program asks.
        let requests = Path::new(env!("CARGO_TARGET_TMPDIR")).join("requests");
        std::fs::create_dir_all(&requests).unwrap();
        let requests = requests.join(format!("cli-{}.jsonl", uuid::Uuid::new_v4()));
        let options = Options {
            folder: folder.path(),
            request_log: Some(&requests),
            authority: https.then_some(&authority),
        };
        let emulator = Emulator::start(Path::new(env!("CARGO_BIN_EXE_selvedge")), options).unwrap();
        Self { url: emulator.url.clone(), emulator, folder }
    }

    /// The certificate of its authority, where it has https.
    pub(crate) fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What the emulator says that a variable has to be.
    #[track_caller]
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.emulator.variable(name).unwrap()
    }

    /// The program in the project's folder, with this tenant in its environment and every flag off.
    pub(crate) fn selvedge(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = selvedge(project.path(), args);
        command.envs(&self.emulator.environment).envs(IN_A_HURRY).env("GITHUB_TOKEN", "a-token");
        command
    }

    /// As [`Tenant::selvedge`], with the secrets of the tenant's vault, and no secret but the application's in the environment.
    pub(crate) fn with_vault(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = self.selvedge(project, args);
        command
            .env_remove("GITHUB_TOKEN")
            .env("FEATURE_USE_KEY_VAULT", "true")
            .env("SELVEDGE_SECRETS__AUDIENCE", "https://vault.azure.net")
            .env("SSL_CERT_FILE", self.authority());
        command
    }

    /// Runs the program with every flag off.
    pub(crate) fn plainly(&self, project: &Project, args: &[&str]) -> Ended {
        run(&mut self.selvedge(project, args))
    }

    /// As [`Tenant::selvedge`], with the rollback flag on.
    pub(crate) fn safe(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = self.selvedge(project, args);
        command.env("FEATURE_USE_ROLLBACK", "true");
        command
    }

    /// Runs the program with the rollback flag on.
    pub(crate) fn safely(&self, project: &Project, args: &[&str]) -> Ended {
        run(&mut self.safe(project, args))
    }

    /// Nothing that the project's files say is missing.
    #[track_caller]
    pub(crate) fn has_all_of(&self, project: &Project) {
        self.plainly(project, &["plan", "--detailed-exitcode"]).is(0);
    }

    /// Everything that is there, deleted things included, as a hash by natural keys.
    pub(crate) fn hash(&self) -> String {
        self.inventory()["hash"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn inventory(&self) -> Value {
        self.emulator.inventory().unwrap()
    }

    #[track_caller]
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.emulator.requests().unwrap()
    }

    /// The shapes of the requests that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests().iter().filter(|request| request.is_write()).map(Request::shape).collect()
    }

    pub(crate) fn forget_requests(&self) {
        self.emulator.admin("DELETE", "requests", "").unwrap();
    }

    /// Waits until everything that arrived was answered.
    #[track_caller]
    pub(crate) fn settle(&self) {
        self.emulator.settle().unwrap();
    }

    /// As after the start.
    pub(crate) fn reset(&self) {
        self.emulator.reset().unwrap();
    }

    #[track_caller]
    pub(crate) fn seed(&self, world: &Value) {
        self.emulator.admin("POST", "seed", &world.to_string()).unwrap();
    }

    /// Puts faults in force, one a line.
    #[track_caller]
    pub(crate) fn inject(&self, faults: &str) {
        self.emulator.inject(faults).unwrap();
    }

    /// No fault is in force any more.
    pub(crate) fn heal(&self) {
        self.emulator.heal().unwrap();
    }

    /// Stops the next request of that pattern `before` its effect or `after` it.
    #[track_caller]
    pub(crate) fn hold(&self, pattern: &str, point: &str) -> Hold<'_> {
        self.hold_later(pattern, 0, point)
    }

    /// The same with the one that comes after `skip` others.
    #[track_caller]
    pub(crate) fn hold_later(&self, pattern: &str, skip: usize, point: &str) -> Hold<'_> {
        Hold { tenant: self, id: self.emulator.hold(pattern, skip, point).unwrap() }
    }

    /// Asks Fabric, as another program of the same team would.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Value {
        self.emulator.call(method, path, body).unwrap()
    }
}

/// The answer to one HTTP request, head and body.
#[track_caller]
pub(crate) fn request(url: &str, head: &str, body: &str) -> String {
    let (method, target) = head.split_once(' ').unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    driver::http::exchange(url.strip_prefix("http://").unwrap(), method, target, kind, body).unwrap()
}
