//! Tokens go through a stack of their own, which counts every request and shares no trouble with Fabric's.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selvedge::stack::stacks;
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::{BoxService, Client, ErrorKind, Request, workspaces};
use selvedge_fabric_emulator::demo;
use selvedge_resilience::breaker::BreakerOpen;
use selvedge_resilience::deadline::Deadline;
use selvedge_resilience::find_cause;
use selvedge_resilience::gate::Paused;
use selvedge_resilience::retry::Retried;
use selvedge_secrets::identity::{Choice, Identity, IdentityConfig};
use serde_json::json;
use tokio::time::Instant;
use tower::{Service as _, service_fn};

use super::world::{HOST, SCOPE, World, application, arrivals, secret, shipped, tenant};

/// What a platform says of the demo's application, signed by nobody.
pub(crate) fn assertion() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "typ": "JWT", "kid": "github"}));
    let claims = part(json!({
        "iss": demo::GITHUB_ISSUER,
        "sub": demo::GITHUB_SUBJECT,
        "aud": "api://AzureADTokenExchange",
        "nbf": now - 60,
        "exp": now + 3600,
    }));
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode("signature"))
}

/// An application with an assertion in a file, as GitHub Actions and Kubernetes have it.
fn workload() -> (IdentityConfig, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(assertion().as_bytes()).unwrap();
    (IdentityConfig { federated_token_file: Some(file.path().to_owned()), ..application() }, file)
}

#[tokio::test(start_paused = true)]
async fn pitfall_2_a_failing_token_endpoint_sees_our_attempts_and_no_others() {
    let (workload, _file) = workload();
    for identity in [secret(), workload] {
        let healthy = World::of(tenant(), &shipped(true, true), identity.clone());
        healthy.token().await.unwrap();
        assert_eq!(arrivals(&healthy.emulator, "POST", "/token"), 1);

        for (fault, expected) in [("503", 3), ("429", 3), ("500", 3), ("reset", 3), ("cut:5", 3), ("400", 1)]
        {
            for retry in [false, true] {
                let world = World::of(tenant(), &shipped(retry, true), identity.clone());
                world.inject(&format!("POST */token={fault}"));
                let expected = if retry { expected } else { 1 };
                let error = world.token().await.unwrap_err();
                assert_eq!(arrivals(&world.emulator, "POST", "/token"), expected, "{fault} {identity:?}");
                if let Some(retried) = find_cause::<Retried>(&error) {
                    assert_eq!(retried.attempts().count as usize, expected, "{fault}");
                } else {
                    assert!(!retry || !["reset", "cut:5"].contains(&fault), "{error:?}");
                }

                // Fabric's retries do not multiply with Entra's.
                let world = World::of(tenant(), &shipped(retry, true), identity.clone());
                world.inject(&format!("POST */token={fault}"));
                let error = world.list().await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Auth(_)), "{error:?}");
                assert_eq!(arrivals(&world.emulator, "POST", "/token"), expected, "{fault} {identity:?}");
                assert_eq!(world.emulator.requests().len(), expected, "nothing reaches Fabric");
            }
        }
    }
}

/// The SDK insists on six retries of its own for the instance metadata service, 404 and 410 among them.
#[tokio::test(start_paused = true)]
async fn pitfall_2_instance_metadata_sees_our_attempts_and_no_others() {
    for (fault, expected) in [("503", 3), ("429", 3), ("reset", 3), ("404", 1), ("410", 1)] {
        for retry in [false, true] {
            let machine =
                IdentityConfig { choice: Choice::ManagedIdentity, client_id: None, ..application() };
            let world = World::of(tenant(), &shipped(retry, false), machine);
            world.inject(&format!("GET */metadata/identity/oauth2/token={fault}"));
            world.token().await.unwrap_err();
            let seen = arrivals(&world.emulator, "GET", "/metadata/identity/oauth2/token");
            assert_eq!(seen, if retry { expected } else { 1 }, "{fault}");
            assert_eq!(world.emulator.requests().len(), seen);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_18_trouble_at_entra_opens_entras_breaker_and_not_fabrics() {
    let world = World::new(&shipped(false, true));
    world.list().await.unwrap();
    world.inject("POST */token=503");
    for _ in 0..5 {
        let error = world.token().await.unwrap_err();
        assert!(find_cause::<BreakerOpen>(&error).is_none(), "{error:?}");
    }
    let error = world.token().await.unwrap_err();
    assert!(find_cause::<BreakerOpen>(&error).is_some(), "{error:?}");
    assert_eq!(arrivals(&world.emulator, "POST", "/token"), 1 + 5);
    // With the token that it has.
    world.list().await.unwrap();
    assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), 2);
}

#[tokio::test(start_paused = true)]
async fn pitfall_18_trouble_at_fabric_opens_fabrics_breaker_and_not_entras() {
    let world = World::new(&shipped(false, true));
    world.inject("GET */workspaces=503");
    for _ in 0..6 {
        world.list().await.unwrap_err();
    }
    assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), 5, "it is open");
    world.token().await.unwrap();

    // A token that cannot be had says nothing about Fabric.
    let world = World::new(&shipped(false, true));
    world.inject("POST */token=503,times=5");
    for _ in 0..6 {
        world.list().await.unwrap_err();
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.list().await.unwrap();
    assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_entra_asks_for_holds_nobody_else_and_the_other_way_round() {
    let world = World::new(&shipped(false, false));
    world.list().await.unwrap();
    world.inject("POST */token=429,retry-after=40,times=1");
    let started = Instant::now();
    world.token().await.unwrap_err();
    world.list().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    world.token().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(40), "{:?}", started.elapsed());

    world.inject("GET */workspaces=429,retry-after=40,times=1");
    let started = Instant::now();
    world.list().await.unwrap_err();
    world.token().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    world.list().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(40), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn pitfall_14_a_hanging_token_endpoint_ends_with_the_deadline_of_the_call() {
    for retry in [false, true] {
        // A call with less time than the credential gives itself, and than one attempt is given.
        let mut hurried = shipped(retry, true);
        hurried.call_deadline = Duration::from_secs(20);
        let world = World::new(&shipped(retry, true)).with_fabric(&hurried);
        world.inject("POST */token=silence");
        let started = Instant::now();
        let error = world.list().await.unwrap_err();
        assert!((19..=20).contains(&started.elapsed().as_secs()), "{:?} {error:?}", started.elapsed());
        assert_eq!(arrivals(&world.emulator, "POST", "/token"), 1);
        // Whoever asks next is not kept waiting by it.
        world.emulator.clear_faults();
        let started = Instant::now();
        world.list().await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

/// The 90 s that a credential gives itself are the layers' deadline too: no pause goes past them.
#[tokio::test(start_paused = true)]
async fn pitfall_11_a_pause_longer_than_a_token_is_waited_for_fails_at_once() {
    for retry in [false, true] {
        let world = World::new(&shipped(retry, false));
        world.inject("POST */token=429,retry-after=120,times=1");
        let started = Instant::now();
        world.token().await.unwrap_err();
        // Nor does whoever comes next stand at the gate in vain.
        let error = world.token().await.unwrap_err();
        assert!(find_cause::<Paused>(&error).is_some(), "{error:?}");
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        assert_eq!(arrivals(&world.emulator, "POST", "/token"), 1);
        tokio::time::sleep(Duration::from_secs(120)).await;
        world.token().await.unwrap();
    }
}

/// What the call has left is known at the very bottom of Entra's stack, through everything of the SDK's.
#[tokio::test(start_paused = true)]
async fn pitfall_14_the_remaining_time_is_passed_down_through_the_sdk() {
    let emulator = tenant();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let transport = {
        let (seen, mut service) = (Arc::clone(&seen), emulator.service());
        service_fn(move |request: Request| {
            seen.lock().unwrap().push(Deadline::current().map(Deadline::remaining));
            service.call(request)
        })
    };
    let mut config = shipped(true, true);
    config.attempt_timeout = Duration::from_secs(8);
    let entra = stacks("entra", &config.clone().for_tokens(), None, transport).unwrap().forward;
    let credential = Arc::new(Identity::new(secret(), Arc::new(HttpClient::tokens(entra))).unwrap());
    config.call_deadline = Duration::from_secs(20);
    let base = BaseUri::new(&format!("{HOST}/v1")).unwrap();
    let auth = Auth::new(credential, SCOPE, base.clone());
    let fabric: BoxService =
        stacks("fabric", &config, Some((auth, base)), emulator.service()).unwrap().forward;
    emulator.inject("POST */token=silence".parse().unwrap());
    let started = Instant::now();
    Client::new(fabric).list_all(workspaces::list()).await.unwrap_err();
    // 8 s, a pause of 2 to 2.5 s, 8 s; a pause of 4 s more would leave less than an attempt needs.
    assert!((18..=20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let seen: Vec<u64> = seen.lock().unwrap().iter().map(|left| left.unwrap().as_secs()).collect();
    assert!(matches!(seen[..], [19..=20, 9..=10]), "{seen:?}");
}
