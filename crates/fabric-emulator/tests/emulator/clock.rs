//! The tenant's clock: minutes of reservation and hours of a token cost no waiting.

use std::time::{Duration, Instant};

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, token};

const MINUTE: Duration = Duration::from_secs(60);

/// Real time, in which these tests would take eleven minutes and two hours.
fn costs_nothing(since: Instant) {
    assert!(since.elapsed() < MINUTE, "{:?} were waited for", since.elapsed());
}

#[tokio::test]
async fn a_reservation_of_ten_minutes_passes_at_once() {
    let start = Instant::now();
    let config = Config { name_reservation: 10 * MINUTE, ..Config::default() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let items = format!("{workspace}/items");
    let pipeline = client.item(&workspace, "DataPipeline", "p").await;
    assert_eq!(client.send("DELETE", &pipeline, Value::Null).await.status, 200);
    let again = || async {
        let answer = client.post(&items, json!({"type": "DataPipeline", "displayName": "p"})).await;
        if answer.status == 201 { "created".to_owned() } else { answer.code().to_owned() }
    };
    client.emulator.advance(10 * MINUTE - Duration::from_millis(1));
    assert_eq!(again().await, "ItemDisplayNameNotAvailableYet");
    client.emulator.advance(Duration::from_millis(1));
    assert_eq!(again().await, "created");
    costs_nothing(start);
}

#[tokio::test]
async fn a_token_is_good_for_an_hour_of_the_clock() {
    let start = Instant::now();
    let client = Client::demo(Config::default()).await;
    client.emulator.freeze();
    let fresh = Client::of(client.emulator.clone()).await;
    client.emulator.advance(Duration::from_secs(3598));
    assert_eq!(fresh.get("/v1/workspaces").await.status, 200);
    client.emulator.advance(Duration::from_secs(1));
    let expired = fresh.get("/v1/workspaces").await;
    assert_eq!((expired.status, expired.code()), (401, "TokenExpired"));
    assert_eq!(token(&client.emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, FABRIC).await.status, 200);
    costs_nothing(start);
}

#[tokio::test]
async fn operations_end_when_they_were_due() {
    let config = Config { operation_duration: MINUTE, ..Config::default() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let started =
        client.post(&format!("{workspace}/items"), json!({"type": "Notebook", "displayName": "n"})).await;
    let operation = format!("/v1/operations/{}", started.header("x-ms-operation-id").unwrap());
    let running = client.get(&operation).await;
    assert_eq!(running.json["status"], "Running");
    // Nobody looks for half an hour; it ended in the first minute of that all the same.
    let created = client.emulator.now();
    client.emulator.advance(30 * MINUTE);
    let done = client.get(&operation).await;
    assert_eq!(done.json["status"], "Succeeded");
    assert_eq!(done.json["createdTimeUtc"], running.json["createdTimeUtc"]);
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    for (field, expected) in [("createdTimeUtc", created), ("lastUpdatedTimeUtc", created + MINUTE)] {
        let (seconds, _) = done.json[field].as_str().unwrap().split_once('.').unwrap();
        assert_eq!(seconds, expected.format(format).unwrap(), "{field}");
    }
}

#[tokio::test]
async fn the_admin_surface_sets_it() {
    let client = Client::demo(Config::default()).await;
    let clock = client.get("/_emulator/clock").await;
    assert_eq!(
        (clock.status, clock.keys(), &clock.json["frozen"]),
        (200, vec!["now", "frozen"], &json!(false))
    );
    let frozen = client.post("/_emulator/clock", json!({"freeze": true})).await;
    assert_eq!((frozen.status, &frozen.json["frozen"]), (200, &json!(true)));
    assert_eq!(client.get("/_emulator/clock").await.json, frozen.json);
    let date = client.get("/v1/workspaces").await.header("date").unwrap().to_owned();

    let later = client.post("/_emulator/clock", json!({"advance": "1h"})).await;
    assert_eq!(later.json["frozen"], true);
    assert_eq!(client.get("/_emulator/clock").await.json, later.json);
    let parse = |date: &str| {
        let format = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        time::PrimitiveDateTime::parse(date, format).unwrap()
    };
    let gone = client.get("/v1/workspaces").await;
    assert_eq!(gone.status, 401, "an hour has passed for the token too");
    assert_eq!(parse(gone.header("date").unwrap()) - parse(&date), Duration::from_secs(3600));

    let going = client.post("/_emulator/clock", json!({"resume": true, "advance": "5m"})).await;
    assert_eq!(going.json["frozen"], false);
    let wrong = [
        json!({"advance": "soon"}),
        json!({"freeze": true, "resume": true}),
        json!({"stop": true}),
        json!("freeze"),
    ];
    for body in wrong {
        let refused = client.post("/_emulator/clock", body.clone()).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.json["error"].is_string(), "{refused:?}");
    }
    client.post("/_emulator/clock", json!({"freeze": true})).await;
    assert_eq!(client.post("/_emulator/reset", Value::Null).await.status, 204);
    assert_eq!(client.get("/_emulator/clock").await.json["frozen"], false);
}
