//! Answers that are no proper HTTP: none, broken off, false in length, slow, garbage.

use std::io;
use std::time::{Duration, Instant};

use selvedge_fabric_emulator::Config;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw::{Raw, Server, new_workspace};
use crate::support::Client;

#[tokio::test]
async fn resets_on_either_side_of_the_effect() {
    let server = Server::start().await;
    for (fault, made) in [("reset-before", 0), ("reset-after", 1)] {
        server.inject(&format!("POST */workspaces={fault},times=1"));
        server.client.emulator.clear_requests();
        let (bytes, end) = server.exchange("POST", "/v1/workspaces", &[], &new_workspace("W")).await;
        assert_eq!((bytes.len(), end.unwrap_err().kind()), (0, io::ErrorKind::ConnectionReset), "{fault}");
        let logged = server.client.emulator.requests().remove(0);
        assert_eq!((logged.status, logged.fault.as_deref()), (None, Some(fault)));
        assert_eq!(server.workspaces().await, made, "{fault}");
    }
}

#[tokio::test]
async fn garbage_for_a_status_line() {
    let server = Server::start().await;
    for (fault, made) in [("garbage", 0), ("effect+garbage", 1)] {
        server.inject(&format!("POST */workspaces={fault},times=1"));
        let (bytes, end) = server.exchange("POST", "/v1/workspaces", &[], &new_workspace("W")).await;
        end.unwrap();
        assert_eq!(bytes, b"Retry-After: 42\r\n\r\n", "{fault}");
        assert_eq!(server.workspaces().await, made, "{fault}");
    }
}

#[tokio::test]
async fn a_chunked_body_that_ends_in_a_chunk() {
    let server = Server::start().await;
    for name in ["A", "B"] {
        server.client.workspace(name).await;
    }
    let whole = server.get("/v1/workspaces").await;
    let length = whole.body.len();
    for (fault, sent, promised) in [
        ("cut:100", 100, length),
        ("cut:0", 0, length),
        ("cut:100000", length, length + 1),
        ("cut:100,end=reset", 100, length),
    ] {
        server.inject(&format!("GET */workspaces={fault},times=1"));
        let (bytes, end) = server.exchange("GET", "/v1/workspaces", &[], &Value::Null).await;
        let answer = Raw::read(&bytes);
        assert_eq!((answer.status, answer.header("transfer-encoding")), (200, Some("chunked")), "{fault}");
        assert_eq!(answer.header("content-length"), None);
        let (chunk, body) = answer.body.split_once("\r\n").unwrap();
        assert_eq!(usize::from_str_radix(chunk, 16).unwrap(), promised, "{fault}");
        assert_eq!(body, &whole.body[..sent], "{fault}");
        assert_eq!(
            end.map_err(|error| error.kind()),
            match fault.ends_with("reset") {
                true => Err(io::ErrorKind::ConnectionReset),
                false => Ok(()),
            }
        );
    }
    assert_eq!(server.client.emulator.requests().last().unwrap().status, Some(200));
}

#[tokio::test]
async fn a_content_length_beyond_the_body() {
    let server = Server::start().await;
    let whole = server.get("/v1/workspaces").await;
    server.inject("GET */workspaces=content-length:+100");
    let (bytes, end) = server.exchange("GET", "/v1/workspaces", &[], &Value::Null).await;
    end.unwrap();
    let answer = Raw::read(&bytes);
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, whole.body.as_str()));
    assert_eq!(promised, whole.body.len() + 100);
}

#[tokio::test]
async fn an_answer_in_drops() {
    let server = Server::start().await;
    server.inject("GET */workspaces=bandwidth:2000");
    let start = Instant::now();
    let answer = server.get("/v1/workspaces").await;
    let took = start.elapsed();
    let bytes = answer.head.len() + 4 + answer.body.len();
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"value":[]}"#));
    assert!(
        took >= Duration::from_secs(1) * u32::try_from(bytes).unwrap() / 2000,
        "{bytes} bytes in {took:?}"
    );
}

#[tokio::test]
async fn silence_lasts_until_the_server_stops() {
    for (fault, made) in [("silence", 0), ("effect+silence", 1)] {
        let server = Server::start().await;
        server.inject(&format!("POST */workspaces={fault}"));
        server.client.emulator.clear_requests();
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        let request = server.request("POST", "/v1/workspaces", &[], &new_workspace("W"));
        stream.write_all(request.as_bytes()).await.unwrap();
        while server.client.emulator.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        // Nothing is on its way: a server that stops lets what it has begun to answer come to its end.
        server.stop.send(()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"", "{fault}");
        server.served.await.unwrap().unwrap();
        let listed = server.client.get("/v1/workspaces").await;
        assert_eq!(listed.json["value"].as_array().unwrap().len(), made, "{fault}");
    }
}

#[tokio::test]
async fn a_silent_connection_ends_with_its_client() {
    let server = Server::start().await;
    server.inject("GET */workspaces=silence");
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let request = server.request("GET", "/v1/workspaces", &[], &Value::Null);
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "closed without a byte");
}

#[tokio::test(start_paused = true)]
async fn without_a_socket_they_are_what_a_transport_reports() {
    let client = Client::demo(Config::default()).await;
    let cases = [
        ("reset-before", Some(io::ErrorKind::ConnectionReset)),
        ("reset-after", Some(io::ErrorKind::ConnectionReset)),
        ("garbage", Some(io::ErrorKind::InvalidData)),
        ("cut:3", Some(io::ErrorKind::UnexpectedEof)),
        ("cut:3,end=reset", Some(io::ErrorKind::ConnectionReset)),
        ("content-length:+3", Some(io::ErrorKind::UnexpectedEof)),
        ("bandwidth:6", None),
    ];
    for (fault, expected) in cases {
        client.emulator.inject(format!("GET *={fault},times=1").parse().unwrap());
        let start = tokio::time::Instant::now();
        let found = match client.try_send("GET", "/v1/workspaces", Value::Null).await {
            Ok(answer) => {
                // 12 bytes at 6 a second.
                assert_eq!(
                    (answer.text.as_str(), start.elapsed()),
                    (r#"{"value":[]}"#, Duration::from_secs(2))
                );
                None
            }
            Err(error) => Some(error.downcast_ref::<io::Error>().unwrap().kind()),
        };
        assert_eq!(found, expected, "{fault}");
    }
    client.emulator.inject("GET *=silence,times=1".parse().unwrap());
    let hour = Duration::from_secs(3600);
    let silent = tokio::time::timeout(hour, client.try_send("GET", "/v1/workspaces", Value::Null)).await;
    assert!(silent.is_err(), "{silent:?}");
}

#[tokio::test(start_paused = true)]
async fn latencies_are_waited_for_and_add_up() {
    let client = Client::demo(Config::default()).await;
    client.emulator.inject("GET *=latency:200ms,times=1".parse().unwrap());
    client.emulator.inject("GET *=latency:1s,skip=1".parse().unwrap());
    client.emulator.inject("GET *=latency:30ms".parse().unwrap());
    for expected in [230, 1030] {
        let start = tokio::time::Instant::now();
        assert_eq!(client.get("/v1/workspaces").await.status, 200);
        assert_eq!(start.elapsed(), Duration::from_millis(expected));
    }
    // The tenant's clock, when it is frozen, shortens no waiting.
    client.emulator.freeze();
    let start = tokio::time::Instant::now();
    client.get("/v1/workspaces").await;
    assert_eq!(start.elapsed(), Duration::from_millis(1030));
}

#[tokio::test]
async fn a_latency_delays_the_answer_on_the_wire() {
    let server = Server::start().await;
    server.inject("GET */workspaces=latency:50ms,times=1");
    let start = Instant::now();
    assert_eq!(server.get("/v1/workspaces").await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50), "{:?}", start.elapsed());
}
