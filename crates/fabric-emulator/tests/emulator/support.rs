//! A client of few lines over the emulator's service: requests in, status, headers and JSON out.

use bytes::Bytes;
use http::{HeaderMap, Request};
use selvedge_fabric_emulator::{BoxError, Config, Emulator, demo};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) const FABRIC: &str = "https://api.fabric.microsoft.com/.default";
pub(crate) const GRAPH: &str = "https://graph.microsoft.com/.default";

pub(crate) const VAULT: &str = "https://vault.azure.net/.default";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body as sent.
    pub(crate) text: String,
    /// The body as JSON; `null` when it is empty.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// The error code, after checking that body and headers agree on the error.
    pub(crate) fn code(&self) -> &str {
        let code = self.json["errorCode"].as_str().unwrap_or_else(|| panic!("no error in {self:?}"));
        assert_eq!(self.header("x-ms-public-api-error-code"), Some(code));
        assert_eq!(self.header("requestid"), self.json["requestId"].as_str());
        code
    }

    /// The keys of the body in their order.
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.json
            .as_object()
            .unwrap_or_else(|| panic!("no object in {self:?}"))
            .keys()
            .map(String::as_str)
            .collect()
    }
}

/// A caller with a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) emulator: Emulator,
    pub(crate) token: String,
}

pub(crate) async fn send(
    emulator: &Emulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, BoxError> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let (parts, body) = emulator.service().oneshot(request).await?.into_parts();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let json = serde_json::from_str(&text).unwrap_or_default();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, text, json })
}

pub(crate) async fn token(emulator: &Emulator, client: &str, secret: &str, scope: &str) -> Answer {
    let body =
        format!("grant_type=client_credentials&client_id={client}&client_secret={secret}&scope={scope}");
    let path = format!("/{}/oauth2/v2.0/token", demo::TENANT_ID);
    send(emulator, "POST", &path, &[], &body).await.unwrap()
}

impl Client {
    /// The configured caller in the demo tenant.
    pub(crate) async fn demo(config: Config) -> Self {
        Self::of(Emulator::new(config).with_demo_tenant()).await
    }

    pub(crate) async fn of(emulator: Emulator) -> Self {
        Self::with(emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, FABRIC).await
    }

    pub(crate) async fn with(emulator: Emulator, client: &str, secret: &str, scope: &str) -> Self {
        let answer = token(&emulator, client, secret, scope).await;
        let token = answer.json["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        Self { emulator, token }
    }

    pub(crate) async fn try_send(&self, method: &str, path: &str, body: Value) -> Result<Answer, BoxError> {
        let authorization = format!("Bearer {}", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(&self.emulator, method, path, &[("authorization", &authorization)], &body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, body).await
    }

    /// A workspace on the demo capacity; returns its path.
    pub(crate) async fn workspace(&self, name: &str) -> String {
        let made =
            self.post("/v1/workspaces", json!({"displayName": name, "capacityId": demo::CAPACITY_ID})).await;
        assert_eq!(made.status, 201, "{made:?}");
        format!("/v1/workspaces/{}", made.id())
    }

    /// An item, waited for if it is an operation; returns its path.
    pub(crate) async fn item(&self, workspace: &str, kind: &str, name: &str) -> String {
        let made = self.post(&format!("{workspace}/items"), json!({"type": kind, "displayName": name})).await;
        let made = self.finish(made).await;
        format!("{workspace}/items/{}", made.id())
    }

    /// The final answer: of a 202 the result of its operation, or the operation itself when it has none.
    pub(crate) async fn finish(&self, answer: Answer) -> Answer {
        let Some(id) = answer.header("x-ms-operation-id").filter(|_| answer.status == 202) else {
            assert!(answer.status < 300, "{answer:?}");
            return answer;
        };
        let path = format!("/v1/operations/{id}");
        let polled = self.get(&path).await;
        assert_eq!(polled.json["status"], "Succeeded", "{polled:?}");
        match polled.header("location") {
            Some(_) => self.get(&format!("{path}/result")).await,
            None => polled,
        }
    }

    pub(crate) fn hash(&self) -> String {
        self.emulator.inventory().hash
    }
}

/// A definition of one part.
pub(crate) fn definition(path: &str, payload: &str) -> Value {
    json!({"parts": [{"path": path, "payload": payload, "payloadType": "InlineBase64"}]})
}

/// The id of nothing.
pub(crate) const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Sends each request in turn and checks status and, for a refusal, its code. A refusal must leave the world as it was.
pub(crate) async fn check(client: &Client, cases: Vec<(&str, String, Value, u16, &str)>) {
    for (method, path, body, status, code) in cases {
        let before = client.hash();
        let answer = client.send(method, &path, body.clone()).await;
        let found = if answer.status < 300 { "" } else { answer.code() };
        assert_eq!((answer.status, found), (status, code), "{method} {path} {body}");
        if answer.status >= 300 {
            assert_eq!(client.hash(), before, "a refused {method} {path} changed the world");
        }
    }
}
