//! Connections: kept, closed and held, seen by a client that knows nothing but TCP.

use std::time::{Duration, Instant};

use selvedge_fabric_emulator::HoldPoint;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw::{Raw, Server, new_workspace};

#[tokio::test]
async fn a_connection_is_kept_alive_and_stops_gracefully() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    for _ in 0..2 {
        let request = server.request("GET", "/v1/operations/x", &[], &Value::Null);
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
    let open = tokio::spawn(server.exchange("GET", "/v1/workspaces", &[], &Value::Null));
    server.client.emulator.held(id).await;
    server.stop.send(()).unwrap();
    server.client.emulator.release(id);
    assert_eq!(Raw::read(&open.await.unwrap().0).status, 200, "an open request is answered");
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
        let open = tokio::spawn(server.exchange("POST", "/v1/workspaces", &[], &new_workspace(name)));
        server.client.emulator.held(id).await;
        assert_eq!(server.workspaces().await - before, seen, "{point:?}");
        // A hold stops one request only: others pass while it is held.
        let other = server.client.post("/v1/workspaces", new_workspace(&format!("{name}2"))).await;
        assert_eq!((other.status, open.is_finished()), (201, false));
        server.client.emulator.release(id);
        let answer = Raw::read(&open.await.unwrap().0);
        assert_eq!(
            (answer.status, answer.header("x-emulator-hold")),
            (201, Some(id.to_string().as_str())),
            "{point:?}"
        );
        assert_eq!(server.workspaces().await - before, 2, "{point:?}");
    }
}

#[tokio::test]
async fn a_request_lands_after_its_client_has_left() {
    let server = Server::start().await;
    let id = server.client.emulator.hold("POST */workspaces".parse().unwrap(), HoldPoint::Before);
    let open = tokio::spawn(server.exchange("POST", "/v1/workspaces", &[], &new_workspace("late")));
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
async fn a_body_that_is_cut_short_is_no_request() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let head = "POST /v1/workspaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good as an end.
    drop(stream.read_to_end(&mut answer).await);
    assert_eq!(String::from_utf8(answer).unwrap(), "");
    assert!(server.client.emulator.requests().iter().all(|request| !request.path.contains("workspaces")));
}
