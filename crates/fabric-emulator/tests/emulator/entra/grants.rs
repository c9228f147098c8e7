//! The token endpoint: every way to be refused, and what those get who are not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selvedge_fabric_emulator::demo;
use serde_json::json;

use super::{APPLICATION, DISABLED, EXPIRED, ask, claims, credentials, emulator, form, refusal};
use crate::support::{Client, FABRIC, GRAPH, send};

#[tokio::test]
async fn refuses_by_aadsts_code() {
    let secret = ("client_secret", demo::CLIENT_SECRET);
    let own = |more: &[(&str, &str)]| form(&credentials(&[&[secret], more].concat()));
    let user = |name: &str, password: &str, scope: &str| {
        own(&[("grant_type", "password"), ("username", name), ("password", password), ("scope", scope)])
    };
    let bad = |error| (400, error);
    let (request, client) = (bad("invalid_request"), (401, "invalid_client"));
    let v2 = |tenant: &str| format!("/{tenant}/oauth2/v2.0/token");
    let (v2_own, v1_own) = (v2(demo::TENANT_ID), format!("/{}/oauth2/token", demo::TENANT_ID));
    let cases = [
        // the client
        (&v2_own, own(&[("client_id", "nobody")]), bad("unauthorized_client"), 700016),
        (&v2_own, own(&[("client_id", DISABLED)]), bad("unauthorized_client"), 7000112),
        (&v2_own, form(&credentials(&[("client_secret", "wrong")])), client, 7000215),
        (&v2_own, form(&credentials(&[("client_id", APPLICATION), ("client_secret", "S")])), client, 7000215),
        (&v2_own, form(&credentials(&[("client_id", EXPIRED), ("client_secret", "s")])), client, 7000222),
        (&v2_own, form(&credentials(&[("client_id", EXPIRED), ("client_secret", "x")])), client, 7000215),
        (&v2_own, form(&credentials(&[])), client, 7000216),
        (&v2_own, form(&credentials(&[("client_assertion", "a.b.c")])), client, 7000216),
        // the tenant
        (&v2("tenant"), own(&[]), request, 900023),
        (&v2("contoso..com"), own(&[]), request, 900023),
        (&v2("contoso.onmicrosoft.com"), own(&[]), bad("invalid_tenant"), 90002),
        (&v2("aaaaaaaa-0000-4000-8000-000000000002"), own(&[]), bad("invalid_tenant"), 90002),
        (&v2("common"), own(&[]), request, 50059),
        (&v2("organizations"), own(&[]), request, 50059),
        // what is asked for
        (&v2_own, own(&[("scope", "openid")]), bad("invalid_scope"), 1002012),
        (&v2_own, own(&[("scope", "https://graph.microsoft.com/User.Read")]), bad("invalid_scope"), 1002012),
        (&v2_own, own(&[("scope", "https://evil.example/.default")]), bad("invalid_resource"), 500011),
        (&v1_own, own(&[("resource", "https://evil.example")]), bad("invalid_resource"), 500011),
        (&v2_own, own(&[("grant_type", "refresh_token")]), bad("unsupported_grant_type"), 70003),
        (&v2_own, own(&[("grant_type", "")]), request, 900144),
        (&v2_own, own(&[("client_id", "")]), request, 900144),
        (&v2_own, own(&[("scope", "")]), request, 900144),
        (&v1_own, own(&[]), request, 900144),
        // the user
        (&v2_own, user("ada@contoso.example", "", FABRIC), request, 900144),
        (&v2_own, user("eve@contoso.example", "p", FABRIC), bad("invalid_grant"), 50034),
        (&v2_own, user("ben@contoso.example", "p", FABRIC), bad("invalid_grant"), 50057),
        (&v2_own, user("ada@contoso.example", "P", FABRIC), bad("invalid_grant"), 50126),
        // The demo tenant's users have no password.
        (&v2_own, user("analyst@contoso.example", "p", FABRIC), bad("invalid_grant"), 50126),
        (&v2_own, user("ada@contoso.example", "p", "openid profile"), bad("invalid_scope"), 70011),
        (
            &v2_own,
            user("ada@contoso.example", "p", &format!("{FABRIC} {GRAPH}")),
            bad("invalid_scope"),
            70011,
        ),
        (
            &v2_own,
            user("ada@contoso.example", "p", "https://evil.example/x"),
            bad("invalid_resource"),
            500011,
        ),
    ];
    let emulator = emulator();
    for (path, body, (status, error), code) in cases {
        let answer = send(&emulator, "POST", path, &[], &body).await.unwrap();
        assert_eq!(refusal(&answer), (status, error, code), "{path} {body}");
    }
    let get = send(&emulator, "GET", &v2_own, &[], "").await.unwrap();
    assert_eq!(refusal(&get), (400, "invalid_request", 900561));
}

#[tokio::test]
async fn tokens_say_what_they_are_for_and_open_it() {
    let emulator = emulator();
    let secret = ("client_secret", demo::CLIENT_SECRET);
    for resource in [
        "https://api.fabric.microsoft.com",
        "https://analysis.windows.net/powerbi/api",
        "https://graph.microsoft.com",
        "https://storage.azure.com",
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://vault.azure.net",
        "https://monitor.azure.com",
    ] {
        for slash in ["", "/"] {
            let scope = format!("{resource}{slash}/.default");
            let answer = ask(&emulator, &credentials(&[secret, ("scope", &scope)])).await;
            assert_eq!(
                answer.keys(),
                ["token_type", "expires_in", "ext_expires_in", "access_token"],
                "{scope}"
            );
            let claims = claims(&answer.json["access_token"]);
            assert_eq!(claims["aud"], resource, "{scope}");
            assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", demo::TENANT_ID));
            assert_eq!(claims["tid"], demo::TENANT_ID);
            assert_eq!((&claims["appid"], &claims["appidacr"]), (&json!(demo::CLIENT_ID), &json!("1")));
            assert_eq!((&claims["oid"], &claims["sub"]), (&json!(demo::CALLER_ID), &json!(demo::CALLER_ID)));
            assert_eq!((&claims["idtyp"], &claims["ver"]), (&json!("app"), &json!("1.0")));
            let lasts = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
            assert_eq!((lasts, &claims["iat"]), (3599, &claims["nbf"]));
        }
    }
}

#[tokio::test]
async fn the_first_version_has_resources_and_numbers_as_text() {
    let emulator = emulator();
    let fields = credentials(&[
        ("client_secret", demo::CLIENT_SECRET),
        ("scope", ""),
        ("resource", "https://api.fabric.microsoft.com/"),
    ]);
    let path = format!("/{}/oauth2/token", demo::TENANT_ID);
    let answer = send(&emulator, "POST", &path, &[], &form(&fields)).await.unwrap();
    let keys = [
        "token_type",
        "expires_in",
        "ext_expires_in",
        "expires_on",
        "not_before",
        "resource",
        "access_token",
    ];
    assert_eq!(answer.keys(), keys);
    assert_eq!(answer.json["expires_in"], "3599");
    assert_eq!(answer.json["resource"], "https://api.fabric.microsoft.com/");
    let claims = claims(&answer.json["access_token"]);
    assert_eq!(answer.json["expires_on"], claims["exp"].to_string());
    let client = Client { emulator, token: answer.json["access_token"].as_str().unwrap().to_owned() };
    assert_eq!(client.get("/v1/workspaces").await.status, 200);
}

#[tokio::test]
async fn a_secret_may_come_in_the_header() {
    let emulator = emulator();
    let path = format!("/{}/oauth2/v2.0/token", demo::TENANT_ID);
    let body = form(&[("grant_type", "client_credentials"), ("scope", FABRIC)]);
    for (secret, expected) in [("emulator%2Dsecret", None), ("wrong", Some((401, "invalid_client", 7000215)))]
    {
        let given = STANDARD.encode(format!("{}:{secret}", demo::CLIENT_ID));
        let header = format!("Basic {given}");
        let answer = send(&emulator, "POST", &path, &[("authorization", &header)], &body).await.unwrap();
        match expected {
            None => assert_eq!(answer.status, 200, "{answer:?}"),
            Some(expected) => assert_eq!(refusal(&answer), expected),
        }
    }
}

#[tokio::test]
async fn a_password_makes_the_caller_a_user() {
    let emulator = emulator();
    let scope = format!("{FABRIC} openid profile offline_access");
    let fields = [
        ("grant_type", "password"),
        ("client_id", demo::CLIENT_ID),
        ("username", "Ada@contoso.example"),
        ("password", "p"),
        ("scope", &scope),
        ("client_info", "1"),
    ];
    for tenant in [demo::TENANT_ID, "organizations"] {
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let answer = send(&emulator, "POST", &path, &[], &form(&fields)).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let access = claims(&answer.json["access_token"]);
        let id = claims(&answer.json["id_token"]);
        let ada = json!("ada@contoso.example");
        assert_eq!(
            (&access["idtyp"], &access["appidacr"], &access["upn"]),
            (&json!("user"), &json!("0"), &ada)
        );
        assert_eq!((&id["aud"], &id["preferred_username"]), (&json!(demo::CLIENT_ID), &ada));
        assert_eq!((&id["oid"], &id["tid"]), (&access["oid"], &json!(demo::TENANT_ID)));
        assert!(answer.json["client_info"].is_string());
    }
    assert_eq!(emulator.requests()[0].body.matches("password=[REDACTED]").count(), 1);

    let answer = ask(&emulator, &fields[..5]).await;
    assert_eq!(answer.json["client_info"], json!(null));
    let token = answer.json["access_token"].as_str().unwrap().to_owned();
    let client = Client { emulator, token };
    let workspace = client.workspace("Ada's").await;
    let roles = client.get(&format!("{workspace}/roleAssignments")).await;
    assert_eq!(roles.json["value"][0]["principal"]["type"], "User");
}
