//! What becomes of a request that is answered 202.

use serde_json::Value;

use super::{Answer, Call, NOTHING, Session, Stop};
use crate::drive::Step;

/// An operation that is not done after so many polls will not be done.
const MOST_POLLS: usize = 100;

impl Session<'_> {
    /// Follows an accepted request to its end: the result, or the error. One that was done at once is at its end.
    pub(super) fn finish(&mut self, call: &Call<'_>, accepted: Answer) -> Step<Result<Value, Value>> {
        let Some(id) = accepted.header("x-ms-operation-id").filter(|_| accepted.status == 202) else {
            return Ok(Ok(accepted.json));
        };
        let operation = format!("/v1/operations/{id}");
        let poll = Call::new("GET", &operation, &NOTHING);
        for _ in 0..MOST_POLLS {
            let polled = self.ask(&poll)?;
            match polled.json["status"].as_str() {
                Some("NotStarted" | "Running") => {
                    let wait = polled.header("retry-after").and_then(|it| it.parse().ok()).unwrap_or(1);
                    self.wait(wait)?;
                }
                Some("Failed") => return Ok(Err(polled.json["error"].clone())),
                Some("Succeeded") => return self.result(call, &operation, &polled).map(Ok),
                _ => return Err(poll.unexpected(&polled)),
            }
        }
        Err(Stop::Failed(format!("{call} is not done after {MOST_POLLS} polls")))
    }

    /// The result of a succeeded operation, which has the shape that the request's answer at once would have had.
    fn result(&mut self, call: &Call<'_>, operation: &str, polled: &Answer) -> Step<Value> {
        let target = format!("{operation}/result");
        let answer = match polled.header("location") {
            Some(location) if location.ends_with("/result") => {
                let fetch = Call::new("GET", &target, &NOTHING);
                let answer = self.ask(&fetch)?;
                if !answer.is_success() {
                    return Err(fetch.unexpected(&answer));
                }
                Some(answer)
            }
            _ => None,
        };
        let body = answer.as_ref().map(|answer| &*answer.body);
        let found = self.ledger.specs.check_result(call.method, call.target, body)?;
        self.ledger.checked(found, self.place);
        Ok(answer.map(|answer| answer.json).unwrap_or_default())
    }
}
