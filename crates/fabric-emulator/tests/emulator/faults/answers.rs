//! Answers that are right, and not what a strict reader expects.

use serde_json::{Value, json};

use crate::raw::{Server, new_item};

#[tokio::test]
async fn fields_that_no_document_knows() {
    let server = Server::start().await;
    let workspace = server.client.workspace("W").await;
    server.inject("* *=unknown-fields");
    for (path, entry) in [
        (workspace.as_str(), ""),
        ("/v1/workspaces", ""),
        ("/v1/workspaces", "/value/0"),
        ("/v1/nothing", ""),
    ] {
        let answer = server.get(path).await;
        let field = answer.json.pointer(&format!("{entry}/unknownField/since"));
        assert_eq!(field, Some(&json!("a later version")), "{path}{entry}");
    }
    let made = server.post(&format!("{workspace}/items"), new_item("Notebook", "n")).await;
    assert_eq!(
        (made.status, made.body.as_str()),
        (202, "null"),
        "where there is no object there is no field"
    );
}

#[tokio::test]
async fn absent_fields_are_null() {
    let server = Server::start().await;
    let workspace = server.client.workspace("W").await;
    let folder = server.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await;
    let folder = format!("{workspace}/folders/{}", folder.json["id"].as_str().unwrap());
    let item = server.client.item(&workspace, "DataPipeline", "p").await;
    let cases = [
        ("/v1/workspaces".to_owned(), "/continuationToken"),
        ("/v1/workspaces".to_owned(), "/continuationUri"),
        ("/v1/workspaces".to_owned(), "/value/0/domainId"),
        (workspace.clone(), "/domainId"),
        (item, "/folderId"),
        (folder, "/parentFolderId"),
        ("/v1/nothing".to_owned(), "/relatedResource"),
    ];
    for (path, field) in &cases {
        assert_eq!(server.get(path).await.json.pointer(field), None, "{path}");
    }
    server.inject("GET *=nulls");
    for (path, field) in &cases {
        assert_eq!(server.get(path).await.json.pointer(field), Some(&Value::Null), "{path}");
    }
    // What is there stays.
    assert!(server.get(&workspace).await.json["capacityId"].is_string());
}

#[tokio::test]
async fn states_in_another_letter_case() {
    let server = Server::start().await;
    let state = async || server.get("/v1/capacities").await.json["value"][0]["state"].clone();
    assert_eq!(state().await, "Active");
    for (fault, expected) in [("casing:upper", "ACTIVE"), ("casing:lower", "active")] {
        server.inject(&format!("GET *={fault},times=1"));
        assert_eq!(state().await, expected);
    }
}

#[tokio::test]
async fn an_empty_body_that_calls_itself_gzipped() {
    let server = Server::start().await;
    let workspace = server.client.workspace("W").await;
    server.inject("* *=gzip-empty");
    assert_eq!(server.get(&workspace).await.header("content-encoding"), None);
    let gone = server.send("DELETE", &workspace, Value::Null).await;
    assert_eq!((gone.status, gone.header("content-encoding"), gone.body.as_str()), (200, Some("gzip"), ""));
}

#[tokio::test]
async fn a_good_answer_with_a_bad_body() {
    let server = Server::start().await;
    let workspace = server.client.workspace("W").await;
    let made = server.post(&format!("{workspace}/items"), new_item("Lakehouse", "l")).await;
    let definition = format!("{workspace}/items/{}/getDefinition", made.json["id"].as_str().unwrap());
    // (shape, the body then)
    let whole = server.post(&definition, Value::Null).await.body;
    let cases = [
        ("null", "null"),
        ("object", "{}"),
        ("empty", ""),
        (
            "html",
            "<html>\r\n<head><title>200 OK</title></head>\r\n<body><h1>200 OK</h1></body>\r\n</html>\r\n",
        ),
        ("truncated", &whole[..whole.len() / 2]),
    ];
    for (shape, body) in cases {
        server.inject(&format!("POST */getDefinition=body:{shape},times=1"));
        let answer = server.post(&definition, Value::Null).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{shape}");
    }
    // Codes and hints of errors that the service means itself.
    server.inject("GET *=code:ItemNotFound");
    server.inject("GET *=retriable:true");
    server.inject("GET *=x-ms-retry-after-ms:250");
    let refused = server.get(&format!("{workspace}/items/{}", crate::support::NOBODY)).await;
    assert_eq!(
        (refused.status, refused.code(), &refused.json["isRetriable"]),
        (404, "ItemNotFound", &json!(true))
    );
    assert_eq!(refused.header("x-ms-retry-after-ms"), Some("250"));
    assert_eq!(server.get(&workspace).await.json.get("isRetriable"), None, "an answer that is no error");
}
