//! Key Vault's secrets: what is kept, who may do what, what is refused and how.

mod access;
mod faults;
mod lists;
mod refusals;
mod secrets;

use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::{Value, json};

use crate::support::{Answer, Client, VAULT};

const READER: &str = "99999999-0000-4000-8000-00000000000a";
const READER_ID: &str = "99999999-0000-4000-8000-00000000001a";
const STRANGER: &str = "99999999-0000-4000-8000-00000000000b";

/// The demo tenant, with a vault of roles, a vault of access policies and one behind a firewall. The caller may do
/// everything, the reader some things, and the stranger nothing.
fn emulator(config: Config) -> Emulator {
    let emulator = Emulator::new(config).with_demo_tenant();
    let all = json!(["get", "list", "set", "delete", "recover", "purge"]);
    let officer = json!({"principalId": demo::CALLER_ID, "role": "Key Vault Secrets Officer"});
    let seed = json!({
        "servicePrincipals": [
            {"id": READER_ID, "displayName": "Reader", "appId": READER, "secret": "s"},
            {"displayName": "Stranger", "appId": STRANGER, "secret": "s"},
        ],
        "vaults": [
            {"name": "roles", "access": [officer, {"principalId": READER_ID, "role": "Key Vault Secrets User"}],
                "secrets": [{"name": "known", "value": "v"}, {"name": "off", "value": "v", "enabled": false}]},
            {"name": "policies", "authorization": "AccessPolicies",
                "access": [{"principalId": demo::CALLER_ID, "permissions": all},
                    {"principalId": READER_ID, "permissions": ["list"]}],
                "secrets": [{"name": "known", "value": "v"}]},
            {"name": "walled", "firewall": true, "access": [officer], "secrets": [{"name": "known", "value": "v"}]},
        ],
    });
    emulator.seed(&seed).unwrap();
    emulator
}

async fn caller(emulator: &Emulator) -> Client {
    Client::with(emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, VAULT).await
}

/// The caller, in the vault that every emulator has.
async fn client() -> Client {
    caller(&Emulator::new(Config::default())).await
}

fn path(rest: &str) -> String {
    format!("/secrets/{rest}?api-version=7.6")
}

/// The address of something in a vault by its name.
fn of(vault: &str, rest: &str) -> String {
    format!("https://{vault}.vault.azure.net/{rest}?api-version=7.6")
}

async fn set(client: &Client, name: &str, value: &str) -> Answer {
    let answer = client.send("PUT", &path(name), json!({"value": value})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Status, code and inner code of a refusal.
fn refusal(answer: &Answer) -> (u16, &str, &str) {
    let text = |pointer: &str| answer.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    assert!(!text("/error/message").is_empty(), "{answer:?}");
    (answer.status, text("/error/code"), text("/error/innererror/code"))
}
