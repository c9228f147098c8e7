//! Secrets move from a file to the vault: none is lost, none is shown, and nothing else changes.

use std::fs;
#[cfg(target_os = "linux")]
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

/// What an old project has. The values are canaries.
const FILE: &str = "\u{feff}# Who deploys\r\nAZURE_TENANT_ID=aaaaaaaa-0000-4000-8000-000000000001\r\n\
                    export GITHUB_TOKEN='canary of github'  # since May\r\n\
                    \n\
                    APP_PASSWORD=\"canary\n# of two lines\"\n\
                    DATA_OWNER_EMAIL=data.owner@contoso.example\n\
                    EMPTY_KEY=\n\
                    LAST_SECRET=canary-at-the-end";

const MIGRATE: [&str; 2] = ["secrets", "migrate"];

fn project(file: &str) -> Project {
    let project = Project::with(&[(".env", file)]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(project.path().join(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    project
}

fn migrate(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    clean(run(&mut tenant.with_vault(project, &[&MIGRATE, args].concat())))
}

/// No value is in what is said.
#[track_caller]
fn clean(ended: Ended) -> Ended {
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("canary"), "{text}");
    }
    ended
}

fn file(project: &Project) -> String {
    fs::read_to_string(project.path().join(".env")).unwrap()
}

/// The names of the secrets that were stored since the last time.
#[track_caller]
fn stored(tenant: &Tenant) -> Vec<String> {
    let requests = tenant.requests();
    tenant.forget_requests();
    // The first goes without a token.
    let puts = requests.iter().filter(|it| it.method == "PUT" && it.status != Some(401));
    puts.map(|put| put.plain_path().replace("/secrets/", "")).collect()
}

#[track_caller]
fn value(tenant: &Tenant, project: &Project, name: &str) -> String {
    let mut command = tenant.with_vault(project, &["secrets", "get", name, "--reveal"]);
    run(command.env("SELVEDGE_SECRETS__POLICY", "key-vault-only")).is(0).stdout
}

#[test]
fn a_dry_run_changes_nothing() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    let ended = migrate(&tenant, &project, &["--dry-run", "--rewrite"]).is(0);
    for said in [
        "3 secrets of",
        "- GITHUB_TOKEN (line 3): would be stored",
        "- APP_PASSWORD (lines 5-6): would be stored",
        "- DATA_OWNER_EMAIL (line 7): not migrated: looks like a setting; name it with --only to migrate it",
        "- EMPTY_KEY (line 8): not migrated: has no value",
        "Settings, which stay: AZURE_TENANT_ID",
        "Nothing was changed.",
    ] {
        assert!(ended.stdout.contains(said), "{said} in {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("Delete"), "{}", ended.stdout);
    assert_eq!(stored(&tenant), [""; 0]);
    assert_eq!(file(&project), FILE);
}

#[test]
fn what_is_stored_is_what_was_there_and_a_second_run_stores_nothing() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    let ended = migrate(&tenant, &project, &["--yes"]).is(0);
    assert!(
        ended.stdout.contains("✓ APP_PASSWORD (lines 5-6): stored and read back, version "),
        "{}",
        ended.stdout
    );
    let lines = "line 3 (GITHUB_TOKEN), lines 5-6 (APP_PASSWORD), line 9 (LAST_SECRET)\n";
    assert!(ended.stdout.ends_with(lines), "{}", ended.stdout);
    assert_eq!(stored(&tenant), ["github-token", "app-password", "last-secret"]);
    assert_eq!(file(&project), FILE, "only --rewrite changes it");
    assert_eq!(value(&tenant, &project, "APP_PASSWORD"), "canary\n# of two lines\n");
    tenant.forget_requests();

    // Nothing to ask about.
    let told = migrate(&tenant, &project, &["--output", "json"]).is(0).json();
    assert_eq!(stored(&tenant), [""; 0]);
    assert_eq!(told["secrets"][0]["state"], "equal");
    assert_eq!(told["removable"][1], json!({ "variable": "APP_PASSWORD", "line": 5, "last_line": 6 }));
    assert_eq!(told["not_migrated"][0], json!({ "variable": "DATA_OWNER_EMAIL", "line": 7 }));
    assert_eq!((&told["rewritten"], &told["dry_run"]), (&json!(false), &json!(false)));
}

#[test]
fn the_file_is_rewritten_byte_for_byte_but_for_what_went() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    let ended =
        migrate(&tenant, &project, &["--yes", "--rewrite", "--only", "GITHUB_TOKEN,DATA_OWNER_EMAIL"]).is(0);
    assert!(
        ended.stdout.contains("Left out by --only: APP_PASSWORD, EMPTY_KEY, LAST_SECRET"),
        "{}",
        ended.stdout
    );
    assert_eq!(stored(&tenant), ["github-token", "data-owner-email"]);
    let once = FILE
        .replace(
            "export GITHUB_TOKEN='canary of github'  # since May",
            "# GITHUB_TOKEN is in Key Vault 127.0.0.1  # since May",
        )
        .replace(
            "DATA_OWNER_EMAIL=data.owner@contoso.example",
            "# DATA_OWNER_EMAIL is in Key Vault 127.0.0.1",
        );
    assert_eq!(file(&project), once);

    migrate(&tenant, &project, &["--yes", "--rewrite"]).is(0);
    let twice = once
        .replace("APP_PASSWORD=\"canary\n# of two lines\"", "# APP_PASSWORD is in Key Vault 127.0.0.1")
        .replace("LAST_SECRET=canary-at-the-end", "# LAST_SECRET is in Key Vault 127.0.0.1");
    assert_eq!(file(&project), twice);
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 2, "no temporary file is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(project.path().join(".env")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
}

#[test]
fn another_value_is_overwritten_only_when_asked() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    migrate(&tenant, &project, &["--yes", "--only", "APP_PASSWORD"]).is(0);
    tenant.forget_requests();
    project.write(".env", &FILE.replace("two lines", "three lines"));
    let ended = migrate(&tenant, &project, &["--yes", "--rewrite"]);
    let ended =
        ended.ends(1, &["the vault has other values of APP_PASSWORD; nothing was stored", "--overwrite"]);
    assert!(
        ended.stdout.contains("✗ APP_PASSWORD (lines 5-6): the vault has another value"),
        "{}",
        ended.stdout
    );
    migrate(&tenant, &project, &["--dry-run"]).is(0);
    assert_eq!(stored(&tenant), [""; 0]);
    assert!(file(&project).contains("three lines"));

    migrate(&tenant, &project, &["--yes", "--overwrite"]).is(0);
    assert_eq!(stored(&tenant), ["github-token", "app-password", "last-secret"]);
    assert_eq!(value(&tenant, &project, "app-password"), "canary\n# of three lines\n");
}

#[test]
fn a_failure_in_the_middle_is_told_and_finished_by_the_next_run() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    for (fault, code, said) in [
        ("PUT */secrets/app-password=403,code=ForbiddenByRbac", 3, "Key Vault Secrets Officer"),
        ("PUT */secrets/app-password=503", 1, "(503)"),
    ] {
        tenant.inject(fault);
        let ended = migrate(&tenant, &project, &["--yes", "--rewrite", "--output", "json"]);
        let stored_before = u8::from(code == 3);
        let tried = format!("migrate APP_PASSWORD: {stored_before} stored before it, 1 after it not tried");
        let ended = ended.ends(code, &[&tried, said, "run the same command again"]);
        let states: Vec<Value> =
            ended.json()["secrets"].as_array().unwrap().iter().map(|it| it["state"].clone()).collect();
        let first = if code == 3 { "stored" } else { "equal" };
        assert_eq!(states, [first, "failed", "missing"]);
        assert_eq!(file(&project), FILE);
        tenant.heal();
    }
    tenant.forget_requests();
    let ended = migrate(&tenant, &project, &["--yes", "--rewrite"]).is(0);
    assert_eq!(stored(&tenant), ["app-password", "last-secret"]);
    assert!(ended.stdout.contains("Taken out of"), "{}", ended.stdout);
    assert!(!file(&project).contains("canary"));
    assert_eq!(value(&tenant, &project, "GITHUB_TOKEN"), "canary of github\n");
}

#[test]
fn what_the_vault_has_is_stored_whatever_the_answer_was() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    tenant.inject("PUT */secrets/app-password=effect+503");
    let ended = migrate(&tenant, &project, &["--yes", "--rewrite"]).is(0);
    let told = "✓ APP_PASSWORD (lines 5-6): stored and read back, version ";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
    assert!(!file(&project).contains("canary"));
    assert_eq!(value(&tenant, &project, "APP_PASSWORD"), "canary\n# of two lines\n");
}

/// How a migration ended is said by its exit code, and by its error, whether or not somebody reads its result.
#[cfg(target_os = "linux")]
#[test]
fn who_does_not_read_the_result_is_told_the_error() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let left = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let migrate = |args: &[&str]| tenant.with_vault(&project, &[&MIGRATE, args].concat());
    run(migrate(&["--dry-run"]).stdout(full())).ends(1, &["error: write to stdout"]);
    tenant.inject("PUT */secrets/app-password=403,code=ForbiddenByRbac");
    let refused = ["error: migrate APP_PASSWORD: 1 stored", "Key Vault Secrets Officer"];
    run(migrate(&["--yes"]).stdout(full())).ends(3, &refused);
    tenant.heal();
    project.write(".env", &FILE.replace("of github", "of gitlab"));
    for stdout in [full().into(), Stdio::from(left())] {
        run(migrate(&["--yes"]).stdout(stdout)).ends(1, &["the vault has other values of GITHUB_TOKEN"]);
    }
}

#[test]
fn nothing_is_taken_out_for_what_the_vault_did_not_give_back() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    // The policy would let the file itself answer in the vault's place.
    for (fault, code) in [("GET */secrets/*=503", 1), ("GET */secrets/*=403,code=ForbiddenByRbac", 4)] {
        tenant.inject(fault);
        migrate(&tenant, &project, &["--yes", "--rewrite"]).is(code);
        assert_eq!(stored(&tenant), [""; 0]);
        tenant.heal();
    }
    // Gone before it is read back.
    tenant.inject("GET */secrets/github-token=404,skip=2");
    migrate(&tenant, &project, &["--yes", "--rewrite"]).ends(4, &["migrate GITHUB_TOKEN", "no such secret"]);
    assert_eq!(stored(&tenant), ["github-token"]);
    assert_eq!(file(&project), FILE);
}

#[test]
fn what_opens_the_vault_stays_until_somebody_else_opens_it() {
    let tenant = Tenant::with_https();
    let secret = tenant.variable("AZURE_CLIENT_SECRET");
    let text = format!("AZURE_CLIENT_SECRET={secret}\n");
    let project = project(&text);
    let args = ["secrets", "migrate", "--yes", "--rewrite"];
    let mut command = tenant.with_vault(&project, &args);
    let ended = run(command.env_remove("AZURE_CLIENT_SECRET")).is(0);
    for said in
        ["✓ AZURE_CLIENT_SECRET (line 1): stored", "it opens the vault itself", "SELVEDGE_ENTRA__CREDENTIAL"]
    {
        assert!(ended.stdout.contains(said), "{said} in {}", ended.stdout);
    }
    assert_eq!(file(&project), text);

    // Somebody else: whom a token in a file vouches for. The secret is the application's still.
    let asked = driver::http::ask(
        tenant.url.strip_prefix("http://").unwrap(),
        "GET",
        "/actions/idtoken?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange",
        "Authorization: Bearer emulator-actions-token\r\n",
        "",
    );
    let assertion: Value = serde_json::from_str(&asked.unwrap()).unwrap();
    project.write("token", assertion["value"].as_str().unwrap());
    let federated = |args: &[&str]| {
        let mut command = tenant.with_vault(&project, args);
        command.env_remove("AZURE_CLIENT_SECRET").env("AZURE_FEDERATED_TOKEN_FILE", "token");
        command
    };
    let ended = run(federated(&args).env("SELVEDGE_ENTRA__CREDENTIAL", "workload-identity")).is(0);
    assert!(ended.stdout.contains("in the vault already, with the same value"), "{}", ended.stdout);
    assert_eq!(file(&project), "# AZURE_CLIENT_SECRET is in Key Vault 127.0.0.1\n");
    let found = run(&mut federated(&["secrets", "get", "AZURE_CLIENT_SECRET", "--reveal"])).is(0);
    assert_eq!(found.stdout, format!("{secret}\n"));
}

#[test]
fn what_another_line_refers_to_stays() {
    let tenant = Tenant::with_https();
    let text = "SV_A_TOKEN=canary-a\nSV_B_TOKEN=canary-b\nSV_URL=https://${SV_A_TOKEN}@x.example\n";
    let project = project(text);
    let ended = migrate(&tenant, &project, &["--yes", "--rewrite"]).is(0);
    assert!(ended.stdout.contains("SV_A_TOKEN stays in"), "{}", ended.stdout);
    assert_eq!(file(&project), text.replace("SV_B_TOKEN=canary-b", "# SV_B_TOKEN is in Key Vault 127.0.0.1"));
}

#[test]
fn a_secret_that_somebody_disabled_is_not_brought_back() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    tenant.seed(&json!({ "vaults": [{ "name": "emulator", "secrets": [
        { "name": "github-token", "value": "canary of github", "enabled": false },
    ] }] }));
    for args in [&["--yes", "--rewrite"][..], &["--yes", "--overwrite"]] {
        migrate(&tenant, &project, args)
            .ends(4, &["github-token", "the secret is disabled", "--enabled true"]);
    }
    assert_eq!(stored(&tenant), [""; 0]);
    assert_eq!(file(&project), FILE);
}

#[test]
fn who_asks_for_what_cannot_be_is_told_before_anything_is_sent() {
    let (tenant, project) = (Tenant::with_https(), project(FILE));
    let help = "add --yes";
    project.write("mac.env", "# of a Mac\rGITHUB_TOKEN=canary\rAPP_PASSWORD=canary\r");
    migrate(&tenant, &project, &[])
        .ends(2, &["there is no terminal to ask on", "3 secrets are to be stored", help]);
    for (args, said) in [
        (&["--from", "no.env"][..], "there is no file no.env"),
        (&["--from", "mac.env"], "line 1: a carriage return within the line"),
        (&["--only", "GITHUB_TOKN"], "GITHUB_TOKN is not in the file; did you mean GITHUB_TOKEN?"),
        (&["--only", "AZURE_TENANT_ID"], "AZURE_TENANT_ID is a setting"),
    ] {
        migrate(&tenant, &project, &[args, &["--yes"]].concat()).ends(2, &[said]);
    }
    for (name, value, said) in [
        ("FEATURE_USE_KEY_VAULT", "false", "Cannot migrate secrets when Key Vault is disabled"),
        ("SELVEDGE_SECRETS__POLICY", "env-only", "secrets.policy is env-only"),
    ] {
        let mut command = tenant.with_vault(&project, &["secrets", "migrate", "--yes"]);
        clean(run(command.env(name, value))).ends(2, &[said]);
    }
    assert_eq!(stored(&tenant), [""; 0]);
}

#[test]
fn strange_values_arrive_as_they_were_and_are_not_said_at_any_level() {
    let (tenant, long) = (Tenant::with_https(), "canary+/==".repeat(1638));
    let shapes = [
        ("'canary \"quoted\" \\n # no comment'", "canary \"quoted\" \\n # no comment"),
        ("\"canary\\nof 'two' lines\"", "canary\nof 'two' lines"),
        ("'canary\n\n# of four\nlines'", "canary\n\n# of four\nlines"),
        ("canary=a=b==&c", "canary=a=b==&c"),
        ("'canary ${HOME} $5 %20 ##vso[task]'", "canary ${HOME} $5 %20 ##vso[task]"),
        ("'canary größe 鍵 🔑'", "canary größe 鍵 🔑"),
        ("'  canary  '", "  canary  "),
        (&long, &long),
    ];
    let text: String =
        shapes.iter().zip(1..).map(|((raw, _), n)| format!("# {n}\nSHAPE_{n}_SECRET={raw}\n")).collect();
    let project = project(&text);
    let mut command = tenant.with_vault(&project, &["secrets", "migrate", "--yes", "--rewrite"]);
    let ended = clean(run(command.env("RUST_LOG", "trace,hyper=trace"))).is(0);
    assert!(ended.stderr.contains("hyper"), "{}", ended.stderr);
    for ((_, value), n) in shapes.iter().zip(1..) {
        let name = format!("SHAPE_{n}_SECRET");
        let mut command =
            tenant.with_vault(&project, &["secrets", "get", &name, "--reveal", "--output", "json"]);
        assert_eq!(run(&mut command).is(0).json()["value"], *value, "{name}");
    }
    let left: String = (1..=shapes.len())
        .map(|n| format!("# {n}\n# SHAPE_{n}_SECRET is in Key Vault 127.0.0.1\n"))
        .collect();
    assert_eq!(file(&project), left);
}
