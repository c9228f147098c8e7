//! Not authenticated, or not allowed: exit code 4, and nothing is written.

use serde_json::json;

use crate::{program::run, project::Project, tenant::Tenant};

#[test]
fn what_entra_refuses_is_told_in_its_words() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for (variable, value, said) in [
        ("AZURE_CLIENT_SECRET", "not-the-secret", "AADSTS7000215"),
        ("AZURE_CLIENT_ID", "cccccccc-0000-4000-8000-0000000000aa", "AADSTS700016"),
        ("AZURE_TENANT_ID", "aaaaaaaa-0000-4000-8000-0000000000aa", "AADSTS90002"),
    ] {
        let mut command = tenant.safe(&project, &["deploy"]);
        let ended = run(command.env(variable, value)).ends(4, &["error: ", said, "help: "]);
        assert_eq!(ended.stdout, "");
        assert!(!ended.stderr.contains("not-the-secret"), "{}", ended.stderr);
    }
    assert!(tenant.requests().iter().all(|request| request.path.ends_with("/oauth2/v2.0/token")));
    assert!(project.journals().is_empty());
}

#[test]
fn what_may_not_be_read_is_not_written() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for read in ["GET /v1/workspaces", "GET /v1.0/users"] {
        for status in [401, 403] {
            tenant.reset();
            tenant.inject(&format!("{read}={status}"));
            tenant.safely(&project, &["deploy"]).ends(4, &["error: ", "Caused by: ", "help: "]);
            assert_eq!(tenant.writes(), [""; 0], "{read} {status}");
        }
    }
}

#[test]
fn a_principal_that_may_create_no_workspace_leaves_nothing() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (client, secret) = ("cccccccc-0000-4000-8000-0000000000bb", "of-somebody");
    tenant.seed(&json!({ "servicePrincipals": [
        { "displayName": "Somebody", "appId": client, "secret": secret, "mayCreateWorkspaces": false },
    ] }));
    let before = tenant.hash();
    let mut command = tenant.safe(&project, &["deploy"]);
    command.env("AZURE_CLIENT_ID", client).env("AZURE_CLIENT_SECRET", secret);
    let ended = run(&mut command);
    assert!(ended.code == Some(1) || ended.code == Some(4), "{:?} {}", ended.code, ended.stderr);
    assert!(ended.stderr.contains("403"), "{}", ended.stderr);
    assert_eq!(tenant.hash(), before);
}
