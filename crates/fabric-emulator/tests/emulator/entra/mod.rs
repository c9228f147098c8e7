//! Entra ID: who gets a token, who does not and why, and what is published before anybody asks.

mod assertions;
pub(crate) mod certificates;
mod discovery;
mod grants;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, FABRIC, send};

const APPLICATION: &str = "99999999-0000-4000-8000-000000000001";
const EXPIRED: &str = "99999999-0000-4000-8000-000000000002";
const DISABLED: &str = "99999999-0000-4000-8000-000000000003";

/// The demo tenant, with an application of each condition, and users with passwords.
fn emulator() -> Emulator {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    let user = |name: &str, enabled: bool| {
        json!({"displayName": name, "userPrincipalName": format!("{name}@contoso.example"), "password": "p",
            "accountEnabled": enabled, "mayCreateWorkspaces": true})
    };
    let seed = json!({
        "servicePrincipals": [
            {"displayName": "App", "appId": APPLICATION, "secret": "s"},
            {"displayName": "Expired", "appId": EXPIRED, "secret": "s", "secretExpired": true},
            {"displayName": "Disabled", "appId": DISABLED, "secret": "s", "accountEnabled": false},
        ],
        "users": [user("ada", true), user("ben", false)],
    });
    emulator.seed(&seed).unwrap();
    emulator
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn ask(emulator: &Emulator, fields: &[(&str, &str)]) -> Answer {
    let path = format!("/{}/oauth2/v2.0/token", demo::TENANT_ID);
    send(emulator, "POST", &path, &[], &form(fields)).await.unwrap()
}

/// Client credentials of the demo caller, and whatever else.
fn credentials<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [("grant_type", "client_credentials"), ("client_id", demo::CLIENT_ID), ("scope", FABRIC)];
    let own = own.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    own.chain(more.iter().copied()).collect()
}

/// Status, `error` and code of a refusal, after checking that its parts agree.
#[track_caller]
fn refusal(answer: &Answer) -> (u16, &str, u64) {
    let code = answer.json["error_codes"][0].as_u64().unwrap_or_else(|| panic!("no refusal: {answer:?}"));
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    assert_eq!(answer.json["error_uri"], format!("https://login.microsoftonline.com/error?code={code}"));
    assert_eq!(answer.header("cache-control"), Some("no-store, no-cache"));
    (answer.status, answer.json["error"].as_str().unwrap(), code)
}

/// The claims of a token, unchecked.
fn claims(token: &Value) -> Value {
    let claims = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
