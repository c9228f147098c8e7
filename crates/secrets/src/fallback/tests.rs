//! What comes of every state of the vault, at each stage, with and without a copy in `.env`.

use super::*;
use crate::{
    Cached, Chain, EnvFile, Environment, KeyVault, KeyVaultConfig,
    testing::{
        Fake, Says,
        vault::{Mode, Tokens, URL, Vault, clock, refused, reset, unresolved, untrusted},
    },
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{
    io::Write,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

const NAME: &str = "AZURE_CLIENT_SECRET";

/// What is logged, for one test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

struct Writer<'a>(MutexGuard<'a, Vec<u8>>);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Writer<'a>;

    fn make_writer(&'a self) -> Writer<'a> {
        Writer(self.0.lock().unwrap())
    }
}

impl Log {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .with_writer(self.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A vault's state, what is told of it, and whether the environment answers for it before stage target.
struct Case {
    state: &'static str,
    set_up: fn(&Vault),
    told: &'static str,
    falls_back: bool,
}

const fn case(state: &'static str, set_up: fn(&Vault), told: &'static str, falls_back: bool) -> Case {
    Case { state, set_up, told, falls_back }
}

const CASES: [Case; 20] = [
    case("down: DNS", |v| broken(v, unresolved), "its name cannot be resolved", true),
    case("down: refused", |v| broken(v, refused), "no connection", true),
    case("down: reset", |v| broken(v, reset), "no answer", true),
    case("down: 500", |v| mode(v, Mode::Raw(500, "")), "the service has a problem (500)", true),
    case("down: 503", |v| mode(v, Mode::Error(503, "x", "")), "the service has a problem (503)", true),
    case("slow", |v| mode(v, Mode::Silent), "no answer in time", true),
    case("401", unauthorized, "the access token was not accepted (401)", false),
    case("403 role", |v| denied(v, "ForbiddenByRbac"), "access denied (403 ForbiddenByRbac)", true),
    case("403 policy", |v| denied(v, "AccessDenied"), "access denied (403 AccessDenied)", true),
    case(
        "403 firewall",
        |v| denied(v, "ForbiddenByFirewall"),
        "access denied (403 ForbiddenByFirewall)",
        true,
    ),
    case("404", |_| (), "there is no such secret", true),
    case("429", |v| mode(v, Mode::Error(429, "Throttled", "")), "too many requests (429)", false),
    case("disabled", |v| put(v, json!({ "enabled": false })), "the secret is disabled", false),
    case("expired", |v| put(v, json!({ "exp": 1_700_000_000 })), "the secret expired on 2023-11-14", false),
    case(
        "not yet",
        |v| put(v, json!({ "nbf": 1_900_000_000 })),
        "the secret is not valid before 2030-03-17",
        false,
    ),
    case("wrong TLS", |v| broken(v, untrusted), "no trusted TLS connection", false),
    case(
        "wrong challenge",
        |v| mode(v, Mode::Challenge("https://graph.microsoft.com")),
        "it asks for a token for https://graph.microsoft.com, which is not its own; none was sent",
        false,
    ),
    case("nonsense", |v| mode(v, Mode::Raw(200, "<html>canary-vault")), "the answer makes no sense", false),
    case("302", |v| mode(v, Mode::Raw(302, "")), "unexpected answer (302)", false),
    case("no token", no_token, "no access token could be had", false),
];

fn mode(vault: &Vault, mode: Mode) {
    vault.state().mode = mode;
}

fn broken(vault: &Vault, error: fn() -> azure_core::Error) {
    mode(vault, Mode::Broken(error));
}

fn denied(vault: &Vault, inner: &'static str) {
    mode(vault, Mode::Error(403, "Forbidden", inner));
}

fn put(vault: &Vault, attributes: serde_json::Value) {
    vault.put("azure-client-secret", "canary-vault", attributes);
}

fn unauthorized(vault: &Vault) {
    vault.state().revoked.extend(["t1".to_owned(), "t2".to_owned()]);
}

fn no_token(vault: &Vault) {
    vault.state().tokens.says(Some(|| {
        azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, "AADSTS7000215")
    }));
}

/// The store of a deployment, with `.env` holding these lines.
fn store(policy: FallbackPolicy, stage: Stage, vault: &Vault, env_file: &str) -> Fallback {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, env_file).unwrap();
    let environment = Chain::environment(Environment::of([]), EnvFile::read(path).unwrap());
    let config = KeyVaultConfig { clock: clock(), ..KeyVaultConfig::new(URL) };
    let tokens = vault.state().tokens.clone();
    let key_vault = KeyVault::new(config, Arc::new(tokens), Arc::new(vault.clone())).unwrap();
    let key_vault = Arc::new(Cached::new(key_vault, crate::CacheConfig::default()));
    Fallback::new(policy, stage, key_vault, Arc::new(environment))
}

fn vault() -> Vault {
    Vault::new(&Tokens::new(&clock(), Duration::from_secs(3600)))
}

#[tokio::test(start_paused = true)]
async fn every_state_of_the_vault_at_every_stage_with_and_without_a_copy() {
    let mut rows = 0;
    for case in &CASES {
        for stage in [Stage::Current, Stage::Intermediate, Stage::Target] {
            for env_file in ["", "AZURE_CLIENT_SECRET='canary-env'"] {
                let log = Log::default();
                let logging = log.begin();
                let vault = vault();
                (case.set_up)(&vault);
                let store = store(FallbackPolicy::KeyVaultThenEnv, stage, &vault, env_file);
                let answer = store.get(&NAME.parse().unwrap()).await;
                drop(logging);

                let row = format!("{}, {stage:?}, {env_file:?}", case.state);
                let falls_back = case.falls_back && stage != Stage::Target;
                match answer {
                    Ok(secret) => {
                        assert!(falls_back && !env_file.is_empty(), "{row}");
                        assert_eq!(secret.value.expose_secret(), "canary-env", "{row}");
                        assert!(secret.source.to_string().ends_with(".env, line 1"), "{row}");
                    }
                    Err(error) => {
                        assert!(!falls_back || env_file.is_empty(), "{row}: {error}");
                        let vault = "get secret `azure-client-secret` from Key Vault kv.vault.azure.net";
                        assert_eq!(error.to_string(), format!("{vault}: {}", case.told), "{row}");
                    }
                }
                let warning = format!(
                    "WARN Failed to get secret 'azure-client-secret' from Key Vault: {}. Falling back to environment variable.\n",
                    case.told
                );
                let log = log.text();
                // What is in neither has not fallen back.
                let warns = falls_back && !env_file.is_empty();
                assert_eq!(log.contains(&warning), warns, "{row}\n{log}");
                assert_eq!(log.contains("Falling back"), warns, "{row}\n{log}");
                assert!(!log.contains("canary"), "{row}\n{log}");
                rows += 1;
            }
        }
    }
    assert_eq!(rows, 120);
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_answers_is_believed_whatever_the_environment_says() {
    for stage in [Stage::Current, Stage::Intermediate, Stage::Target] {
        let vault = vault();
        put(&vault, json!({ "enabled": true }));
        let store = store(FallbackPolicy::KeyVaultThenEnv, stage, &vault, "AZURE_CLIENT_SECRET=old");
        let secret = store.get(&NAME.parse().unwrap()).await.unwrap();
        assert_eq!(secret.value.expose_secret(), "canary-vault");
        assert!(secret.source.is_key_vault());
    }
}

#[tokio::test(start_paused = true)]
async fn the_other_policies_ask_one_store_alone() {
    let env_file = "AZURE_CLIENT_SECRET=old";
    let name: SecretName = NAME.parse().unwrap();
    for stage in [Stage::Current, Stage::Target] {
        let vault = vault();
        broken(&vault, refused);
        let only_vault = store(FallbackPolicy::KeyVaultOnly, stage, &vault, env_file);
        assert!(only_vault.get(&name).await.unwrap_err().kind().is_unreachable());
        assert_eq!(vault.state().requests.len(), 1);

        let only_env = store(FallbackPolicy::EnvOnly, stage, &vault, env_file);
        assert_eq!(only_env.get(&name).await.unwrap().value.expose_secret(), "old");
        let error = only_env.set(&name, "canary-4711".into()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::ReadOnly);
        assert!(error.help().unwrap().contains("FEATURE_USE_KEY_VAULT=true"));
        assert_eq!(only_env.list().await.unwrap().len(), 1);
        assert_eq!(vault.state().requests.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_of_the_fallback_is_not_kept() {
    let vault = vault();
    broken(&vault, refused);
    let store = store(FallbackPolicy::KeyVaultThenEnv, Stage::Current, &vault, "AZURE_CLIENT_SECRET=old");
    let name: SecretName = NAME.parse().unwrap();
    assert_eq!(store.get(&name).await.unwrap().value.expose_secret(), "old");
    put(&vault, json!({}));
    mode(&vault, Mode::Up);
    assert_eq!(store.get(&name).await.unwrap().value.expose_secret(), "canary-vault");
    let calls = vault.state().handed_out.len();
    store.get(&"azure-client-secret".parse().unwrap()).await.unwrap();
    assert_eq!(vault.state().handed_out.len(), calls, "this one is");
    store.refresh();
    store.get(&name).await.unwrap();
    assert_eq!(vault.state().handed_out.len(), calls + 1);
}

#[tokio::test(start_paused = true)]
async fn the_real_environment_beats_the_file_and_only_absence_goes_on() {
    let variables = |value: &str| Environment::of([("A".to_owned(), value.into())]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, "A=file\nB=file").unwrap();
    for (real, expected) in [("real", "real"), ("", "file")] {
        let chain = Chain::environment(variables(real), EnvFile::read(&path).unwrap());
        assert_eq!(chain.get(&"a".parse().unwrap()).await.unwrap().value.expose_secret(), expected);
        let names: Vec<_> = chain.list().await.unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["A", "B"]);
    }
    let broken = Fake::new(Says::Error(ErrorKind::Unreadable));
    let chain = Chain::new(vec![Arc::new(broken)], Arc::new(variables("last")));
    assert_eq!(chain.get(&"a".parse().unwrap()).await.unwrap_err().kind(), &ErrorKind::Unreadable);
    // The first that can be written.
    let vault = Fake::new(Says::Error(ErrorKind::NotFound));
    let chain = Chain::new(vec![Arc::new(variables("real")), Arc::new(vault)], Arc::new(variables("last")));
    assert!(chain.set(&"a".parse().unwrap(), "new".into()).await.unwrap().is_key_vault());
}
