//! Who signs in: by what the platform vouches for, without a stored secret, or not at all.

use std::fs;

use serde_json::json;

use crate::{program::run, project::Project, stack::entra::assertion, tenant::Tenant};

#[test]
fn a_deployment_signs_in_by_what_its_platform_says_of_it_and_needs_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    // As `echo` writes it.
    fs::write(&file, format!("{}\n", assertion())).unwrap();
    let (tenant, machine) = (Tenant::start(), "44444444-0000-4000-8000-00000000000d");
    let jobs =
        format!("{}/contoso/fabric/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken", tenant.url);
    for (way, variables) in [
        ("WorkloadIdentityCredential", vec![("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string())]),
        (
            "GitHub Actions federation",
            vec![
                ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/actions/idtoken?api-version=2.0", tenant.url)),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-actions-token".to_owned()),
            ],
        ),
        (
            "AzurePipelinesCredential",
            vec![
                ("SYSTEM_OIDCREQUESTURI", jobs),
                ("SYSTEM_ACCESSTOKEN", "emulator-system-access-token".to_owned()),
                (
                    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
                    "66666666-6666-4666-8666-666666666666".to_owned(),
                ),
            ],
        ),
        (
            "ManagedIdentityCredential",
            vec![
                ("AZURE_CLIENT_ID", machine.to_owned()),
                ("IDENTITY_ENDPOINT", format!("{}/msi/token", tenant.url)),
                ("IDENTITY_HEADER", "emulator-identity-header".to_owned()),
            ],
        ),
    ] {
        tenant.reset();
        tenant.seed(&json!({ "servicePrincipals": [{
            "displayName": "The machine", "appId": machine, "managedIdentity": "UserAssigned", "mayCreateWorkspaces": true,
        }] }));
        let project = Project::orders();
        for args in [&["deploy", "-vv"][..], &["plan", "-vv", "--detailed-exitcode"]] {
            let mut command = tenant.selvedge(&project, args);
            command.env_remove("AZURE_CLIENT_SECRET").envs(variables.clone());
            run(&mut command).ends(0, &[&format!("Using {way}")]);
        }
    }
}

#[test]
fn who_has_nothing_to_show_is_told_what_to_set() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (missing, broken) = (project.path().join("missing.pem"), project.path().join("broken.pem"));
    fs::write(&broken, "-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n").unwrap();
    for (choice, variable, value, said) in [
        ("client-secret", "AZURE_CLIENT_SECRET", String::new(), "needs AZURE_CLIENT_SECRET"),
        ("client-secret", "AZURE_TENANT_ID", String::new(), "needs AZURE_TENANT_ID"),
        ("workload-identity", "X", String::new(), "needs AZURE_FEDERATED_TOKEN_FILE"),
        ("github-actions", "X", String::new(), "needs ACTIONS_ID_TOKEN_REQUEST_URL"),
        ("azure-devops", "X", String::new(), "needs SYSTEM_OIDCREQUESTURI"),
        ("certificate", "X", String::new(), "needs AZURE_CLIENT_CERTIFICATE_PATH"),
        (
            "certificate",
            "AZURE_CLIENT_CERTIFICATE_PATH",
            missing.display().to_string(),
            "missing.pem does not exist",
        ),
        (
            "certificate",
            "AZURE_CLIENT_CERTIFICATE_PATH",
            broken.display().to_string(),
            "certificate cannot be used",
        ),
    ] {
        let mut command = tenant.selvedge(&project, &["deploy"]);
        command.env("SELVEDGE_ENTRA__CREDENTIAL", choice).env(variable, value);
        let ended = run(&mut command).ends(4, &["error: ", said]);
        assert!(!ended.stderr.contains("TOPSECRET"), "{}", ended.stderr);
    }
    assert!(tenant.requests().is_empty());
}
