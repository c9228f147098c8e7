//! Applications: by secret, and by what a platform says of them.

use super::*;
use crate::{ErrorKind, Unreachable};
use std::time::Duration;

fn by_secret() -> IdentityConfig {
    IdentityConfig { client_secret: Some("canary-4711".into()), ..application() }
}

#[tokio::test]
async fn a_secret_goes_to_the_authority_and_a_token_is_asked_for_each_time() {
    for (authority, expected) in [
        (IdentityConfig::PUBLIC, "https://login.microsoftonline.com"),
        ("https://login.microsoftonline.us/", "https://login.microsoftonline.us"),
        ("https://login.partner.microsoftonline.cn", "https://login.partner.microsoftonline.cn"),
        ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
        ("http://localhost", "http://localhost"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:7070", "http://[::1]:7070"),
    ] {
        let script = Script::of([Says::Answer(200, TOKEN), Says::Answer(200, TOKEN)]);
        let config = IdentityConfig { authority: authority.into(), ..by_secret() };
        let identity = Identity::new(config.clone(), script.transport()).unwrap();
        assert_eq!(identity.choice(), Some(Choice::ClientSecret));
        for _ in 0..2 {
            assert_eq!(token(&identity).await.unwrap(), "T");
        }
        let line = format!("POST {expected}/contoso.example/oauth2/v2.0/token");
        assert_eq!(script.sent(), [line.clone(), line]);
        assert_eq!(script.form(0, "client_secret").unwrap(), "canary-4711");
        assert_eq!(script.form(0, "scope").unwrap(), SCOPE);
        assert!(!format!("{identity:?} {config:?}").contains("canary"));
    }
}

#[test]
fn a_secret_goes_nowhere_else() {
    for authority in [
        "",
        "http://login.microsoftonline.com",
        "https://login.microsoftonline.com@evil.example",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
    ] {
        let config = IdentityConfig { authority: authority.into(), ..by_secret() };
        let error = Identity::new(config, Script::default().transport()).unwrap_err();
        assert!(error.to_string().starts_with("Entra ID's address must be"), "{authority}: {error}");
    }
}

#[tokio::test]
async fn the_guard_sends_nothing_to_a_host_that_nobody_named() {
    let guard = |metadata| sealed::Sealed {
        inner: Script::of([Says::Answer(200, TOKEN)]).transport(),
        authority: crate::base::Base::new("http://127.0.0.1:7070".parse().unwrap()).unwrap(),
        platform: Some("https://actions.example/token".parse().unwrap()),
        metadata,
    };
    for (url, allowed, of_metadata) in [
        ("https://127.0.0.1:7070/t", true, true),
        ("https://actions.example/x", true, true),
        ("https://actions.example:444/x", false, false),
        ("http://actions.example/x", false, false),
        ("https://login.microsoftonline.com/t", false, false),
        ("http://169.254.169.254/metadata", false, true),
        ("http://localhost:41741/msi", false, true),
        ("http://10.0.0.1/metadata", false, false),
    ] {
        for (metadata, allowed) in [(false, allowed), (true, of_metadata)] {
            let request = Request::new(url.parse().unwrap(), azure_core::http::Method::Get);
            let sent = guard(metadata).execute_request(&request).await;
            assert_eq!(sent.is_ok(), allowed, "{url} {metadata}");
        }
    }
}

#[test]
fn the_first_that_there_is_something_for_is_the_way() {
    let all = || {
        let pem = include_str!("../../../tests/data/application.pem");
        IdentityConfig {
            client_secret: Some("s".into()),
            certificate: Some(CertificateConfig { pem: pem.into(), send_chain: false }),
            federated_token_file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()),
            github: Some(github()),
            azure_devops: Some(azure_devops()),
            ..application()
        }
    };
    let mut config = all();
    let mut order = Vec::new();
    let takes: [fn(&mut IdentityConfig); 5] = [
        |it| it.client_secret = None,
        |it| it.certificate = None,
        |it| it.federated_token_file = None,
        |it| it.github = None,
        |it| it.azure_devops = None,
    ];
    for take in takes {
        let identity = Identity::new(config.clone(), Script::default().transport()).unwrap();
        order.push(identity.choice().unwrap());
        take(&mut config);
    }
    let by_application = [
        Choice::ClientSecret,
        Choice::Certificate,
        Choice::WorkloadIdentity,
        Choice::GitHubActions,
        Choice::AzureDevOps,
    ];
    assert_eq!(order, by_application);
    assert_eq!(config.ways(), [Choice::ManagedIdentity, Choice::AzureCli]);
    // And the one that was asked for, whatever else there is.
    for choice in by_application.into_iter().chain([Choice::ManagedIdentity, Choice::AzureCli]) {
        let config = IdentityConfig { choice, ..all() };
        let identity = Identity::new(config, Script::default().transport()).unwrap();
        assert_eq!(identity.choice(), Some(choice));
    }
}

#[test]
fn what_is_missing_is_found_before_the_first_call_and_is_no_reason_to_be_somebody_else() {
    let empty = IdentityConfig { client_secret: Some("".into()), ..application() };
    let no_tenant = IdentityConfig { tenant_id: None, ..by_secret() };
    let no_client = IdentityConfig { client_id: None, ..by_secret() };
    let file = IdentityConfig { federated_token_file: Some("/does/not/exist".into()), ..application() };
    let unsafe_url = GitHubActions { request_url: "http://actions.example".into(), ..github() };
    let no_connection = AzureDevOps { service_connection_id: String::new(), ..azure_devops() };
    let chosen = |choice| IdentityConfig { choice, ..application() };
    for (config, expected) in [
        (empty, "ClientSecretCredential is not set up right"),
        (no_tenant, "ClientSecretCredential needs AZURE_TENANT_ID"),
        (no_client, "ClientSecretCredential needs AZURE_CLIENT_ID"),
        (file, "read the federated token in /does/not/exist"),
        (
            IdentityConfig { github: Some(unsafe_url), ..application() },
            "ACTIONS_ID_TOKEN_REQUEST_URL must be an https address",
        ),
        (
            IdentityConfig { azure_devops: Some(no_connection), ..application() },
            "AzurePipelinesCredential needs AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        ),
        (chosen(Choice::ClientSecret), "ClientSecretCredential needs AZURE_CLIENT_SECRET"),
        (chosen(Choice::Certificate), "ClientCertificateCredential needs AZURE_CLIENT_CERTIFICATE_PATH"),
        (chosen(Choice::WorkloadIdentity), "WorkloadIdentityCredential needs AZURE_FEDERATED_TOKEN_FILE"),
        (chosen(Choice::GitHubActions), "GitHub Actions federation needs ACTIONS_ID_TOKEN_REQUEST_URL"),
        (chosen(Choice::AzureDevOps), "AzurePipelinesCredential needs SYSTEM_OIDCREQUESTURI"),
    ] {
        let error = Identity::new(config, Script::default().transport()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_job_of_github_exchanges_a_token_of_its_own() {
    let answer: &'static str =
        format!(r#"{{"count":1,"value":"{}"}}"#, jwt(r#"{"iss":"i","sub":"repo:o/r:ref","aud":"a"}"#)).leak();
    for (authority, audience) in [
        (IdentityConfig::PUBLIC, "api://AzureADTokenExchange"),
        ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina"),
    ] {
        let script = Script::of([Says::Answer(200, answer), Says::Answer(200, TOKEN)]);
        let config = IdentityConfig { github: Some(github()), authority: authority.into(), ..application() };
        let identity = Identity::new(config, script.transport()).unwrap();
        assert_eq!(token(&identity).await.unwrap(), "T");
        let encoded = audience.replace(':', "%3A").replace('/', "%2F");
        assert_eq!(
            script.sent(),
            [
                format!("GET https://actions.example/token?api-version=2.0&audience={encoded}"),
                format!("POST {authority}/contoso.example/oauth2/v2.0/token"),
            ]
        );
        assert_eq!(script.header(0, "authorization").unwrap(), "Bearer canary-request");
        assert_eq!(script.header(1, "authorization"), None);
        assert!(script.form(1, "client_assertion").unwrap().starts_with("e30."));
    }
}

#[tokio::test]
async fn a_job_of_azure_devops_exchanges_a_token_of_its_own() {
    let script = Script::of([Says::Answer(200, r#"{"oidcToken":"a.b.c"}"#), Says::Answer(200, TOKEN)]);
    let config = IdentityConfig { azure_devops: Some(azure_devops()), ..application() };
    let identity = Identity::new(config, script.transport()).unwrap();
    assert_eq!(token(&identity).await.unwrap(), "T");
    assert_eq!(
        script.sent()[0],
        "POST https://devops.example/oidc?api-version=7.1&serviceConnectionId=connection"
    );
    assert_eq!(script.header(0, "authorization").unwrap(), "Bearer canary-request");
    assert_eq!(script.header(0, "x-tfs-fedauthredirect").unwrap(), "Suppress");
    assert_eq!(script.form(1, "client_assertion").unwrap(), "a.b.c");
}

#[tokio::test]
async fn a_federated_token_is_read_from_its_file_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let script = Script::of([Says::Answer(200, TOKEN), Says::Answer(200, TOKEN)]);
    std::fs::write(&path, "one").unwrap();
    let config = IdentityConfig { federated_token_file: Some(path.clone()), ..application() };
    let identity = Identity::new(config, script.transport()).unwrap();
    token(&identity).await.unwrap();
    std::fs::write(&path, "two\r\n").unwrap();
    token(&identity).await.unwrap();
    assert_eq!(script.form(0, "client_assertion").unwrap(), "one");
    assert_eq!(script.form(1, "client_assertion").unwrap(), "two");
}

/// What Entra ID expects is compared to the letter, so that what was sent is told.
#[tokio::test]
async fn a_federated_credential_that_does_not_fit_is_told_with_what_was_sent() {
    const BODY: &str =
        r#"{"error":"invalid_client","error_description":"AADSTS700213: x\u001b[2J","error_codes":[700213]}"#;
    let claims =
        r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:o/r:ref\u001b","aud":"a"}"#;
    let answer: &'static str = format!(r#"{{"value":"{}"}}"#, jwt(claims)).leak();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, jwt(claims)).unwrap();
    let by_job = IdentityConfig { github: Some(github()), ..application() };
    let by_file = IdentityConfig { federated_token_file: Some(path), ..application() };
    for (config, says) in [
        (by_job, vec![Says::Answer(200, answer), Says::Answer(401, BODY)]),
        (by_file, vec![Says::Answer(401, BODY)]),
    ] {
        let script = Script::of(says);
        let identity = Identity::new(config, script.transport()).unwrap();
        let error = token(&identity).await.unwrap_err();
        let told = own(&error).to_string();
        let expected = "refused (401 invalid_client, AADSTS700213): no federated credential of the application has the subject of the platform's token (issuer \"https://token.actions.githubusercontent.com\", subject \"repo:o/r:ref\\u{1b}\", audience \"a\")";
        assert!(told.ends_with(expected), "{told}");
        assert!(own(&error).help().unwrap().contains("az ad app federated-credential list --id app"));
    }
}

#[tokio::test]
async fn a_platform_that_gives_no_token_is_told_without_what_it_gave() {
    for says in
        [Says::Answer(200, r#"{"canary": 1}"#), Says::Answer(200, "canary"), Says::Answer(403, "canary")]
    {
        let script = Script::of([says]);
        let config = IdentityConfig { github: Some(github()), ..application() };
        let identity = Identity::new(config, script.transport()).unwrap();
        let error = token(&identity).await.unwrap_err();
        assert_eq!(script.sent().len(), 1);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

/// A script has one answer: a second request by the SDK would panic.
#[tokio::test(start_paused = true)]
async fn nothing_is_retried_and_what_may_pass_is_told_from_what_will_not() {
    const REFUSED: &str =
        r#"{"error":"invalid_client","error_codes":[7000222],"error_description":"canary"}"#;
    let server = |status| Some(Unreachable::Server { status });
    for (says, expected, unreachable, mended) in [
        (
            Says::Answer(401, REFUSED),
            "refused (401 invalid_client, AADSTS7000222): the client secret has expired",
            None,
            true,
        ),
        (Says::Answer(400, "canary"), "refused (400)", None, false),
        (Says::Answer(429, "{}"), "refused (429)", None, false),
        (Says::Answer(503, "<html>canary"), "refused (503)", server(503), false),
        (Says::Refused, "no answer", Some(Unreachable::Connect), false),
        (Says::Silence, "no answer within 90s", Some(Unreachable::Timeout), false),
        (Says::Answer(200, r#"{"access_token":["canary"]}"#), "the answer makes no sense", None, false),
        (Says::Answer(200, "canary"), "the answer makes no sense", None, false),
    ] {
        let script = Script::of([says]);
        let identity = Identity::new(by_secret(), script.transport()).unwrap();
        let error = token(&identity).await.unwrap_err();
        assert_eq!(own(&error).to_string(), format!("ClientSecretCredential: {expected}"));
        assert_eq!(own(&error).unreachable(), unreachable, "{error}");
        let help = own(&error).help();
        assert_eq!(help.is_some_and(|it| it.contains("az ad app credential reset --id app")), mended);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        let kind = unreachable.map_or(ErrorKind::SignIn, ErrorKind::Unreachable);
        assert_eq!(crate::error::classify(&error), kind, "as a vault would tell it");
        script.sent();
    }
    let config = IdentityConfig { timeout: Duration::from_secs(5), ..by_secret() };
    let identity = Identity::new(config, Script::of([Says::Silence]).transport()).unwrap();
    let error = token(&identity).await.unwrap_err();
    assert!(own(&error).to_string().ends_with("no answer within 5s"));
}
