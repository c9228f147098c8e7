//! Who signs in: by what the platform vouches for, without a stored secret, or not at all.

use std::{fs, path::Path, process::Command};

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
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
    let (empty, bare) = (project.path().join("empty"), project.path().join("bare.pem"));
    fs::write(&empty, "\n").unwrap();
    fs::write(&bare, &APPLICATION[..APPLICATION.find("-----BEGIN PRIVATE KEY").unwrap()]).unwrap();
    let (token, pem) = ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH");
    let path = |path: &Path| path.display().to_string();
    for (choice, variable, value, said) in [
        ("workload-identity", token, path(&empty), "it is empty"),
        ("workload-identity", token, path(project.path()), "names the file that the platform keeps"),
        ("certificate", pem, path(&bare), "openssl pkcs12"),
        ("github-actions", "X", String::new(), "permissions: id-token: write"),
        ("azure-devops", "X", String::new(), "$(System.AccessToken)"),
        (
            "azure-devops",
            "SYSTEM_OIDCREQUESTURI",
            "https://x.example".to_owned(),
            "needs AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        ),
        (
            "github-actions",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "https://x.example".to_owned(),
            "needs ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ),
        ("workload-identity", token, "/dev/zero".to_owned(), "/dev/zero is not a regular file"),
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

/// By the one variable of such a pair somebody could have the token of the other sent anywhere.
#[test]
fn what_a_job_is_handed_is_not_taken_from_a_file() {
    let tenant = Tenant::start();
    let project = Project::with(&[(".env", "ACTIONS_ID_TOKEN_REQUEST_URL=http://127.0.0.1:1/\n")]);
    let mut command = tenant.selvedge(&project, &["secrets", "list"]);
    command
        .env("FEATURE_USE_KEY_VAULT", "true")
        .env("SELVEDGE_ENTRA__CREDENTIAL", "github-actions")
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "emulator-actions-token");
    run(&mut command).ends(4, &["needs ACTIONS_ID_TOKEN_REQUEST_URL"]);
}

#[test]
fn who_is_refused_by_the_platform_is_told_what_it_wants() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let jobs =
        format!("{}/contoso/fabric/_apis/distributedtask/hubs/build/plans/1/jobs/1/oidctoken", tenant.url);
    let actions = format!("{}/actions/idtoken?api-version=2.0", tenant.url);
    for (choice, variables, said) in [
        (
            "github-actions",
            vec![
                ("ACTIONS_ID_TOKEN_REQUEST_URL", actions.as_str()),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-another-job"),
            ],
            "permissions: id-token: write",
        ),
        (
            "azure-devops",
            vec![
                ("SYSTEM_OIDCREQUESTURI", jobs.as_str()),
                ("SYSTEM_ACCESSTOKEN", "of-another-job"),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "66666666-6666-4666-8666-666666666666"),
            ],
            "a service connection that the pipeline may use",
        ),
    ] {
        let mut command = tenant.selvedge(&project, &["deploy"]);
        command.env("SELVEDGE_ENTRA__CREDENTIAL", choice).envs(variables);
        run(&mut command).ends(4, &["refused (401", said]);
    }
}

/// A file of an application's: a certificate that is not its own, its certificate, its key.
const APPLICATION: &str = include_str!("../../../secrets/tests/data/application.pem");
/// An RSA key that everybody has: the emulator signs with it.
const OTHER_KEY: &[u8] = include_bytes!("../../../fabric-emulator/src/entra/signing_key.der");
const SIGNER: &str = "44444444-0000-4000-8000-00000000000e";

/// A certificate for the key, good for long, as PEM.
fn certificate(key: &KeyPair) -> String {
    CertificateParams::new([]).unwrap().self_signed(key).unwrap().pem()
}

/// The program as the application that signs in by the certificate in that file, and by nothing else.
fn by_certificate(tenant: &Tenant, project: &Project, args: &[&str], file: &Path) -> Command {
    let mut command = tenant.selvedge(project, args);
    command
        .env_remove("AZURE_CLIENT_SECRET")
        .env("AZURE_CLIENT_ID", SIGNER)
        .env("AZURE_CLIENT_CERTIFICATE_PATH", file);
    command
}

#[test]
fn a_deployment_signs_in_by_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let other = KeyPair::from_pkcs8_der_and_sign_algo(&OTHER_KEY.into(), &PKCS_RSA_SHA256).unwrap();
    let (own, others) = (folder.path().join("own.pem"), folder.path().join("others.pem"));
    fs::write(&own, APPLICATION).unwrap();
    fs::write(&others, format!("{}{}", certificate(&other), other.serialize_pem())).unwrap();
    // The one that belongs to the key. Its neighbour in the file is not registered.
    let all: Vec<_> = APPLICATION.split_inclusive("-----END CERTIFICATE-----\n").collect();
    let registered = json!({ "servicePrincipals": [{
        "displayName": "Signer", "appId": SIGNER, "certificates": [all[1]], "mayCreateWorkspaces": true,
    }] });

    let tenant = Tenant::start();
    for send_chain in ["false", "true"] {
        tenant.reset();
        tenant.seed(&registered);
        let project = Project::orders();
        for args in [&["deploy", "-vv"][..], &["plan", "-vv", "--detailed-exitcode"]] {
            let mut command = by_certificate(&tenant, &project, args, &own);
            command.env("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", send_chain);
            run(&mut command).ends(0, &["Using ClientCertificateCredential"]);
        }
    }

    // Who has another key is told how to compare, and nothing was done.
    tenant.forget_requests();
    let project = Project::orders();
    let compare = format!("az ad app credential list --id {SIGNER} --cert");
    let ended = run(&mut by_certificate(&tenant, &project, &["deploy"], &others));
    let ended = ended.ends(4, &["AADSTS700027", "does not fit a certificate of the application", &compare]);
    let key = fs::read_to_string(&others).unwrap();
    let secret = key.lines().rev().nth(1).unwrap();
    assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
    let asked: Vec<_> = tenant.requests().iter().map(|request| request.shape()).collect();
    assert!(asked.iter().all(|shape| shape.contains("/token")), "{asked:?}");
}
