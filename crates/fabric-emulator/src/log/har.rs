//! The log as an HTTP archive, which browsers' developer tools and proxies read.
//!
//! Format: HAR 1.2, <http://www.softwareishard.com/blog/har-12-spec/>.

use http::StatusCode;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Exchange;

/// The archive of some exchanges. A request without an answer has status 0, as browsers write it.
pub(super) fn archive<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Value {
    json!({
        "log": {
            "version": "1.2",
            "creator": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
            "entries": exchanges.map(entry).collect::<Vec<_>>(),
        }
    })
}

fn entry(exchange: &Exchange) -> Value {
    let Exchange { request, url, headers, answer, .. } = exchange;
    let milliseconds = answer.as_ref().map_or(0.0, |answer| answer.took.as_secs_f64() * 1000.0);
    let query = request.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut sent = json!({
        "method": request.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": pairs_json(headers),
        "queryString": pairs.map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
        "headersSize": -1,
        "bodySize": request.body.len(),
    });
    if !request.body.is_empty() {
        sent["postData"] = json!({"mimeType": value_of(headers, "content-type"), "text": request.body});
    }
    json!({
        "startedDateTime": request.time,
        "time": milliseconds,
        "request": sent,
        "response": response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    })
}

fn response(exchange: &Exchange) -> Value {
    let nothing = Vec::new();
    let (headers, body) = match &exchange.answer {
        Some(answer) => (&answer.headers, answer.body.as_str()),
        None => (&nothing, ""),
    };
    let status = exchange.request.status.unwrap_or_default();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    json!({
        "status": status,
        "statusText": reason.unwrap_or_default(),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": pairs_json(headers),
        "content": {"size": body.len(), "mimeType": value_of(headers, "content-type"), "text": body},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": body.len(),
    })
}

fn pairs_json(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn value_of<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}
