//! A served emulator and a client that knows nothing but TCP: what it sees is what went over the wire.

use std::future::Future;
use std::io;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::support::Client;

pub(crate) struct Server {
    /// The same tenant without a socket, for what is not the point of a test.
    pub(crate) client: Client,
    pub(crate) address: String,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: tokio::task::JoinHandle<io::Result<()>>,
}

/// An answer, as the bytes of it say.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The body as JSON; `null` when it is none.
    pub(crate) json: Value,
}

impl Raw {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {text:?}"));
        let in_chunks = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = in_chunks.then(|| unchunked(body)).flatten().unwrap_or_else(|| body.to_owned());
        let json = serde_json::from_str(&body).unwrap_or_default();
        Self { status, head: head.to_owned(), body, json }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn code(&self) -> &str {
        self.json["errorCode"].as_str().unwrap_or_default()
    }
}

/// A body in chunks (RFC 9112 7.1), if it is a whole one.
fn unchunked(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        body += after.get(..size)?;
        rest = after.get(size..)?.strip_prefix("\r\n")?;
        if size == 0 {
            return rest.is_empty().then_some(body);
        }
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let client = Client::demo(config).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = client.emulator.clone().serve(listener, async { stopped.await.unwrap_or_default() });
        Self { client, address, stop, served: tokio::spawn(serve) }
    }

    /// One request on a connection of its own; everything the server sent until it closed, and how it closed.
    pub(crate) fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> impl Future<Output = (Vec<u8>, io::Result<()>)> + use<> {
        let request = self.request(method, path, &[headers, &[("Connection", "close")]].concat(), body);
        let address = self.address.clone();
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            let end = stream.read_to_end(&mut answer).await.map(drop);
            (answer, end)
        }
    }

    /// A request that has an answer.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Raw {
        let (answer, end) = self.exchange(method, path, &[], &body).await;
        end.unwrap();
        Raw::read(&answer)
    }

    pub(crate) async fn get(&self, path: &str) -> Raw {
        self.send("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Raw {
        self.send("POST", path, body).await
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> String {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            self.address,
            self.client.token,
            body.len()
        )
    }

    pub(crate) fn inject(&self, fault: &str) {
        self.client.emulator.inject(fault.parse().unwrap());
    }

    /// The faults that hit requests, in the order of the requests.
    pub(crate) fn hits(&self) -> Vec<String> {
        self.client.emulator.requests().into_iter().filter_map(|request| request.fault).collect()
    }

    pub(crate) async fn workspaces(&self) -> usize {
        self.client.get("/v1/workspaces").await.json["value"].as_array().unwrap().len()
    }

    /// The names of what a list shows.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        names(&self.get(path).await.json)
    }
}

pub(crate) fn names(list: &Value) -> Vec<String> {
    let entries = list["value"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    entries.iter().map(|entry| entry["displayName"].as_str().unwrap_or_default().to_owned()).collect()
}

pub(crate) fn new_workspace(name: &str) -> Value {
    json!({"displayName": name, "capacityId": demo::CAPACITY_ID})
}

pub(crate) fn new_item(kind: &str, name: &str) -> Value {
    json!({"type": kind, "displayName": name})
}
