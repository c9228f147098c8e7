//! Lists: pages, what an entry shows, and where the next page is.

use std::collections::BTreeSet;

use selvedge_fabric_emulator::{Config, Emulator};
use serde_json::{Value, json};

use super::{caller, client, path, refusal, set};
use crate::support::Client;

/// The names or versions at the end of the ids of all pages, and how many pages there were.
async fn all(client: &Client, first: &str) -> (Vec<String>, usize) {
    let (mut next, mut ends, mut pages) = (Some(first.to_owned()), Vec::new(), 0);
    while let Some(address) = next {
        let page = client.get(&address).await;
        assert_eq!((page.status, page.keys()), (200, vec!["value", "nextLink"]), "{page:?}");
        for entry in page.json["value"].as_array().unwrap() {
            assert!(entry.get("value").is_none(), "{entry}");
            ends.push(entry["id"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned());
        }
        next = page.json["nextLink"].as_str().map(str::to_owned);
        pages += 1;
    }
    (ends, pages)
}

#[tokio::test]
async fn secrets_come_in_pages_of_25_or_fewer() {
    let client = client().await;
    let names: BTreeSet<String> = (0..30).map(|n| format!("secret-{n:02}")).collect();
    for name in &names {
        set(&client, name, "v").await;
    }
    set(&client, "secret-00", "another version").await;
    for (query, pages) in [("", 2), ("&maxresults=25", 2), ("&maxresults=7", 5), ("&maxresults=1", 30)] {
        let (found, count) = all(&client, &format!("/secrets?api-version=7.6{query}")).await;
        assert_eq!((found.into_iter().collect::<BTreeSet<_>>(), count), (names.clone(), pages), "{query}");
    }
    let page = client.get("/secrets/?api-version=2025-07-01&maxresults=2").await;
    let next = page.json["nextLink"].as_str().unwrap();
    assert!(
        next.starts_with("http://localhost:8080/secrets?api-version=2025-07-01&maxresults=2&$skiptoken="),
        "{next}"
    );
    for wrong in ["maxresults=0", "maxresults=26", "maxresults=many", "$skiptoken=bm8"] {
        let answer = client.get(&format!("/secrets?api-version=7.6&{wrong}")).await;
        assert_eq!(refusal(&answer), (400, "BadParameter", ""), "{wrong}");
    }
}

#[tokio::test]
async fn versions_and_deleted_secrets_come_in_pages_too() {
    let client = client().await;
    let mut versions = Vec::new();
    for _ in 0..5 {
        let made = set(&client, "a", "v").await;
        versions.push(made.json["id"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned());
    }
    let of_a = "/secrets/a/versions?api-version=7.6&maxresults=2";
    assert_eq!(all(&client, of_a).await, (versions, 3));
    assert_eq!(refusal(&client.get(&path("b/versions")).await), (404, "SecretNotFound", ""));
    for name in ["x", "y", "z"] {
        set(&client, name, "v").await;
        client.send("DELETE", &path(name), Value::Null).await;
    }
    let (gone, pages) = all(&client, "/deletedsecrets?api-version=7.6&maxresults=2").await;
    assert_eq!((gone, pages), (["x", "y", "z"].map(str::to_owned).into(), 2));
    assert_eq!(all(&client, "/secrets?api-version=7.6").await.0, ["a"]);
}

#[tokio::test]
async fn an_entry_shows_what_its_latest_version_is() {
    let emulator = Emulator::new(Config { page_size: Some(1), ..Config::default() });
    let client = caller(&emulator).await;
    let off = json!({"value": "v", "contentType": "t", "attributes": {"enabled": false}, "tags": {"k": "w"}});
    client.send("PUT", &path("off"), off).await;
    set(&client, "on", "v").await;
    let page = client.get("/secrets?api-version=7.6").await;
    let entry = &page.json["value"][0];
    assert_eq!(entry["id"], "http://localhost:8080/secrets/off");
    assert_eq!((&entry["contentType"], &entry["tags"]), (&json!("t"), &json!({"k": "w"})));
    assert_eq!(entry["attributes"]["enabled"], false);
    assert_eq!(page.json["value"].as_array().unwrap().len(), 1, "the setting makes pages smaller");
}
