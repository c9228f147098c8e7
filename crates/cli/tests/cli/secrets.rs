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
