//! A Key Vault and who gives tokens for it, as far as a client can tell.

use crate::Clock;
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, HttpClient, Request,
        headers::{AUTHORIZATION, Headers},
    },
    time::OffsetDateTime,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::time::Instant;

pub(crate) const URL: &str = "https://kv.vault.azure.net";
pub(crate) const OID: &str = "11111111-2222-3333-4444-555555555555";

/// A wall clock that follows tokio's.
pub(crate) fn clock() -> Clock {
    let (start, noon) = (Instant::now(), OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    Clock::new(move || noon + start.elapsed())
}

/// What the vault does with a request that has a token it knows.
#[derive(Clone, Debug)]
pub(crate) enum Mode {
    Up,
    /// Each request ends like this, before the vault.
    Broken(fn() -> Error),
    /// No answer at all.
    Silent,
    /// Asks for a token for this.
    Challenge(&'static str),
    /// Status, code, inner code.
    Error(u16, &'static str, &'static str),
    /// An answer that is none.
    Raw(u16, &'static str),
}

/// The vault.
#[derive(Clone, Debug)]
pub(crate) struct Vault(Arc<Mutex<State>>);

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) mode: Mode,
    pub(crate) secrets: BTreeMap<String, Value>,
    /// Method, path, and what was in the way of a token.
    pub(crate) requests: Vec<String>,
    /// How often each value was handed out, and when.
    pub(crate) handed_out: Vec<(String, Instant)>,
    /// Tokens that are not taken any more.
    pub(crate) revoked: Vec<String>,
    pub(crate) page: usize,
    pub(crate) next_host: &'static str,
    pub(crate) tokens: Tokens,
}

impl Vault {
    pub(crate) fn new(tokens: &Tokens) -> Self {
        Self(Arc::new(Mutex::new(State {
            mode: Mode::Up,
            secrets: BTreeMap::new(),
            requests: Vec::new(),
            handed_out: Vec::new(),
            revoked: Vec::new(),
            page: 25,
            next_host: URL,
            tokens: tokens.clone(),
        })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn put(&self, name: &str, value: &str, attributes: Value) {
        let bundle = json!({ "value": value, "id": format!("{URL}/secrets/{name}/{:032x}", value.len()), "attributes": attributes });
        self.state().secrets.insert(name.to_owned(), bundle);
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> (u16, Headers, String) {
        let url = request.url();
        let bearer = request.headers().get_optional_str(&AUTHORIZATION).map(str::to_owned);
        let token = bearer.as_deref().and_then(|it| it.strip_prefix("Bearer "));
        self.requests.push(format!("{} {} {}", request.method().as_ref(), url.path(), token.unwrap_or("-")));
        assert_eq!(url.origin().ascii_serialization(), URL);
        let challenged = match self.mode {
            Mode::Challenge(resource) => Some(resource),
            _ if token.is_none_or(|token| {
                !self.tokens.takes(token) || self.revoked.iter().any(|it| it == token)
            }) =>
            {
                Some("https://vault.azure.net")
            }
            _ => None,
        };
        if let Some(resource) = challenged {
            let mut headers = Headers::new();
            let challenge = format!(
                "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"{resource}\""
            );
            headers.insert("www-authenticate", challenge);
            return (401, headers, error("Unauthorized", "AKV10000", None));
        }
        let none = Headers::new();
        match self.mode {
            Mode::Error(status, code, inner) => {
                let mut headers = Headers::new();
                headers.insert("retry-after", "7");
                let told = format!("Caller 'appid=x;oid={OID};iss=y' may not.\u{1b}[2J");
                (status, headers, error(code, &told, Some(inner)))
            }
            Mode::Raw(status, body) => (status, none, body.to_owned()),
            _ => self.serve(request),
        }
    }

    fn serve(&mut self, request: &Request) -> (u16, Headers, String) {
        let path = request.url().path().trim_end_matches('/').to_owned();
        let none = Headers::new();
        let Some(name) = path.strip_prefix("/secrets/").map(str::to_ascii_lowercase) else {
            return (200, none, self.list(request).to_string());
        };
        if request.method() == azure_core::http::Method::Put {
            let Body::Bytes(body) = request.body() else { panic!("a stream") };
            let body: Value = serde_json::from_slice(body).unwrap();
            let bundle = json!({
                "value": body["value"], "id": format!("{URL}/secrets/{name}/{:032x}", 99), "attributes": { "enabled": true },
            });
            self.secrets.insert(name, bundle.clone());
            return (200, none, bundle.to_string());
        }
        match self.secrets.get(&name) {
            None => (404, none, error("SecretNotFound", "not found", None)),
            Some(bundle) if bundle["attributes"]["enabled"] == false => {
                (403, none, error("Forbidden", "Operation get is not allowed", Some("SecretDisabled")))
            }
            Some(bundle) => {
                self.handed_out.push((name, Instant::now()));
                (200, none, bundle.to_string())
            }
        }
    }

    fn list(&self, request: &Request) -> Value {
        let from = request
            .url()
            .query_pairs()
            .find_map(|(key, value)| (key == "$skiptoken").then(|| value.parse::<usize>().unwrap()));
        let from = from.unwrap_or_default();
        let page: Vec<Value> = self
            .secrets
            .values()
            .skip(from)
            .take(self.page)
            .map(|bundle| {
                let id = bundle["id"].as_str().unwrap().rsplit_once('/').unwrap().0;
                json!({ "id": id, "attributes": bundle["attributes"] })
            })
            .collect();
        let to = from + page.len();
        let next = format!("{}/secrets?api-version=7.6&$skiptoken={to}", self.next_host);
        json!({ "value": page, "nextLink": (to < self.secrets.len()).then_some(next) })
    }
}

fn error(code: &str, message: &str, inner: Option<&str>) -> String {
    let mut error = json!({ "code": code, "message": message });
    if let Some(inner) = inner {
        error["innererror"] = json!({ "code": inner });
    }
    json!({ "error": error }).to_string()
}

#[async_trait::async_trait]
impl HttpClient for Vault {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mode = self.state().mode.clone();
        match mode {
            Mode::Broken(error) => {
                self.state().requests.push("broken".to_owned());
                return Err(error());
            }
            Mode::Silent => std::future::pending().await,
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (status, headers, body) = self.state().answer(request);
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, body))
    }
}

/// Connection errors as a transport tells them.
pub(crate) fn refused() -> Error {
    Error::with_error(ErrorKind::Connection, io::Error::from(io::ErrorKind::ConnectionRefused), "no answer")
}

pub(crate) fn reset() -> Error {
    Error::new(ErrorKind::Io, io::Error::from(io::ErrorKind::ConnectionReset))
}

pub(crate) fn unresolved() -> Error {
    Error::new(ErrorKind::Connection, io::Error::other("dns error: failed to lookup address information"))
}

pub(crate) fn untrusted() -> Error {
    let reason = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    Error::new(ErrorKind::Connection, io::Error::new(io::ErrorKind::InvalidData, reason))
}

type Failure = fn() -> Error;

/// Gives tokens `t1`, `t2`, and so on.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    issued: Arc<Mutex<Vec<Instant>>>,
    says: Arc<Mutex<Option<Failure>>>,
    refusals: Arc<Mutex<usize>>,
    pub(crate) lifetime: Duration,
    clock: Clock,
}

impl Tokens {
    pub(crate) fn new(clock: &Clock, lifetime: Duration) -> Self {
        Self {
            issued: Arc::default(),
            says: Arc::default(),
            refusals: Arc::default(),
            lifetime,
            clock: clock.clone(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Fails from now on, or not any more.
    pub(crate) fn says(&self, error: Option<Failure>) {
        *self.says.lock().unwrap() = error;
    }

    /// How often it failed.
    pub(crate) fn refusals(&self) -> usize {
        *self.refusals.lock().unwrap()
    }

    /// When each was given.
    pub(crate) fn issued(&self) -> Vec<Instant> {
        self.issued.lock().unwrap().clone()
    }

    fn takes(&self, token: &str) -> bool {
        let number: usize = token.strip_prefix('t').unwrap().parse().unwrap();
        self.issued()[number - 1].elapsed() < self.lifetime
    }
}

#[async_trait::async_trait]
impl TokenCredential for Tokens {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        assert_eq!(scopes, ["https://vault.azure.net/.default"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Some(error) = *self.says.lock().unwrap() {
            *self.refusals.lock().unwrap() += 1;
            return Err(error());
        }
        let mut issued = self.issued.lock().unwrap();
        issued.push(Instant::now());
        Ok(AccessToken::new(format!("t{}", issued.len()), self.clock.now() + self.lifetime))
    }
}
