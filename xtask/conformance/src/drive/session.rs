//! A client of few lines over the emulator's service, which has every request and every answer checked.

use std::fmt::Display;
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
    place: &'a str,
    pub(super) emulator: Emulator,
    token: String,
}

/// An answer as it came.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    /// The body as JSON; `null` when it is empty.
    json: Value,
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
        let mut session = Self { runtime, ledger, place, emulator, token: String::new() };
        session.token = session.sign_on(demo::CLIENT_ID)?;
        Ok(session)
    }

    /// Makes every later request the stranger's.
    pub(super) fn become_the_stranger(&mut self) -> Step {
        self.token = self.sign_on(STRANGER_CLIENT)?;
        Ok(())
    }

    /// Makes every later request nobody's.
    pub(super) fn sign_off(&mut self) {
        self.token.clear();
    }

    /// Puts a fault in force, in the emulator's own words.
    pub(super) fn inject(&mut self, fault: &str) -> Step {
        let fault = fault.parse().map_err(|error| Stop::Failed(format!("{fault}: {error}")))?;
        self.emulator.inject(fault);
        Ok(())
    }

    fn sign_on(&mut self, client: &str) -> Step<String> {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={}&scope=https://api.fabric.microsoft.com/.default",
            demo::CLIENT_SECRET
        );
        let answer =
            self.exchange("POST", &format!("/{}/oauth2/v2.0/token", demo::TENANT_ID), form.into())?;
        let token = answer.json["access_token"].as_str();
        token.map(str::to_owned).ok_or_else(|| Stop::Failed(format!("no token: {}", answer.json)))
    }

    pub(super) fn get(&mut self, target: &str) -> Step<Value> {
        self.succeed("GET", target, NOTHING)
    }

    pub(super) fn post(&mut self, target: &str, body: Value) -> Step<Value> {
        self.succeed("POST", target, body)
    }

    pub(super) fn patch(&mut self, target: &str, body: Value) -> Step<Value> {
        self.succeed("PATCH", target, body)
    }

    pub(super) fn put(&mut self, target: &str, body: Value) -> Step<Value> {
        self.succeed("PUT", target, body)
    }

    pub(super) fn delete(&mut self, target: &str) -> Step<Value> {
        self.succeed("DELETE", target, NOTHING)
    }

    /// Sends a file.
    pub(super) fn upload(&mut self, target: &str, content: &'static str) -> Step {
        let claim = self.claim("POST", target)?;
        let body = Bytes::from_static(content.as_bytes());
        let answer = self.accepted(claim, "POST", target, body)?;
        if answer.is_success() { Ok(()) } else { Err(unexpected("POST", target, &answer)) }
    }

    /// Sends a request and does not wait for its operation. Returns the operation's id; `None` when all was done at once.
    pub(super) fn post_unfinished(&mut self, target: &str, body: Value) -> Step<Option<String>> {
        let claim = self.claim("POST", target)?;
        let answer = self.accepted(claim, "POST", target, sent(&body))?;
        match answer.is_success() {
            true => Ok(answer.header("x-ms-operation-id").map(str::to_owned)),
            false => Err(unexpected("POST", target, &answer)),
        }
    }

    /// The entries of a list under its `key`, page after page.
    pub(super) fn list_of(&mut self, target: &str, key: &str) -> Step<Vec<Value>> {
        let (mut entries, mut page) = (Vec::new(), self.get(target)?);
        loop {
            entries.extend(page[key].as_array().cloned().unwrap_or_default());
            let Some(token) = page["continuationToken"].as_str() else { return Ok(entries) };
            let mark = if target.contains('?') { '&' } else { '?' };
            let next = format!("{target}{mark}continuationToken={token}");
            page = self.get(&next)?;
        }
    }

    pub(super) fn list(&mut self, target: &str) -> Step<Vec<Value>> {
        self.list_of(target, "value")
    }

    /// Sends a request that is as documented and must succeed. Returns what it gave at once, or in the end.
    fn succeed(&mut self, method: &str, target: &str, body: Value) -> Step<Value> {
        let claim = self.claim(method, target)?;
        let answer = self.accepted(claim, method, target, sent(&body))?;
        if !answer.is_success() {
            return Err(unexpected(method, target, &answer));
        }
        let failed =
            |failure| Stop::Failed(format!("{method} {target} fails after it was accepted: {failure}"));
        self.finish(method, target, &answer)?.map_err(failed)
    }

    /// Sends a request that must be as documented.
    fn accepted(&mut self, claim: usize, method: &str, target: &str, body: Bytes) -> Step<Answer> {
        let found = self.ledger.specs.check_request(method, target, &body)?;
        self.ledger.checked(found, self.place);
        self.ask(claim, method, target, body)
    }

    /// Sends a request that must be refused, or fail after it was accepted, with this error code. Its body may break the
    /// documents: that is one reason to refuse it.
    pub(super) fn refused(&mut self, method: &str, target: &str, body: Value, code: &str) -> Step {
        match self.failure(method, target, body)? {
            Some(met) if met == code => Ok(()),
            met => {
                let met = met.unwrap_or_else(|| "success".to_owned());
                Err(Stop::Failed(format!("{method} {target} is answered {met}, not {code}")))
            }
        }
    }

    /// The same where nothing says with which code.
    pub(super) fn refused_somehow(&mut self, method: &str, target: &str, body: Value) -> Step {
        let success = || Stop::Failed(format!("{method} {target} is not refused"));
        self.failure(method, target, body)?.map(|_| ()).ok_or_else(success)
    }

    /// Posts what depends on how far an operation has got by now: it succeeds, or is refused with this code.
    pub(super) fn post_or_refused(&mut self, target: &str, body: Value, code: &str) -> Step {
        match self.failure("POST", target, body)? {
            Some(met) if met != code => {
                Err(Stop::Failed(format!("POST {target} is answered {met}, not {code}")))
            }
            _ => Ok(()),
        }
    }

    /// The error code of what is refused, or fails after it was accepted; `None` for what succeeds.
    fn failure(&mut self, method: &str, target: &str, body: Value) -> Step<Option<String>> {
        let claim = self.claim(method, target)?;
        let answer = self.ask(claim, method, target, sent(&body))?;
        let failure = match answer.is_success() {
            true => match self.finish(method, target, &answer)? {
                Ok(_) => return Ok(None),
                Err(failure) => failure,
            },
            false => answer.json,
        };
        let code = failure["errorCode"].as_str().unwrap_or("an error without a code");
        self.ledger.coverage.failed(claim, code);
        Ok(Some(code.to_owned()))
    }

    /// Follows a 202 to its end: the result, or the error.
    fn finish(&mut self, method: &str, target: &str, accepted: &Answer) -> Step<Result<Value, Value>> {
        let Some(id) = accepted.header("x-ms-operation-id").filter(|_| accepted.status == 202) else {
            return Ok(Ok(accepted.json.clone()));
        };
        let operation = format!("/v1/operations/{id}");
        let claim = self.claim("GET", &operation)?;
        loop {
            let polled = self.ask(claim, "GET", &operation, Bytes::new())?;
            match polled.json["status"].as_str() {
                Some("NotStarted" | "Running") => {
                    let wait = polled.header("retry-after").and_then(|it| it.parse().ok()).unwrap_or(1);
                    self.emulator.advance(Duration::from_secs(wait));
                }
                Some("Failed") => return Ok(Err(polled.json["error"].clone())),
                Some("Succeeded") => return self.result(method, target, &operation, &polled).map(Ok),
                _ => return Err(unexpected("GET", &operation, &polled)),
            }
        }
    }

    /// The result of a succeeded operation, which has the shape that the request's answer at once would have had.
    fn result(&mut self, method: &str, target: &str, operation: &str, polled: &Answer) -> Step<Value> {
        let at = format!("{operation}/result");
        if !polled.header("location").is_some_and(|location| location.ends_with("/result")) {
            if self.ledger.specs.has_result(method, target) {
                return Err(Stop::Failed(format!(
                    "{method} {target} succeeds without its documented result"
                )));
            }
            return Ok(Value::Null);
        }
        let claim = self.claim("GET", &at)?;
        let answer = self.ask(claim, "GET", &at, Bytes::new())?;
        if !answer.is_success() {
            return Err(unexpected("GET", &at, &answer));
        }
        let found = self.ledger.specs.check_result(method, target, &answer.body)?;
        self.ledger.checked(found, self.place);
        Ok(answer.json)
    }

    /// The operation that is meant. An error when nobody knows it: then the scenario is wrong.
    fn claim(&self, method: &str, target: &str) -> Step<usize> {
        match self.ledger.coverage.find(&self.ledger.specs, method, target) {
            Some(claim) => Ok(claim),
            None if self.ledger.specs.may_know(method, target) => Err(Stop::NotEmulated),
            None => Err(Stop::Failed(format!("{method} {target} is neither documented nor emulated"))),
        }
    }

    /// Sends a request and has its answer checked.
    fn ask(&mut self, claim: usize, method: &str, target: &str, body: Bytes) -> Step<Answer> {
        let answer = self.exchange(method, target, body)?;
        let found =
            self.ledger.specs.check_response(method, target, answer.status, &answer.headers, &answer.body)?;
        self.ledger.checked(found, self.place);
        self.ledger.coverage.answered(claim, answer.status, answer.code());
        Ok(answer)
    }

    fn exchange(&mut self, method: &str, target: &str, body: Bytes) -> Step<Answer> {
        let failed = |error: &dyn Display| Stop::Failed(format!("{method} {target}: {error}"));
        let mut request = Request::builder().method(method).uri(target);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(body).map_err(|error| failed(&error))?;
        let sent = self.runtime.block_on(self.emulator.service().oneshot(request));
        let (parts, body) = sent.map_err(|error| failed(&error))?.into_parts();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, json })
    }
}

fn sent(body: &Value) -> Bytes {
    if body.is_null() { Bytes::new() } else { body.to_string().into() }
}

fn unexpected(method: &str, target: &str, answer: &Answer) -> Stop {
    Stop::Failed(format!("{method} {target} is answered {} {}", answer.status, answer.json))
}
