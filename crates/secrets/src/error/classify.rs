//! What the errors of the SDK and of the transport beneath it mean.

use super::{ErrorKind, Unreachable};
use crate::identity::IdentityError;
use azure_core::{error::ErrorKind as Azure, http::RawResponse};
use std::{error::Error as StdError, io, time::Duration};

/// An answer that is an error: status, codes, and what of its text is safe to tell.
struct Answered {
    status: u16,
    code: Option<String>,
    inner: Option<String>,
    caller: Option<String>,
    retry_after: Option<Duration>,
}

#[derive(Default, serde::Deserialize)]
struct Body {
    #[serde(default)]
    error: Told,
}

#[derive(Default, serde::Deserialize)]
struct Told {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    innererror: Option<Box<Told>>,
}

impl Answered {
    fn new(status: u16, response: Option<&RawResponse>) -> Self {
        let body: Body = response
            .and_then(|response| serde_json::from_slice(response.body().as_ref()).ok())
            .unwrap_or_default();
        let retry_after = response.and_then(|response| {
            let headers = response.headers();
            let header =
                |name| headers.get_optional_str(&azure_core::http::headers::HeaderName::from_static(name));
            header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
        });
        Self {
            status,
            code: body.error.code.and_then(plain),
            inner: body.error.innererror.and_then(|inner| inner.code).and_then(plain),
            caller: body.error.message.as_deref().and_then(caller),
            retry_after,
        }
    }

    fn kind(self) -> ErrorKind {
        match self.status {
            401 => ErrorKind::Unauthorized,
            403 if self.inner.as_deref() == Some("SecretDisabled") => ErrorKind::Disabled,
            403 => ErrorKind::Forbidden { code: self.inner.or(self.code), caller: self.caller },
            404 => ErrorKind::NotFound,
            409 if self.inner.as_deref() == Some("ObjectIsDeletedButRecoverable") => ErrorKind::Deleted,
            429 => ErrorKind::Throttled { retry_after: self.retry_after },
            408 => ErrorKind::Unreachable(Unreachable::Timeout),
            status @ 500..=599 => ErrorKind::Unreachable(Unreachable::Server { status }),
            status => ErrorKind::Other { status: Some(status), code: self.inner.or(self.code) },
        }
    }
}

/// A code of the service. Anything that is none may be anything, and is left out.
fn plain(code: String) -> Option<String> {
    let fine = code.len() <= 64 && !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric());
    fine.then_some(code)
}

/// The object id in a message such as `... 'appid=..;oid=00000000-...;iss=...' does not have ...`.
fn caller(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("oid=")?;
    let id = rest.get(..36)?;
    let hyphens = [8, 13, 18, 23];
    let fine = id.bytes().enumerate().all(|(at, byte)| match byte {
        b'-' => hyphens.contains(&at),
        byte => byte.is_ascii_hexdigit() && !hyphens.contains(&at),
    });
    fine.then(|| id.to_owned())
}

/// What an error of the SDK means.
pub(crate) fn classify(error: &azure_core::Error) -> ErrorKind {
    if let Some(own) = find::<IdentityError>(error) {
        return own.unreachable().map_or(ErrorKind::SignIn, ErrorKind::Unreachable);
    }
    let causes = || Causes(Some(error as _));
    let azure = || causes().filter_map(|error| error.downcast_ref::<azure_core::Error>());
    if azure().any(|error| matches!(error.kind(), Azure::Credential)) {
        // Who could not be asked for a token is as far away as the vault; who refused one is not.
        return match unreachable_beneath(error) {
            Some(unreachable) => ErrorKind::Unreachable(unreachable),
            None => ErrorKind::SignIn,
        };
    }
    let answered = azure().find_map(|error| match error.kind() {
        Azure::HttpResponse { status, raw_response, .. } => {
            Some(Answered::new((*status).into(), raw_response.as_deref()))
        }
        _ => None,
    });
    if let Some(answered) = answered {
        return answered.kind();
    }
    match unreachable_beneath(error) {
        Some(unreachable) => ErrorKind::Unreachable(unreachable),
        None => ErrorKind::Other { status: None, code: None },
    }
}

/// In which way nobody answered; `None` where somebody did, or nobody was asked.
fn unreachable_beneath(error: &azure_core::Error) -> Option<Unreachable> {
    // A token file that is not there is no matter of the network.
    let missing =
        |error: &io::Error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    if Causes(Some(error)).any(|error| error.downcast_ref().is_some_and(missing)) {
        return None;
    }
    let kinds = Causes(Some(error)).filter_map(|error| error.downcast_ref::<azure_core::Error>());
    for error in kinds {
        match error.kind() {
            Azure::HttpResponse { status, .. } => {
                return match u16::from(*status) {
                    408 => Some(Unreachable::Timeout),
                    status @ 500..=599 => Some(Unreachable::Server { status }),
                    _ => None,
                };
            }
            Azure::Connection => return Some(unreachable(error).unwrap_or(Unreachable::Connect)),
            Azure::Io => return Some(unreachable(error).unwrap_or(Unreachable::NoAnswer)),
            _ => {}
        }
    }
    None
}

/// What the causes of `error` tell. Types where there are any; resolvers and timeouts have private ones, which are told
/// by what they say, and which decide about nothing but words.
pub(crate) fn unreachable(error: &(dyn StdError + 'static)) -> Option<Unreachable> {
    let mut found = None;
    for cause in Causes(Some(error)) {
        if cause.is::<rustls::Error>() {
            return Some(Unreachable::Tls);
        }
        let told = cause.to_string().to_ascii_lowercase();
        let this = if told.contains("dns error") || told.contains("failed to lookup address") {
            Some(Unreachable::Dns)
        } else if cause.is::<tokio::time::error::Elapsed>()
            || told.contains("timed out")
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
        {
            Some(Unreachable::Timeout)
        } else if cause.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
            )
        }) {
            Some(Unreachable::Connect)
        } else {
            None
        };
        found = found.or(this);
    }
    found
}

/// An error and its causes. An `io::Error` hides the error that it is made of from `source`.
struct Causes<'a>(Option<&'a (dyn StdError + 'static)>);

impl<'a> Iterator for Causes<'a> {
    type Item = &'a (dyn StdError + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.0.take()?;
        let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        self.0 = within.map(|within| within as _).or_else(|| error.source());
        Some(error)
    }
}

/// The cause that is a `T`.
pub(crate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    Causes(Some(error)).find_map(|error| error.downcast_ref())
}
