//! Snapshots: all of a tenant, put back here or elsewhere, or refused whole.

mod rich;

use std::time::Duration;

use proptest::prelude::*;
use selvedge_fabric_emulator::{Config, Emulator, LongRunning, Quotas, Snapshot, demo};
use serde_json::{Value, json};

use crate::support::{Answer, Client};
use rich::{answers, set};

const SNAPSHOT: &str = "/_emulator/snapshot";

async fn taken(client: &Client) -> String {
    let answer = client.get(SNAPSHOT).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json; charset=utf-8"))
    );
    answer.text
}

async fn put(client: &Client, text: &str) -> Answer {
    crate::support::send(&client.emulator, "PUT", SNAPSHOT, &[], text).await.unwrap()
}

fn operation_ids(snapshot: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(snapshot).unwrap();
    json["operations"].as_object().unwrap().keys().cloned().collect()
}

/// A snapshot of the tenant makes the same one in another emulator.
pub(crate) fn check_restored(emulator: &Emulator) {
    let text = serde_json::to_vec(&emulator.snapshot().unwrap()).unwrap();
    let other = Emulator::new(Config::default());
    other.restore(&Snapshot::from_json(&text).unwrap());
    assert_eq!(other.inventory(), emulator.inventory());
    assert_eq!(serde_json::to_vec(&other.snapshot().unwrap()).unwrap(), text);
}

#[tokio::test]
async fn all_that_can_be_read_is_the_same_in_another_emulator() {
    let client = rich::tenant().await;
    let text = taken(&client).await;
    let other = rich::other();
    other.restore(&Snapshot::from_json(text.as_bytes()).unwrap());
    let other = Client::of(other).await;
    assert_eq!((other.emulator.now(), taken(&other).await), (client.emulator.now(), text.clone()));
    assert_eq!(other.emulator.inventory(), client.emulator.inventory());
    let (expected, found) =
        (answers(&client, &operation_ids(&text)).await, answers(&other, &operation_ids(&text)).await);
    for (request, answer) in &expected {
        assert_eq!(found.get(request), Some(answer), "{request}");
    }
    assert_eq!(found.len(), expected.len());
    let failed = expected.values().filter(|(_, json)| json["status"] == "Failed").count();
    assert!(failed >= 2, "of an operation and a deployment");
}

/// The path of the entry with that name in a list.
async fn named(client: &Client, list: &str, name: &str) -> String {
    let entries = client.get(list).await.json["value"].clone();
    let entry = entries.as_array().unwrap().iter().find(|entry| entry["displayName"] == name).unwrap();
    format!("{list}/{}", entry["id"].as_str().unwrap())
}

/// What changes by itself in the rich tenant.
async fn changing(client: &Client) -> Value {
    let dev = named(client, "/v1/workspaces", "Dev").await;
    let endpoints = client.get(&format!("{dev}/sqlEndpoints")).await.json["value"].as_array().unwrap().len();
    let environment = client.get(&named(client, &format!("{dev}/environments"), "env").await).await;
    let job = named(client, &format!("{dev}/items"), "Notebook that runs").await;
    let runs = client.get(&format!("{job}/jobs/instances")).await.json["value"].clone();
    let runs: Vec<&Value> = runs.as_array().unwrap().iter().map(|run| &run["status"]).collect();
    let moving = named(client, "/v1/workspaces", "Moving").await;
    let spark = client.get(&format!("{moving}/spark/settings")).await.status;
    let gone = json!({"type": "Notebook", "displayName": "gone"});
    let gone = client.post(&format!("{dev}/items"), gone).await;
    json!([endpoints, environment.json["properties"]["publishDetails"]["state"], runs, spark, gone.status])
}

#[tokio::test]
async fn what_is_to_come_comes_at_the_same_time() {
    let client = rich::tenant().await;
    let other = rich::other();
    other.restore(&Snapshot::from_json(taken(&client).await.as_bytes()).unwrap());
    let other = Client::of(other).await;
    let both = [client, other];
    let mut seen = Vec::new();
    let nearly = Duration::from_millis(1);
    let mut now = Duration::ZERO;
    for at in [rich::CHILD, rich::JOB, rich::PUBLISH, rich::ASSIGNMENT, rich::RESERVED] {
        for at in [at - nearly, at] {
            both.iter().for_each(|client| client.emulator.advance(at - now));
            now = at;
            let states = [changing(&both[0]).await, changing(&both[1]).await];
            assert_eq!(states[0], states[1], "after {now:?}");
            seen.push(states[0].clone());
            assert_eq!(both[0].hash(), both[1].hash(), "after {now:?}");
        }
        let [.., before, after] = seen.as_slice() else { panic!() };
        assert_ne!(before, after, "at {now:?}");
    }
}

#[tokio::test]
async fn in_its_own_emulator_tokens_settings_and_faults_stay() {
    let config = Config { long_running: LongRunning::Never, ..rich::config() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let start = client.get("/_emulator/clock").await.text;
    let (text, hash) = (taken(&client).await, client.hash());
    client.emulator.advance(Duration::from_secs(60));
    client.item(&workspace, "Notebook", "n").await;
    client.emulator.resume();
    set(&client, json!({"pageSize": 7})).await;
    client.emulator.inject("GET */capacities=503".parse().unwrap());
    let answer = put(&client, &text).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!((client.get("/_emulator/clock").await.text, client.hash()), (start, hash));
    assert_eq!(client.get(&workspace).await.status, 200);
    assert_eq!(client.get("/v1/capacities").await.status, 503);
    assert_eq!(client.get("/_emulator/settings").await.json["pageSize"], 7);
    // The beginning is not what was restored but what it was.
    client.send("POST", "/_emulator/reset", Value::Null).await;
    assert_eq!(client.emulator.inventory().world["workspaces"], json!([]));

    // Elsewhere nobody knows the token, and the secret that is in the snapshot gets another.
    let elsewhere = Emulator::new(Config { client_secret: "another".to_owned(), ..Config::default() });
    elsewhere.restore(&Snapshot::from_json(text.as_bytes()).unwrap());
    let unknown = Client { emulator: elsewhere.clone(), token: client.token.clone() };
    assert_eq!(unknown.get(&workspace).await.code(), "Unauthorized");
    assert_eq!(Client::of(elsewhere).await.get(&workspace).await.status, 200);
}

#[tokio::test]
async fn nothing_of_the_tenant_before_is_left() {
    let quotas = Quotas { operations: Some(1), ..Quotas::default() };
    let operation_duration = Duration::from_secs(10);
    let client = Client::demo(Config { quotas, operation_duration, ..Config::default() }).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let (text, hash) = (taken(&client).await, client.hash());
    client.emulator.advance(Duration::from_secs(100));
    let body = json!({"type": "Lakehouse", "displayName": "l"});
    assert_eq!(client.post(&format!("{workspace}/items"), body).await.status, 201);
    client.emulator.inject("GET */items=lag:1h".parse().unwrap());
    let accepted =
        client.post(&format!("{workspace}/items"), json!({"type": "Notebook", "displayName": "n"})).await;
    let operation = format!("/v1/operations/{}", accepted.header("x-ms-operation-id").unwrap());
    assert_eq!(client.get(&operation).await.status, 200);
    assert_eq!(client.get(&operation).await.status, 429);
    assert_eq!(put(&client, &text).await.status, 204);
    // What was counted and what ran is forgotten, and who looks back an hour sees nothing of the other tenant either.
    assert_eq!(client.get(&operation).await.code(), "OperationNotFound");
    client.emulator.advance(Duration::from_secs(200));
    assert_eq!(client.get(&format!("{workspace}/items")).await.json["value"], json!([]));
    client.emulator.clear_faults();
    assert_eq!(client.hash(), hash);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_is_never_behind_the_machine() {
    let client = Client::demo(Config::default()).await;
    client.emulator.advance(Duration::from_secs(3600));
    let ahead = client.emulator.now();
    let mut json: Value = serde_json::from_str(&taken(&client).await).unwrap();
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(put(&client, &json.to_string()).await.status, 204);
    assert_eq!(client.emulator.now(), ahead);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(client.emulator.now() - ahead, Duration::from_secs(5));
    json["world"]["now"] = "2001-02-03T04:05:06Z".into();
    let machine = Emulator::new(Config::default()).now();
    assert_eq!(put(&client, &json.to_string()).await.status, 204);
    assert!(client.emulator.now() >= machine);
    json["frozen"] = true.into();
    assert_eq!(put(&client, &json.to_string()).await.status, 204);
    assert_eq!(client.get("/_emulator/clock").await.json["now"], "2001-02-03T04:05:06.0000000Z");
}

#[tokio::test]
async fn none_is_taken_while_something_is_under_way() {
    let config = Config { operation_duration: Duration::from_millis(1500), ..Config::default() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let body = json!({"type": "Notebook", "displayName": "n"});
    let accepted = client.post(&format!("{workspace}/items"), body).await;
    let id = accepted.header("x-ms-operation-id").unwrap();
    let refused = client.get(SNAPSHOT).await;
    let expected = format!(
        "take a snapshot: operation {id} under way, for 2s yet; wait as long, or advance the clock by that"
    );
    assert_eq!((refused.status, &refused.json), (409, &json!({"error": expected})));
    let under_way = client.emulator.snapshot().unwrap_err();
    assert_eq!(under_way.ends_in(), Duration::from_millis(1500));
    client.emulator.advance(under_way.ends_in());
    let text = taken(&client).await;
    // Whoever polls after a restore gets what there was to get.
    assert_eq!(put(&client, &text).await.status, 204);
    assert_eq!(client.finish(accepted).await.json["displayName"], "n");

    client.emulator.inject("POST */folders=late:1m+500".parse().unwrap());
    client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await;
    let refused = client.get(SNAPSHOT).await;
    assert!(refused.text.contains("take a snapshot: 1 late requests under way, for 1m yet;"), "{refused:?}");
    client.emulator.advance(Duration::from_secs(60));
    assert_eq!(client.get(SNAPSHOT).await.status, 200);
}

/// Places in the snapshot of the rich tenant, by what they are.
fn at<'a>(json: &'a mut Value, pointer: &str) -> &'a mut Value {
    json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

#[tokio::test]
async fn a_broken_one_is_refused_and_changes_nothing() {
    let client = rich::tenant().await;
    let text = taken(&client).await;
    let json: Value = serde_json::from_str(&text).unwrap();
    let copy = |from: &str| json.pointer(from).unwrap().clone();
    let nobody = json!(crate::support::NOBODY);
    let dev = "/world/workspaces/0";
    let principals = json["world"]["principals"].as_array().unwrap();
    let signer = principals.iter().position(|principal| principal["displayName"] == "Signer").unwrap();
    let certificate = format!("/world/principals/{signer}/certificates/0");
    let changes = [
        ("/formatVersion", json!(2), "formatVersion: version 2 of the format is not known, only 3 is"),
        ("/frozen", json!("yes"), "frozen: invalid type: string \"yes\", expected a boolean"),
        (
            "/world/now",
            json!("1969-12-31T23:59:59Z"),
            "world.now: is not a time between the years 1970 and 9999",
        ),
        ("/world/now", json!("9999-12-31T23:59:59-01:00"), "world.now: is not a time"),
        (
            "/world/workspaces/0/items/0/kind",
            json!("X"),
            "world.workspaces[0].items[0].kind: `X` is not a type of item",
        ),
        ("/world/workspaces/0/items/1/id", copy("/world/workspaces/0/items/0/id"), "world: the id "),
        ("/world/workspaces/0/items/0/folder", nobody.clone(), "world: workspaces[0]: the folder 0000"),
        ("/world/workspaces/0/items/0/parent", nobody.clone(), "world: workspaces[0]: the item 0000"),
        ("/world/workspaces/0/items/0/definition/parts/0/content", json!("§"), "content: Invalid symbol"),
        ("/world/workspaces/0/capacity", nobody.clone(), "world: workspaces[0]: the capacity 0000"),
        ("/world/workspaces/0/domain", nobody.clone(), "world: workspaces[0]: the domain 0000"),
        ("/world/workspaces/0/roles/0/principal", nobody.clone(), "world: workspaces[0]: the principal 0000"),
        (
            "/world/workspaces/0/folders/1/parent",
            copy("/world/workspaces/0/folders/1/id"),
            "lies deeper than 10 levels",
        ),
        ("/world/workspaces/0/folders/1/parent", nobody.clone(), "world: workspaces[0]: the folder 0000"),
        (
            "/world/workspaces/0/folders/1",
            copy("/world/workspaces/0/folders/0"),
            "world: workspaces[0]: the id",
        ),
        ("/world/workspaces/1/displayName", json!("DEV"), "world: there are two workspaces `dev`"),
        ("/world/workspaces/0/reserved/0/kind", json!("Y"), "reserved[0].kind: `Y` is not a type of item"),
        ("/world/workspaces/0/spark/pools/0/nodeSize", json!("Tiny"), "`Tiny` is not a size of nodes"),
        (
            "/world/connections/0/credentials/kind",
            json!("Z"),
            "world.connections[0].credentials.kind: `Z` is not a type of",
        ),
        (&certificate, json!("x"), "certificates[0]: there is no certificate in it, as PEM"),
        ("/world/pipelines/0/stages/2/workspace", nobody.clone(), "world: the workspace 0000"),
        ("/world/vaults/1/name", json!("Emulator"), "world: there are two vaults `Emulator`"),
        (
            "/world/vaults/0/access/0/principal",
            nobody.clone(),
            "world: the principal 00000000-0000-4000-8000-000000000000 with access to the vault `emulator`",
        ),
        ("/world/vaults/0/access/0/permissions/0", json!("guess"), "unknown variant `guess`"),
        ("/world/vaults/1/secrets/0/name", json!("a_b"), "a secret without a name or a version"),
        ("/world/vaults/1/secrets/0/versions", json!([]), "a secret without a name or a version"),
        (
            "/world/vaults/1/deleted/0/secret/name",
            json!("KEPT"),
            "the vault `finance` has two secrets `KEPT`",
        ),
        ("/world/vaults/1/secrets/0/versions/0/created", json!("soon"), "created: the 'year' component"),
        ("/world/pipelines/0/deployments/0/steps/0/difference", json!("?"), "unknown variant `?`"),
    ];
    assert_eq!(at(&mut json.clone(), dev)["displayName"], "Dev");
    let before = taken(&client).await;
    let mut cases: Vec<(String, &str)> = changes
        .into_iter()
        .map(|(pointer, value, expected)| {
            let mut broken = json.clone();
            *at(&mut broken, pointer) = value;
            (broken.to_string(), expected)
        })
        .collect();
    let mut more = json.clone();
    more["extra"] = json!(1);
    cases.push((more.to_string(), "extra: unknown field `extra`"));
    cases.push(("{}".to_owned(), "missing field `formatVersion`"));
    cases.push((String::new(), "EOF while parsing"));
    cases.push((format!("{text} x"), "trailing characters"));
    for (broken, expected) in cases {
        let refused = put(&client, &broken).await;
        let error = refused.json["error"].as_str().unwrap_or_default();
        assert!(refused.status == 400 && error.starts_with("read the snapshot: "), "{expected}: {refused:?}");
        assert!(error.contains(expected), "{error}");
        assert_eq!(taken(&client).await, before, "{expected}");
    }
}

/// Every value in it that is no object and no list.
fn leaves(json: &Value, path: String, found: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, json)| leaves(json, format!("{path}/{}", name.replace('/', "~1")), found));
        }
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(at, json)| leaves(json, format!("{path}/{at}"), found));
        }
        _ => found.push(path),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_edited_nothing_breaks(edits in prop::collection::vec((any::<prop::sample::Index>(), 0..6u8, any::<prop::sample::Index>()), 40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = rich::tenant().await;
                    let text = taken(&client).await;
            let json: Value = serde_json::from_str(&text).unwrap();
            let mut places = Vec::new();
            leaves(&json, String::new(), &mut places);
            for (place, what, other) in edits {
                let place = place.get(&places[..]);
                let mut edited = json.clone();
                *at(&mut edited, place) = match what {
                    0 => Value::Null,
                    1 => json!(i64::MAX),
                    2 => json!("9999-12-31T23:59:59.999999999Z"),
                    3 => json!("é\u{301}x"),
                    _ => json.pointer(other.get(&places[..]).as_str()).unwrap().clone(),
                };
                if put(&client, &edited.to_string()).await.status != 204 {
                    continue;
                }
                // A server's handler that panics has no answer.
                client.emulator.inventory();
                let workspaces = client.get("/v1/workspaces").await;
                for workspace in workspaces.json["value"].as_array().into_iter().flatten() {
                    let path = format!("/v1/workspaces/{}", workspace["id"].as_str().unwrap());
                    for list in ["folders", "items", "environments", "lakehouses", "warehouses", "git/status", "spark/settings"] {
                        client.get(&format!("{path}/{list}")).await;
                    }
                    let body = json!({"type": "Lakehouse", "displayName": "more"});
                    client.post(&format!("{path}/items"), body).await;
                }
                client.emulator.advance(Duration::from_secs(700));
                client.get(SNAPSHOT).await;
            }
            assert_eq!(put(&client, &text).await.status, 204);
            assert_eq!(taken(&client).await, text);
        });
    }
}

#[tokio::test]
async fn the_demo_tenant_is_the_same_again() {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    emulator.freeze();
    check_restored(&emulator);
    assert!(serde_json::to_string(&emulator.snapshot().unwrap()).unwrap().contains(demo::CLIENT_SECRET));
}
