//! What is done to the JSON of an answer. Each of these leaves a body alone that it does not fit.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::edit::{Casing, ELSEWHERE};
use crate::paging;
use crate::wire::blocked_until;

/// The code of an error, in the dialect of its service: of a vault the inner one, where there is one.
pub(super) fn set_code(body: &mut Value, code: &str) {
    if let Some(inner) = body.pointer_mut("/error/innererror/code") {
        *inner = code.into();
        return;
    }
    let at = match (body.get("errorCode"), body.pointer("/error/code")) {
        (Some(_), _) => body.get_mut("errorCode"),
        (_, Some(_)) => body.pointer_mut("/error/code"),
        _ => body.get_mut("error").filter(|error| error.is_string()),
    };
    if let Some(at) = at {
        *at = code.into();
    }
}

/// The message of an error, in the dialect of its service.
pub(super) fn set_message(body: &mut Value, message: &str) {
    let place = ["/message", "/error/message", "/error_description"];
    if let Some(place) = place.into_iter().find(|place| body.pointer(place).is_some())
        && let Some(at) = body.pointer_mut(place)
    {
        *at = message.into();
    }
}

pub(super) fn remove_code(body: &mut Value) {
    if let Some(body) = body.as_object_mut() {
        // In its order: `remove` would put the last field in the place of this one.
        body.shift_remove("errorCode");
    }
    if let Some(error) = body.get_mut("error").and_then(Value::as_object_mut) {
        error.shift_remove("code");
        error.shift_remove("innererror");
    }
}

pub(super) fn set_retriable(body: &mut Value, retriable: Option<bool>) {
    let Some(error) = body.as_object_mut().filter(|body| body.contains_key("errorCode")) else { return };
    match retriable {
        Some(retriable) => {
            error.insert("isRetriable".to_owned(), retriable.into());
        }
        None => {
            error.shift_remove("isRetriable");
        }
    }
}

/// Gives the message of an error the form that it has of a `RequestBlocked`.
pub(super) fn set_until(body: &mut Value, until: OffsetDateTime) {
    if let Some(message) = body.get_mut("message") {
        *message = blocked_until(until).into();
    }
}

/// The status of an operation; one that nobody knows says nothing of its progress.
pub(super) fn set_status(body: &mut Value, status: &str) {
    if body.get("createdTimeUtc").is_some() && body.get("status").is_some() {
        body["status"] = status.into();
        body["percentComplete"] = Value::Null;
    }
}

pub(super) fn set_casing(body: &mut Value, casing: Casing) {
    match body {
        Value::Array(values) => values.iter_mut().for_each(|value| set_casing(value, casing)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "status" | "state") => {
                        *text = match casing {
                            Casing::Lower => text.to_lowercase(),
                            Casing::Upper => text.to_uppercase(),
                        };
                    }
                    value => set_casing(value, casing),
                }
            }
        }
        _ => {}
    }
}

/// To the body and to the entries of a list; what is deeper may be a customer's own JSON.
pub(super) fn add_unknown_fields(body: &mut Value) {
    for_each_resource(body, |fields| {
        fields.insert("unknownField".to_owned(), json!({"since": "a later version", "values": [1, null]}));
    });
}

/// What the kinds of resources may leave out, as seen from the service or said by its documents.
pub(super) fn add_nulls(body: &mut Value) {
    for_each_resource(body, |fields| {
        let has = |name| fields.contains_key(name);
        let optional: &[&str] = if has("value") {
            &["continuationToken", "continuationUri"]
        } else if has("errorCode") {
            &["moreDetails", "relatedResource", "isRetriable"]
        } else if has("createdTimeUtc") && has("status") {
            &["blobInfoId", "resultContentType"]
        } else if has("workspaceId") && has("type") {
            &["folderId", "tags", "sensitivityLabel"]
        } else if has("workspaceId") {
            &["parentFolderId"]
        } else if fields.get("type").is_some_and(|kind| kind == "Workspace") {
            &["capacityId", "capacityRegion", "domainId", "tags", "apiEndpoint"]
        } else {
            &[]
        };
        for name in optional {
            fields.entry(*name).or_insert(Value::Null);
        }
    });
}

fn for_each_resource(body: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Array(entries)) = body.get_mut("value") {
        entries.iter_mut().filter_map(Value::as_object_mut).for_each(&mut change);
    }
    if let Some(fields) = body.as_object_mut() {
        change(fields);
    }
}

pub(super) fn hide_service_principals(body: &mut Value) {
    if let Some(Value::Array(entries)) = body.get_mut("value") {
        entries
            .retain(|entry| entry.pointer("/principal/type").is_none_or(|kind| kind != "ServicePrincipal"));
    }
}

pub(super) fn continue_elsewhere(body: &mut Value) {
    let name = if body.get("nextLink").is_some() { "nextLink" } else { "continuationUri" };
    let Some(Value::String(uri)) = body.get_mut(name) else { return };
    if let Ok(there) = url::Url::parse(uri) {
        *uri = format!("{ELSEWHERE}{}?{}", there.path(), there.query().unwrap_or_default());
    }
}

/// With one entry per page the next page would be this one again, for ever.
pub(super) fn overlap_pages(body: &mut Value) {
    let entries = body.get("value").and_then(Value::as_array).map_or(0, Vec::len);
    let token = body.get("continuationToken").and_then(Value::as_str).filter(|_| entries > 1);
    let Some(earlier) = token.and_then(paging::one_earlier) else { return };
    if let Some(uri) = body.get("continuationUri").and_then(Value::as_str) {
        let token = body["continuationToken"].as_str().unwrap_or_default();
        body["continuationUri"] = uri.replace(token, &earlier).into();
    }
    body["continuationToken"] = earlier.into();
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_end_of_a_block_is_written_as_recorded() {
        let cases = [
            (datetime!(2025-09-02 18:17:18 UTC), "9/2/2025 6:17:18 PM (UTC)"),
            (datetime!(2025-12-31 00:00:05 UTC), "12/31/2025 12:00:05 AM (UTC)"),
            (datetime!(2025-05-05 15:56:41 +2), "5/5/2025 1:56:41 PM (UTC)"),
        ];
        for (until, expected) in cases {
            let mut body = json!({"message": ""});
            set_until(&mut body, until);
            assert_eq!(
                body["message"],
                format!("Request is blocked by the upstream service until: {expected}")
            );
        }
    }

    #[test]
    fn only_states_change_their_case() {
        let mut body = json!({"status": "Done", "name": "Done", "deep": [{"state": "Active"}], "state": 1});
        set_casing(&mut body, Casing::Lower);
        assert_eq!(
            body,
            json!({"status": "done", "name": "Done", "deep": [{"state": "active"}], "state": 1})
        );
    }
}
