//! Who gets in: tokens, the challenge, roles, access policies and the firewall.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use super::{READER, READER_ID, STRANGER, caller, emulator, of, path, refusal};
use crate::support::{Answer, Client, FABRIC, VAULT, send};

fn challenge(authority: &str) -> String {
    format!("Bearer authorization=\"{authority}/{}\", resource=\"https://vault.azure.net\"", demo::TENANT_ID)
}

#[tokio::test]
async fn who_has_no_good_token_is_told_where_to_get_one() {
    let emulator = emulator(Config::default());
    let fabric = Client::with(emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, FABRIC).await.token;
    let vault = caller(&emulator).await.token;
    emulator.advance(Duration::from_secs(4000));
    let cases = [
        (None, "AKV10000: Request is missing a Bearer or PoP token."),
        (Some("Basic dTpw".to_owned()), "AKV10000: Request is missing a Bearer or PoP token."),
        (
            Some("Bearer a.b.c".to_owned()),
            "AKV10046: Unable to resolve the key used for signature validation.",
        ),
        (
            Some(format!("Bearer {fabric}")),
            "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://api.fabric.microsoft.com.",
        ),
        (Some(format!("Bearer {vault}")), "[TokenExpired] Error validating token: 'S2S12086'."),
    ];
    for (authorization, message) in cases {
        // The first request of Microsoft's clients has no body, and it may be for something that is not there.
        for (method, address, authority) in [
            ("GET", path("known"), "http://localhost:8080"),
            ("PUT", of("roles", "secrets/known"), "https://login.microsoftonline.com"),
            ("GET", of("roles", "keys/k"), "https://login.microsoftonline.com"),
        ] {
            let header = authorization.as_deref().map(|value| ("authorization", value));
            let answer = send(&emulator, method, &address, header.as_slice(), "").await.unwrap();
            assert_eq!(refusal(&answer), (401, "Unauthorized", ""), "{method} {address}");
            assert_eq!(answer.json["error"]["message"], message);
            assert_eq!(answer.header("www-authenticate"), Some(challenge(authority).as_str()), "{answer:?}");
        }
    }
}

/// Each cloud has its own audience, and names its own authority.
#[tokio::test]
async fn a_token_opens_the_vaults_of_its_cloud() {
    let emulator = emulator(Config::default());
    let clouds = [
        ("vault.azure.net", "login.microsoftonline.com"),
        ("vault.azure.cn", "login.partner.microsoftonline.cn"),
        ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
    ];
    for (domain, _) in clouds {
        let scope = format!("https://{domain}/.default");
        let client = Client::with(emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, &scope).await;
        for (other, authority) in clouds {
            let answer = client.get(&format!("https://roles.{other}/secrets/known?api-version=7.6")).await;
            let expected = format!("https://{authority}/{}\", resource=\"https://{other}\"", demo::TENANT_ID);
            match answer.header("www-authenticate") {
                None => assert_eq!((domain, answer.status), (other, 200)),
                Some(challenge) => assert!(
                    domain != other && answer.status == 401 && challenge.ends_with(&expected),
                    "{domain} at {other}: {challenge}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_services_headers() {
    let client = caller(&emulator(Config::default())).await;
    let authorization = format!("Bearer {}", client.token);
    for name in ["known", "missing"] {
        let headers = [("authorization", authorization.as_str()), ("x-ms-client-request-id", "abc")];
        let answer = send(&client.emulator, "GET", &of("roles", &format!("secrets/{name}")), &headers, "")
            .await
            .unwrap();
        assert_eq!(answer.header("x-ms-client-request-id"), Some("abc"));
        assert_eq!(answer.header("x-ms-keyvault-region"), Some("westeurope"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("www-authenticate"), None);
        for header in ["x-ms-request-id", "x-ms-keyvault-service-version", "x-ms-keyvault-network-info"] {
            assert!(answer.header(header).is_some(), "{header}: {answer:?}");
        }
    }
}

/// Each operation, and what has to be allowed for it.
fn operations() -> Vec<(&'static str, &'static str, Value, &'static str, &'static str)> {
    vec![
        ("GET", "secrets/known", Value::Null, "get", "getSecret/action"),
        ("GET", "deletedsecrets/gone", Value::Null, "get", "getSecret/action"),
        ("GET", "secrets", Value::Null, "list", "readMetadata/action"),
        ("GET", "secrets/known/versions", Value::Null, "list", "readMetadata/action"),
        ("GET", "deletedsecrets", Value::Null, "list", "readMetadata/action"),
        ("PUT", "secrets/more", json!({"value": "v"}), "set", "setSecret/action"),
        ("PATCH", "secrets/known", json!({}), "set", "update/action"),
        ("DELETE", "secrets/known", Value::Null, "delete", "delete"),
        ("POST", "deletedsecrets/gone/recover", Value::Null, "recover", "recover/action"),
        ("DELETE", "deletedsecrets/gone2", Value::Null, "purge", "purge/action"),
    ]
}

#[tokio::test]
async fn everybody_may_do_what_was_granted_and_nothing_else() {
    let cases = [
        // In the vault of access policies the reader may list, in the one of roles a reader may get as well.
        ("roles", READER, "s", &["get", "list"][..]),
        ("policies", READER, "s", &["list"][..]),
        ("roles", STRANGER, "s", &[][..]),
        ("policies", STRANGER, "s", &[][..]),
        (
            "roles",
            demo::CLIENT_ID,
            demo::CLIENT_SECRET,
            &["get", "list", "set", "delete", "recover", "purge"][..],
        ),
        (
            "policies",
            demo::CLIENT_ID,
            demo::CLIENT_SECRET,
            &["get", "list", "set", "delete", "recover", "purge"][..],
        ),
    ];
    for (vault, id, secret, granted) in cases {
        for (method, address, body, permission, action) in operations() {
            let emulator = emulator(Config::default());
            let owner = caller(&emulator).await;
            for name in ["gone", "gone2"] {
                owner.send("PUT", &of(vault, &format!("secrets/{name}")), json!({"value": "v"})).await;
                owner.send("DELETE", &of(vault, &format!("secrets/{name}")), Value::Null).await;
            }
            let client = Client::with(emulator.clone(), id, secret, VAULT).await;
            let before = emulator.inventory();
            let answer = client.send(method, &of(vault, address), body).await;
            let what = format!("{method} {address} in {vault} by {id}");
            if granted.contains(&permission) {
                assert!(answer.status < 300, "{what}: {answer:?}");
                continue;
            }
            assert_eq!(emulator.inventory(), before, "{what}");
            check_refused(&answer, vault, id, permission, action);
        }
    }
}

fn check_refused(answer: &Answer, vault: &str, client: &str, permission: &str, action: &str) {
    let message = answer.json["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("appid={client};oid=")), "{message}");
    let (inner, said) = match vault {
        "roles" => ("ForbiddenByRbac", format!("Action: 'Microsoft.KeyVault/vaults/secrets/{action}'")),
        _ => (
            "AccessDenied",
            format!(
                "does not have secrets {permission} permission on key vault 'policies;location=westeurope'"
            ),
        ),
    };
    assert_eq!(refusal(answer), (403, "Forbidden", inner));
    assert!(message.contains(&said), "{message}");
}

#[tokio::test]
async fn a_groups_rights_are_its_members_and_those_that_come_later_count() {
    let emulator = emulator(Config::default());
    let client = Client::with(emulator.clone(), STRANGER, "s", VAULT).await;
    let read = async || client.get(&of("roles", "secrets/known")).await.status;
    assert_eq!(read().await, 403);
    let stranger = emulator.inventory().world["principals"]
        .as_array()
        .unwrap()
        .iter()
        .find(|principal| principal["displayName"] == "Stranger")
        .unwrap()["id"]
        .clone();
    let group = "99999999-0000-4000-8000-00000000001c";
    let seed = json!({
        "groups": [{"id": group, "displayName": "Readers", "members": [stranger]}],
        "vaults": [{"name": "Roles", "access": [{"principalId": group, "role": "Key Vault Secrets User"}]}],
    });
    emulator.seed(&seed).unwrap();
    assert_eq!(read().await, 200);
    // What is said last of somebody counts.
    let reader = json!({"principalId": group, "role": "Key Vault Reader"});
    emulator.seed(&json!({"vaults": [{"name": "roles", "access": [reader]}]})).unwrap();
    assert_eq!(read().await, 403);
    assert_eq!(client.get(&of("roles", "secrets")).await.status, 200);
}

#[tokio::test]
async fn a_firewall_lets_nobody_in() {
    let client = caller(&emulator(Config::default())).await;
    let answer = client.get(&of("walled", "secrets/known")).await;
    assert_eq!(refusal(&answer), (403, "Forbidden", "ForbiddenByFirewall"));
    client.emulator.seed(&json!({"vaults": [{"name": "walled", "firewall": false}]})).unwrap();
    assert_eq!(client.get(&of("walled", "secrets/known")).await.status, 200);
}

#[test]
fn a_seed_that_makes_no_vault_is_refused() {
    let vault = |name: &str, rest: Value| {
        let mut vault = json!({"name": name});
        vault.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"vaults": [vault]})
    };
    let access = |access: Value| vault("roles", json!({"access": [access]}));
    let secret = |name: &str, value: &str| vault("new", json!({"secrets": [{"name": name, "value": value}]}));
    let cases = [
        (vault("ab", json!({})), "the name of a vault has 3 to 24 letters"),
        (vault("my_vault", json!({})), "the name of a vault has 3 to 24 letters"),
        (access(json!({"principalId": READER_ID})), "a vault of roles needs `role`"),
        (access(json!({"principalId": READER_ID, "permissions": ["get"]})), "a vault of roles needs `role`"),
        (
            vault("policies", json!({"access": [{"principalId": READER_ID, "role": "Key Vault Reader"}]})),
            "a vault of access policies needs `permissions`",
        ),
        (
            access(json!({"principalId": crate::support::NOBODY, "role": "Key Vault Reader"})),
            "PrincipalNotFound",
        ),
        (access(json!({"principalId": READER_ID, "role": "Owner"})), "unknown variant `Owner`"),
        (secret("a_b", "v"), "The request URI contains an invalid name: a_b"),
        (secret("a", ""), "Property  has invalid value"),
        (
            secret("a", &"x".repeat(26_000)),
            "The value of the secret is too long: 26000 bytes are more than 25600",
        ),
    ];
    let emulator = emulator(Config::default());
    let before = emulator.inventory();
    for (seed, expected) in cases {
        let error = emulator.seed(&seed).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(expected), "{expected}: {error}: {source}");
        assert_eq!(emulator.inventory(), before);
    }
}
