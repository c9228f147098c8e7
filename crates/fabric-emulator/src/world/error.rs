//! Why the world refused something, by the service's error codes.

use serde_json::{Value, json};

/// A refusal: the status and the body the service answers with.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: Vec<Value>,
    /// Id and type of what the refusal is about.
    pub(crate) related: Option<(String, &'static str)>,
    pub(crate) retriable: Option<bool>,
    /// Seconds after which to come back.
    pub(crate) retry_after: Option<u32>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            related: None,
            retriable: None,
            retry_after: None,
        }
    }

    /// The same code for a thing that is not there and for one the caller may not see: no oracle.
    pub(crate) fn not_found(code: &'static str, id: impl ToString, kind: &'static str) -> Self {
        Self::new(404, code, format!("The requested {} could not be found", words(kind))).about(id, kind)
    }

    pub(crate) fn invalid(parameter: &str, why: &str) -> Self {
        Self::new(400, "InvalidInput", "The request has an invalid input")
            .because("InvalidParameter", format!("The {parameter} field {why}"))
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(
            403,
            "InsufficientPrivileges",
            "The caller does not have sufficient permissions to perform this operation",
        )
    }

    pub(crate) fn about(mut self, id: impl ToString, kind: &'static str) -> Self {
        self.related = Some((id.to_string(), kind));
        self
    }

    pub(crate) fn because(mut self, code: &str, message: impl Into<String>) -> Self {
        self.details.push(json!({"errorCode": code, "message": message.into()}));
        self
    }

    pub(crate) fn retriable(mut self, retriable: bool) -> Self {
        self.retriable = Some(retriable);
        self
    }

    pub(crate) fn after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

/// A type of the service's as a sentence has it: `RoleAssignment` is a role assignment.
fn words(kind: &str) -> String {
    let mut words = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
