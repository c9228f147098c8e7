//! What becomes of a secret: versions, changes, deletion, and the way back.

use std::time::Duration;

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use super::{caller, client, emulator, of, path, refusal, set};
use crate::support::send;

#[tokio::test]
async fn a_secret_is_what_was_set_and_each_set_makes_a_version() {
    let client = client().await;
    let body = json!({"value": "s3cret\n\"ä\"", "contentType": "text/plain", "tags": {"owner": "data"},
        "attributes": {"nbf": 1_700_000_000, "exp": 1_800_000_000}});
    let made = client.send("PUT", &path("Azure-Client-Secret"), body).await;
    assert_eq!(made.keys(), ["value", "id", "contentType", "attributes", "tags"]);
    let attributes = made.json["attributes"].as_object().unwrap();
    assert_eq!(
        attributes.keys().collect::<Vec<_>>(),
        ["enabled", "nbf", "exp", "created", "updated", "recoveryLevel", "recoverableDays"]
    );
    assert_eq!(attributes["recoveryLevel"], "Recoverable+Purgeable");
    assert_eq!(attributes["created"], client.emulator.now().unix_timestamp());
    let (address, version) = made.json["id"].as_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(address, "http://localhost:8080/secrets/Azure-Client-Secret");
    assert!(version.len() == 32 && version.chars().all(|c| c.is_ascii_hexdigit()), "{version}");

    // Some clients have a slash where the version would stand; letter case does not count.
    for again in [
        path("Azure-Client-Secret"),
        path("azure-client-secret/"),
        path(&format!("AZURE-CLIENT-SECRET/{version}")),
    ] {
        assert_eq!(client.get(&again).await.text, made.text, "{again}");
    }
    let second = set(&client, "azure-client-secret", "other").await;
    assert_eq!(client.get(&path("azure-client-secret")).await.text, second.text);
    assert_eq!(client.get(&path(&format!("azure-client-secret/{version}"))).await.text, made.text);
}

#[tokio::test]
async fn a_patch_changes_all_but_the_value() {
    let client = client().await;
    let version =
        set(&client, "a", "v").await.json["id"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    client.emulator.freeze();
    client.emulator.advance(Duration::from_secs(60));
    let change = json!({"contentType": "x", "attributes": {"exp": 1_900_000_000}, "tags": {"k": "w"}});
    let changed = client.send("PATCH", &path(&format!("a/{version}")), change).await;
    assert_eq!(changed.keys(), ["id", "contentType", "attributes", "tags"]);
    let now = client.emulator.now().unix_timestamp();
    assert_eq!(changed.json["attributes"]["updated"], now);
    assert_eq!(changed.json["attributes"]["exp"], 1_900_000_000);
    let off = json!({"attributes": {"enabled": false}});
    assert_eq!(client.send("PATCH", &path("a/"), off).await.json["contentType"], "x");
    assert_eq!(refusal(&client.get(&path("a")).await), (403, "Forbidden", "SecretDisabled"));
    let on = json!({"attributes": {"enabled": true}});
    client.send("PATCH", &path(&format!("a/{version}")), on).await;
    assert_eq!(client.get(&path("a")).await.json["value"], "v");
}

/// The service hands them out: the times are for clients to heed.
#[tokio::test]
async fn an_expired_secret_and_one_that_is_not_yet_valid_are_handed_out() {
    let client = client().await;
    for (name, attributes) in [("old", json!({"exp": 1})), ("new", json!({"nbf": 4_000_000_000_u64}))] {
        client.send("PUT", &path(name), json!({"value": name, "attributes": attributes})).await;
        let answer = client.get(&path(name)).await;
        assert_eq!((answer.status, &answer.json["value"]), (200, &json!(name)));
        let (time, at) = attributes.as_object().unwrap().iter().next().unwrap();
        assert_eq!(&answer.json["attributes"][time], at);
    }
}

#[tokio::test]
async fn a_deleted_secret_can_be_recovered_or_purged() {
    let client = client().await;
    let made = set(&client, "a", "v").await;
    let gone = client.send("DELETE", &path("a"), Value::Null).await;
    assert_eq!(gone.keys(), ["recoveryId", "deletedDate", "scheduledPurgeDate", "id", "attributes", "tags"]);
    assert_eq!(gone.json["recoveryId"], "http://localhost:8080/deletedsecrets/a");
    assert_eq!(gone.json["id"], made.json["id"]);
    let days = gone.json["scheduledPurgeDate"].as_i64().unwrap() - gone.json["deletedDate"].as_i64().unwrap();
    assert_eq!(days, 90 * 86_400);
    assert_eq!(refusal(&client.get(&path("a")).await), (404, "SecretNotFound", ""));
    let deleted = "/deletedsecrets/a?api-version=7.6";
    assert_eq!(client.get(deleted).await.text, gone.text);
    let again = client.send("PUT", &path("A"), json!({"value": "w"})).await;
    assert_eq!(refusal(&again), (409, "Conflict", "ObjectIsDeletedButRecoverable"));

    let back = client.post("/deletedsecrets/a/recover?api-version=7.6", Value::Null).await;
    assert_eq!((back.status, back.keys()), (200, vec!["id", "attributes", "tags"]));
    assert_eq!(client.get(&path("a")).await.text, made.text);
    client.send("DELETE", &path("a"), Value::Null).await;
    let purged = client.send("DELETE", deleted, Value::Null).await;
    assert_eq!((purged.status, purged.text.as_str()), (204, ""));
    assert_eq!(refusal(&client.get(deleted).await), (404, "SecretNotFound", ""));
    assert_ne!(set(&client, "a", "v").await.json["id"], made.json["id"]);

    // After its time it is gone by itself.
    client.send("DELETE", &path("a"), Value::Null).await;
    client.emulator.advance(Duration::from_secs(90 * 86_400));
    assert_eq!(set(&caller(&client.emulator).await, "a", "new").await.json["value"], "new");
}

#[tokio::test]
async fn a_deletion_and_a_recovery_take_their_time() {
    let emulator = emulator(Config { secret_deletion: Duration::from_secs(5), ..Config::default() });
    emulator.freeze();
    let client = caller(&emulator).await;
    set(&client, "a", "v").await;
    client.send("DELETE", &path("a"), Value::Null).await;
    let deleted = "/deletedsecrets/a?api-version=7.6";
    assert_eq!(refusal(&client.get(deleted).await), (404, "SecretNotFound", ""));
    for (method, path, body) in [
        ("DELETE", deleted.to_owned(), Value::Null),
        ("POST", "/deletedsecrets/a/recover?api-version=7.6".to_owned(), Value::Null),
        ("PUT", path("a"), json!({"value": "w"})),
    ] {
        let answer = client.send(method, &path, body).await;
        assert_eq!(refusal(&answer), (409, "Conflict", "ObjectIsBeingDeleted"), "{method} {path}");
    }
    emulator.advance(Duration::from_secs(5));
    assert_eq!(client.get(deleted).await.status, 200);
    assert_eq!(client.post("/deletedsecrets/a/recover?api-version=7.6", Value::Null).await.status, 200);
    assert_eq!(refusal(&client.get(&path("a")).await), (404, "SecretNotFound", ""));
    let early = client.send("PUT", &path("a"), json!({"value": "w"})).await;
    assert_eq!(refusal(&early), (409, "Conflict", "ObjectIsBeingRecovered"));
    emulator.advance(Duration::from_secs(5));
    assert_eq!(client.get(&path("a")).await.json["value"], "v");
}

#[tokio::test]
async fn each_vault_has_its_own_secrets() {
    let client = caller(&emulator(Config::default())).await;
    set(&client, "a", "in the first").await;
    client.send("PUT", &of("roles", "secrets/a"), json!({"value": "in roles"})).await;
    for (address, value, id) in [
        (path("a"), "in the first", "http://localhost:8080/secrets/a/"),
        (of("emulator", "secrets/a"), "in the first", "https://emulator.vault.azure.net/secrets/a/"),
        (of("ROLES", "secrets/a"), "in roles", "https://ROLES.vault.azure.net/secrets/a/"),
    ] {
        let answer = client.get(&address).await;
        assert_eq!(answer.json["value"], value, "{address}");
        assert!(answer.json["id"].as_str().unwrap().starts_with(id), "{answer:?}");
    }
    let nowhere = client.get(&of("policies", "secrets/a")).await;
    assert_eq!(refusal(&nowhere), (404, "SecretNotFound", ""));
}

#[tokio::test]
async fn no_value_is_in_log_inventory_or_settings_but_in_a_snapshot() {
    const VALUE: &str = "hush-hush-value";
    let client = client().await;
    set(&client, "a", VALUE).await;
    client.get(&path("a")).await;
    client.send("PUT", &path("b_"), json!({"value": VALUE})).await;
    let authorization = format!("Bearer {}", client.token);
    let broken = format!("{{\"value\": \"{VALUE}");
    let refused = send(&client.emulator, "PUT", &path("b"), &[("authorization", &authorization)], &broken)
        .await
        .unwrap();
    assert!(refusal(&refused) == (400, "BadParameter", "") && !refused.text.contains(VALUE), "{refused:?}");
    for page in
        ["requests", "requests?format=jsonl", "requests?format=har", "inventory", "settings", "faults"]
    {
        let shown = client.get(&format!("/_emulator/{page}")).await;
        assert!(shown.status == 200 && !shown.text.contains(VALUE), "{page}: {}", shown.text);
    }
    assert!(!format!("{:?}", client.emulator.requests()).contains(VALUE));
    assert!(client.get("/_emulator/snapshot").await.text.contains(VALUE));
    let inventory = client.emulator.inventory().world;
    assert_eq!(
        inventory["vaults"][0]["secrets"],
        json!([{"name": "a", "versions": 1, "enabled": true, "contentType": null, "tags": {}}])
    );
}

#[tokio::test]
async fn the_log_counts_the_reads_of_each_secret() {
    let client = caller(&emulator(Config::default())).await;
    for (address, times) in [(of("roles", "secrets/Known"), 2), (of("policies", "secrets/known/"), 1)] {
        for _ in 0..times {
            client.get(&address).await;
        }
    }
    // The first request of a client that waits to be challenged, and what is no read of one secret.
    send(&client.emulator, "GET", &of("roles", "secrets/known"), &[], "").await.unwrap();
    client.get(&of("roles", "secrets")).await;
    let log = client.emulator.requests();
    let reads = |secret: &str| {
        let read = log.iter().filter(|it| it.method == "GET" && it.secret.as_deref() == Some(secret));
        read.filter(|it| it.status == Some(200)).count()
    };
    assert_eq!((reads("roles/known"), reads("policies/known")), (2, 1));
    assert_eq!(log.iter().filter(|it| it.secret.as_deref() == Some("roles/known")).count(), 3);
    assert_eq!(log.last().unwrap().secret, None);
}
