//! What a cloud gives to what runs in it: tokens of managed identities, and assertions of pipelines that Entra ID takes.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, Client, FABRIC, send};

const SYSTEM: &str = "99999999-0000-4000-8000-00000000000a";
const USER: &str = "99999999-0000-4000-8000-00000000000b";
const OTHER: &str = "99999999-0000-4000-8000-00000000000c";
const OTHER_ID: &str = "99999999-0000-4000-8000-00000000001c";
const METADATA: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";
const APP_SERVICE: &str = "/msi/token?api-version=2019-08-01";
const RESOURCE: &str = "&resource=https://vault.azure.net";

/// With these managed identities, each of which may read the vault.
fn emulator(identities: &[&str]) -> Emulator {
    let emulator = Emulator::new(Config::default());
    let identity = |client: &str| {
        let kind = if client == SYSTEM { "SystemAssigned" } else { "UserAssigned" };
        json!({"id": client.replace("-00000000000", "-00000000001"), "displayName": client, "appId": client, "managedIdentity": kind})
    };
    let all: Vec<Value> = identities.iter().map(|client| identity(client)).collect();
    let access: Vec<Value> =
        all.iter().map(|it| json!({"principalId": it["id"], "role": "Key Vault Secrets User"})).collect();
    let vault = json!({"name": "emulator", "access": access, "secrets": [{"name": "a", "value": "v"}]});
    emulator.seed(&json!({"servicePrincipals": all, "vaults": [vault]})).unwrap();
    emulator
}

async fn ask(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> Answer {
    send(emulator, "GET", path, headers, "").await.unwrap()
}

const TRUE: &[(&str, &str)] = &[("metadata", "true")];
const SHOWN: &[(&str, &str)] = &[("x-identity-header", demo::IDENTITY_HEADER)];

#[tokio::test]
async fn a_managed_identitys_token_opens_the_vault() {
    let emulator = emulator(&[SYSTEM, USER, OTHER]);
    let now = emulator.now().unix_timestamp();
    let cases = [
        (METADATA, TRUE, String::new(), SYSTEM),
        (METADATA, TRUE, format!("&client_id={USER}"), USER),
        (METADATA, TRUE, format!("&object_id={OTHER_ID}"), OTHER),
        (APP_SERVICE, SHOWN, String::new(), SYSTEM),
        (APP_SERVICE, SHOWN, format!("&client_id={}", USER.to_uppercase()), USER),
        (APP_SERVICE, SHOWN, format!("&principal_id={OTHER_ID}"), OTHER),
    ];
    for (endpoint, headers, which, client) in cases {
        let answer = ask(&emulator, &format!("{endpoint}{RESOURCE}{which}"), headers).await;
        let expected: &[&str] = match endpoint {
            METADATA => &[
                "access_token",
                "refresh_token",
                "expires_in",
                "expires_on",
                "not_before",
                "resource",
                "token_type",
            ],
            _ => &["access_token", "expires_on", "resource", "token_type", "client_id"],
        };
        assert_eq!(answer.keys(), expected, "{which}");
        assert_eq!(answer.json["resource"], "https://vault.azure.net");
        let expires: i64 = answer.json["expires_on"].as_str().unwrap().parse().unwrap();
        assert!((now + 3599..now + 3700).contains(&expires), "{expires}");
        if endpoint == METADATA {
            assert_eq!(answer.json["expires_in"], "3599");
        } else {
            assert_eq!(answer.json["client_id"], client);
        }
        let token = answer.json["access_token"].as_str().unwrap().to_owned();
        let holder = Client { emulator: emulator.clone(), token };
        let read = holder.get("/secrets/a?api-version=7.6").await;
        assert_eq!(read.json["value"], "v", "{read:?}");
        let id = client.replace("-00000000000", "-00000000001");
        assert_eq!(emulator.requests().last().unwrap().principal, Some(id));
    }
    let archive = ask(&emulator, "/_emulator/requests?format=har", &[]).await.text;
    assert!(!archive.contains("eyJ") && !archive.contains(demo::IDENTITY_HEADER), "{archive}");
}

#[tokio::test]
async fn who_is_not_to_have_a_token_is_told_why() {
    let (system, several, none) = (emulator(&[SYSTEM]), emulator(&[USER, OTHER]), emulator(&[]));
    let imds = |rest: &str| format!("{METADATA}{rest}");
    let forwarded: &[(&str, &str)] = &[("metadata", "true"), ("x-forwarded-for", "10.0.0.1")];
    let cases = [
        (&system, imds(RESOURCE), &[][..], "invalid_request", "Required metadata header not specified"),
        (&system, imds(RESOURCE), &[("metadata", "yes")][..], "invalid_request", "Required metadata header"),
        (&system, imds(RESOURCE), forwarded, "invalid_request", "X-Forwarded-For"),
        (&system, imds(""), TRUE, "invalid_request", "'resource' is missing"),
        (
            &system,
            METADATA.replace("2018-02-01", "2016-01-01") + RESOURCE,
            TRUE,
            "invalid_request",
            "2016-01-01 is not",
        ),
        (
            &system,
            "/metadata/identity/oauth2/token?resource=x".to_owned(),
            TRUE,
            "invalid_request",
            "'api-version'",
        ),
        (&system, imds("&resource=https://nobody.example"), TRUE, "invalid_resource", "AADSTS500011: "),
        (
            &system,
            imds(&format!("{RESOURCE}&client_id={USER}")),
            TRUE,
            "invalid_request",
            "Identity not found",
        ),
        (&system, imds(&format!("{RESOURCE}&msi_res_id=/x")), TRUE, "invalid_request", "Identity not found"),
        (&several, imds(RESOURCE), TRUE, "invalid_request", "Multiple user assigned identities exist"),
        (&none, imds(RESOURCE), TRUE, "invalid_request", "Identity not found"),
    ];
    for (emulator, path, headers, error, description) in cases {
        let answer = ask(emulator, &path, headers).await;
        assert_eq!((answer.status, &answer.json["error"]), (400, &json!(error)), "{path}: {answer:?}");
        let said = answer.json["error_description"].as_str().unwrap();
        assert!(said.contains(description), "{path}: {said}");
    }
    let wrong: &[(&str, &str)] = &[("x-identity-header", "guessed")];
    for (emulator, headers, status, message) in [
        (&system, &[][..], 401, "X-IDENTITY-HEADER"),
        (&system, wrong, 401, "X-IDENTITY-HEADER"),
        (&none, SHOWN, 400, "No MSI found for specified ClientId/ResourceId."),
    ] {
        let answer = ask(emulator, &format!("{APP_SERVICE}{RESOURCE}"), headers).await;
        assert_eq!((answer.status, &answer.json["statusCode"]), (status, &json!(status)));
        assert!(answer.json["message"].as_str().unwrap().contains(message), "{answer:?}");
    }
    let one = emulator(&[OTHER]);
    assert_eq!(ask(&one, &imds(RESOURCE), TRUE).await.status, 200, "the only one is meant");
    let unknown = ask(&one, "/metadata/identity/oauth2/tokens", TRUE).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(ask(&one, "/_emulator/inventory", &[]).await.json["unknownRoutes"], 1);
    let two = json!({"servicePrincipals": [
        {"displayName": "a", "managedIdentity": "SystemAssigned"}, {"displayName": "b", "managedIdentity": "SystemAssigned"}]});
    assert!(one.seed(&two).is_err(), "there is one machine");
}

/// What Entra ID says to an assertion.
async fn exchange(emulator: &Emulator, assertion: &str) -> Answer {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "client_credentials"),
            ("client_id", demo::CLIENT_ID),
            ("scope", FABRIC),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ])
        .finish();
    send(emulator, "POST", &format!("/{}/oauth2/v2.0/token", demo::TENANT_ID), &[], &form).await.unwrap()
}

const ACTIONS: &str = "/actions/idtoken?api-version=2.0&audience=api://AzureADTokenExchange";

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn github_actions_vouches_for_five_minutes() {
    let emulator = Emulator::new(Config::default());
    let shown = bearer(demo::ACTIONS_REQUEST_TOKEN);
    let shown = [("authorization", shown.as_str())];
    let answer = ask(&emulator, ACTIONS, &shown).await;
    assert_eq!(answer.keys(), ["count", "value"]);
    let assertion = answer.json["value"].as_str().unwrap();
    assert_eq!(answer.json["count"], assertion.len());
    assert_eq!(exchange(&emulator, assertion).await.status, 200);
    // Five minutes, and as many that a clock may be off.
    emulator.advance(Duration::from_secs(610));
    assert_eq!(exchange(&emulator, assertion).await.json["error_codes"], json!([700024]));

    for (query, code) in [
        ("&subject=repo:contoso/fabric:pull_request", 700213),
        // Without an audience, GitHub's own is meant.
        ("", 700212),
    ] {
        let path = match query {
            "" => ACTIONS.split_once("&audience").unwrap().0.to_owned(),
            query => format!("{ACTIONS}{query}"),
        };
        let assertion = ask(&emulator, &path, &shown).await.json["value"].clone();
        assert_eq!(exchange(&emulator, assertion.as_str().unwrap()).await.json["error_codes"], json!([code]));
    }
    for headers in [&[][..], &[("authorization", "Bearer other")]] {
        assert_eq!(ask(&emulator, ACTIONS, headers).await.status, 401);
    }
}

#[tokio::test]
async fn azure_devops_vouches_for_a_service_connection() {
    let emulator = Emulator::new(Config::default());
    let uri = "/contoso/fabric/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken";
    let shown = bearer(demo::SYSTEM_ACCESS_TOKEN);
    let (_, connection) = demo::AZURE_DEVOPS_SUBJECT.rsplit_once('/').unwrap();
    let post = async |query: &str, token: &str| {
        let headers = [("authorization", token), ("content-length", "0")];
        send(&emulator, "POST", &format!("{uri}?{query}"), &headers, "").await.unwrap()
    };
    let good = format!("api-version=7.1&serviceConnectionId={connection}");
    let answer = post(&good, &shown).await;
    assert_eq!(answer.keys(), ["oidcToken"]);
    // Of this issuer Entra ID checks the signature.
    assert_eq!(exchange(&emulator, answer.json["oidcToken"].as_str().unwrap()).await.status, 200);
    for (query, token, status) in [
        (good.as_str(), "Bearer other", 401),
        ("serviceConnectionId=1", shown.as_str(), 400),
        ("api-version=7.1", shown.as_str(), 400),
        ("api-version=7.1&serviceConnectionId=1", shown.as_str(), 404),
    ] {
        let refused = post(query, token).await;
        assert!(refused.status == status && refused.json["message"].is_string(), "{query}: {refused:?}");
    }
}

/// A cluster puts its assertion into a file: whoever tests with one asks for it here.
#[tokio::test]
async fn an_assertion_of_any_issuer_can_be_had() {
    let issuer = "https://oidc.example/cluster";
    let subject = "system:serviceaccount:deploy:selvedge";
    let mut config = Config::default();
    config.federated_credentials.push(selvedge_fabric_emulator::FederatedCredential::new(issuer, subject));
    let emulator = Emulator::new(config);
    let make = async |body: Value| {
        send(&emulator, "POST", "/_emulator/assertions", &[], &body.to_string()).await.unwrap()
    };
    let made = make(json!({"issuer": issuer, "subject": subject})).await;
    assert_eq!(exchange(&emulator, made.json["assertion"].as_str().unwrap()).await.status, 200);
    for (more, code) in [(json!({"audience": "other"}), 700212), (json!({"lifetime": -600}), 700024)] {
        let mut body = json!({"issuer": issuer, "subject": subject});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let assertion = make(body).await.json["assertion"].clone();
        assert_eq!(exchange(&emulator, assertion.as_str().unwrap()).await.json["error_codes"], json!([code]));
    }
    assert_eq!(make(json!({"issuer": issuer})).await.status, 400);
}
