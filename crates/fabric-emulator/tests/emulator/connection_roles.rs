//! Who may use, share, test and manage a connection.

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::connections::{ALL, made, stranger};
use crate::support::{Client, NOBODY, check};

#[tokio::test]
async fn role_assignments() {
    let client = Client::demo(Config::default()).await;
    let one = made(&client, "Sales").await;
    let (other, other_id) = stranger(&client).await;
    assert_eq!(other.get(&one).await.code(), "EntityNotFound");
    let roles = format!("{one}/roleAssignments");
    let (theirs, own) = (format!("{roles}/{other_id}"), format!("{roles}/{}", demo::CALLER_ID));
    let to = |id: &str, role: &str| json!({"principal": {"id": id, "type": "User"}, "role": role});

    let added = client.post(&roles, to(&other_id, "User")).await;
    assert_eq!(added.header("location"), Some(format!("http://localhost:8080{theirs}").as_str()));
    let expected =
        json!({"id": other_id, "principal": {"id": other_id, "type": "ServicePrincipal"}, "role": "User"});
    assert_eq!((added.status, added.text), (201, expected.to_string()));
    let all = || roles.clone();
    check(
        &client,
        vec![
            ("POST", all(), to(NOBODY, "User"), 400, "UnknownError"),
            ("POST", all(), to(&other_id, "Owner"), 409, "Conflict"),
            ("POST", all(), to(demo::ANALYST_ID, "Reader"), 400, "BadRequest"),
            ("POST", all(), json!({"role": "User"}), 400, "BadRequest"),
            ("PATCH", theirs.clone(), json!({}), 400, "BadRequest"),
            ("PATCH", own.clone(), json!({"role": "User"}), 400, "BadRequest"),
            ("DELETE", own.clone(), Value::Null, 400, "BadRequest"),
            ("GET", format!("{roles}/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            ("DELETE", format!("{roles}/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            ("GET", theirs.clone(), Value::Null, 200, ""),
        ],
    )
    .await;
    let patch = json!({"connectivityType": "ShareableCloud", "displayName": "Mine"});
    let manage = "InsufficientPermissionsToManageConnection";
    check(
        &other,
        vec![
            ("GET", one.clone(), Value::Null, 200, ""),
            ("GET", all(), Value::Null, 200, ""),
            ("POST", all(), to(demo::ANALYST_ID, "User"), 403, manage),
            ("PATCH", one.clone(), patch, 403, manage),
            ("DELETE", one.clone(), Value::Null, 403, manage),
        ],
    )
    .await;
    let raised = client.send("PATCH", &theirs, json!({"role": "userwithreshare"})).await;
    assert_eq!((raised.status, &raised.json["role"]), (200, &json!("UserWithReshare")));
    check(
        &other,
        vec![
            ("POST", all(), to(demo::ANALYST_ID, "Owner"), 403, manage),
            ("POST", all(), to(demo::ANALYST_ID, "UserWithReshare"), 201, ""),
            ("DELETE", own.clone(), Value::Null, 403, manage),
        ],
    )
    .await;
    assert_eq!(client.get(&roles).await.json["value"].as_array().unwrap().len(), 3);
    check(
        &client,
        vec![
            ("PATCH", theirs.clone(), json!({"role": "Owner"}), 200, ""),
            ("DELETE", own, Value::Null, 200, ""),
            ("GET", one.clone(), Value::Null, 404, "EntityNotFound"),
        ],
    )
    .await;
    check(&other, vec![("DELETE", one, Value::Null, 200, "")]).await;
}

#[tokio::test]
async fn tests_of_connections() {
    let client = Client::demo(Config::default()).await;
    let id = "99999999-0000-4000-8000-000000000003";
    let seed = json!({"connections": [{"id": id, "displayName": "Down", "type": "SQL", "path": "s;d", "online": false}]});
    client.emulator.seed(&seed).unwrap();
    let one = made(&client, "Up").await;
    let up = client.post(&format!("{one}/testConnection"), Value::Null).await;
    assert_eq!((up.status, up.text.as_str()), (200, r#"{"status":"Online","errors":[]}"#));
    let down = client.post(&format!("{ALL}/{id}/testConnection"), Value::Null).await;
    assert_eq!((down.status, &down.json["status"]), (200, &json!("Offline")));
    assert_eq!(down.json["errors"][0]["errorCode"], "DM_GWPipeline_UnknownError");
    let nothing = client.post(&format!("{ALL}/{NOBODY}/testConnection"), Value::Null).await;
    assert_eq!((nothing.status, nothing.code()), (404, "EntityNotFound"));

    let client = Client::demo(Config { long_running: LongRunning::Always, ..Config::default() }).await;
    let one = made(&client, "Up").await;
    let accepted = client.post(&format!("{one}/testConnection"), Value::Null).await;
    assert_eq!((accepted.status, accepted.text.as_str(), accepted.header("etag")), (202, "null", None));
    assert_eq!(client.finish(accepted).await.json["status"], "Online");
}
