//! The request log: what arrived, in order, and what it was answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::wire::{Api, Incoming};

/// One request as it arrived, with the status it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Status of the answer; `None` while there is none yet, and for ever when the connection was reset.
    pub status: Option<u16>,
    /// The body as sent, without secrets: `[REDACTED]` stands for those of the token endpoint and of connections.
    pub body: String,
    /// Object id of the principal whose token came with the request.
    pub principal: Option<String>,
    /// The faults that hit the request, in their one-line syntax and separated by `; `.
    pub fault: Option<String>,
}

#[derive(Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    next: u64,
    entries: Vec<(u64, LoggedRequest)>,
}

impl Log {
    /// Enters a request and returns its number, for [`Log::answered`].
    pub(crate) fn arrived(&self, request: &Incoming, principal: Option<String>) -> u64 {
        let mut log = self.entries();
        let number = log.next;
        log.next += 1;
        let entry = LoggedRequest {
            method: request.method.clone(),
            path: request.target.clone(),
            status: None,
            body: redacted(request),
            principal,
            fault: None,
        };
        log.entries.push((number, entry));
        number
    }

    pub(crate) fn hit(&self, number: u64, fault: Option<String>) {
        self.change(number, |entry| entry.fault = fault);
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        self.change(number, |entry| entry.status = Some(status));
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut LoggedRequest)) {
        let mut log = self.entries();
        // It may be gone: the log can be cleared while a request is under way.
        if let Ok(at) = log.entries.binary_search_by_key(&number, |(number, _)| *number) {
            change(&mut log.entries[at].1);
        }
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.entries().entries.iter().map(|(_, entry)| entry.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        self.entries().entries.clear();
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const REDACTED: &str = "[REDACTED]";

fn redacted(request: &Incoming) -> String {
    if request.api == Api::Entra {
        let fields = url::form_urlencoded::parse(&request.body)
            .map(|(name, value)| match name.as_ref() {
                "client_secret" | "client_assertion" => format!("{name}={REDACTED}"),
                _ => format!("{name}={value}"),
            })
            .collect::<Vec<_>>();
        return fields.join("&");
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(mut body) if body.pointer("/credentialDetails/credentials").is_some() => {
            body["credentialDetails"]["credentials"] = REDACTED.into();
            body.to_string()
        }
        _ => String::from_utf8_lossy(&request.body).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn keeps_secrets_out() {
        let cases = [
            ("/t/oauth2/v2.0/token", "scope=s&client_secret=hush", "scope=s&client_secret=[REDACTED]"),
            ("/t/oauth2/v2.0/token", "client_assertion=hush", "client_assertion=[REDACTED]"),
            (
                "/v1/connections",
                r#"{"credentialDetails":{"credentials":{"password":"hush"}}}"#,
                r#"{"credentialDetails":{"credentials":"[REDACTED]"}}"#,
            ),
            ("/v1/workspaces", r#"{"displayName":"x"}"#, r#"{"displayName":"x"}"#),
        ];
        for (path, body, expected) in cases {
            let request = http::Request::post(path).body(Bytes::from_static(body.as_bytes())).unwrap();
            let log = Log::default();
            log.answered(log.arrived(&Incoming::new(request), None), 200);
            let entry = &log.all()[0];
            assert_eq!((entry.body.as_str(), entry.status), (expected, Some(200)), "{path}");
        }
    }
}
