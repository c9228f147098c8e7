//! No secret is in anything that is printed or kept.

use std::fs;

use serde_json::json;

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

const CLIENT: &str = "cccccccc-0000-4000-8000-0000000000cc";
const SECRET: &str = "canary-of-the-client";
const TOKEN: &str = "canary-of-github";

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    // Also as a form or a header would carry them.
    for canary in [SECRET, TOKEN, "canary", "Y2FuYXJ5", "Bearer ey"] {
        assert!(!text.contains(canary), "{canary} in {what}: {text}");
    }
}

#[track_caller]
fn check(what: &str, ended: &Ended, project: &Project) {
    assert_clean(&format!("the result of {what}"), &ended.stdout);
    assert_clean(&format!("what was said by {what}"), &ended.stderr);
    for journal in project.journals() {
        assert_clean(&format!("the journal of {what}"), &fs::read_to_string(journal).unwrap());
    }
}

#[test]
fn no_secret_is_printed_or_kept() {
    let tenant = Tenant::start();
    let flags = ["RETRY_LOGIC", "CIRCUIT_BREAKER", "ROLLBACK"].map(|flag| format!("FEATURE_USE_{flag}"));
    // Our own most talkative level, and that of every crate below.
    for (level, talks) in [("trace", "settings resolved"), ("trace,hyper=trace", "hyper")] {
        for (fault, code) in
            [("GET /nothing=500", 0), ("POST */git/commitToGit=403", 1), ("POST */token=401", 4)]
        {
            tenant.reset();
            tenant.seed(&json!({ "servicePrincipals": [
                { "displayName": "Deployer of orders", "appId": CLIENT, "secret": SECRET, "mayCreateWorkspaces": true },
            ] }));
            tenant.inject(fault);
            let project = Project::orders();
            project.write(".env", &format!("AZURE_CLIENT_SECRET={SECRET}\n"));
            for output in ["text", "jsonl"] {
                let mut command = tenant.selvedge(&project, &["deploy", "--output", output]);
                command
                    .env_remove("AZURE_CLIENT_SECRET")
                    .env("AZURE_CLIENT_ID", CLIENT)
                    .env("GITHUB_TOKEN", TOKEN)
                    .env("SELVEDGE_LOG__LEVEL", level)
                    .envs(flags.iter().map(|flag| (flag, "true")));
                let ended = run(&mut command).is(code);
                assert!(ended.stderr.contains(talks), "{talks} in {}", ended.stderr);
                check(&format!("{fault}, {output}, {level}"), &ended, &project);
            }
            assert_eq!(project.journals().is_empty(), code == 4);
            if let Some(journal) = project.journals().first() {
                let text = fs::read_to_string(journal).unwrap();
                assert!(text.contains("GITHUB_TOKEN"), "a change names its secret: {text}");
            }
        }
    }
}

#[test]
fn a_secret_that_entra_refuses_is_not_repeated() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let mut command = tenant.selvedge(&project, &["deploy", "-vvv"]);
    let ended = run(command.env("AZURE_CLIENT_SECRET", SECRET)).ends(4, &["AADSTS7000215"]);
    check("a refused secret", &ended, &project);
}

#[test]
fn what_cannot_be_stored_says_that_it_was_to_be_stored() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[("value", "canary-to-store\n")]));
    let set = |name: &str, value: &str| {
        let mut command = tenant.with_vault(&project, &["secrets", "set", name]);
        command.stdin(fs::File::open(project.path().join(value)).unwrap());
        command
    };
    let refused = "set secret `app-token` in Key Vault 127.0.0.1: access denied (403 ForbiddenByRbac)";
    tenant.inject("PUT */secrets/*=403,code=ForbiddenByRbac");
    let ended = run(&mut set("APP_TOKEN", "value"));
    let ended =
        ended.ends(4, &["error: store the secret `app-token`\n", refused, "Key Vault Secrets Officer"]);
    assert_clean("what was said", &ended.stderr);
    tenant.heal();
    project.write("nothing", "\n");
    run(&mut set("APP_TOKEN", "nothing")).ends(2, &["error: store the secret `app-token`\n", "is empty"]);
    run(set("APP_TOKEN", "value").env("FEATURE_USE_KEY_VAULT", "false"))
        .ends(2, &["error: store the secret `app-token`\n", "Cannot set secrets when Key Vault is disabled"]);
    run(&mut set("APP_TOKEN", "value")).ends(0, &[]);
}

/// A full disk, not a reader that has left.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let (tenant, project) = (Tenant::with_https(), Project::with(&[("value", "canary-to-store\n")]));
    let seed = json!([{ "name": "github-token", "value": TOKEN }]);
    tenant.seed(&json!({ "vaults": [{ "name": "emulator", "secrets": seed }] }));
    for args in [
        &["secrets", "get", "GITHUB_TOKEN", "--reveal"][..],
        &["secrets", "get", "GITHUB_TOKEN", "--reveal", "--output", "json"],
        &["secrets", "get", "GITHUB_TOKEN"],
        &["secrets", "set", "APP_TOKEN"],
        &["secrets", "list"],
        &["secrets", "refresh", "--output", "jsonl"],
        &["doctor"],
        &["flags"],
        &["lock", "list"],
        &["transactions", "list"],
        &["emulator", "--port=0", "--exit-on-stdin-eof"],
        &["--version"],
        &["--help"],
        &["secrets", "migrate", "--help"],
    ] {
        let mut command = tenant.with_vault(&project, args);
        command.stdin(fs::File::open(project.path().join("value")).unwrap());
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = run(command.stdout(full));
        // What was changed is told all the same.
        let error = match args {
            ["secrets", "set", _] => "error: the secret `app-token` is stored in Key Vault ",
            _ => "error: write to stdout\n",
        };
        let ended = ended.ends(1, &[error, "No space left on device"]);
        assert_clean(&format!("what was said by {args:?}"), &ended.stderr);
    }
}
