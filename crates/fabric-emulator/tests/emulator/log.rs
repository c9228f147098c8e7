//! The request log in its three formats.

use std::io::Write;
use std::sync::{Arc, Mutex};

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, send};

/// A file that a test can look into.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_format_tells_the_same_without_secrets() {
    let client = Client::demo(Config::default()).await;
    client.emulator.clear_requests();
    let sink = Sink::default();
    client.emulator.write_requests_to(sink.clone());
    client.emulator.inject("DELETE *=reset-before".parse().unwrap());
    client.post("/v1/workspaces?a=b%20c", json!({"displayName": "W"})).await;
    client.try_send("DELETE", &format!("/v1/workspaces/{NOBODY}"), Value::Null).await.unwrap_err();

    let get = async |format: &str| {
        let path = format!("/_emulator/requests{format}");
        send(&client.emulator, "GET", &path, &[], "").await.unwrap()
    };
    let list = get("").await.json;
    assert_eq!(list, json!(client.emulator.requests()));
    assert_eq!((list[0]["status"].as_u64(), &list[1]["status"]), (Some(201), &Value::Null));
    let lines = get("?format=jsonl").await;
    assert_eq!(lines.header("content-type"), Some("application/jsonl"));
    let parsed: Value = lines.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert_eq!(parsed, list);
    assert_eq!(String::from_utf8(sink.0.lock().unwrap().clone()).unwrap(), lines.text);

    let archive = get("?format=har").await;
    assert!(!archive.text.contains(&client.token), "a token is in the archive");
    let log = &archive.json["log"];
    assert_eq!((&log["version"], log["entries"].as_array().unwrap().len()), (&json!("1.2"), 2));
    let entry = &log["entries"][0];
    assert_eq!(entry["request"]["url"], "http://localhost:8080/v1/workspaces?a=b%20c");
    assert_eq!(entry["request"]["queryString"], json!([{"name": "a", "value": "b c"}]));
    assert_eq!(entry["request"]["postData"]["text"], r#"{"displayName":"W"}"#);
    assert_eq!(
        (&entry["response"]["status"], &entry["response"]["statusText"]),
        (&json!(201), &json!("Created"))
    );
    assert!(entry["response"]["content"]["text"].as_str().unwrap().contains(r#""displayName":"W""#));
    assert_eq!(log["entries"][1]["response"]["status"], 0);
    assert_eq!(get("?format=xml").await.status, 400);
}
