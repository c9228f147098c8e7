//! Requests of which a part is carried out.

use bytes::Bytes;
use serde_json::Value;

use crate::wire::Incoming;
use crate::world::needs_definition;

/// What can be left out of a request, the first that is there.
const OPTIONAL: [&str; 4] = ["definition", "capacityId", "folderId", "myGitCredentials"];

/// The request without a part of what it asks for, if it has parts.
pub(crate) fn reduced(request: &Incoming) -> Option<Incoming> {
    let mut body: Value = serde_json::from_slice(&request.body).ok()?;
    let last = request.segments.last().map(|last| last.to_lowercase());
    match last.as_deref() {
        Some("updatedefinition") => {
            let parts = body.pointer_mut("/definition/parts")?.as_array_mut()?;
            (parts.len() > 1).then(|| parts.truncate(1))?;
        }
        Some("deploy") => {
            let items = body.pointer_mut("/items")?.as_array_mut()?;
            (items.len() > 1).then(|| items.truncate(1))?;
        }
        Some("assigntocapacity") => return None,
        _ => {
            let body = body.as_object_mut()?;
            // Some types are nothing without their definition, whether the body names them or the collection.
            let whole = body.get("type").and_then(Value::as_str).is_some_and(needs_definition)
                || matches!(
                    last.as_deref(),
                    Some("semanticmodels" | "reports" | "paginatedreports" | "mirroreddatabases")
                );
            let mut optional = OPTIONAL.into_iter().filter(|name| !whole || *name != "definition");
            let part = optional.find(|name| body.get(*name).is_some_and(|part| !part.is_null()))?;
            body.shift_remove(part);
        }
    }
    let mut request = request.clone();
    request.body = Bytes::from(body.to_string());
    Some(request)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leaves_one_part_out() {
        let part = |path| json!({"path": path, "payload": "", "payloadType": "InlineBase64"});
        let cases = [
            (
                "items",
                json!({"displayName": "x", "definition": {}, "folderId": "f"}),
                Some(json!({"displayName": "x", "folderId": "f"})),
            ),
            ("items", json!({"displayName": "x", "folderId": "f"}), Some(json!({"displayName": "x"}))),
            ("items", json!({"displayName": "x", "folderId": null}), None),
            ("items", json!({"type": "Report", "definition": {}}), None),
            ("semanticModels", json!({"definition": {}, "folderId": "f"}), Some(json!({"definition": {}}))),
            ("workspaces", json!({"displayName": "x", "capacityId": "c"}), Some(json!({"displayName": "x"}))),
            ("assignToCapacity", json!({"capacityId": "c"}), None),
            (
                "connect",
                json!({"gitProviderDetails": {}, "myGitCredentials": {}}),
                Some(json!({"gitProviderDetails": {}})),
            ),
            (
                "updateDefinition",
                json!({"definition": {"parts": [part("a"), part("b")]}}),
                Some(json!({"definition": {"parts": [part("a")]}})),
            ),
            ("updateDefinition", json!({"definition": {"parts": [part("a")]}}), None),
            (
                "deploy",
                json!({"items": [{"sourceItemId": "a"}, {"sourceItemId": "b"}]}),
                Some(json!({"items": [{"sourceItemId": "a"}]})),
            ),
            ("deploy", json!({"sourceStageId": "s"}), None),
            ("roleAssignments", json!({"role": "Admin"}), None),
        ];
        for (path, body, expected) in cases {
            let request =
                http::Request::post(format!("/v1/{path}")).body(Bytes::from(body.to_string())).unwrap();
            let found = reduced(&Incoming::new(request)).map(|request| request.body);
            assert_eq!(found, expected.map(|body| Bytes::from(body.to_string())), "{path} {body}");
        }
    }
}
