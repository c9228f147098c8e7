//! A tenant to deploy to: the emulator as a process of its own, and what its admin surface tells.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    program::{Background, Ended, emulator, run, selvedge},
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
    environment: Vec<(String, String)>,
    _process: Background,
    _folder: Project,
}

/// A request as the emulator's log has it.
#[derive(Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
}

impl Request {
    /// Method and path without what differs from run to run: ids and query.
    pub(crate) fn shape(&self) -> String {
        let path = self.path.split('?').next().unwrap();
        let is_id = |segment: &str| segment.len() == 36 && segment.contains('-');
        let segments: Vec<_> =
            path.split('/').map(|segment| if is_id(segment) { "*" } else { segment }).collect();
        format!("{} {}", self.method, segments.join("/"))
    }

    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.contains("/getDefinition") && !self.path.contains("/oauth2/")
    }
}

/// A request that is to be stopped on its way.
pub(crate) struct Hold<'a> {
    tenant: &'a Tenant,
    path: String,
}

impl Hold<'_> {
    /// Waits until a request is stopped.
    pub(crate) fn wait(&self) {
        until("a request is held", || self.tenant.get(&self.path)["state"] == "held");
    }

    pub(crate) fn release(&self) {
        self.tenant.send("POST", &format!("{}/release", self.path), "");
    }
}

/// Looks until it is so.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Tenant {
    pub(crate) fn start() -> Self {
        let folder = Project::with(&[]);
        // Where `cargo xtask conformance --log` looks at what the program asks.
        let requests = Path::new(env!("CARGO_TARGET_TMPDIR")).join("requests");
        std::fs::create_dir_all(&requests).unwrap();
        let requests = requests.join(format!("cli-{}.jsonl", uuid::Uuid::new_v4()));
        let args = ["--port", "0", "--output", "json", "--request-log"];
        let mut process = Background::start(emulator(folder.path(), &args).arg(requests));
        let ready: Value = serde_json::from_str(&process.first_line()).unwrap();
        let environment = ready["environment"].as_object().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            url: text(&ready["url"]),
            environment: environment.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            _process: process,
            _folder: folder,
        }
    }

    /// What the emulator says that a variable has to be.
    #[track_caller]
    pub(crate) fn variable(&self, name: &str) -> &str {
        &self.environment.iter().find(|(known, _)| known == name).unwrap().1
    }

    /// The program in the project's folder, with this tenant in its environment and every flag off.
    pub(crate) fn selvedge(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = selvedge(project.path(), args);
        command.envs(self.environment.iter().cloned()).envs(IN_A_HURRY).env("GITHUB_TOKEN", "a-token");
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
        self.get("/_emulator/inventory")["hash"].as_str().unwrap().to_owned()
    }

    pub(crate) fn inventory(&self) -> Value {
        self.get("/_emulator/inventory")
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        serde_json::from_value(self.get("/_emulator/requests")).unwrap()
    }

    /// The shapes of the requests that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests().iter().filter(|request| request.is_write()).map(Request::shape).collect()
    }

    pub(crate) fn forget_requests(&self) {
        self.send("DELETE", "/_emulator/requests", "");
    }

    /// Waits until everything that arrived was answered.
    pub(crate) fn settle(&self) {
        until("all is answered", || self.requests().iter().all(|request| request.status.is_some()));
    }

    /// As after the start.
    pub(crate) fn reset(&self) {
        self.send("POST", "/_emulator/reset", "");
    }

    pub(crate) fn seed(&self, world: &Value) {
        self.send("POST", "/_emulator/seed", &world.to_string());
    }

    /// Puts faults in force, one a line.
    pub(crate) fn inject(&self, faults: &str) {
        self.send("POST", "/_emulator/faults", faults);
    }

    /// No fault is in force any more.
    pub(crate) fn heal(&self) {
        self.send("DELETE", "/_emulator/faults", "");
    }

    /// Stops the next request of that pattern `before` its effect or `after` it.
    pub(crate) fn hold(&self, pattern: &str, point: &str) -> Hold<'_> {
        let body = json!({ "pattern": pattern, "point": point }).to_string();
        let held: Value = serde_json::from_str(&self.send("POST", "/_emulator/holds", &body)).unwrap();
        Hold { tenant: self, path: format!("/_emulator/holds/{}", held["id"]) }
    }

    /// Asks Fabric, as another program of the same team would.
    #[cfg(unix)]
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let of = |name: &str| &self.environment.iter().find(|(known, _)| known == name).unwrap().1;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}\
             &scope=https://api.fabric.microsoft.com/.default",
            of("AZURE_CLIENT_ID"),
            of("AZURE_CLIENT_SECRET")
        );
        let login = format!("POST /{}/oauth2/v2.0/token", of("AZURE_TENANT_ID"));
        let token = request(&self.url, &login, &form);
        let token: Value = serde_json::from_str(token.split_once("\r\n\r\n").unwrap().1).unwrap();
        let head = format!("{method} {path}");
        let kind = "application/json";
        let bearer = format!("Authorization: Bearer {}\r\n", token["access_token"].as_str().unwrap());
        let answer = request_with(&self.url, &head, &bearer, kind, body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap_or_default()
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.send("GET", path, "")).unwrap()
    }

    /// The body of the answer, which must be a success.
    #[track_caller]
    fn send(&self, method: &str, path: &str, body: &str) -> String {
        let answer = request(&self.url, &format!("{method} {path}"), body);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        body.to_owned()
    }
}

/// The answer to one HTTP/1.1 request, head and body.
pub(crate) fn request(url: &str, head: &str, body: &str) -> String {
    request_with(url, head, "", "application/x-www-form-urlencoded", body)
}

/// The same, with more lines in its head.
fn request_with(url: &str, head: &str, more: &str, kind: &str, body: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(stream, "{head} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n")
        .unwrap();
    write!(stream, "Content-Type: {kind}\r\n{more}\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
