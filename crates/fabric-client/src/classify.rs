//! What Fabric's answers mean to the layers of `selvedge-resilience`.

use crate::{
    ApiError, BodyTooLarge, Operation, Request, Response, Withheld,
    layer::{AuthError, NotRelative},
};
use selvedge_resilience::{Class, Classify, Effect, Outcome, find_cause, outcome_of, retry::Attempts};
use tower::BoxError;

/// Reads effect and outcome off Fabric's requests and answers. Graph's, Entra's and Key Vault's are understood too.
///
/// The class of a request is its [`Quota`](crate::Quota), so that polling operations too fast does not hold the writes back, and the
/// other way round. What was done about a request that ended with an error answer is an extension of that answer, of
/// type [`Attempts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FabricClassify;

impl Classify<Request, Response, BoxError> for FabricClassify {
    fn effect(&self, request: &Request) -> Effect {
        operation(request).map(|operation| operation.effect).unwrap_or_default()
    }

    fn outcome(&self, result: Result<&Response, &BoxError>) -> Outcome {
        match result {
            Ok(response) if response.status().is_success() => Outcome::Success,
            Ok(response) => ApiError::from_response(response).outcome(),
            Err(error) => of_error(&**error),
        }
    }

    fn class(&self, request: &Request) -> Class {
        Class::Borrowed(operation(request).map(|operation| operation.quota).unwrap_or_default().as_str())
    }

    fn name<'a>(&self, request: &'a Request) -> &'a str {
        operation(request).map_or("request", |operation| operation.name)
    }

    fn annotate(&self, response: &mut Response, attempts: Attempts) {
        response.extensions_mut().insert(attempts);
    }
}

fn operation(request: &Request) -> Option<&Operation> {
    request.extensions().get()
}

/// [`Error::outcome`](crate::Error::outcome) judges a missing token otherwise, for those who wait for longer.
pub(crate) fn of_error(error: &(dyn std::error::Error + 'static)) -> Outcome {
    // Authentication first: behind it stands a stack, and retries, of its own. Whatever became of those, the layers here
    // must not multiply them; so it is permanent to these layers, although it may pass.
    let ours = find_cause::<AuthError>(error).is_some() || find_cause::<NotRelative>(error).is_some();
    let never = find_cause::<BodyTooLarge>(error).is_some() || find_cause::<Withheld>(error).is_some();
    if ours || never { Outcome::Permanent } else { outcome_of(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, Quota, Treatment, Unsent};
    use bytes::Bytes;
    use std::time::Duration;

    fn outcome(status: u16, retry_after: Option<&str>, body: &str) -> Outcome {
        let mut response = http::Response::builder().status(status);
        if let Some(value) = retry_after {
            response = response.header("Retry-After", value);
        }
        let response = response.body(Bytes::from(body.to_owned())).unwrap();
        FabricClassify.outcome(Ok(&response))
    }

    #[test]
    fn answers_are_judged_by_code_then_by_is_retriable_then_by_status() {
        let after = |seconds: u64| Some(Duration::from_secs(seconds));
        let throttled = |retry_after| Outcome::Throttled { retry_after };
        let transient = |retry_after| Outcome::Transient { retry_after };
        let busy = |retry_after| Outcome::Busy { retry_after };
        for (status, header, body, expected) in [
            (200, None, "{}", Outcome::Success),
            (202, None, "null", Outcome::Success),
            // By status, where the body says nothing.
            (302, None, "", Outcome::Permanent),
            (400, None, "", Outcome::Permanent),
            (401, None, "", Outcome::Permanent),
            (404, None, "<html>", Outcome::Permanent),
            (408, None, "", transient(None)),
            (429, Some("58"), "", throttled(after(58))),
            (430, None, "", throttled(None)),
            (500, None, "null", transient(None)),
            (501, None, "", Outcome::Permanent),
            (502, None, "<html>", transient(None)),
            (503, Some("7"), "{}", transient(after(7))),
            (504, Some("soon"), "", transient(None)),
            // isRetriable beats the status.
            (500, None, r#"{"errorCode":"UnknownError","isRetriable":false}"#, Outcome::Permanent),
            (409, Some("20"), r#"{"errorCode":"X","isRetriable":true}"#, busy(after(20))),
            (400, None, r#"{"errorCode":"X","isRetriable":true}"#, busy(None)),
            (408, None, r#"{"errorCode":"X","isRetriable":true}"#, transient(None)),
            (429, None, r#"{"errorCode":"X","isRetriable":true}"#, throttled(None)),
            (430, None, r#"{"errorCode":"X","isRetriable":true}"#, throttled(None)),
            (429, None, r#"{"errorCode":"X","isRetriable":false}"#, Outcome::Permanent),
            (501, None, r#"{"errorCode":"X","isRetriable":true}"#, transient(None)),
            (500, None, r#"{"errorCode":"X","isRetriable":null}"#, transient(None)),
            // The code beats both.
            (503, None, r#"{"errorCode":"CapacityNotInActiveState","isRetriable":true}"#, Outcome::Permanent),
            (404, None, r#"{"errorCode":"CapacityNotActive"}"#, Outcome::Permanent),
            (400, None, r#"{"errorCode":"ItemDisplayNameAlreadyInUse"}"#, Outcome::Permanent),
            (400, None, r#"{"errorCode":"PrincipalNotFound"}"#, Outcome::Permanent),
        ] {
            assert_eq!(outcome(status, header, body), expected, "{status} {body}");
        }
    }

    /// The code is in the body, or in a header where the body was lost on the way.
    #[test]
    fn pitfall_20_code_and_is_retriable_beat_the_status() {
        let throttled = Outcome::Throttled { retry_after: None };
        let busy = Outcome::Busy { retry_after: None };
        let table = [
            // The identity is too fast, or the capacity has too much to do: everybody pauses.
            ("RequestBlocked", throttled),
            ("CapacityLimitExceeded", throttled),
            ("TooManyRequestsForCapacity", throttled),
            ("TooManyRequestsForJobs", throttled),
            // One thing is not ready, and the rest need not wait for it.
            ("ItemDisplayNameNotAvailableYet", busy),
            ("WorkspaceMigrationOperationInProgress", busy),
            ("WorkspacePreviousOperationInProgress", busy),
            // Somebody must resume it.
            ("CapacityNotInActiveState", Outcome::Permanent),
            ("CapacityNotActive", Outcome::Permanent),
        ];
        let mut treated: Vec<_> = table.iter().map(|(code, _)| *code).collect();
        treated.sort_unstable();
        let known = ErrorCode::known().iter().filter(|known| known.treatment != Treatment::ByAnswer);
        assert_eq!(treated, known.map(|known| known.code.as_str()).collect::<Vec<_>>());
        for (code, expected) in table {
            for status in [400, 409, 429, 430, 500, 503] {
                for said in ["", r#","isRetriable":false"#, r#","isRetriable":true"#] {
                    let body = format!(r#"{{"errorCode":"{code}"{said}}}"#);
                    assert_eq!(outcome(status, None, &body), expected, "{status} {body}");
                    let body = format!(r#"{{"message":"m"{said}}}"#);
                    let response = http::Response::builder()
                        .status(status)
                        .header("x-ms-public-api-error-code", code)
                        .body(Bytes::from(body.clone()))
                        .unwrap();
                    assert_eq!(FabricClassify.outcome(Ok(&response)), expected, "{status} {code} {body}");
                }
            }
        }
        // A paused capacity as it was seen, and a reserved name.
        let paused = r#"{"errorCode":"CapacityNotInActiveState","isRetriable":false}"#;
        assert_eq!(outcome(500, None, paused), Outcome::Permanent);
        let reserved = r#"{"errorCode":"ItemDisplayNameNotAvailableYet","isRetriable":true}"#;
        assert_eq!(outcome(409, None, reserved), busy);
    }

    #[test]
    fn a_request_is_called_what_it_does_and_an_answer_carries_what_it_took() {
        let call = crate::Call::<()>::new("x.get", Effect::Read, http::Method::GET, "/x");
        assert_eq!(FabricClassify.name(&call.message.to_request().unwrap()), "x.get");
        assert_eq!(FabricClassify.name(&Request::default()), "request");
    }

    #[test]
    fn errors_are_judged_by_what_they_wrap() {
        let transient = Outcome::Transient { retry_after: None };
        let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let cases: [(BoxError, Outcome); 5] = [
            (Unsent::new(reset()).into(), Outcome::Unsent),
            (reset().into(), transient),
            ("something new".into(), transient),
            (BodyTooLarge { limit: 1 }.into(), Outcome::Permanent),
            (Withheld::new(reset()).into(), Outcome::Permanent),
        ];
        for (error, expected) in cases {
            assert_eq!(FabricClassify.outcome(Err(&error)), expected, "{error}");
        }
    }

    #[test]
    fn a_request_says_its_effect_itself_and_is_not_repeated_if_it_does_not() {
        let call = crate::Call::<()>::new("x", Effect::Read, http::Method::POST, "/x");
        let request = call.message.to_request().unwrap();
        assert_eq!(FabricClassify.effect(&request), Effect::Read);
        let operation = Operation { name: "x", effect: Effect::Read, quota: Quota::Platform };
        assert_eq!(request.extensions().get(), Some(&operation));
        assert_eq!(FabricClassify.effect(&Request::default()), Effect::Once);
    }
}
