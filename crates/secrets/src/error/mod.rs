//! Why a secret could not be had, told so that each cause has its own mending.

mod classify;
mod help;

pub(crate) use classify::{classify, find, unreachable};

use crate::SecretName;
use azure_core::time::OffsetDateTime;
use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

/// What went wrong with a secret. It names the secret and the store, never a value; it is cheap to clone, because all
/// who waited for one answer get it.
#[derive(Clone, Debug)]
pub struct SecretError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tried: Tried,
    name: Option<SecretName>,
    place: Place,
    kind: ErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    Get,
    Set,
    List,
}

/// Where it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The vault's host.
    KeyVault(String),
    /// What it is called, such as `the environment`.
    Other(String),
}

/// Why a secret could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is none of this name.
    NotFound,
    /// It is there, and somebody turned it off.
    Disabled,
    /// Its time is over. Key Vault hands such values out; we do not use them.
    Expired {
        /// Since when.
        since: OffsetDateTime,
    },
    /// Its time has not come.
    NotYetValid {
        /// When it comes.
        from: OffsetDateTime,
    },
    /// The vault does not take our token (401): of another tenant, or revoked.
    Unauthorized,
    /// Our identity may not do this (403).
    Forbidden {
        /// The service's inner code: `AccessDenied` (access policies), `ForbiddenByRbac`, `ForbiddenByFirewall`,
        /// `ForbiddenByConnection`.
        code: Option<String>,
        /// The object id of our identity, where the service tells it.
        caller: Option<String>,
    },
    /// Too many requests (429).
    Throttled {
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// Nobody there, for now.
    Unreachable(Unreachable),
    /// The vault asked for a token of somebody else's, and got none.
    WrongChallenge {
        /// What it asked for.
        resource: Option<String>,
    },
    /// The answer is about another secret than the one that was asked for, or does not say about which.
    AnotherSecret,
    /// There is no access token to be had for the vault.
    SignIn,
    /// A secret of this name was deleted, and may be recovered (409).
    Deleted,
    /// This store cannot be written.
    ReadOnly,
    /// The value is not text, or the file with it cannot be read.
    Unreadable,
    /// Anything else: the service's status and code.
    Other {
        /// The status of the answer, where there was one.
        status: Option<u16>,
        /// The service's code.
        code: Option<String>,
    },
}

/// In which way nobody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreachable {
    /// The host's name means nothing.
    Dns,
    /// There is no connection to be had.
    Connect,
    /// No answer in time.
    Timeout,
    /// There is a connection, and who is at its other end cannot prove to be the vault. This alone is no reason to fall
    /// back: somebody is there, and it may be somebody who wants the old value to be used.
    Tls,
    /// The service says that it has a problem (5xx).
    Server {
        /// The status.
        status: u16,
    },
    /// The connection broke, or the answer did.
    NoAnswer,
}

impl SecretError {
    pub(crate) fn new(tried: Tried, name: Option<&SecretName>, place: Place, kind: ErrorKind) -> Self {
        Self(Arc::new(Inner { tried, name: name.cloned(), place, kind, source: None }))
    }

    pub(crate) fn with_source(
        tried: Tried,
        name: Option<&SecretName>,
        place: Place,
        kind: ErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner { tried, name: name.cloned(), place, kind, source: Some(source.into()) }))
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The secret, unless it is about a list.
    #[must_use]
    pub fn name(&self) -> Option<&SecretName> {
        self.0.name.as_ref()
    }

    /// The command that mends it, or what else to do.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        help::help(&self.0)
    }
}

impl ErrorKind {
    /// Whether nobody was there, so that another attempt may go better.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { tried, name, place, kind, .. } = &*self.0;
        match (tried, name) {
            (Tried::Get, Some(name)) => write!(f, "get secret `{name}` from {place}: {kind}"),
            (Tried::Set, Some(name)) => write!(f, "set secret `{name}` in {place}: {kind}"),
            _ => write!(f, "list the secrets in {place}: {kind}"),
        }
    }
}

impl StdError for SecretError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyVault(host) => write!(f, "Key Vault {host}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_parentheses = |f: &mut fmt::Formatter<'_>, status: u16, code: &Option<String>| match code {
            Some(code) => write!(f, " ({status} {code})"),
            None => write!(f, " ({status})"),
        };
        match self {
            Self::NotFound => f.write_str("there is no such secret"),
            Self::Disabled => f.write_str("the secret is disabled"),
            Self::Expired { since } => write!(f, "the secret expired on {}", since.date()),
            Self::NotYetValid { from } => write!(f, "the secret is not valid before {}", from.date()),
            Self::Unauthorized => f.write_str("the access token was not accepted (401)"),
            Self::Forbidden { code, .. } => {
                f.write_str("access denied")?;
                in_parentheses(f, 403, code)
            }
            Self::Throttled { .. } => f.write_str("too many requests (429)"),
            Self::Unreachable(unreachable) => unreachable.fmt(f),
            Self::WrongChallenge { resource: Some(resource) } => {
                write!(f, "it asks for a token for {resource}, which is not its own; none was sent")
            }
            Self::WrongChallenge { resource: None } => {
                f.write_str("it asks for a token without saying for what; none was sent")
            }
            Self::AnotherSecret => f.write_str("the answer is about another secret"),
            Self::SignIn => f.write_str("no access token could be had"),
            Self::Deleted => f.write_str("a secret of this name is deleted but can be recovered (409)"),
            Self::ReadOnly => f.write_str("it can only be read"),
            Self::Unreadable => f.write_str("the value cannot be read"),
            Self::Other { status: Some(status), code } => {
                f.write_str("unexpected answer")?;
                in_parentheses(f, *status, code)
            }
            Self::Other { status: None, .. } => f.write_str("the answer makes no sense"),
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("its name cannot be resolved"),
            Self::Connect => f.write_str("no connection"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Tls => f.write_str("no trusted TLS connection"),
            Self::Server { status } => write!(f, "the service has a problem ({status})"),
            Self::NoAnswer => f.write_str("no answer"),
        }
    }
}
