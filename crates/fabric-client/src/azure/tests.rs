//! The SDK's credentials over scripted services.

use super::*;
use crate::{BoxService, FabricClassify, Unsent, testing::Script};
use azure_core::{
    credentials::TokenCredential,
    http::{Method, Request, Url},
};
use selvedge_resilience::deadline::DeadlineLayer;
use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
use selvedge_resilience::{Classify as _, Effect};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tower::{BoxError, ServiceBuilder};

const TENANT: &str = "contoso.example";
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"T"}"#;

fn secret() -> CredentialKind {
    CredentialKind::ClientSecret {
        tenant_id: TENANT.into(),
        client_id: "app".into(),
        secret: "canary-4711".into(),
    }
}

fn credential_at(authority: &str, kind: CredentialKind, script: &Script) -> Arc<dyn TokenCredential> {
    let config = CredentialConfig { authority: authority.into(), kind };
    credential(config, BoxService::new(script.service())).unwrap()
}

#[tokio::test]
async fn a_secret_is_exchanged_for_a_token_at_the_authority_each_time() {
    for (authority, expected) in [
        (CredentialConfig::PUBLIC_AUTHORITY, "https://login.microsoftonline.com"),
        ("https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
        ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
        ("http://localhost:7070", "http://localhost:7070"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:7070", "http://[::1]:7070"),
    ] {
        let script = Script::default().answer("200", TOKEN).answer("200", TOKEN);
        let credential = credential_at(authority, secret(), &script);
        for _ in 0..2 {
            let token = credential.get_token(&["scope/.default"], None).await.unwrap();
            assert_eq!(token.token.secret(), "T");
        }
        let line = format!("POST {expected}/{TENANT}/oauth2/v2.0/token");
        assert_eq!(script.sent(), [line.clone(), line]);
        let request = &script.requests()[0];
        let body = std::str::from_utf8(request.body()).unwrap();
        assert!(body.contains("client_secret=canary-4711") && body.contains("scope=scope%2F.default"));
        assert_eq!(FabricClassify.effect(request), Effect::Read);
        assert!(!format!("{credential:?}").contains("canary"));
    }
}

#[test]
fn authorities_that_are_not_safe_are_refused() {
    for authority in
        ["http://login.microsoftonline.com", "https://login.microsoftonline.com@evil.example", ""]
    {
        let config = CredentialConfig { authority: authority.into(), kind: secret() };
        let service = BoxService::new(Script::default().service());
        let error = credential(config, service).unwrap_err();
        assert!(matches!(error, CredentialError::Authority(_)), "{authority}");
    }
}

#[test]
fn what_is_missing_is_found_before_the_first_call() {
    let missing = CredentialKind::WorkloadIdentity {
        tenant_id: TENANT.into(),
        client_id: "app".into(),
        token_file: PathBuf::from("/does/not/exist"),
    };
    let empty =
        CredentialKind::ClientSecret { tenant_id: TENANT.into(), client_id: "app".into(), secret: "".into() };
    for kind in [missing, empty] {
        let service = BoxService::new(Script::default().service());
        let error = credential(CredentialConfig::public(kind), service).unwrap_err();
        assert!(matches!(error, CredentialError::Setup(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_federated_token_is_read_from_its_file() {
    let script = Script::default().answer("200", TOKEN);
    let kind = CredentialKind::WorkloadIdentity {
        tenant_id: TENANT.into(),
        client_id: "app".into(),
        // Any file will do for what the SDK reads from it.
        token_file: concat!(env!("CARGO_MANIFEST_DIR"), "/src/azure/mod.rs").into(),
    };
    let credential = credential_at(CredentialConfig::PUBLIC_AUTHORITY, kind, &script);
    credential.get_token(&["scope/.default"], None).await.unwrap();
    let request = &script.requests()[0];
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains("client_assertion=%2F%2F%21+Credentials+of+Entra"), "{body}");
}

/// A script has one answer: a second request by the SDK would panic.
#[tokio::test(start_paused = true)]
async fn the_sdk_does_not_retry() {
    let managed = || CredentialKind::ManagedIdentity { client_id: None };
    let refused = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    for kind in [secret(), managed()] {
        for script in [
            Script::default().answer("503 Retry-After=1", "{}"),
            Script::default().answer("429", "{}"),
            Script::default().answer("404", "{}"),
            Script::default().error(refused()),
            Script::default().error(Unsent::new(refused())),
        ] {
            let started = tokio::time::Instant::now();
            let credential = credential_at(CredentialConfig::PUBLIC_AUTHORITY, kind.clone(), &script);
            let error = credential.get_token(&["scope/.default"], None).await.unwrap_err();
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            assert_eq!(script.sent().len(), 1);
            assert!(started.elapsed() < Duration::from_secs(1));
        }
    }
}

#[tokio::test]
async fn plain_addresses_are_for_this_machine_and_instance_metadata() {
    use azure_core::http::HttpClient as _;

    for (url, allowed) in [
        ("https://vault.example/secrets/a?api-version=7.4", true),
        ("http://127.0.0.1:7070/x", true),
        ("http://169.254.169.254/metadata/identity/oauth2/token?resource=x", true),
        ("http://vault.example/secrets/a", false),
        ("http://10.0.0.1/", false),
    ] {
        let script = Script::default().answer("200", "");
        let client = HttpClient::new(BoxService::new(script.service()), "test");
        let request = Request::new(Url::parse(url).unwrap(), Method::Get);
        assert_eq!(client.execute_request(&request).await.is_ok(), allowed, "{url}");
        assert_eq!(script.requests().len(), usize::from(allowed), "{url}");
        for request in &script.requests() {
            assert_eq!(request.uri(), url);
            assert_eq!(FabricClassify.effect(request), Effect::Read);
        }
    }
}

/// As where a layer does not keep to the deadline it is told.
#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_come_in_time_is_told_as_one_that_may_come() {
    let silent = tower::service_fn(|_: crate::Request| std::future::pending());
    let credential = credential(CredentialConfig::public(secret()), BoxService::new(silent)).unwrap();
    let error = credential.get_token(&["scope/.default"], None).await.unwrap_err();
    assert_eq!(error.to_string(), "no token within 90.0s");
    assert!(crate::layer::AuthError::token(error).may_pass());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_a_service_asked_for_is_told_as_its_answer_and_not_as_silence() {
    let gates = Gates::new("test", GateConfig::default()).unwrap();
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(60)).unwrap())
        .layer(GateLayer::new(gates, FabricClassify))
        .service_fn(|_: crate::Request| async {
            let busy = http::Response::builder().status(429).header("retry-after", "300");
            Ok::<_, BoxError>(busy.body(bytes::Bytes::new()).unwrap())
        });
    let client = HttpClient::new(BoxService::new(stack), "vault");
    let request = Request::new(Url::parse("https://vault.example/secrets/one").unwrap(), Method::Get);
    let answer = azure_core::http::HttpClient::execute_request(&client, &request).await.unwrap();
    assert_eq!(u16::from(answer.status()), 429);
    let error = azure_core::http::HttpClient::execute_request(&client, &request).await.unwrap_err();
    assert_eq!(error.http_status().map(u16::from), Some(429), "{error:?}");
}
