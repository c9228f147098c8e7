//! Faults on the routes of a vault: in its words, with its effects, and on the wire.

use std::io;
use std::time::Duration;

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use super::{caller, client, emulator, of, path, refusal, set};
use crate::support::{Client, send};

#[tokio::test]
async fn injected_errors_are_a_vaults() {
    let client = client().await;
    set(&client, "a", "v").await;
    let cases = [
        ("400", (400, "BadParameter", "")),
        ("401", (401, "Unauthorized", "")),
        ("token-expired,times=1", (401, "Unauthorized", "")),
        ("403", (403, "Forbidden", "ForbiddenByRbac")),
        ("403,code=AccessDenied", (403, "Forbidden", "AccessDenied")),
        ("404", (404, "SecretNotFound", "")),
        ("409", (409, "Conflict", "ObjectIsBeingDeleted")),
        ("429,retry-after=7", (429, "Throttled", "")),
        ("500", (500, "InternalServerError", "")),
        ("503,code=Busy", (503, "Busy", "")),
        ("403,body=no-code", (403, "", "")),
    ];
    for (fault, expected) in cases {
        client.emulator.clear_faults();
        client.emulator.inject(format!("GET */secrets/*={fault}").parse().unwrap());
        let answer = client.get(&path("a")).await;
        assert_eq!(refusal(&answer), expected, "{fault}");
        assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401, "{fault}");
        assert_eq!(answer.header("x-ms-keyvault-region"), Some("westeurope"), "{fault}");
        assert_eq!(answer.header("retry-after"), (answer.status == 429).then_some("7"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_can_be_slow_gone_silent_or_throttled() {
    let client = client().await;
    set(&client, "a", "v").await;
    client.emulator.inject("GET */secrets/*=latency:30s,times=1".parse().unwrap());
    let start = tokio::time::Instant::now();
    assert_eq!(client.get(&path("a")).await.status, 200);
    assert_eq!(start.elapsed(), Duration::from_secs(30));

    for (fault, kind) in [
        ("reset", io::ErrorKind::ConnectionReset),
        ("garbage", io::ErrorKind::InvalidData),
        ("cut:10", io::ErrorKind::UnexpectedEof),
    ] {
        client.emulator.inject(format!("GET */secrets/*={fault},times=1").parse().unwrap());
        let error = client.try_send("GET", &path("a"), Value::Null).await.unwrap_err();
        assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), kind, "{fault}");
    }
    client.emulator.inject("GET */secrets/*=silence,times=1".parse().unwrap());
    let unanswered = tokio::time::timeout(Duration::from_secs(600), client.get(&path("a"))).await;
    assert!(unanswered.is_err());

    client.emulator.inject("GET */secrets/*=throttle:30s,times=1".parse().unwrap());
    for _ in 0..2 {
        let refused = client.get(&path("a")).await;
        assert_eq!((refusal(&refused), refused.header("retry-after")), ((429, "Throttled", ""), Some("30")));
    }
    client.emulator.advance(Duration::from_secs(30));
    assert_eq!(client.get(&path("a")).await.status, 200);
}

#[tokio::test]
async fn a_write_can_come_twice_late_or_unseen() {
    let client = client().await;
    let versions = async |client: &Client| {
        let page = client.get("/secrets/a/versions?api-version=7.6").await;
        page.json["value"].as_array().map_or(0, Vec::len)
    };
    client.emulator.inject("PUT */secrets/*=twice,times=1".parse().unwrap());
    set(&client, "a", "v").await;
    assert_eq!(versions(&client).await, 2);
    client.emulator.inject("PUT */secrets/*=effect+503,times=1".parse().unwrap());
    assert_eq!(client.send("PUT", &path("a"), json!({"value": "w"})).await.status, 503);
    assert_eq!(versions(&client).await, 3);
    client.emulator.inject("PUT */secrets/*=late:30s+504,times=1".parse().unwrap());
    assert_eq!(client.send("PUT", &path("a"), json!({"value": "x"})).await.status, 504);
    assert_eq!(versions(&client).await, 3);
    client.emulator.advance(Duration::from_secs(30));
    assert_eq!(versions(&client).await, 4);

    client.emulator.inject("GET */secrets/*=lag:10s".parse().unwrap());
    set(&client, "a", "y").await;
    assert_eq!(versions(&client).await, 4);
    client.emulator.advance(Duration::from_secs(10));
    assert_eq!(versions(&client).await, 5);
}

#[tokio::test]
async fn a_challenge_can_name_another_resource() {
    let emulator = emulator(Config::default());
    emulator.inject("GET */secrets/*=challenge:https://vault.azure.net.elsewhere.example".parse().unwrap());
    let answer = send(&emulator, "GET", &of("roles", "secrets/known"), &[], "").await.unwrap();
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.ends_with(", resource=\"https://vault.azure.net.elsewhere.example\"")
            && challenge.starts_with("Bearer authorization=\"https://login.microsoftonline.com/"),
        "{challenge}"
    );
    let client = caller(&emulator).await;
    assert_eq!(client.get(&of("roles", "secrets/known")).await.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_request_can_be_sent_elsewhere_whether_it_took_effect_or_not() {
    let client = client().await;
    for (fault, there) in
        [("redirect:https://elsewhere.example/", 404), ("effect+redirect:http://127.0.0.1:1", 200)]
    {
        client.emulator.inject(format!("PUT */secrets/*={fault},times=1").parse().unwrap());
        let answer = client.send("PUT", &path("a/"), json!({"value": "v"})).await;
        let address = fault.split_once("redirect:").unwrap().1.trim_end_matches('/');
        assert_eq!((answer.status, answer.text.as_str()), (307, ""));
        assert_eq!(answer.header("location"), Some(format!("{address}{}", path("a/")).as_str()));
        assert_eq!(client.get(&path("a")).await.status, there, "{fault}");
    }
}

#[tokio::test]
async fn the_next_page_can_lie_elsewhere_or_be_lost() {
    let client = client().await;
    for name in ["a", "b", "c"] {
        set(&client, name, "v").await;
    }
    let first = client.get("/secrets?api-version=7.6&maxresults=1").await;
    let own = first.json["nextLink"].as_str().unwrap().to_owned();
    client.emulator.inject("GET */secrets=foreign-continuation,times=1".parse().unwrap());
    let foreign = client.get("/secrets?api-version=7.6&maxresults=1").await;
    let next = foreign.json["nextLink"].as_str().unwrap();
    assert_eq!(next, own.replace("http://localhost:8080", "https://elsewhere.example"));
    client.emulator.inject("GET */secrets=continuation-rejected,times=1".parse().unwrap());
    assert_eq!(client.get("/secrets?api-version=7.6").await.status, 200);
    assert_eq!(client.get(&own).await.status, 400);
    assert_eq!(client.get(&own).await.status, 200);
}

/// Chaos is about what a deployment does, not about how it gets its secrets.
#[tokio::test]
async fn chaos_leaves_vaults_alone() {
    let emulator = emulator(Config { chaos: Some("42,rate=1".parse().unwrap()), ..Config::default() });
    let client = caller(&emulator).await;
    for _ in 0..20 {
        assert_eq!(client.get(&of("roles", "secrets/known")).await.status, 200);
    }
    let hit = emulator.requests().iter().filter(|request| request.fault.is_some()).count();
    assert_eq!(hit, 0);
}
