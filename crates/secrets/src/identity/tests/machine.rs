//! What the machine is, or who sits at it.
#![cfg(unix)]

use super::*;
use azure_identity::Executor;
use std::{
    ffi::OsStr,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Output},
    time::Duration,
};

/// A token of the metadata service, whose numbers are strings.
const MACHINE: &str = r#"{"access_token":"M","expires_on":"1800003599","token_type":"Bearer","resource":"https://vault.azure.net"}"#;
const DESK: &str = r#"{"accessToken":"D","expires_on":1800003599,"tokenType":"Bearer"}"#;

/// An Azure CLI that ends with this.
#[derive(Debug)]
struct Az {
    status: i32,
    stdout: &'static str,
    stderr: &'static str,
    ran: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Executor for Az {
    async fn run(&self, _: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        self.ran.lock().unwrap().push(args[1].to_str().unwrap().to_owned());
        Ok(Output {
            status: ExitStatus::from_raw(self.status << 8),
            stdout: self.stdout.into(),
            stderr: self.stderr.into(),
        })
    }
}

fn az(status: i32, stdout: &'static str, stderr: &'static str) -> Arc<Az> {
    Arc::new(Az { status, stdout, stderr, ran: Arc::default() })
}

fn nobody(az: &Arc<Az>) -> IdentityConfig {
    let executor: Arc<dyn Executor> = az.clone();
    IdentityConfig { executor: Some(executor), ..IdentityConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_machine_with_an_identity_is_that() {
    for (client_id, expected) in [(None, ""), (Some("user-assigned".to_owned()), "&client_id=user-assigned")]
    {
        let script = Script::of([Says::Answer(200, MACHINE), Says::Answer(200, MACHINE)]);
        let az = az(0, DESK, "");
        let identity =
            Identity::new(IdentityConfig { client_id, ..nobody(&az) }, script.transport()).unwrap();
        assert_eq!(identity.choice(), None);
        assert_eq!(token(&identity).await.unwrap(), "M");
        assert_eq!(identity.choice(), Some(Choice::ManagedIdentity));
        token(&identity).await.unwrap();
        let line = format!(
            "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net{expected}"
        );
        assert_eq!(script.sent(), [line.clone(), line]);
        assert_eq!(script.header(0, "metadata").unwrap(), "true");
        assert!(az.ran.lock().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_one_is_left_to_who_sits_at_it_and_asked_once() {
    for says in [
        Says::Silence,
        Says::Refused,
        Says::Answer(400, r#"{"error":"invalid_request","error_description":"Identity not found"}"#),
        Says::Answer(404, ""),
        Says::Answer(502, "<html>"),
    ] {
        let script = Script::of([says]);
        let az = az(0, DESK, "");
        let identity = Identity::new(nobody(&az), script.transport()).unwrap();
        let started = tokio::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(token(&identity).await.unwrap(), "D");
        }
        assert_eq!(identity.choice(), Some(Choice::AzureCli));
        assert!(started.elapsed() <= Duration::from_millis(1100));
        assert_eq!(script.sent().len(), 1);
        let expected =
            "cd /bin && az account get-access-token -o json --scope https://vault.azure.net/.default";
        assert_eq!(*az.ran.lock().unwrap(), [expected; 3]);
    }
}

/// The machine has an identity: that its service is busy is no reason to be somebody else.
#[tokio::test(start_paused = true)]
async fn a_metadata_service_in_trouble_is_told_and_not_passed_over() {
    for status in [429, 500, 503, 410] {
        let script = Script::of([Says::Answer(status, "{}")]);
        let az = az(0, DESK, "");
        let identity = Identity::new(nobody(&az), script.transport()).unwrap();
        let started = tokio::time::Instant::now();
        let error = token(&identity).await.unwrap_err();
        assert_eq!(own(&error).to_string(), format!("ManagedIdentityCredential: refused ({status})"));
        assert!(started.elapsed() < Duration::from_millis(100), "and not retried");
        assert_eq!(script.sent().len(), 1);
        assert!(az.ran.lock().unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_anywhere_is_told_with_all_that_was_tried() {
    let script = Script::of([Says::Refused, Says::Refused]);
    let az = az(1, "", "\nERROR: Please run 'az login' to set up account.\u{1b}[2J\nmore");
    let identity = Identity::new(nobody(&az), script.transport()).unwrap();
    for _ in 0..2 {
        let error = token(&identity).await.unwrap_err();
        assert_eq!(
            own(&error).to_string(),
            "there is no way to sign in here; ManagedIdentityCredential: no answer; AzureCliCredential: ERROR: Please run 'az login' to set up account.[2J"
        );
        assert!(own(&error).help().unwrap().starts_with("run `az login`"));
        assert_eq!(crate::error::classify(&error), crate::ErrorKind::SignIn);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_cli_says_that_is_no_token_is_not_told() {
    for (status, stdout, stderr, expected) in [
        (0, r#"{"accessToken":["canary"]}"#, "", "the answer makes no sense"),
        (0, "canary", "", "the answer makes no sense"),
        (127, "", "canary", "az not found on PATH"),
    ] {
        let config = IdentityConfig { choice: Choice::AzureCli, ..nobody(&az(status, stdout, stderr)) };
        let identity = Identity::new(config, Script::default().transport()).unwrap();
        let error = token(&identity).await.unwrap_err();
        assert_eq!(own(&error).to_string(), format!("AzureCliCredential: {expected}"));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}
