//! Secrets from Key Vault, over https, by Microsoft's client.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{program::run, project::Project, tenant::Tenant};

/// What the vault has, and what the environment or `.env` may have in its place.
const NEW: &str = "of-the-vault-0123";
const OLD: &str = "of-the-environment-0123";

/// The program with the vault on, opened by the token of a GitHub Actions job.
fn selvedge(tenant: &Tenant, project: &Project, args: &[&str]) -> Command {
    let mut command = tenant.with_vault(project, args);
    command
        .env_remove("AZURE_CLIENT_SECRET")
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/actions/idtoken?api-version=2.0", tenant.url))
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-actions-token");
    command
}

fn seed(tenant: &Tenant, secrets: Value) {
    tenant.seed(&json!({ "vaults": [{ "name": "emulator", "secrets": secrets }] }));
}

/// What a deployment needs, and `more`.
fn seed_deployment(tenant: &Tenant, more: &[(&str, &str)]) {
    let own = [("azure-client-secret", tenant.variable("AZURE_CLIENT_SECRET")), ("github-token", "a-token")];
    let all = own.iter().chain(more).map(|(name, value)| json!({ "name": name, "value": value }));
    seed(tenant, all.collect());
}

/// How often each secret was read, whatever came of it, but for the question what a token has to be for.
fn reads(tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut reads = BTreeMap::new();
    for request in tenant.requests() {
        if let (Some(secret), "GET", false) = (&request.secret, &*request.method, request.status == Some(401))
        {
            *reads.entry(secret.clone()).or_default() += 1;
        }
    }
    reads
}

#[test]
fn a_deployment_at_the_target_keeps_to_it_or_sends_nothing() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    seed_deployment(&tenant, &[]);
    let mut required = vec![("HARDENING_STAGE", "target"), ("FEATURE_USE_ROLLBACK", "true")];
    required.push(("FEATURE_USE_TELEMETRY", "true"));
    let deploy = |required: &[(&str, &str)]| {
        run(selvedge(&tenant, &project, &["deploy", "--yes"]).envs(required.iter().copied()))
    };
    tenant.forget_requests();
    deploy(&required).ends(2, &["FEATURE_USE_HEALTH_CHECKS is off, and is required"]);
    assert!(tenant.requests().is_empty());
    required.push(("FEATURE_USE_HEALTH_CHECKS", "true"));
    // Nor is anything changed of which nobody would know who did it.
    project.write("taken", "");
    required.push(("SELVEDGE_AUDIT__FILE", "taken/trail.jsonl"));
    deploy(&required).ends(2, &["taken"]);
    assert_eq!(tenant.writes(), [""; 0]);
    required.pop();
    // Retries are on although nothing says so.
    tenant.inject("GET /v1/workspaces=503,times=1");
    deploy(&required).is(0);
    tenant.has_all_of(&project);
}

#[test]
fn a_deployment_has_its_secrets_and_settings_from_the_vault_and_asks_for_each_once() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    seed_deployment(&tenant, &[]);
    let flags =
        ["RETRY_LOGIC", "CIRCUIT_BREAKER", "ROLLBACK"].map(|flag| (format!("FEATURE_USE_{flag}"), "true"));
    let ended = run(selvedge(&tenant, &project, &["deploy", "--yes"]).envs(flags)).is(0);
    assert!(!ended.stderr.contains("Falling back"), "{}", ended.stderr);
    tenant.has_all_of(&project);
    let reads = reads(&tenant);
    assert!(reads.contains_key("emulator/azure-client-secret"), "{reads:?}");
    assert!(reads.contains_key("emulator/github-token"), "{reads:?}");
    assert!(reads.values().all(|times| *times == 1), "{reads:?}");
}

/// Who writes a configuration file must not be able to read the vault by it.
#[test]
fn a_configuration_file_has_from_the_vault_what_the_settings_name_and_nothing_else() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    seed_deployment(&tenant, &[("orders-owner", "data.owner@contoso.example"), ("orders-note", NEW)]);
    project.edit("data.owner@contoso.example", "${ORDERS_OWNER}");
    project.write("selvedge.toml", "[secrets]\nvariables = [\"ORDERS_OWNER\"]\n");
    run(&mut selvedge(&tenant, &project, &["deploy", "--yes"])).is(0);
    assert_eq!(reads(&tenant)["emulator/orders-owner"], 1);

    project.edit("Orders, development", "${ORDERS_NOTE}");
    run(&mut selvedge(&tenant, &project, &["deploy", "--yes"])).ends(2, &["ORDERS_NOTE"]);
    assert!(!reads(&tenant).contains_key("emulator/orders-note"));
}

#[test]
fn a_deployment_goes_on_by_the_environment_where_the_vault_is_away_and_may_be() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    let command = |args: &[&str]| {
        let mut command = selvedge(&tenant, &project, args);
        command.env("KEY_VAULT_URL", "https://127.0.0.1:1").env("GITHUB_TOKEN", "a-token");
        command.env("AZURE_CLIENT_SECRET", tenant.variable("AZURE_CLIENT_SECRET"));
        command
    };
    let ended = run(command(&["deploy", "--yes"]).env("FEATURE_USE_ROLLBACK", "true")).is(0);
    for said in ["secret 'github-token' from Key Vault", "SELVEDGE_JOURNAL_KEY counts as not set"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    tenant.has_all_of(&project);
    let deploy = || command(&["deploy", "--yes"]);
    // Not where the key that is not to be had is a must.
    let ended = run(deploy().env("SELVEDGE_ROLLBACK__REQUIRE_SEAL", "true"));
    ended.ends(2, &["seal journals", "SELVEDGE_JOURNAL_KEY is not set"]);
    run(command(&["plan"]).env("SELVEDGE_SECRETS__POLICY", "key-vault-only")).is(1);
    // Without anything to sign in with a plan is made all the same.
    let mut blind = command(&["deploy", "--dry-run"]);
    blind.env_remove("AZURE_CLIENT_SECRET").env_remove("ACTIONS_ID_TOKEN_REQUEST_URL");
    run(&mut blind).ends(0, &["no credentials: planned against an empty workspace"]);
}

#[test]
fn what_the_vault_has_is_stored_whatever_the_answer_was() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[("value", NEW)]));
    // The first only asks what a token has to be for.
    for (fault, code) in [
        ("PUT */secrets/app-token=503,skip=1", 1),
        ("PUT */secrets/app-token=effect+503,skip=1", 0),
        ("PUT */secrets/app-token=effect+503,skip=1\nGET */secrets/app-token=503", 3),
    ] {
        tenant.inject(fault);
        let mut command = selvedge(&tenant, &project, &["secrets", "set", "APP_TOKEN"]);
        run(command.stdin(std::fs::File::open(project.path().join("value")).unwrap())).is(code);
        tenant.heal();
    }
    let shown = run(&mut selvedge(&tenant, &project, &["secrets", "get", "APP_TOKEN", "--reveal"])).is(0);
    assert_eq!(shown.stdout.trim_end(), NEW);
}

#[test]
fn a_value_as_an_argument_is_refused_and_not_shown() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    let ended = run(&mut selvedge(&tenant, &project, &["secrets", "set", "GITHUB_TOKEN", NEW]));
    let ended = ended.ends(2, &["a value is never an argument"]);
    assert!(!ended.stderr.contains(NEW), "{}", ended.stderr);
}

/// What a row of the table below comes to.
enum Comes {
    /// The vault's value.
    Vault,
    /// The environment's, with a warning that says this of the vault.
    Falls(&'static str),
    /// An exit code, and what the error and its help say.
    Ends(i32, &'static [&'static str]),
}

/// Something that goes wrong with the vault.
struct Row {
    what: &'static str,
    faults: &'static str,
    /// What the secret has beside its value; `None`: there is none.
    attributes: Option<Value>,
    variables: Vec<(&'static str, String)>,
    /// At stage current, with a value in the environment.
    falls: Comes,
    /// At stage current without one, and at stage target with or without.
    fails: Comes,
}

/// `stranger` is a certificate authority that the vault does not have its certificate from.
fn rows(stranger: &Path) -> Vec<Row> {
    use Comes::{Ends, Falls, Vault};
    let there = || Some(json!({}));
    let row = |what, faults, attributes, variables, falls, fails| Row {
        what,
        faults,
        attributes,
        variables,
        falls,
        fails,
    };
    let hurry = [("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "1s"), ("SELVEDGE_HTTP__CALL_DEADLINE", "3s")];
    let hurry = hurry.map(|(name, value)| (name, value.to_owned())).to_vec();
    vec![
        row("it is well", "", there(), vec![], Vault, Vault),
        row(
            "down",
            "",
            there(),
            vec![("KEY_VAULT_URL", "https://127.0.0.1:1".to_owned())],
            Falls("no connection"),
            Ends(1, &["no connection"]),
        ),
        row(
            "slow",
            "GET /secrets/*=latency:20s",
            there(),
            hurry,
            Falls("no answer"),
            Ends(1, &["no answer"]),
        ),
        row(
            "500",
            "GET /secrets/*=500",
            there(),
            vec![],
            Falls("the service has a problem (500)"),
            Ends(1, &["500"]),
        ),
        row("401", "GET /secrets/*=401", there(), vec![], Ends(4, &["401"]), Ends(4, &["401"])),
        row(
            "403",
            "GET /secrets/*=403,code=AccessDenied",
            there(),
            vec![],
            Falls("403"),
            Ends(4, &["az keyvault set-policy"]),
        ),
        row(
            "403",
            "GET /secrets/*=403,code=ForbiddenByRbac",
            there(),
            vec![],
            Falls("403"),
            Ends(4, &["Key Vault Secrets User"]),
        ),
        row("404", "", None, vec![], Falls("there is no such secret"), Ends(4, &["az keyvault secret set"])),
        row("429", "GET /secrets/*=429", there(), vec![], Ends(1, &["429"]), Ends(1, &["429"])),
        row(
            "disabled",
            "",
            Some(json!({ "enabled": false })),
            vec![],
            Ends(4, &["disabled", "--enabled true"]),
            Ends(4, &["disabled", "--enabled true"]),
        ),
        row(
            "expired",
            "",
            Some(json!({ "expires": "2020-01-01T00:00:00Z" })),
            vec![],
            Ends(4, &["expired"]),
            Ends(4, &["expired"]),
        ),
        row(
            "not yet valid",
            "",
            Some(json!({ "notBefore": "2100-01-01T00:00:00Z" })),
            vec![],
            Ends(4, &["not valid"]),
            Ends(4, &["not valid"]),
        ),
        row(
            "an untrusted certificate",
            "",
            there(),
            vec![("SSL_CERT_FILE", stranger.display().to_string())],
            Ends(1, &["no trusted TLS connection"]),
            Ends(1, &["no trusted TLS connection"]),
        ),
        row(
            "a challenge for somebody else's token",
            "GET /secrets/*=challenge:https://elsewhere.example",
            there(),
            vec![],
            Ends(4, &["elsewhere.example"]),
            Ends(4, &["elsewhere.example"]),
        ),
    ]
}

#[test]
fn what_goes_wrong_with_the_vault_falls_back_only_where_it_may() {
    let another = Tenant::with_https();
    for Row { what, faults, attributes, variables, falls, fails } in rows(&another.authority()) {
        let (tenant, project) = (Tenant::with_https(), Project::orders());
        if let Some(mut secret) = attributes {
            secret["name"] = "github-token".into();
            secret["value"] = NEW.into();
            seed(&tenant, json!([secret]));
        }
        tenant.inject(faults);
        for (stage, in_env, comes) in [
            ("current", true, &falls),
            ("current", false, &fails),
            ("target", true, &fails),
            ("target", false, &fails),
        ] {
            let what = format!("{what}, {stage}, in .env: {in_env}");
            project.write(".env", &if in_env { format!("GITHUB_TOKEN={OLD}\n") } else { String::new() });
            let mut command = selvedge(&tenant, &project, &["secrets", "get", "GITHUB_TOKEN", "--reveal"]);
            let ended = run(command
                .env("HARDENING_STAGE", stage)
                .envs(variables.iter().map(|(name, value)| (name, value))));
            let told = format!("{what}: {:?}\n{}\n{}", ended.code, ended.stdout, ended.stderr);
            match comes {
                Comes::Vault => assert_eq!((ended.code, ended.stdout.trim()), (Some(0), NEW), "{told}"),
                Comes::Falls(why) => {
                    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), OLD), "{told}");
                    let warned = "Failed to get secret 'github-token' from Key Vault: ";
                    let (_, said) = ended.stderr.split_once(warned).unwrap_or_else(|| panic!("{told}"));
                    assert!(said.contains(why), "{told}");
                    assert!(said.contains(". Falling back to environment variable."), "{told}");
                }
                Comes::Ends(code, said) => {
                    assert_eq!(ended.code, Some(*code), "{told}");
                    assert!(said.iter().all(|said| ended.stderr.contains(said)), "{told}");
                    assert!(!ended.stderr.contains("Falling back"), "{told}");
                }
            }
        }
    }
}
