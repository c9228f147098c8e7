//! Secrets are kept out of the log: it is made to be shown.

use http::HeaderMap;
use http::header;
use serde_json::Value;
use url::form_urlencoded;

use crate::wire::{Api, Incoming};

const REDACTED: &str = "[REDACTED]";

/// The body of a request without the secrets of the token endpoint, of connections and of vaults.
pub(super) fn request_body(request: &Incoming) -> String {
    if request.api == Api::Entra {
        let fields = form_urlencoded::parse(&request.body)
            .map(|(name, value)| match name.as_ref() {
                "client_secret" | "client_assertion" | "password" => format!("{name}={REDACTED}"),
                _ => format!("{name}={value}"),
            })
            .collect::<Vec<_>>();
        return fields.join("&");
    }
    if request.api == Api::Vault {
        return vault_body(&request.body);
    }
    let text = String::from_utf8_lossy(&request.body);
    if !text.contains("credentials") {
        return text.into_owned();
    }
    match serde_json::from_str::<Value>(&text) {
        Ok(mut body) if body.pointer("/credentialDetails/credentials").is_some() => {
            body["credentialDetails"]["credentials"] = REDACTED.into();
            body.to_string()
        }
        _ => text.into_owned(),
    }
}

/// The body of an answer without tokens, assertions and values of secrets.
pub(super) fn answer_body(api: Api, body: &[u8]) -> String {
    let hidden: &[&str] = match api {
        Api::Vault => return vault_body(body),
        Api::Entra => &["access_token"],
        Api::Workload => &["access_token", "value", "oidcToken"],
        Api::Admin | Api::Graph | Api::Fabric => &[],
    };
    let text = String::from_utf8_lossy(body).into_owned();
    match serde_json::from_str::<Value>(&text) {
        Ok(mut json) if hidden.iter().any(|name| json.get(name).is_some()) => {
            for name in hidden {
                if let Some(secret) = json.get_mut(name) {
                    *secret = REDACTED.into();
                }
            }
            json.to_string()
        }
        _ => text,
    }
}

/// What a vault is sent or sends. Its lists have no values in them; what cannot be read may have some.
fn vault_body(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        _ if body.is_empty() => String::new(),
        Ok(mut json) => {
            if let Some(value) = json.get_mut("value").filter(|value| !value.is_array()) {
                *value = REDACTED.into();
            }
            json.to_string()
        }
        Err(_) => REDACTED.to_owned(),
    }
}

/// Names and values of headers, in their order, without credentials.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let value = match name {
            &header::AUTHORIZATION | &header::COOKIE => REDACTED.to_owned(),
            name if name == "x-identity-header" => REDACTED.to_owned(),
            _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        (name.to_string(), value)
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    #[test]
    fn keeps_secrets_out() {
        let cases = [
            ("/t/oauth2/v2.0/token", "scope=s&client_secret=hush", "scope=s&client_secret=[REDACTED]"),
            ("/t/oauth2/v2.0/token", "client_assertion=hush", "client_assertion=[REDACTED]"),
            ("/t/oauth2/v2.0/token", "username=u&password=hush", "username=u&password=[REDACTED]"),
            (
                "/v1/connections",
                r#"{"credentialDetails":{"credentials":{"password":"hush"}}}"#,
                r#"{"credentialDetails":{"credentials":"[REDACTED]"}}"#,
            ),
            ("/v1/workspaces", r#"{"displayName":"x"}"#, r#"{"displayName":"x"}"#),
        ];
        for (path, body, expected) in cases {
            let request = Request::post(path).header(header::AUTHORIZATION, "Bearer hush");
            let request = Incoming::new(request.body(Bytes::from_static(body.as_bytes())).unwrap());
            assert_eq!(request_body(&request), expected, "{path}");
            assert_eq!(headers(&request.headers), [("authorization".to_owned(), REDACTED.to_owned())]);
        }
        let answer = br#"{"token_type":"Bearer","access_token":"hush"}"#;
        assert_eq!(answer_body(Api::Entra, answer), r#"{"token_type":"Bearer","access_token":"[REDACTED]"}"#);
    }
}
