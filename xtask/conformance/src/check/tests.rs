//! The checks, over documents of a few lines.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::Violation;
use crate::spec::{Documents, Specs};

const ID: &str = "11111111-1111-4111-8111-111111111111";

/// Two files, with every trap of the real ones.
fn specs() -> Specs {
    let mut documents = Documents::default();
    documents.insert(
        "common/definitions.json",
        json!({"definitions": {
            "ErrorResponse": {
                "type": "object",
                "required": ["errorCode", "message"],
                "properties": {"errorCode": {"type": "string"}, "message": {"type": "string"}},
            },
            "Principal": {
                "type": "object",
                "required": ["id", "type"],
                "discriminator": "type",
                "properties": {
                    "id": {"type": "string", "format": "uuid", "readOnly": true},
                    "type": {"type": "string", "enum": ["User", "Group", "Tenant"], "x-ms-enum": {"modelAsString": true}},
                },
            },
            "User": {
                "x-ms-discriminator-value": "User",
                "allOf": [{"$ref": "#/definitions/Principal"}],
                "required": ["name"],
                "properties": {"name": {"type": "string"}},
            },
            "Group": {
                "x-ms-discriminator-value": "Group",
                "allOf": [{"$ref": "#/definitions/Principal"}],
                "properties": {"owner": {"$ref": "#/definitions/Principal", "description": "beside a reference"}},
            },
        }}),
    );
    let thing = json!({"$ref": "#/definitions/Thing"});
    let error = json!({"$ref": "../Common/definitions.json#/definitions/ErrorResponse"});
    let failure =
        json!({"description": "Common error codes:\n\n* ThingNotFound - Not there.", "schema": error});
    let accepted = json!({"headers": {
        "Location": {"type": "string"},
        "x-ms-operation-id": {"type": "string", "format": "uuid"},
        "Retry-After": {"type": "integer"},
    }});
    let id = json!({"in": "path", "name": "thingId", "type": "string", "format": "uuid", "required": true});
    let beta = json!({"in": "query", "name": "beta", "type": "boolean", "required": true});
    let query = [
        json!({"in": "query", "name": "roles", "type": "array", "items": {"type": "string", "enum": ["Admin", "Member"]}}),
        json!({"in": "query", "name": "recursive", "type": "boolean"}),
    ];
    let body = json!({"in": "body", "name": "request", "required": true, "schema": thing});
    documents.insert(
        "platform/swagger.json",
        json!({
            "swagger": "2.0", "basePath": "/v1",
            "paths": {
                "/things": {
                    "get": {"parameters": query, "responses": {"200": {"schema": {"type": "array", "items": thing}}, "default": failure}},
                    "post": {
                        "x-ms-fabric-sdk-long-running-operation": true, "parameters": [body],
                        "responses": {"201": {"schema": thing}, "202": accepted, "default": failure},
                    },
                },
                "/things/{thingId}": {"get": {"parameters": [id], "responses": {"200": {"schema": {"type": "file"}}, "default": failure}}},
                "/things/all": {"get": {"responses": {"200": {"schema": {"type": "object"}}}}},
                "/state?beta=true": {"get": {"parameters": [beta], "responses": {"200": {"schema": {"type": "string"}}}}},
                "/state?beta=false": {"get": {"parameters": [beta], "responses": {"200": {"schema": {"type": "integer"}}}}},
                "/preview?beta=true": {"post": {"parameters": [beta], "responses": {"200": {}}}},
            },
            "definitions": {
                "Thing": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "maxLength": 5},
                        "made": {"type": "string", "format": "date-time"},
                        "owner": {"$ref": "../common/definitions.json#/definitions/Principal"},
                        "creator": {"allOf": [{"$ref": "../common/definitions.json#/definitions/Principal"}], "description": "d"},
                        "anything": {"type": "object"},
                        "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
                    },
                },
            },
        }),
    );
    Specs::new(&documents).unwrap()
}

/// What is said of them, without the operation: `at kind`, one after the other.
fn said(violations: Vec<Violation>) -> String {
    let each = violations.iter().map(|it| format!("{} {}", it.finding.at, it.finding.kind));
    each.collect::<Vec<_>>().join(", ")
}

fn request(method: &str, target: &str, body: Value) -> String {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    said(specs().check_request(method, target, body.as_bytes()).unwrap())
}

fn answer(method: &str, target: &str, status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect();
    said(specs().check_response(method, target, status, &headers, body.as_bytes()).unwrap())
}

#[test]
fn a_body_is_checked_by_its_schema() {
    let cases = [
        (json!({"name": "a"}), ""),
        (json!({"name": "a", "made": "2026-01-02T03:04:05Z"}), ""),
        (json!({"name": "a", "made": "2026-01-02T03:04:05"}), "/made format"),
        (json!({}), "/name missing"),
        (json!({"name": 1}), "/name type"),
        (json!({"name": null}), "/name null"),
        (json!({"name": "longer"}), "/name limit"),
        (json!([]), " type"),
        (Value::Null, " body"),
    ];
    for (body, expected) in cases {
        assert_eq!(request("POST", "/v1/things", body.clone()), expected, "{body}");
    }
    assert_eq!(request("GET", "/v1/things", json!({})), " body");
    let found = specs().check_request("POST", "/v1/things", b"{").unwrap();
    assert_eq!(said(found), " body");
}

#[test]
fn a_property_that_nothing_names_is_found_wherever_it_stands() {
    let user = |extra: &str| json!({"id": ID, "type": "User", "name": "n", extra: 1});
    let cases = [
        (json!({"name": "a", "mane": "b"}), "/mane unknown-property"),
        (json!({"name": "a", "owner": user("a/b")}), "/owner/a~1b unknown-property"),
        (json!({"name": "a", "anything": {"b": {"c": 1}}}), ""),
        (json!({"name": "a", "labels": {"b": 1}}), ""),
        (json!({"name": "a", "labels": {"b": "c"}}), "/labels/b type"),
        // What fails of an object does not make its other properties unknown.
        (json!({"name": null, "owner": user("x")}), "/name null, /owner/x unknown-property"),
    ];
    for (body, expected) in cases {
        assert_eq!(request("POST", "/v1/things", body.clone()), expected, "{body}");
    }
    let list = json!([{"name": "a"}, {"name": "a", "b": 1}]).to_string();
    assert_eq!(answer("GET", "/v1/things", 200, JSON, &list), "/1/b unknown-property");
}

#[test]
fn a_discriminator_leads_to_the_kind() {
    let cases = [
        (json!({"id": ID, "type": "User", "name": "n"}), ""),
        (json!({"id": ID, "type": "User"}), "name missing"),
        (json!({"id": "x", "type": "User", "name": "n"}), "id format"),
        (json!({"id": ID, "type": "User", "name": "n", "owner": {}}), "owner unknown-property"),
        // A kind without a schema of its own is the base.
        (json!({"id": ID, "type": "Tenant"}), ""),
        (json!({"id": ID, "type": "Tenant", "name": "n"}), "name unknown-property"),
        (json!({"id": ID, "type": "Robot"}), "type value"),
        (json!({"id": ID, "type": "Group", "owner": {"id": ID, "type": "User"}}), "owner/name missing"),
        (json!({"id": ID}), "type missing"),
    ];
    for property in ["owner", "creator"] {
        for (principal, expected) in &cases {
            let body = json!({"name": "a", property: principal});
            let expected = match *expected {
                "" => String::new(),
                at => format!("/{property}/{at}"),
            };
            assert_eq!(request("POST", "/v1/things", body.clone()), expected, "{body}");
        }
    }
}

#[test]
fn the_query_tells_operations_of_one_path_apart() {
    assert_eq!(answer("GET", "/v1/state?beta=true", 200, JSON, "\"a\""), "");
    assert_eq!(answer("GET", "/v1/state?beta=False", 200, JSON, "1"), "");
    assert_eq!(answer("GET", "/v1/state?beta=false", 200, JSON, "\"a\""), " type");
    assert_eq!(request("GET", "/v1/state?beta=true", Value::Null), "");
    assert_eq!(request("GET", "/v1/state", Value::Null), "query:beta missing");
    assert_eq!(request("POST", "/v1/preview?beta=false", Value::Null), "query:beta value");
    let name = specs().check_request("GET", "/v1/state?beta=true&x=1", b"").unwrap()[0].operation.clone();
    assert_eq!(name, "GET /v1/state?beta=true");
}

#[test]
fn path_and_query_are_checked() {
    let cases = [
        ("/v1/things?recursive=true&roles=Admin,Member", ""),
        ("/v1/things?recursive=yes", "query:recursive type"),
        ("/v1/things?roles=Admin,Guest", "query:roles/1 value"),
        ("/v1/things?recursive=true&recursive=true", "query:recursive limit"),
        ("/v1/things?Recursive=true", "query:Recursive unknown-property"),
        ("/v1/Things/all", ""),
        ("/v1/things/11111111-1111-4111-8111-111111111111", ""),
        ("/v1/things/11111111111141118111111111111111", "path:thingId format"),
        ("/v1/nothing", " operation"),
        // These documents have no part for administrators.
        ("/v1/admin/nothing", ""),
    ];
    for (target, expected) in cases {
        assert_eq!(request("GET", target, Value::Null), expected, "{target}");
    }
    assert_eq!(request("DELETE", "/v1/things", Value::Null), " operation");
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];

#[test]
fn an_answer_is_checked_by_its_status() {
    let (thing, error) = (r#"{"name":"a"}"#, r#"{"errorCode":"ThingNotFound","message":"m"}"#);
    let place = ("location", "https://host.example/v1/operations/1");
    let accepted = |more: &[(&'static str, &'static str)]| [&[place], more].concat();
    let cases = [
        (201, JSON.to_vec(), thing, ""),
        (201, JSON.to_vec(), "", " body"),
        (201, JSON.to_vec(), "null", " null"),
        (201, Vec::new(), thing, "header:Content-Type value"),
        (200, JSON.to_vec(), thing, "status status"),
        (404, JSON.to_vec(), error, ""),
        (404, JSON.to_vec(), r#"{"errorCode":"Other","message":"m"}"#, "/errorCode error-code"),
        (500, JSON.to_vec(), r#"{"errorCode":"ThingNotFound"}"#, "/message missing"),
        (202, accepted(&[("x-ms-operation-id", ID), ("retry-after", "20")]), "", ""),
        (202, accepted(&[("x-ms-operation-id", ID), ("retry-after", "20")]), "null", " body"),
        (
            202,
            accepted(&[("x-ms-operation-id", "1"), ("retry-after", "soon")]),
            "",
            "header:Retry-After type, header:x-ms-operation-id format",
        ),
        (202, accepted(&[("retry-after", "20")]), "", "header:x-ms-operation-id missing"),
    ];
    for (status, headers, body, expected) in cases {
        let mut found: Vec<String> =
            answer("POST", "/v1/things", status, &headers, body).split(", ").map(str::to_owned).collect();
        found.sort();
        assert_eq!(found.join(", "), expected, "{status} {headers:?} {body}");
    }
    assert_eq!(answer("GET", &format!("/v1/things/{ID}"), 200, &[], "whatever"), "");
}

#[test]
fn a_result_is_the_answer_that_would_have_come_at_once() {
    let specs = specs();
    let check = |method, target, body: Option<&str>| {
        said(specs.check_result(method, target, body.map(str::as_bytes)).unwrap())
    };
    assert_eq!(check("POST", "/v1/things", Some(r#"{"name":"a"}"#)), "");
    assert_eq!(check("POST", "/v1/things", Some(r#"{"name":null}"#)), "/name null");
    assert_eq!(check("POST", "/v1/things", None), " body");
    assert_eq!(check("POST", "/v1/preview?beta=true", None), "");
    assert_eq!(check("POST", "/v1/preview?beta=true", Some("{}")), " body");
}
