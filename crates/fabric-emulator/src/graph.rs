//! The look-ups of Microsoft Graph: users, groups and service principals, by id or by `$filter`.
//!
//! Of query parameters `$select` and, for lists, `$filter`, `$top` and the `$skiptoken` of an `@odata.nextLink` are
//! understood; every other one that begins with `$` is refused, as Graph refuses those that a collection does not have.
//! See <https://learn.microsoft.com/graph/paging>.
//!
//! Of filters exactly `attribute eq 'value'`, joined by `or`, is understood, with `''` for a quote in the value;
//! every other filter is refused, never guessed at. See <https://learn.microsoft.com/graph/filter-query-parameter>.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};

use crate::emulator::Shared;
use crate::entra;
use crate::paging;
use crate::wire::{Incoming, Reply};
use crate::world::{Principal, PrincipalKind};

type Refusal = (u16, &'static str, String);

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    let reply = match answer(shared, request) {
        Ok(body) => Reply::json(200, body),
        Err((status, code, message)) => {
            Reply::json(status, json!({"error": {"code": code, "message": message}}))
        }
    };
    reply.plain()
}

fn answer(shared: &Shared, request: &Incoming) -> Result<Value, Refusal> {
    let mut state = shared.state();
    if let Err(error) = state.caller(request, entra::GRAPH) {
        return Err((401, "InvalidAuthenticationToken", error.message));
    }
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let (collection, kind) = match segments.first().map(|first| first.to_lowercase()).as_deref() {
        Some("users") => ("users", PrincipalKind::User),
        Some("groups") => ("groups", PrincipalKind::Group),
        Some("serviceprincipals") => ("servicePrincipals", PrincipalKind::ServicePrincipal),
        _ => ("", PrincipalKind::User),
    };
    if collection.is_empty() || request.method != "GET" || segments.len() > 2 {
        state.unknown_routes += 1;
        let message = format!("Resource not found for {} {}", request.method, request.path);
        return Err((404, "Request_ResourceNotFound", message));
    }
    let known = || state.world.principals.iter().filter(move |principal| principal.kind == kind);
    let select = request.query("$select");
    if let Some(id) = segments.get(1) {
        check_query(request, &["$select"])?;
        let found = known().find(|principal| names(principal, id));
        let found = found.ok_or_else(|| {
            let message = format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            );
            (404, "Request_ResourceNotFound", message)
        })?;
        let mut json = json!({"@odata.context": context(request, &format!("{collection}/$entity"))});
        merge(&mut json, selected(principal_json(found), select));
        return Ok(json);
    }
    check_query(request, &["$select", "$filter", "$top", SKIP_TOKEN])?;
    let alternatives = match request.query("$filter") {
        Some(filter) => Some(parse_filter(filter).ok_or_else(|| {
            (400, "Request_UnsupportedQuery", format!("Unsupported or invalid query filter clause: {filter}"))
        })?),
        None => None,
    };
    let found =
        known().map(principal_json).filter(|json| alternatives.as_ref().is_none_or(|any| meets(json, any)));
    let found: Vec<Value> = found.map(|json| selected(json, select)).collect();
    page(request, collection, found)
}

const SKIP_TOKEN: &str = "$skiptoken";
/// The most entries that `$top` can ask for.
const MAX_TOP: usize = 999;

fn check_query(request: &Incoming, known: &[&str]) -> Result<(), Refusal> {
    let mut names = request.query_names().filter(|name| name.starts_with('$'));
    match names.find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))) {
        Some(name) => {
            Err((400, "Request_UnsupportedQuery", format!("Unsupported query parameter '{name}'.")))
        }
        None => Ok(()),
    }
}

/// All that was found, or as many as `$top` asks for and a link to the rest.
fn page(request: &Incoming, collection: &str, found: Vec<Value>) -> Result<Value, Refusal> {
    let size = match request.query("$top") {
        None => None,
        Some(top) => Some(top.parse().ok().filter(|top| (1..=MAX_TOP).contains(top)).ok_or_else(|| {
            let message =
                format!("Invalid page size specified: '{top}'. Must be between 1 and {MAX_TOP} inclusive.");
            (400, "Request_UnsupportedQuery", message)
        })?),
    };
    let cut = paging::cut(request, size, SKIP_TOKEN, found).ok_or_else(|| {
        let message =
            "The specified page token value has expired and can no longer be included in your request.";
        (400, "Directory_ExpiredPageToken", message.to_owned())
    })?;
    let mut json = json!({"@odata.context": context(request, collection)});
    if let Some((_, link)) = cut.next {
        json["@odata.nextLink"] = link.into();
    }
    json["value"] = cut.values.into();
    Ok(json)
}

fn context(request: &Incoming, of: &str) -> String {
    request.absolute(&format!("/v1.0/$metadata#{of}"))
}

/// A user goes by its id and by its principal name, the others by their id.
fn names(principal: &Principal, id: &str) -> bool {
    principal.id.to_string().eq_ignore_ascii_case(id)
        || principal.user_principal_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(id))
}

fn principal_json(principal: &Principal) -> Value {
    let (id, name, mail) = (principal.id, &principal.display_name, &principal.mail);
    match principal.kind {
        PrincipalKind::User => {
            json!({"id": id, "displayName": name, "mail": mail, "userPrincipalName": principal.user_principal_name})
        }
        PrincipalKind::Group => json!({"id": id, "displayName": name, "mail": mail, "securityEnabled": true}),
        PrincipalKind::ServicePrincipal => json!({"id": id, "appId": principal.app_id, "displayName": name}),
    }
}

fn selected(json: Value, select: Option<&str>) -> Value {
    let Some(select) = select else { return json };
    let mut kept = json!({});
    for name in select.split(',').map(str::trim) {
        if let Some(value) = json.get(name) {
            kept[name] = value.clone();
        }
    }
    kept
}

fn merge(into: &mut Value, from: Value) {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
}

fn meets(json: &Value, alternatives: &[(String, String)]) -> bool {
    alternatives.iter().any(|(attribute, wanted)| {
        let value = json.get(attribute).and_then(Value::as_str);
        value.is_some_and(|value| value.to_lowercase() == wanted.to_lowercase())
    })
}

const FILTERABLE: &[&str] = &["id", "displayName", "mail", "userPrincipalName", "appId"];

/// Attribute and value of each alternative, or `None` for what this does not understand.
fn parse_filter(filter: &str) -> Option<Vec<(String, String)>> {
    let mut rest = filter.trim();
    let mut alternatives = Vec::new();
    loop {
        let (attribute, after) = rest.split_once(" eq '")?;
        let attribute = attribute.trim();
        FILTERABLE.contains(&attribute).then_some(())?;
        let (value, after) = quoted(after)?;
        alternatives.push((attribute.to_owned(), value));
        match after.trim() {
            "" => return Some(alternatives),
            more => rest = more.strip_prefix("or ")?,
        }
    }
}

/// The value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (piece, after) = rest.split_once('\'')?;
        value.push_str(piece);
        match after.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_equality_filters_and_nothing_else() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let cases = [
            ("mail eq 'a@b.example'", Some(vec![pair("mail", "a@b.example")])),
            (
                "mail eq 'a' or userPrincipalName eq 'a'",
                Some(vec![pair("mail", "a"), pair("userPrincipalName", "a")]),
            ),
            ("displayName eq 'O''Neil or so'", Some(vec![pair("displayName", "O'Neil or so")])),
            ("displayName eq 'x' and mail eq 'y'", None),
            ("startswith(displayName,'x')", None),
            ("displayName eq 'open", None),
            ("jobTitle eq 'x'", None),
            ("", None),
        ];
        for (filter, expected) in cases {
            assert_eq!(parse_filter(filter), expected, "{filter}");
        }
    }
}
