//! What the doctor finds, with its evidence and what mends it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

fn doctor(tenant: &Tenant, project: &Project) -> Ended {
    let ended = run(&mut tenant.with_vault(project, &["doctor", "--output", "json"]));
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("canary"), "{text}");
    }
    ended
}

/// State, evidence and help of a check.
#[track_caller]
fn check(ended: &Ended, name: &str) -> (String, String, String) {
    let told = ended.json();
    let found = told["checks"].as_array().unwrap().iter().find(|check| check["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {}", ended.stdout));
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("state"), text("evidence"), text("help"))
}

#[track_caller]
fn is(ended: &Ended, name: &str, state: &str, evidence: &str, help: &str) {
    let found = check(ended, name);
    assert!(found.0 == state && found.1.contains(evidence) && found.2.contains(help), "{name}: {found:?}");
}

fn vault(secrets: Value) -> Value {
    json!({ "vaults": [{ "name": "emulator", "secrets": secrets }] })
}

fn in_days(days: i64) -> String {
    let at = OffsetDateTime::now_utc() + time::Duration::days(days) + time::Duration::hours(1);
    at.format(&Rfc3339).unwrap()
}

#[test]
fn each_secret_is_looked_for_by_get_alone() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[]));
    tenant.seed(&vault(json!([
        { "name": "github-token", "value": "canary", "expires": in_days(10) },
        { "name": "azure-storage-key", "value": "canary", "expires": in_days(100) },
        { "name": "others", "value": "canary", "expires": in_days(5) },
    ])));
    let ended = doctor(&tenant, &project).is(0);
    is(&ended, "Key Vault", "ok", "127.0.0.1 answers, and `get` is allowed", "");
    is(&ended, "AZURE_CLIENT_SECRET", "ok", "where it has to be: it opens the vault", "");
    is(&ended, "GITHUB_TOKEN", "warn", ", in 10 days", "selvedge secrets set GITHUB_TOKEN");
    is(&ended, "AZURE_STORAGE_KEY", "ok", ", in 100 days", "");
    is(&ended, "SELVEDGE_JOURNAL_KEY", "ok", "not set", "");
    is(&ended, "expiry dates", "warn", "others: ends on", "");
    is(&ended, ".env", "ok", "there is none", "");

    // Who may not list is not worse off.
    tenant.inject("GET */secrets=403,code=ForbiddenByRbac");
    let ended = doctor(&tenant, &project).is(0);
    is(&ended, "expiry dates", "ok", "`list` is not allowed", "");
    tenant.heal();

    let text = run(&mut tenant.with_vault(&project, &["doctor"])).is(0).stdout;
    let first = text.lines().find(|line| line.starts_with("ok    Key Vault ")).unwrap();
    assert!(first.ends_with("  127.0.0.1 answers, and `get` is allowed"), "{text}");
    assert!(
        text.contains("\n      help: store a new value with `selvedge secrets set GITHUB_TOKEN`"),
        "{text}"
    );
}

#[test]
fn what_keeps_secrets_from_us_fails_with_what_mends_it() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[]));
    for (fault, evidence, help) in [
        (
            "GET */secrets/*=403,code=ForbiddenByRbac",
            "access denied (403 ForbiddenByRbac)",
            "Key Vault Secrets User",
        ),
        ("GET */secrets/*=503", "the service has a problem (503)", "publicNetworkAccess"),
        ("POST */token=401", "no access token could be had", ""),
    ] {
        tenant.inject(fault);
        let ended = doctor(&tenant, &project).is(1);
        is(&ended, "Key Vault", "fail", evidence, help);
        tenant.heal();
    }
    tenant.seed(&vault(json!([
        { "name": "github-token", "value": "canary", "enabled": false },
        { "name": "azure-storage-key", "value": "canary", "expires": in_days(-3) },
    ])));
    let ended = doctor(&tenant, &project).is(1);
    is(&ended, "GITHUB_TOKEN", "fail", "the secret is disabled", "--enabled true");
    is(&ended, "AZURE_STORAGE_KEY", "fail", "the secret expired on", "az keyvault secret set");

    let mut command = tenant.with_vault(&project, &["doctor"]);
    let ended = run(command.env_remove("KEY_VAULT_URL")).is(1);
    assert!(ended.stdout.contains("fail  Key Vault"), "{}", ended.stdout);
    let mut command = tenant.with_vault(&project, &["doctor"]);
    let ended = run(command.env("FEATURE_USE_KEY_VAULT", "false")).is(0);
    assert!(ended.stdout.contains("FEATURE_USE_KEY_VAULT is off"), "{}", ended.stdout);
}

#[test]
fn copies_in_env_are_told_and_so_are_its_mode_and_age() {
    let tenant = Tenant::with_https();
    let project = Project::with(&[(".env", "GITHUB_TOKEN=canary\nAZURE_STORAGE_KEY=canary\nA=1\n")]);
    tenant.seed(&vault(json!([{ "name": "github-token", "value": "other" }])));
    let path = project.path().join(".env");
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let ended = doctor(&tenant, &project).is(1);
    is(&ended, "GITHUB_TOKEN", "warn", "and another copy in .env", "selvedge secrets migrate --rewrite");
    is(&ended, "AZURE_STORAGE_KEY", "warn", "not in the vault; in .env", "selvedge secrets migrate");
    is(
        &ended,
        ".env mode",
        "fail",
        "0644; holds AZURE_STORAGE_KEY, GITHUB_TOKEN, and others can read it",
        "chmod 600",
    );
    is(&ended, ".env age", "ok", "last changed 0 days ago", "");

    mode(0o600);
    let day = Duration::from_secs(86_400);
    let age = |days| {
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - day * days).unwrap();
    };
    age(32);
    let ended = doctor(&tenant, &project).is(0);
    is(&ended, ".env mode", "ok", "0600", "");
    is(&ended, ".env age", "warn", "last changed 32 days ago", "selvedge secrets migrate");
    age(29);
    is(&doctor(&tenant, &project).is(0), ".env age", "ok", "29 days", "");
    project.write(".env", "A=1\n");
    age(99);
    mode(0o644);
    let ended = doctor(&tenant, &project).is(0);
    is(&ended, ".env age", "ok", "holds no secret", "");
    is(&ended, ".env mode", "ok", "holds no secret", "");
}

/// Whoever owns the file says what is in it, whatever its mode.
#[cfg(target_os = "linux")]
#[test]
fn an_env_of_somebody_else_is_a_warning() {
    use std::os::unix::fs::{MetadataExt as _, chown, symlink};

    let tenant = Tenant::with_https();
    let project = Project::with(&[(".env", "A=1\n")]);
    let path = project.path().join(".env");
    is(&doctor(&tenant, &project).is(0), ".env owner", "ok", "whoever runs this", "");
    // Only root may give a file away; who is not finds one that is root's.
    let own = fs::metadata(&path).unwrap().uid();
    if chown(&path, Some(own + 1), None).is_err() {
        fs::remove_file(&path).unwrap();
        symlink("/etc/os-release", &path).unwrap();
    }
    let ended = doctor(&tenant, &project).is(0);
    is(&ended, ".env owner", "warn", "another user, who can change what it says", "sudo chown");
}

#[test]
fn a_reader_that_leaves_does_not_hide_what_was_found() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[]));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = tenant.with_vault(&project, &["doctor"]);
    run(command.env_remove("KEY_VAULT_URL").stdout(writer)).is(1);
}

#[test]
fn a_tracked_env_fails_and_one_that_is_not_ignored_is_a_warning() {
    let tenant = Tenant::with_https();
    let project = Project::with(&[(".env", "GITHUB_TOKEN=canary\n")]);
    fs::set_permissions(project.path().join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    let name = ".env in Git";
    is(&doctor(&tenant, &project), name, "ok", "this is no repository", "");
    let git = |args: &[&str]| {
        let done = Command::new("git").arg("-C").arg(project.path()).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "--quiet"]);
    is(&doctor(&tenant, &project), name, "warn", "not ignored", "add .env to .gitignore");
    git(&["add", ".env"]);
    is(&doctor(&tenant, &project).is(1), name, "fail", "tracked", "git rm --cached .env");
    git(&["rm", "--quiet", "--cached", ".env"]);
    project.write(".gitignore", ".env\n");
    is(&doctor(&tenant, &project).is(0), name, "ok", "not tracked, and ignored", "");
}

#[test]
fn its_commands_work_from_where_it_was_asked() {
    let tenant = Tenant::with_https();
    let (project, elsewhere) = (Project::with(&[(".env", "GITHUB_TOKEN=canary\n")]), Project::with(&[]));
    let path = project.path().to_str().unwrap();
    let ended = run(&mut tenant.with_vault(&elsewhere, &["doctor", "--output", "json", "--project", path]));
    is(&ended, "GITHUB_TOKEN", "warn", "in .env", &format!("`selvedge secrets migrate --project '{path}'`"));
}

#[test]
fn a_stage_is_gone_through_week_by_week() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    tenant.seed(&vault(json!([{ "name": "github-token", "value": "canary" }])));
    let doctor = |stage: &str, flags: &[(&str, &str)]| {
        let mut command = tenant.with_vault(&project, &["doctor", "--stage", stage, "--output", "json"]);
        run(command.envs(flags.iter().copied()))
    };
    const ALL: [(&str, &str); 5] = [
        ("FEATURE_USE_RETRY_LOGIC", "true"),
        ("FEATURE_USE_CIRCUIT_BREAKER", "true"),
        ("FEATURE_USE_ROLLBACK", "true"),
        ("FEATURE_USE_TELEMETRY", "true"),
        ("FEATURE_USE_HEALTH_CHECKS", "true"),
    ];
    let before: Vec<_> = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let current = doctor("current", &[]).is(0);
    is(&current, "FEATURE_USE_ROLLBACK", "ok", "off, by default", "FEATURE_USE_ROLLBACK=true");
    is(&current, "FEATURE_USE_KEY_VAULT", "ok", "on, by environment", "");
    is(&current, "way back", "ok", "false for FEATURE_USE_KEY_VAULT", "");
    let intermediate = doctor("intermediate", &[]).is(0);
    is(&intermediate, "FEATURE_USE_TELEMETRY", "warn", "off, by default", "");
    let target = doctor("target", &[]).is(1);
    is(&target, "FEATURE_USE_ROLLBACK", "fail", "off", "");
    is(&target, "FEATURE_USE_RETRY_LOGIC", "warn", "off", "");
    is(&target, "where secrets come from", "ok", "and nowhere else", "");
    is(&target, "audit trail", "ok", "can be written", "");

    let after: Vec<_> = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(after, before, "nothing is left behind");

    // What a deployment refuses at the target, and what the checklist fails, is the same.
    let refused = |flags: &[(&str, &str)]| {
        let mut command = tenant.with_vault(&project, &["deploy", "--yes"]);
        run(command.env("HARDENING_STAGE", "target").envs(flags.iter().copied()))
    };
    refused(&[]).ends(2, &["FEATURE_USE_ROLLBACK is off", "FEATURE_USE_HEALTH_CHECKS is off"]);
    for required in &ALL[2..] {
        let flags: Vec<_> = ALL.into_iter().filter(|flag| flag != required).collect();
        is(&doctor("target", &flags).is(1), required.0, "fail", "off", required.0);
        refused(&flags).ends(2, &[required.0]);
    }
    let all = doctor("target", &ALL).is(0);
    is(&all, "open transactions", "ok", "none", "");
    is(&all, "journals", "ok", "in a folder that can be written", "");
}

#[test]
fn the_rights_of_the_identity_are_held_against_the_plan() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let doctor = || run(&mut tenant.selvedge(&project, &["doctor", "--output", "json"]));
    let before = doctor().is(0);
    is(&before, "sign-in", "ok", "signed in as", "");
    is(&before, "Fabric", "ok", "answers, and shows", "");
    is(&before, "plan", "ok", "changes", "");
    is(&before, "capacity", "ok", "Demo capacity runs", "");
    is(&before, "rights", "ok", "the workspace is not there", "");
    is(&before, "configuration", "ok", "nothing is wrong with it", "");
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    is(&doctor().is(0), "rights", "ok", "the plan takes none", "");
    project.edit("role: \"Admin\"", "role: \"Member\"");
    is(&doctor().is(0), "rights", "ok", "Admin; the plan takes Admin", "");

    project.edit("role: \"Member\"", "role: \"Owner\"");
    is(&doctor().is(1), "configuration", "fail", "there is no role \"Owner\"", "selvedge plan");
    tenant.inject("GET /v1/workspaces=403,times=9");
    is(&doctor().is(1), "Fabric", "fail", "403", "tenant settings");
}

#[test]
fn the_self_test_proves_what_the_flags_do() {
    let project = Project::orders();
    let doctor = |settings: &str| {
        project.write("selvedge.toml", settings);
        run(&mut crate::program::selvedge(project.path(), &["doctor", "--self-test", "--output", "json"]))
    };
    let proven = doctor("").is(0);
    for trial in ["without retries", "retries", "circuit breaker", "without rollback", "rollback"] {
        is(&proven, trial, "ok", "", "");
    }
    // A setting that takes the promise away is found.
    let broken = doctor("[http]\nattempt_timeout = \"1ms\"\ncall_deadline = \"1500ms\"\n").is(1);
    is(&broken, "rollback", "fail", "not proven that a failed deployment leaves nothing", "selvedge.toml");
}
