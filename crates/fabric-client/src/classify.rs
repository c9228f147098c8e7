//! What Fabric's answers mean to the layers of `selvedge-resilience`.

use crate::{
    ApiError, BodyTooLarge, Request, Response,
    layer::{AuthError, NotRelative},
};
use selvedge_resilience::{Classify, Effect, Outcome, find_cause, outcome_of};
use tower::BoxError;

/// Reads effect and outcome off Fabric's requests and answers. Graph's, Entra's and Key Vault's are understood too.
#[derive(Clone, Copy, Debug, Default)]
pub struct FabricClassify;

impl Classify<Request, Response, BoxError> for FabricClassify {
    fn effect(&self, request: &Request) -> Effect {
        request.extensions().get().copied().unwrap_or_default()
    }

    fn outcome(&self, result: Result<&Response, &BoxError>) -> Outcome {
        match result {
            Ok(response) if response.status().is_success() => Outcome::Success,
            Ok(response) => ApiError::from_response(response).outcome(),
            Err(error) => of_error(&**error),
        }
    }
}

fn of_error(error: &(dyn std::error::Error + 'static)) -> Outcome {
    // Authentication first: behind it stands a stack, and retries, of its own.
    let ours = find_cause::<AuthError>(error).is_some() || find_cause::<NotRelative>(error).is_some();
    if ours || find_cause::<BodyTooLarge>(error).is_some() { Outcome::Permanent } else { outcome_of(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Operation, Unsent};
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
            (409, Some("20"), r#"{"errorCode":"X","isRetriable":true}"#, throttled(after(20))),
            (501, None, r#"{"errorCode":"X","isRetriable":true}"#, transient(None)),
            (500, None, r#"{"errorCode":"X","isRetriable":null}"#, transient(None)),
            // The code beats both.
            (503, None, r#"{"errorCode":"CapacityNotInActiveState","isRetriable":true}"#, Outcome::Permanent),
            (404, None, r#"{"errorCode":"CapacityNotActive"}"#, Outcome::Permanent),
            (
                400,
                None,
                r#"{"errorCode":"WorkspaceMigrationOperationInProgress","isRetriable":false}"#,
                throttled(None),
            ),
            (400, None, r#"{"errorCode":"ItemDisplayNameNotAvailableYet"}"#, throttled(None)),
            (400, None, r#"{"errorCode":"ItemDisplayNameAlreadyInUse"}"#, Outcome::Permanent),
            (400, None, r#"{"errorCode":"PrincipalNotFound"}"#, Outcome::Permanent),
        ] {
            assert_eq!(outcome(status, header, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn errors_are_judged_by_what_they_wrap() {
        let transient = Outcome::Transient { retry_after: None };
        let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let cases: [(BoxError, Outcome); 4] = [
            (Unsent::new(reset()).into(), Outcome::Unsent),
            (reset().into(), transient),
            ("something new".into(), transient),
            (BodyTooLarge { limit: 1 }.into(), Outcome::Permanent),
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
        assert_eq!(request.extensions().get(), Some(&Operation { name: "x" }));
        assert_eq!(FabricClassify.effect(&Request::default()), Effect::Once);
    }
}
