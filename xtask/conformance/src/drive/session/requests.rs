//! The requests of scenarios: those that must succeed, and those that must not.

use bytes::Bytes;
use serde_json::Value;

use super::{Answer, Call, NOTHING, Session, Stop};
use crate::drive::Step;

/// Requests that are as documented and must succeed. They return what the request gave at once, or in the end.
impl Session<'_> {
    pub(in crate::drive) fn get(&mut self, target: &str) -> Step<Value> {
        self.succeed(&Call::new("GET", target, &NOTHING))
    }

    pub(in crate::drive) fn post(&mut self, target: &str, body: Value) -> Step<Value> {
        self.succeed(&Call::new("POST", target, &body))
    }

    pub(in crate::drive) fn patch(&mut self, target: &str, body: Value) -> Step<Value> {
        self.succeed(&Call::new("PATCH", target, &body))
    }

    pub(in crate::drive) fn delete(&mut self, target: &str) -> Step<Value> {
        self.succeed(&Call::new("DELETE", target, &NOTHING))
    }

    /// The entries of a list, page after page.
    pub(in crate::drive) fn list(&mut self, target: &str) -> Step<Vec<Value>> {
        self.list_of(target, "value")
    }

    /// The entries of a list that stand under this `key`.
    pub(in crate::drive) fn list_of(&mut self, target: &str, key: &str) -> Step<Vec<Value>> {
        let (mut entries, mut page) = (Vec::new(), self.get(target)?);
        loop {
            entries.extend(page[key].as_array().cloned().unwrap_or_default());
            let Some(token) = page["continuationToken"].as_str() else { return Ok(entries) };
            let mark = if target.contains('?') { '&' } else { '?' };
            let next = format!("{target}{mark}continuationToken={token}");
            page = self.get(&next)?;
        }
    }

    /// Posts a file.
    pub(in crate::drive) fn upload(&mut self, target: &str, content: &'static [u8]) -> Step<Value> {
        self.succeed(&Call { method: "POST", target, body: Bytes::from_static(content) })
    }

    /// Posts, and does not wait for the operation. Returns its id; `None` when all was done at once.
    pub(in crate::drive) fn post_unfinished(&mut self, target: &str, body: Value) -> Step<Option<String>> {
        let answer = self.accepted(&Call::new("POST", target, &body))?;
        Ok(answer.header("x-ms-operation-id").map(str::to_owned))
    }

    fn succeed(&mut self, call: &Call<'_>) -> Step<Value> {
        let answer = self.accepted(call)?;
        let failed = |failure| Stop::Failed(format!("{call} fails after it was accepted: {failure}"));
        self.finish(call, answer)?.map_err(failed)
    }

    fn accepted(&mut self, call: &Call<'_>) -> Step<Answer> {
        let answer = self.ask_properly(call)?;
        if answer.is_success() { Ok(answer) } else { Err(call.unexpected(&answer)) }
    }
}

/// Requests that must be refused, or fail after they were accepted. They may break the documents: that is one reason to
/// refuse them.
impl Session<'_> {
    /// With this error code.
    pub(in crate::drive) fn refused(&mut self, method: &str, target: &str, body: Value, code: &str) -> Step {
        self.must_fail(&Call::new(method, target, &body), code)
    }

    /// A file that is posted.
    pub(in crate::drive) fn upload_refused(
        &mut self,
        target: &str,
        content: &'static [u8],
        code: &str,
    ) -> Step {
        self.must_fail(&Call { method: "POST", target, body: Bytes::from_static(content) }, code)
    }

    /// With any error code, where nothing says which.
    pub(in crate::drive) fn refused_somehow(&mut self, method: &str, target: &str, body: Value) -> Step {
        let call = Call::new(method, target, &body);
        let success = || Stop::Failed(format!("{call} is not refused"));
        self.failure(&call)?.map(|_| ()).ok_or_else(success)
    }

    /// What depends on how far an operation has got by now: it succeeds, or is refused with this code.
    pub(in crate::drive) fn post_or_refused(&mut self, target: &str, body: Value, code: &str) -> Step {
        let call = Call::new("POST", target, &body);
        match self.failure(&call)? {
            Some(met) if met != code => Err(Stop::Failed(format!("{call} is answered {met}, not {code}"))),
            _ => Ok(()),
        }
    }

    fn must_fail(&mut self, call: &Call<'_>, code: &str) -> Step {
        let met = self.failure(call)?.unwrap_or_else(|| "success".to_owned());
        match met == code {
            true => Ok(()),
            false => Err(Stop::Failed(format!("{call} is answered {met}, not {code}"))),
        }
    }

    /// The error code; `None` for what succeeds.
    fn failure(&mut self, call: &Call<'_>) -> Step<Option<String>> {
        let answer = self.ask(call)?;
        let failure = match answer.is_success() {
            true => match self.finish(call, answer)? {
                Ok(_) => return Ok(None),
                Err(failure) => failure,
            },
            false => answer.json,
        };
        let code = failure["errorCode"].as_str().unwrap_or("an error without a code").to_owned();
        let claim = self.claim(call)?;
        self.ledger.coverage.failed(claim, &code);
        Ok(Some(code))
    }
}
