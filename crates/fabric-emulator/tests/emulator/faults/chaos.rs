//! Faults by a seeded schedule: the same in every run.

use std::collections::BTreeSet;

use selvedge_fabric_emulator::{Action, Chaos, Config, demo};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::raw::{Server, new_item};
use crate::support::{Client, send};

/// What the log says of a request, without ids: those differ from run to run.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    route: String,
    status: Option<u16>,
    fault: Option<String>,
}

const REQUESTS: usize = 150;

/// Sends a fixed row of requests, whatever they are answered; `faults` are asked for by the requests themselves.
async fn run(chaos: Option<Chaos>, faults: &[Option<String>]) -> Vec<Seen> {
    let client = Client::demo(Config { chaos, ..Config::default() }).await;
    let id = Uuid::new_v4();
    let workspace = json!({"id": id, "displayName": "W", "capacityId": demo::CAPACITY_ID});
    client.emulator.seed(&json!({"workspaces": [workspace]})).unwrap();
    client.emulator.clear_requests();
    let items = format!("/v1/workspaces/{id}/items");
    for number in 0..REQUESTS {
        let (method, path, body) = match number % 5 {
            0 => ("POST", items.clone(), new_item("Notebook", &format!("n{number}")).to_string()),
            1 => ("GET", items.clone(), String::new()),
            2 => ("GET", format!("{items}/{}", Uuid::new_v4()), String::new()),
            3 => ("GET", format!("/v1/operations/{}", Uuid::new_v4()), String::new()),
            _ => (
                "POST",
                "/v1/workspaces".to_owned(),
                json!({"displayName": format!("w{number}")}).to_string(),
            ),
        };
        let authorization = format!("Bearer {}", client.token);
        let mut headers = vec![("authorization", authorization.as_str())];
        headers
            .extend(faults.get(number).and_then(Option::as_deref).map(|fault| ("x-emulator-fault", fault)));
        drop(send(&client.emulator, method, &path, &headers, &body).await);
    }
    let requests = client.emulator.requests().into_iter();
    let seen = requests.map(|request| Seen {
        route: format!("{} {}", request.method, without_ids(&request.path)),
        status: request.status,
        fault: request.fault,
    });
    seen.collect()
}

fn without_ids(path: &str) -> String {
    let parts = path.split('/').map(|part| if Uuid::parse_str(part).is_ok() { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn faults(run: &[Seen]) -> Vec<Option<String>> {
    run.iter().map(|seen| seen.fault.clone()).collect()
}

fn hits(run: &[Seen]) -> usize {
    run.iter().filter(|seen| seen.fault.is_some()).count()
}

/// Without what outlives its request: a token that has expired would hide the rest.
fn chaos(seed: u64, rate: f64) -> Chaos {
    let mut chaos = Chaos { rate, ..Chaos::new(seed) };
    chaos.actions.retain(|action| !matches!(action, Action::TokenExpired | Action::Latency(_)));
    chaos
}

#[tokio::test]
async fn the_same_seed_is_the_same_run() {
    let first = run(Some(chaos(42, 0.3)), &[]).await;
    assert_eq!(first, run(Some(chaos(42, 0.3)), &[]).await);
    assert!((20..70).contains(&hits(&first)), "{} of 150 at a rate of 0.3", hits(&first));
    let kinds: BTreeSet<_> = faults(&first).into_iter().flatten().collect();
    assert!(kinds.len() >= 10, "{kinds:?}");
    let other = run(Some(chaos(43, 0.3)), &[]).await;
    assert_ne!(faults(&first), faults(&other), "another seed is another run");
    for (rate, expected) in [(0.0, 0), (1.0, REQUESTS)] {
        assert_eq!(hits(&run(Some(chaos(42, rate)), &[]).await), expected, "{rate}");
    }
}

#[tokio::test]
async fn a_run_is_replayed_from_its_log() {
    let first = run(Some(chaos(7, 0.3)), &[]).await;
    assert_ne!(hits(&first), 0);
    assert_eq!(run(None, &faults(&first)).await, first);
}

#[tokio::test]
async fn routes_count_apart() {
    let chaos = Chaos { actions: vec!["503".parse().unwrap()], ..chaos(5, 0.5) };
    let mut both = run(Some(chaos.clone()), &[]).await;
    both.retain(|seen| seen.route == "GET /v1/operations/{id}");
    // The same route alone, without the requests in between.
    let client = Client::demo(Config { chaos: Some(chaos), ..Config::default() }).await;
    client.emulator.clear_requests();
    for _ in 0..both.len() {
        client.get(&format!("/v1/operations/{}", Uuid::new_v4())).await;
    }
    let alone: Vec<_> = client.emulator.requests().into_iter().map(|request| request.fault).collect();
    assert_eq!(alone, faults(&both));
    assert!((5..25).contains(&hits(&both)), "{both:?}");
}

#[tokio::test]
async fn it_is_started_and_ended_from_outside() {
    let server = Server::start().await;
    let status = async || server.get("/v1/workspaces").await.status;
    let start = async |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        send(&server.client.emulator, "POST", "/_emulator/chaos", &headers, body).await.unwrap()
    };
    assert_eq!(start("application/json", r#"{"seed": 1, "rate": 1, "actions": ["503"]}"#).await.status, 204);
    assert_eq!(status().await, 503);
    assert_eq!(server.hits(), ["503"]);
    server.inject("GET */workspaces=500,times=1");
    assert_eq!(status().await, 500, "a fault in force goes before it");
    server.send("DELETE", "/_emulator/chaos", Value::Null).await;
    assert_eq!(status().await, 200);
    assert_eq!(start("text/plain", "1,rate=0\n").await.status, 204);
    assert_eq!(status().await, 200);
    for (kind, body) in [
        ("text/plain", "soon"),
        ("text/plain", "1,rate=2"),
        ("text/plain", "1,often"),
        ("application/json", r#"{"seed": 1, "rate": -1}"#),
        ("application/json", r#"{"seed": 1, "actions": ["explode"]}"#),
        ("application/json", r#"{"seed": -1}"#),
    ] {
        assert_eq!(start(kind, body).await.status, 400, "{body}");
    }
    // Requests for tokens and the admin surface are left alone.
    start("text/plain", "1,rate=1").await;
    assert!(!Client::of(server.client.emulator.clone()).await.token.is_empty());
    assert_eq!(server.get("/_emulator/clock").await.status, 200);
}

#[test]
fn its_usual_faults_are_all_there() {
    let page = include_str!("../../../../../docs/emulator-faults.md");
    let actions = Chaos::new(1).actions;
    assert_eq!(actions.len(), 31);
    for action in actions {
        assert!(page.contains(&format!("`{action}`")), "`{action}` is not among the documented ones");
    }
}
