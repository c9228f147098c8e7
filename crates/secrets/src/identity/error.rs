//! Why there is no access token.

use super::Choice;
use crate::Unreachable;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        RawResponse,
        headers::{HeaderName, Headers},
    },
};
use std::{fmt, path::PathBuf, time::Duration};

/// There is no access token to be had, or no way to ask for one. It holds no token and no secret, and of what a server said
/// its codes alone.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct IdentityError(Box<Problem>);

impl From<Problem> for IdentityError {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("{what} must be an https address, or an http address of this machine")]
    Address { what: &'static str },
    #[error("{way} needs {what}")]
    Missing { way: Choice, what: &'static str },
    #[error("read the federated token in {}", path.display())]
    TokenFile {
        path: PathBuf,
        #[source]
        problem: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the certificate cannot be used: {0}")]
    Certificate(&'static str),
    #[error("{way} is not set up right")]
    Setup {
        way: Choice,
        #[source]
        source: Error,
    },
    #[error("{way}: {answer}{claims}")]
    Refused { way: Choice, answer: Answer, claims: Claims, client_id: Option<String> },
    #[error("{way}: no answer")]
    NoAnswer {
        way: Choice,
        #[source]
        source: Error,
    },
    #[error("{way}: no answer within {after:?}")]
    Late { way: Choice, after: Duration },
    #[error("{way}: {told}")]
    Unavailable { way: Choice, told: String },
    #[error("a request for a token was not sent, because it is for an unknown host")]
    ForeignHost,
    #[error("there is no way to sign in here{}", Tried(.0))]
    Nothing(Vec<IdentityError>),
}

struct Tried<'a>(&'a [IdentityError]);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|error| write!(f, "; {error}"))
    }
}

/// An answer that is no token.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Entra ID's code, the number after `AADSTS`.
    pub(super) code: Option<u32>,
    /// OAuth's code, such as `invalid_client`.
    pub(super) error: Option<String>,
    /// How long it asks to be left alone, in the headers' own words.
    wait: Headers,
}

/// The headers that tell for how long a service wants to be left alone, and since when.
const WAIT: [&str; 4] = ["retry-after", "retry-after-ms", "x-ms-retry-after-ms", "date"];

#[derive(Default, serde::Deserialize)]
struct Body {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl Answer {
    pub(super) fn new(status: u16, headers: &Headers, body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let mut wait = Headers::new();
        for name in WAIT.map(HeaderName::from_static) {
            if let Some(value) = headers.get_optional_string(&name) {
                wait.insert(name, value);
            }
        }
        let plain = |code: &String| {
            code.len() <= 64 && code.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
        };
        Self { status, code: body.error_codes.first().copied(), error: body.error.filter(plain), wait }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused ({}", self.status)?;
        if let Some(error) = &self.error {
            write!(f, " {error}")?;
        }
        if let Some(code) = self.code {
            write!(f, ", AADSTS{code}")?;
        }
        f.write_str(")")?;
        match self.code.and_then(meaning) {
            Some(meaning) => write!(f, ": {meaning}"),
            None => Ok(()),
        }
    }
}

/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn meaning(code: u32) -> Option<&'static str> {
    Some(match code {
        7_000_215 => "the client secret is wrong",
        7_000_222 => "the client secret has expired",
        700_016 => "the tenant has no such application",
        90_002 | 900_023 => "there is no such tenant",
        500_011 => "the tenant has no service principal of the service that the token is for",
        1_002_012 => "what the token is for does not end in /.default",
        700_211 => "no federated credential of the application has the issuer of the platform's token",
        700_212 => "no federated credential of the application has the audience of the platform's token",
        700_213 => "no federated credential of the application has the subject of the platform's token",
        700_223 => "federated credentials are turned off in this tenant",
        700_024 => "the assertion is not valid now; this machine's clock may be wrong",
        700_027 | 50_013 => "the signature of the assertion does not fit a certificate of the application",
        50_027 => "the assertion is malformed",
        53_003 => "a policy of the tenant does not let this sign-in pass",
        50_076 => "the tenant wants a second factor",
        _ => return None,
    })
}

/// Who a federated token is of, as it says itself: what a federated credential has to name exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: String,
}

impl Claims {
    pub(super) fn of(token: &str) -> Self {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim()).ok());
        payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::default() {
            return Ok(());
        }
        // Escaped: who made the token chose the text.
        let Self { iss, sub, aud } = self;
        write!(f, " (issuer {iss:?}, subject {sub:?}, audience {aud:?})")
    }
}

impl IdentityError {
    /// In which way nobody could be asked; `None` where somebody refused.
    #[must_use]
    pub fn unreachable(&self) -> Option<Unreachable> {
        match &*self.0 {
            Problem::Late { .. } => Some(Unreachable::Timeout),
            Problem::NoAnswer { source, .. } => {
                Some(crate::error::unreachable(source).unwrap_or(Unreachable::NoAnswer))
            }
            Problem::Refused { answer: Answer { status: status @ 500..=599, .. }, .. } => {
                Some(Unreachable::Server { status: *status })
            }
            _ => None,
        }
    }

    /// Whether this way does not exist here, so that the next may be tried: no metadata service, no identity given to this
    /// machine, no Azure CLI.
    pub(super) fn is_unavailable(&self) -> bool {
        match &*self.0 {
            Problem::Unavailable { .. } | Problem::NoAnswer { .. } | Problem::Late { .. } => true,
            // The latter are what proxies and container networks say of an address that leads nowhere.
            Problem::Refused { answer, .. } => {
                matches!(answer.status, 400 | 404 | 405 | 403 | 407 | 502 | 504)
            }
            _ => false,
        }
    }

    pub(super) fn problem(&self) -> &Problem {
        &self.0
    }
}

/// In the SDK's terms: a credential's error, beneath it one whose kind says whether another attempt may go better, and when.
impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        let kind = match (&*error.0, error.unreachable()) {
            (Problem::Refused { answer, .. }, _) => ErrorKind::HttpResponse {
                status: answer.status.into(),
                error_code: answer.error.clone(),
                raw_response: Some(Box::new(RawResponse::from_bytes(
                    answer.status.into(),
                    answer.wait.clone(),
                    Vec::new(),
                ))),
            },
            (Problem::NoAnswer { source, .. }, _) if *source.kind() == ErrorKind::Connection => {
                ErrorKind::Connection
            }
            (_, Some(_)) => ErrorKind::Io,
            (_, None) => ErrorKind::Credential,
        };
        let told = error.to_string();
        Error::with_error(ErrorKind::Credential, Error::new(kind, error), told)
    }
}
