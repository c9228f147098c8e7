//! Microsoft's client against a vault of our own.

use super::*;
use crate::testing::vault::{Mode, OID, Tokens, URL, Vault, clock, refused, untrusted};
use azure_core::{Error, error::ErrorKind as Azure, time::OffsetDateTime};
use serde_json::json;
use std::error::Error as _;

const HOUR: Duration = Duration::from_secs(3600);

fn vault() -> (Vault, Tokens, KeyVault) {
    let clock = clock();
    let tokens = Tokens::new(&clock, HOUR);
    let vault = Vault::new(&tokens);
    let config = KeyVaultConfig { clock, ..KeyVaultConfig::new(URL) };
    let store = KeyVault::new(config, Arc::new(tokens.clone()), Arc::new(vault.clone())).unwrap();
    (vault, tokens, store)
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_value_comes_with_its_version_and_end() {
    let (vault, tokens, store) = vault();
    let end = 1_800_000_000 + 60;
    vault.put("azure-client-secret", "canary-4711", json!({ "enabled": true, "exp": end }));
    let secret = store.get(&name("AZURE_CLIENT_SECRET")).await.unwrap();
    assert_eq!(secret.value.expose_secret(), "canary-4711");
    assert_eq!(
        secret.source.to_string(),
        "Key Vault kv.vault.azure.net, version 0000000000000000000000000000000b"
    );
    assert_eq!(secret.expires, OffsetDateTime::from_unix_timestamp(end).ok());
    assert!((59..=60).contains(&secret.valid_for.unwrap().as_secs()));
    assert!(!format!("{secret:?} {store:?}").contains("canary"));
    store.get(&name("azure-client-secret")).await.unwrap();
    // The first goes without a token to hear what it must be for.
    let get = "GET /secrets/azure-client-secret/";
    assert_eq!(vault.state().requests, [format!("{get} -"), format!("{get} t1"), format!("{get} t1")]);
    assert_eq!(tokens.issued().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_or_has_not_come_is_not_used() {
    let (vault, _, store) = vault();
    let at = |seconds: i64| OffsetDateTime::from_unix_timestamp(1_800_000_000 + seconds).unwrap();
    for (attributes, expected) in [
        (json!({ "enabled": false }), ErrorKind::Disabled),
        (json!({ "exp": at(0).unix_timestamp() }), ErrorKind::Expired { since: at(0) }),
        (json!({ "nbf": at(60).unix_timestamp() }), ErrorKind::NotYetValid { from: at(60) }),
    ] {
        vault.put("a", "canary-4711", attributes);
        let error = store.get(&name("a")).await.unwrap_err();
        assert_eq!(error.kind(), &expected);
    }
    vault.put("a", "", json!({}));
    assert_eq!(store.get(&name("a")).await.unwrap_err().kind(), &ErrorKind::NotFound);
}

/// Each with what mends it. The server's own text, which could steer a terminal, is in none.
#[tokio::test(start_paused = true)]
async fn each_error_has_its_kind_and_its_help() {
    let forbidden = |code: &str| ErrorKind::Forbidden { code: Some(code.into()), caller: Some(OID.into()) };
    let other = |status, code: &str| ErrorKind::Other { status: Some(status), code: Some(code.into()) };
    let server = |status| ErrorKind::Unreachable(Unreachable::Server { status });
    let by_role = format!("--role \"Key Vault Secrets User\" --assignee {OID} --scope");
    let by_policy = format!("az keyvault set-policy --name kv --object-id {OID} --secret-permissions get");
    for (mode, expected, help) in [
        (Mode::Error(403, "Forbidden", "ForbiddenByRbac"), forbidden("ForbiddenByRbac"), &*by_role),
        (Mode::Error(403, "Forbidden", "AccessDenied"), forbidden("AccessDenied"), &*by_policy),
        (
            Mode::Error(403, "Forbidden", "ForbiddenByFirewall"),
            forbidden("ForbiddenByFirewall"),
            "az keyvault network-rule add --name kv",
        ),
        (Mode::Error(403, "Forbidden", "what\u{1b}[2J"), forbidden("Forbidden"), &*by_policy),
        (
            Mode::Error(403, "Forbidden", "SecretDisabled"),
            ErrorKind::Disabled,
            "az keyvault secret set-attributes --vault-name kv --name a --enabled true",
        ),
        (
            Mode::Error(404, "SecretNotFound", ""),
            ErrorKind::NotFound,
            "az keyvault secret set --vault-name kv",
        ),
        (
            Mode::Error(429, "Throttled", ""),
            ErrorKind::Throttled { retry_after: Some(Duration::from_secs(7)) },
            "wait 7 s, and raise SECRET_CACHE_TTL",
        ),
        (Mode::Error(400, "BadParameter", ""), other(400, "BadParameter"), ""),
        (Mode::Error(503, "x", ""), server(503), "HTTPS_PROXY"),
        (Mode::Raw(502, "<html>\u{1b}[2J"), server(502), "HTTPS_PROXY"),
        (Mode::Raw(302, ""), ErrorKind::Other { status: Some(302), code: None }, ""),
        (Mode::Raw(200, "{\"value\": [\"canary-4711\"]}"), ErrorKind::Other { status: None, code: None }, ""),
        (Mode::Raw(200, "<html>canary-4711"), ErrorKind::Other { status: None, code: None }, ""),
        (
            Mode::Broken(untrusted),
            ErrorKind::Unreachable(Unreachable::Tls),
            "trust its certificate authority",
        ),
        (Mode::Silent, ErrorKind::Unreachable(Unreachable::Timeout), "HTTPS_PROXY"),
    ] {
        let (vault, _, store) = vault();
        let told = format!("{mode:?}");
        vault.state().mode = mode;
        let error = store.get(&name("a")).await.unwrap_err();
        assert_eq!(error.kind(), &expected, "{told}");
        let helped = error.help();
        assert!(helped.as_deref().unwrap_or_default().contains(help), "{told}: {helped:?}");
        assert_eq!(helped.is_none(), help.is_empty(), "{told}: {helped:?}");
        let mut shown = format!("{error} {error:?} {helped:?}");
        let mut cause = error.source();
        while let Some(error) = cause {
            shown += &error.to_string();
            cause = error.source();
        }
        assert!(!shown.contains("canary") && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.starts_with("get secret `a` from Key Vault kv.vault.azure.net: "), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_token_for_a_challenge_that_is_not_the_vaults_own_and_none_elsewhere() {
    for resource in
        ["https://api.fabric.microsoft.com", "https://azure.net", "https://kv.vault.azure.net", "\u{1b}"]
    {
        let (vault, tokens, store) = vault();
        vault.put("a", "value", json!({}));
        vault.state().mode = Mode::Challenge(resource);
        for _ in 0..2 {
            let error = store.get(&name("a")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::WrongChallenge { .. }), "{error}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
        assert_eq!(tokens.issued().len(), 0);
        assert!(vault.state().requests.iter().all(|request| request.ends_with(" -")));
        // It is not held against a vault that was mended.
        vault.state().mode = Mode::Up;
        store.get(&name("a")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once() {
    let (vault, tokens, store) = vault();
    vault.put("a", "value", json!({}));
    store.get(&name("a")).await.unwrap();
    vault.state().revoked.push("t1".into());
    store.get(&name("a")).await.unwrap();
    assert_eq!(tokens.issued().len(), 2);
    vault.state().revoked.extend(["t2".into(), "t3".into()]);
    let error = store.get(&name("a")).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unauthorized);
    assert!(error.help().unwrap().contains("az keyvault show --name kv --query properties.tenantId"));
    assert_eq!(tokens.issued().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_gives_no_token_is_away_or_refuses() {
    fn wrapped(error: Error) -> Error {
        let message = format!("XCredential authentication failed. {error}");
        Error::with_error(Azure::Credential, error, message)
    }
    fn answered(status: u16) -> Error {
        let kind = Azure::HttpResponse { status: status.into(), error_code: None, raw_response: None };
        wrapped(Error::with_message(kind, "AADSTS7000215"))
    }
    let away = |how| ErrorKind::Unreachable(how);
    let cases: [(fn() -> Error, ErrorKind); 6] = [
        (|| wrapped(refused()), away(Unreachable::Connect)),
        (|| wrapped(untrusted()), away(Unreachable::Tls)),
        (|| answered(503), away(Unreachable::Server { status: 503 })),
        (|| answered(401), ErrorKind::SignIn),
        (|| wrapped(std::io::Error::from(std::io::ErrorKind::NotFound).into()), ErrorKind::SignIn),
        (|| wrapped(Error::with_message(Azure::Other, "az not found")), ErrorKind::SignIn),
    ];
    for (says, expected) in cases {
        let (_, tokens, store) = vault();
        tokens.says(Some(says));
        let error = store.get(&name("a")).await.unwrap_err();
        assert_eq!(error.kind(), &expected);
        assert!(error.source().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_is_set_and_names_are_listed_over_pages_on_our_own_base() {
    for host in [URL, "https://evil.example", "http://169.254.169.254"] {
        let (vault, _, store) = vault();
        let source = store.set(&name("NEW_ONE"), "canary-4711".into()).await.unwrap();
        assert_eq!(
            source.to_string(),
            "Key Vault kv.vault.azure.net, version 00000000000000000000000000000063"
        );
        assert_eq!(store.get(&name("new-one")).await.unwrap().value.expose_secret(), "canary-4711");
        vault.put("off", "canary-4711", json!({ "enabled": false, "exp": 1_800_000_000, "updated": 1 }));
        for at in 0..60 {
            vault.put(&format!("n{at}"), "canary-4711", json!({ "enabled": true }));
        }
        vault.state().next_host = host;
        let listed = store.list().await.unwrap();
        assert_eq!(listed.len(), 62, "{host}");
        assert!(!format!("{listed:?}").contains("canary"));
        let off = listed.iter().find(|it| it.name == "off").unwrap();
        assert!(!off.enabled && off.updated.is_some());
        assert_eq!(off.expires, OffsetDateTime::from_unix_timestamp(1_800_000_000).ok());
    }
}

/// As a cache or a proxy that mixes answers up would have it, or somebody who wants another value to be used.
#[tokio::test(start_paused = true)]
async fn the_answer_of_another_secret_is_no_value() {
    for (id, own) in [
        ("https://kv.vault.azure.net/secrets/a/1", true),
        ("https://KV.vault.azure.net:443/secrets/A/1", true),
        ("https://kv.vault.azure.net/secrets/b/1", false),
        ("https://kv.vault.azure.net/secrets/a-b/1", false),
        ("https://kv.vault.azure.net/keys/a/1", false),
        ("https://other.vault.azure.net/secrets/a/1", false),
        ("https://kv.vault.azure.net.evil.example/secrets/a/1", false),
        ("https://kv.vault.azure.net@evil.example/secrets/a/1", false),
        ("\u{1b}[2J", false),
        ("", false),
    ] {
        let (vault, _, store) = vault();
        let answer = json!({ "value": "canary-4711", "id": id, "attributes": { "enabled": true } });
        vault.state().mode = Mode::Raw(200, answer.to_string().leak());
        let (read, stored) = (store.get(&name("a")).await, store.set(&name("a"), "canary-4711".into()).await);
        assert_eq!((read.is_ok(), stored.is_ok()), (own, own), "{id}");
        for error in read.err().into_iter().chain(stored.err()) {
            assert_eq!(error.kind(), &ErrorKind::AnotherSecret, "{id}");
            let told = format!("{error} {error:?}");
            assert!(!told.contains("canary") && !told.contains('\u{1b}'), "{told}");
            assert!(error.help().unwrap().contains("KEY_VAULT_URL"));
        }
    }
    let (vault, _, store) = vault();
    vault.state().mode = Mode::Raw(200, "{\"value\": \"canary-4711\"}");
    assert_eq!(store.get(&name("a")).await.unwrap_err().kind(), &ErrorKind::AnotherSecret);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_set_or_listed_names_the_role_for_that() {
    let (vault, _, store) = vault();
    vault.state().mode = Mode::Error(403, "Forbidden", "ForbiddenByRbac");
    let error = store.set(&name("a"), "canary-4711".into()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "set secret `a` in Key Vault kv.vault.azure.net: access denied (403 ForbiddenByRbac)"
    );
    assert!(error.help().unwrap().contains("Key Vault Secrets Officer"));
    vault.state().mode = Mode::Error(403, "Forbidden", "AccessDenied");
    let error = store.list().await.unwrap_err();
    assert!(error.help().unwrap().ends_with("--secret-permissions list`"), "{:?}", error.help());
    vault.state().mode = Mode::Error(409, "Conflict", "ObjectIsDeletedButRecoverable");
    let error = store.set(&name("a"), "canary-4711".into()).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Deleted);
    assert!(error.help().unwrap().contains("az keyvault secret recover --vault-name kv --name a"));
    assert!(!format!("{error:?}").contains("canary"));
}
