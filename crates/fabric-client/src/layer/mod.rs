//! Layers that know where requests go and who sends them.

mod auth;
mod auth_error;
mod base_uri;
mod principal;
mod span;
#[cfg(test)]
mod tests;
mod token;

pub use auth::{Auth, AuthService};
pub use auth_error::AuthError;
pub(crate) use base_uri::is_loopback;
pub use base_uri::{BaseUri, BaseUriService, InvalidBaseUri, NotRelative};
pub use principal::Principal;
pub use span::{SpanLayer, SpanService, Spanned};
