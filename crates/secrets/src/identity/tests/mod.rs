//! Microsoft's credentials over a transport that follows a script.

mod application;
mod certificate;
mod machine;

use super::*;
use azure_core::{
    Error,
    error::ErrorKind as Azure,
    http::{AsyncRawResponse, Body, Request, headers::Headers},
};
use std::{collections::VecDeque, io, sync::Mutex};

const SCOPE: &str = "https://vault.azure.net/.default";
const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"T"}"#;

/// One answer of a script.
#[derive(Clone, Debug)]
enum Says {
    Answer(u16, &'static str),
    Refused,
    Silence,
}

/// A transport that answers in order, and remembers what it was asked.
#[derive(Clone, Debug, Default)]
struct Script {
    says: Arc<Mutex<VecDeque<Says>>>,
    sent: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    fn of(says: impl IntoIterator<Item = Says>) -> Self {
        Self { says: Arc::new(Mutex::new(says.into_iter().collect())), sent: Arc::default() }
    }

    fn transport(&self) -> Arc<dyn HttpClient> {
        Arc::new(self.clone())
    }

    /// Method and address of each request; the script must be at its end.
    fn sent(&self) -> Vec<String> {
        assert!(self.says.lock().unwrap().is_empty(), "answers left over");
        let sent = self.sent.lock().unwrap();
        sent.iter().map(|it| format!("{} {}", it.method().as_ref(), it.url())).collect()
    }

    fn header(&self, at: usize, name: &'static str) -> Option<String> {
        let name = azure_core::http::headers::HeaderName::from_static(name);
        self.sent.lock().unwrap()[at].headers().get_optional_str(&name).map(str::to_owned)
    }

    /// A member of the form that was sent.
    fn form(&self, at: usize, name: &str) -> Option<String> {
        let sent = self.sent.lock().unwrap();
        let Body::Bytes(body) = sent[at].body() else { panic!("a stream") };
        let url = format!("https://x/?{}", std::str::from_utf8(body).unwrap());
        let url: azure_core::http::Url = url.parse().unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

#[async_trait::async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        self.sent.lock().unwrap().push(request.clone());
        let says = self.says.lock().unwrap().pop_front().expect("a request that the script does not foresee");
        match says {
            Says::Answer(status, body) => {
                Ok(AsyncRawResponse::from_bytes(status.into(), Headers::new(), body))
            }
            Says::Refused => {
                Err(Error::new(Azure::Connection, io::Error::from(io::ErrorKind::ConnectionRefused)))
            }
            Says::Silence => std::future::pending().await,
        }
    }
}

/// An application that has nothing to show yet.
fn application() -> IdentityConfig {
    IdentityConfig {
        tenant_id: Some("contoso.example".into()),
        client_id: Some("app".into()),
        ..IdentityConfig::default()
    }
}

fn github() -> GitHubActions {
    GitHubActions {
        request_url: "https://actions.example/token?api-version=2.0".into(),
        request_token: "canary-request".into(),
        audience: None,
    }
}

fn azure_devops() -> AzureDevOps {
    AzureDevOps {
        request_uri: "https://devops.example/oidc".into(),
        access_token: "canary-request".into(),
        service_connection_id: "connection".into(),
    }
}

async fn token(identity: &Identity) -> Result<String> {
    Ok(identity.get_token(&[SCOPE], None).await?.token.secret().to_owned())
}

/// Our own error beneath the SDK's.
fn own(error: &Error) -> &IdentityError {
    crate::error::find(error).expect("an error of ours")
}

/// A JWT as a platform makes it, its signature left out.
fn jwt(claims: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}
