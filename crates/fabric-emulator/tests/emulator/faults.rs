//! Faults and holds on the wire, seen by a client that knows nothing but TCP.

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use selvedge_fabric_emulator::{Config, Emulator, HoldPoint, demo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::Client;

struct Server {
    client: Client,
    address: String,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<io::Result<()>>,
}

impl Server {
    async fn start() -> Self {
        let client = Client::demo(Config::default()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = client.emulator.clone().serve(listener, async { stopped.await.unwrap_or_default() });
        Self { client, address, stop, served: tokio::spawn(serve) }
    }

    /// One request on a connection of its own; everything the server sent until it closed.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Value,
    ) -> impl Future<Output = io::Result<String>> + use<> {
        let request = self.request(method, path, &body, "close");
        let address = self.address.clone();
        async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok(answer)
        }
    }

    fn request(&self, method: &str, path: &str, body: &Value, connection: &str) -> String {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n{body}",
            self.address,
            self.client.token,
            body.len()
        )
    }

    fn inject(&self, fault: &str) {
        self.client.emulator.inject(fault.parse().unwrap());
    }

    async fn workspaces(&self) -> usize {
        self.client.get("/v1/workspaces").await.json["value"].as_array().unwrap().len()
    }
}

fn new_workspace(name: &str) -> Value {
    json!({"displayName": name})
}

#[tokio::test]
async fn faults_reach_the_wire() {
    let server = Server::start().await;
    // (fault, start of the answer or `None` for a reset, a header in it, workspaces made)
    let cases = [
        (
            "POST */workspaces=503,times=1",
            Some("HTTP/1.1 503 "),
            "x-ms-public-api-error-code: UnknownError",
            0,
        ),
        ("POST */workspaces=429,retry-after=7,times=1", Some("HTTP/1.1 429 "), "retry-after: 7", 0),
        (
            "POST */workspaces=429,retry-after=Wed, 21 Oct 2026 07:28:00 GMT,times=1",
            Some("HTTP/1.1 429 "),
            "retry-after: Wed, 21 Oct 2026 07:28:00 GMT",
            0,
        ),
        ("POST */workspaces=reset-before,times=1", None, "", 0),
        ("POST */workspaces=reset-after,times=1", None, "", 1),
        ("POST */workspaces=effect+429,times=1", Some("HTTP/1.1 429 "), "RequestBlocked", 1),
        ("POST */nothing=503", Some("HTTP/1.1 201 "), "location: http://", 1),
    ];
    for (number, (fault, start, header, made)) in cases.into_iter().enumerate() {
        server.inject(fault);
        let before = server.workspaces().await;
        server.client.emulator.clear_requests();
        let answer = server.exchange("POST", "/v1/workspaces", new_workspace(&format!("W{number}"))).await;
        let logged = server.client.emulator.requests().remove(0).status;
        match (start, answer) {
            (Some(start), Ok(answer)) => {
                assert!(answer.starts_with(start) && answer.contains(header), "{fault}: {answer}");
                assert_eq!(logged.map(|status| format!("HTTP/1.1 {status} ")), Some(start.to_owned()));
            }
            (None, Err(error)) => {
                assert_eq!((error.kind(), logged), (io::ErrorKind::ConnectionReset, None), "{fault}")
            }
            (_, answer) => panic!("{fault}: {answer:?}"),
        }
        assert_eq!(server.workspaces().await - before, made, "{fault}");
    }
}

#[tokio::test]
async fn a_reset_of_the_service_is_an_io_error() {
    let client = Client::demo(Config::default()).await;
    for (fault, made) in [("POST *=reset-before,times=1", 0), ("POST *=reset-after,times=1", 1)] {
        client.emulator.inject(fault.parse().unwrap());
        let error = client.try_send("POST", "/v1/workspaces", new_workspace("W")).await.unwrap_err();
        let error = error.downcast_ref::<io::Error>().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{fault}");
        let listed = client.get("/v1/workspaces").await;
        assert_eq!(listed.json["value"].as_array().unwrap().len(), made, "{fault}");
    }
}

#[tokio::test]
async fn injected_errors_have_plausible_codes() {
    let client = Client::demo(Config::default()).await;
    let cases = [
        (401, "TokenExpired", Value::Null),
        (403, "InsufficientPrivileges", Value::Null),
        (404, "EntityNotFound", Value::Null),
        (429, "RequestBlocked", json!(true)),
        (500, "UnknownError", Value::Null),
        (503, "UnknownError", Value::Null),
    ];
    for (status, code, retriable) in cases {
        client.emulator.inject(format!("GET *={status},times=1").parse().unwrap());
        let answer = client.get("/v1/workspaces").await;
        assert_eq!((answer.status, answer.code(), &answer.json["isRetriable"]), (status, code, &retriable));
    }
    client.emulator.inject("* *=503".parse().unwrap());
    let graph = client.get("/v1.0/users").await;
    assert_eq!((graph.status, &graph.json["error"]["code"]), (503, &json!("UnknownError")));
    let token = |emulator: Emulator| async move {
        crate::support::token(&emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, crate::support::FABRIC)
            .await
            .status
    };
    assert_eq!(token(client.emulator.clone()).await, 200, "a fault that does not name the token endpoint");
    client.emulator.inject("POST */oauth2/v2.0/token=503".parse().unwrap());
    assert_eq!(token(client.emulator.clone()).await, 503);
    let admin = client.get("/_emulator/inventory").await;
    assert_eq!(admin.status, 200, "faults never hit the admin surface");
}

#[tokio::test(start_paused = true)]
async fn latency_is_waited_for() {
    let client = Client::demo(Config::default()).await;
    client.emulator.inject("GET *=latency:200ms,times=1".parse().unwrap());
    for expected in [200, 0] {
        let start = tokio::time::Instant::now();
        assert_eq!(client.get("/v1/workspaces").await.status, 200);
        assert_eq!(start.elapsed(), Duration::from_millis(expected));
    }
}

#[tokio::test]
async fn a_connection_is_kept_alive_and_stops_gracefully() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    for _ in 0..2 {
        let request = server.request("GET", "/v1/operations/x", &Value::Null, "keep-alive");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.ends_with("\"}}") {
            let mut piece = [0; 1024];
            let read = stream.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "closed after {answer}");
            answer.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("OperationNotFound"), "{answer}");
    }
    let id = server.client.emulator.hold("GET */workspaces".parse().unwrap(), HoldPoint::Before);
    let open = tokio::spawn(server.exchange("GET", "/v1/workspaces", Value::Null));
    server.client.emulator.held(id).await;
    server.stop.send(()).unwrap();
    server.client.emulator.release(id);
    assert!(open.await.unwrap().unwrap().starts_with("HTTP/1.1 200 "), "an open request is answered");
    server.served.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    assert!(TcpStream::connect(&server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn holds_stop_a_request_on_either_side_of_its_effect() {
    let server = Server::start().await;
    for (point, name, seen) in [(HoldPoint::Before, "b", 0), (HoldPoint::After, "a", 1)] {
        let before = server.workspaces().await;
        let id = server.client.emulator.hold("POST */workspaces".parse().unwrap(), point);
        let open = tokio::spawn(server.exchange("POST", "/v1/workspaces", new_workspace(name)));
        server.client.emulator.held(id).await;
        assert_eq!(server.workspaces().await - before, seen, "{point:?}");
        // A hold stops one request only: others pass while it is held.
        let other = server.client.post("/v1/workspaces", new_workspace(&format!("{name}2"))).await;
        assert_eq!((other.status, open.is_finished()), (201, false));
        server.client.emulator.release(id);
        assert!(open.await.unwrap().unwrap().starts_with("HTTP/1.1 201 "), "{point:?}");
        assert_eq!(server.workspaces().await - before, 2, "{point:?}");
    }
}

#[tokio::test]
async fn a_request_lands_after_its_client_has_left() {
    let server = Server::start().await;
    let id = server.client.emulator.hold("POST */workspaces".parse().unwrap(), HoldPoint::Before);
    let open = tokio::spawn(server.exchange("POST", "/v1/workspaces", new_workspace("late")));
    server.client.emulator.held(id).await;
    open.abort();
    assert!(open.await.unwrap_err().is_cancelled());
    server.client.emulator.release(id);
    // Only the emulator knows when it has landed: its log says so.
    let deadline = Instant::now() + Duration::from_secs(10);
    let landed =
        || server.client.emulator.requests().iter().any(|r| r.method == "POST" && r.status == Some(201));
    while !landed() {
        assert!(Instant::now() < deadline, "the request never landed");
        tokio::task::yield_now().await;
    }
    assert_eq!(server.workspaces().await, 1);
}

#[tokio::test]
async fn the_admin_surface_does_what_the_handle_does() {
    let client = Client::demo(Config::default()).await;
    let start = client.hash();
    let text = |method: &'static str, path: &'static str, kind: &'static str, body: &'static str| {
        let emulator = client.emulator.clone();
        async move {
            crate::support::send(&emulator, method, path, &[("content-type", kind)], body).await.unwrap()
        }
    };
    let plain = text("POST", "/_emulator/faults", "text/plain", "GET */a=503,times=1\n\nGET */b=404\n").await;
    assert_eq!((plain.status, plain.text.as_str()), (204, ""));
    let list = text("POST", "/_emulator/faults", "application/json", r#"["GET */c=500"]"#).await;
    assert_eq!(list.status, 204);
    let wrong = text("POST", "/_emulator/faults", "text/plain", "GET */d=503\nnonsense").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.json["error"].as_str().unwrap().contains("no `=ACTION` in the fault `nonsense`"),
        "{wrong:?}"
    );
    for (path, status) in [("/v1/a", 503), ("/v1/a", 404), ("/v1/b", 404), ("/v1/c", 500), ("/v1/d", 404)] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    assert_eq!(client.send("DELETE", "/_emulator/faults", Value::Null).await.status, 204);
    assert_eq!(client.get("/v1/c").await.code(), "EndpointNotFound");
    let nowhere = crate::support::send(&client.emulator, "GET", "/nowhere/at/all", &[], "").await.unwrap();
    assert_eq!((nowhere.status, nowhere.code()), (404, "EndpointNotFound"));
    client.get("/v1/c").await;

    let body = json!({"pattern": "GET */workspaces", "point": "before"});
    let hold = client.post("/_emulator/holds", body).await;
    assert_eq!((hold.status, hold.text.as_str()), (201, r#"{"id":1,"state":"waiting"}"#));
    assert_eq!(client.post("/_emulator/holds/1/release", Value::Null).await.status, 204);
    assert_eq!(client.get("/_emulator/holds/1").await.json["state"], "released");
    assert_eq!(client.get("/_emulator/holds/2").await.status, 404);

    let seed = json!({"workspaces": [{"displayName": "Seeded", "capacityId": demo::CAPACITY_ID,
        "folders": ["a/b"], "items": [{"type": "Lakehouse", "displayName": "l", "folder": "a/b"}]}]});
    assert_eq!(client.post("/_emulator/seed", seed.clone()).await.status, 204);
    let again = client.post("/_emulator/seed", seed).await;
    assert_eq!(again.status, 400);
    assert!(again.json["error"].as_str().unwrap().contains("WorkspaceNameAlreadyExists"), "{again:?}");
    let inventory = client.get("/_emulator/inventory").await;
    assert_eq!(inventory.keys(), ["hash", "world", "emptyDeletedWorkspaces", "unknownRoutes"]);
    assert_eq!(
        (&inventory.json["hash"], &inventory.json["unknownRoutes"]),
        (&json!(client.hash()), &json!(5))
    );
    assert_eq!(inventory.json["world"]["workspaces"][0]["items"][0]["folder"], "a/b");

    let log = client.get("/_emulator/requests").await;
    assert_eq!(log.json[0]["path"], format!("/{}/oauth2/v2.0/token", demo::TENANT_ID));
    let last = log.json.as_array().unwrap().last().unwrap();
    assert_eq!((&last["path"], &last["status"]), (&json!("/v1/c"), &json!(404)));
    assert_eq!(last["principal"], demo::CALLER_ID);
    assert_eq!(client.send("DELETE", "/_emulator/requests", Value::Null).await.status, 204);
    assert_eq!(client.get("/_emulator/requests").await.json, json!([]));
    assert_eq!(client.post("/_emulator/reset", Value::Null).await.status, 204);
    assert_eq!(client.hash(), start);
    assert_eq!(client.get("/v1/workspaces").await.status, 401, "a reset forgets tokens");
}
