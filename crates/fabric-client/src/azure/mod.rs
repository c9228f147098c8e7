//! Credentials of Entra ID, and a bridge that sends what the Azure SDK sends through our own stack.
//!
//! The SDK's retries are off wherever this module can say so, and made ineffective where the SDK insists (instance
//! metadata), so that one layer of one stack retries.

mod credential;
mod http_client;
#[cfg(test)]
mod tests;

pub use credential::{CredentialConfig, CredentialError, CredentialKind, credential};
pub use http_client::HttpClient;
