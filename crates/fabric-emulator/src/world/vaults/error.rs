//! Why a vault refused something, by the codes of
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>.

/// A refusal: the status and what the body says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct VaultError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The code of the inner error, which tells a 403 from another.
    pub(crate) inner: Option<&'static str>,
    /// Seconds after which to come back.
    pub(crate) retry_after: Option<u32>,
}

impl VaultError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), inner: None, retry_after: None }
    }

    pub(crate) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "BadParameter", message)
    }

    pub(crate) fn forbidden(inner: &'static str, message: impl Into<String>) -> Self {
        Self { inner: Some(inner), ..Self::new(403, "Forbidden", message) }
    }

    pub(super) fn conflict(inner: &'static str, message: impl Into<String>) -> Self {
        Self { inner: Some(inner), ..Self::new(409, "Conflict", message) }
    }

    /// Neither the secret nor a version of it is there; `id` is the name, or name and version.
    pub(super) fn not_found(id: &str) -> Self {
        let message = format!(
            "A secret with (name/id) {id} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(404, "SecretNotFound", message)
    }

    pub(super) fn no_deleted(name: &str) -> Self {
        Self::new(404, "SecretNotFound", format!("Deleted Secret not found: {name}"))
    }
}
