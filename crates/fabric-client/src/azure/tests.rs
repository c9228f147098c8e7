//! What the SDK sends, over scripted services.

use super::*;
use crate::{BoxService, FabricClassify, testing::Script};
use azure_core::http::{Method, Request, Url};
use selvedge_resilience::deadline::DeadlineLayer;
use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
use selvedge_resilience::{Classify as _, Effect};
use std::time::Duration;
use tower::{BoxError, ServiceBuilder};

#[tokio::test]
async fn plain_addresses_are_for_this_machine_and_instance_metadata() {
    use azure_core::http::HttpClient as _;

    for (url, allowed) in [
        ("https://vault.example/secrets/a?api-version=7.4", true),
        ("http://127.0.0.1:7070/x", true),
        ("http://169.254.169.254/metadata/identity/oauth2/token?resource=x", true),
        ("http://169.254.130.2:8081/msi/token?resource=x", true),
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

#[tokio::test]
async fn a_request_for_a_token_may_be_sent_again() {
    use azure_core::http::HttpClient as _;

    let client: fn(BoxService) -> HttpClient = |service| HttpClient::new(service, "test");
    for (client, effect) in [(client, Effect::Once), (HttpClient::tokens, Effect::Read)] {
        let script = Script::default().answer("200", "");
        let request = Request::new(Url::parse("https://login.example/token").unwrap(), Method::Post);
        client(BoxService::new(script.service())).execute_request(&request).await.unwrap();
        assert_eq!(FabricClassify.effect(&script.requests()[0]), effect);
    }
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
