//! A client of the Azure SDK, such as Key Vault's or Blob Storage's would be, over the stack.

use std::sync::Arc;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, Context, Method, Pipeline, Request, RetryOptions, Transport, Url};
use selvedge::stack::{StackConfig, stacks};
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_emulator::Emulator;
use tokio::time::Instant;

use super::world::{World, arrivals, shipped};

/// The pipeline of a service called `name`, with the SDK's retries off.
fn pipeline(name: &'static str, config: &StackConfig, emulator: &Emulator) -> Pipeline {
    let service = stacks(name, config, None, emulator.service()).unwrap().forward;
    let options = ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::new(HttpClient::new(service, name)))),
        ..ClientOptions::default()
    };
    Pipeline::new(Some("test"), Some("1.0.0"), options, Vec::new(), Vec::new(), None)
}

async fn send(pipeline: &Pipeline, method: Method) -> azure_core::Result<u16> {
    let url = Url::parse("https://vault.example/secrets/one?api-version=7.6").unwrap();
    let mut request = Request::new(url, method);
    request.set_body("{}");
    let answer = pipeline.send(&Context::new(), &mut request, None).await?;
    Ok(answer.status().into())
}

#[tokio::test(start_paused = true)]
async fn pitfall_2_a_client_of_the_sdk_sends_each_request_as_often_as_the_stack_says() {
    for fault in ["503,retry-after=1", "500", "408", "reset"] {
        for (method, with_retry) in [
            (Method::Get, 3),
            (Method::Head, 3),
            (Method::Put, 3),
            (Method::Delete, 3),
            (Method::Post, 1),
            (Method::Patch, 1),
        ] {
            for retry in [false, true] {
                let world = World::new(&shipped(false, false));
                let vault = pipeline("vault", &shipped(retry, false), &world.emulator);
                world.inject(&format!("* */secrets/*={fault}"));
                let error = send(&vault, method).await.unwrap_err();
                let seen = arrivals(&world.emulator, method.as_ref(), "/secrets/one");
                assert_eq!(seen, if retry { with_retry } else { 1 }, "{fault} {method:?}: {error:?}");
                assert_eq!(world.emulator.requests().len(), seen, "and nothing else arrives");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_the_gate_of_its_service_alone() {
    let world = World::new(&shipped(false, false));
    world.list().await.unwrap();
    let [vault, blob] = ["vault", "blob"].map(|name| pipeline(name, &shipped(false, false), &world.emulator));
    world.inject("GET */secrets/*=429,retry-after=30,times=1");
    world.inject("GET */secrets/*=503,times=3");
    let started = Instant::now();
    let error = send(&vault, Method::Get).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::HttpResponse { status, .. } if *status == 429), "{error:?}");
    send(&blob, Method::Get).await.unwrap_err();
    world.list().await.unwrap();
    world.token().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    // Whoever else asks the vault waits, and all of them together.
    let (one, two) = tokio::join!(send(&vault, Method::Get), send(&vault, Method::Get));
    assert!(one.is_err() && two.is_err());
    assert!((30..31).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(arrivals(&world.emulator, "GET", "/secrets/one"), 4);
}

#[tokio::test(start_paused = true)]
async fn pitfall_18_a_failing_vault_opens_its_breaker_alone() {
    let world = World::new(&shipped(false, true));
    let [vault, blob] = ["vault", "blob"].map(|name| pipeline(name, &shipped(false, true), &world.emulator));
    world.inject("GET */secrets/*=503,times=5");
    for _ in 0..6 {
        send(&vault, Method::Get).await.unwrap_err();
    }
    assert_eq!(arrivals(&world.emulator, "GET", "/secrets/one"), 5, "it is open");
    // The vault wants a token: a 401 is an answer.
    let error = send(&blob, Method::Get).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::HttpResponse { status, .. } if *status == 401), "{error:?}");
    world.list().await.unwrap();
}
