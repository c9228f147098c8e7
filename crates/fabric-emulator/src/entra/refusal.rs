//! How Entra ID refuses: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

/// An error answer with its AADSTS code.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

/// The request is at fault: 400.
pub(super) fn bad_request(error: &'static str, code: u32, message: impl Into<String>) -> Refusal {
    Refusal { status: 400, error, code, message: message.into() }
}

/// The application did not prove who it is: 401 `invalid_client`.
pub(super) fn invalid_client(code: u32, message: impl Into<String>) -> Refusal {
    Refusal { status: 401, error: "invalid_client", code, message: message.into() }
}

/// Not the client's fault: 503.
pub(super) fn unavailable() -> Refusal {
    let message = "A transient error has occurred. Please try again.".to_owned();
    Refusal { status: 503, error: "temporarily_unavailable", code: 90033, message }
}

impl Refusal {
    /// What is wrong, without what goes round it.
    pub(super) fn text(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.message)
    }

    pub(super) fn body(&self, now: OffsetDateTime) -> Value {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
        let now = now.format(format).unwrap_or_default();
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        })
    }
}
