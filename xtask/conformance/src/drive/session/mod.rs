//! A client of few lines over the emulator's service, which has every request and every answer checked.

mod long_running;
mod requests;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use super::{Ledger, Step};

/// Why a scenario ends early.
pub(super) enum Stop {
    /// It needs an operation that the emulator does not say it has.
    NotEmulated,
    Failed(String),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(format!("{error:#}"))
    }
}

/// A request without a body.
pub(super) const NOTHING: Value = Value::Null;

/// An application that exists in every session's tenant and has no role anywhere.
pub(super) const STRANGER: &str = "cccccccc-0000-4000-8000-0000000000aa";
const STRANGER_CLIENT: &str = "cccccccc-0000-4000-8000-0000000000bb";

/// A tenant of its own, and somebody who is signed on.
pub(super) struct Session<'a> {
    runtime: &'a Runtime,
    ledger: &'a mut Ledger,
    /// The name of the scenario, for reports.
    place: &'a str,
    emulator: Emulator,
    /// The application that is signed on, and its token; both empty when nobody is.
    client: &'static str,
    token: String,
}

/// A request.
struct Call<'a> {
    method: &'a str,
    /// Path and query.
    target: &'a str,
    body: Bytes,
}

/// An answer as it came.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    /// The body as JSON; `null` when it is empty.
    json: Value,
}

impl<'a> Call<'a> {
    fn new(method: &'a str, target: &'a str, body: &Value) -> Self {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        Self { method, target, body }
    }

    fn unexpected(&self, answer: &Answer) -> Stop {
        Stop::Failed(format!("{self} is answered {} {}", answer.status, answer.json))
    }
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn code(&self) -> Option<&str> {
        self.json["errorCode"].as_str()
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl<'a> Session<'a> {
    pub(super) fn start(
        runtime: &'a Runtime,
        ledger: &'a mut Ledger,
        place: &'a str,
        config: Config,
    ) -> Step<Self> {
        let emulator = Emulator::new(config).with_demo_tenant();
        let stranger = json!({"servicePrincipals": [{
            "id": STRANGER, "displayName": "Stranger", "appId": STRANGER_CLIENT, "secret": demo::CLIENT_SECRET,
        }]});
        emulator.seed(&stranger).map_err(|error| Stop::Failed(error.to_string()))?;
        let mut session = Self { runtime, ledger, place, emulator, client: "", token: String::new() };
        session.sign_on(demo::CLIENT_ID)?;
        Ok(session)
    }

    /// Makes every later request the stranger's.
    pub(super) fn become_the_stranger(&mut self) -> Step {
        self.sign_on(STRANGER_CLIENT)
    }

    /// Makes every later request nobody's.
    pub(super) fn sign_off(&mut self) {
        self.token.clear();
    }

    /// Lets time pass in the tenant. Whoever was signed on is so afterwards, too: tokens do not last an hour.
    pub(super) fn wait(&mut self, seconds: u64) -> Step {
        self.emulator.advance(Duration::from_secs(seconds));
        self.sign_on(self.client)
    }

    /// Puts a fault in force, in the emulator's own words.
    pub(super) fn inject(&mut self, fault: &str) -> Step {
        let fault = fault.parse().map_err(|error| Stop::Failed(format!("{fault}: {error}")))?;
        self.emulator.inject(fault);
        Ok(())
    }

    /// The emulated operations whose documents list that error code: method and path template.
    pub(super) fn documenting(&self, code: &str) -> Vec<(String, String)> {
        let operations = self.ledger.coverage.that_document(code);
        operations.map(|(method, path)| (method.to_owned(), path.to_owned())).collect()
    }

    fn sign_on(&mut self, client: &'static str) -> Step {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={}&scope=https://api.fabric.microsoft.com/.default",
            demo::CLIENT_SECRET
        );
        let target = format!("/{}/oauth2/v2.0/token", demo::TENANT_ID);
        let call = Call { method: "POST", target: &target, body: form.into() };
        let answer = self.exchange(&call)?;
        let token = answer.json["access_token"].as_str().ok_or_else(|| call.unexpected(&answer))?;
        self.token = token.to_owned();
        self.client = client;
        Ok(())
    }

    /// The operation that is meant. An error when nobody knows it: then the scenario is wrong.
    fn claim(&self, call: &Call<'_>) -> Step<usize> {
        let Ledger { specs, coverage, .. } = &*self.ledger;
        match coverage.find(specs, call.method, call.target) {
            Some(claim) => Ok(claim),
            None if specs.may_know(call.method, call.target) => Err(Stop::NotEmulated),
            None => Err(Stop::Failed(format!("{call} is neither documented nor emulated"))),
        }
    }

    /// Sends a request, which is checked as well as its answer; even one that the emulator does not know yet.
    fn ask_properly(&mut self, call: &Call<'_>) -> Step<Answer> {
        let found = self.ledger.specs.check_request(call.method, call.target, &call.body)?;
        self.ledger.checked(found, self.place);
        self.ask(call)
    }

    /// Sends a request and has its answer checked.
    fn ask(&mut self, call: &Call<'_>) -> Step<Answer> {
        let claim = self.claim(call)?;
        let answer = self.exchange(call)?;
        let Answer { status, headers, body, .. } = &answer;
        let found = self.ledger.specs.check_response(call.method, call.target, *status, headers, body)?;
        self.ledger.checked(found, self.place);
        self.ledger.coverage.answered(claim, *status, answer.code());
        Ok(answer)
    }

    fn exchange(&mut self, call: &Call<'_>) -> Step<Answer> {
        let failed = |error: &dyn fmt::Display| Stop::Failed(format!("{call}: {error}"));
        let mut request = Request::builder().method(call.method).uri(call.target);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if !call.body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(call.body.clone()).map_err(|error| failed(&error))?;
        let sent = self.runtime.block_on(self.emulator.service().oneshot(request));
        let (parts, body) = sent.map_err(|error| failed(&error))?.into_parts();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, json })
    }
}
