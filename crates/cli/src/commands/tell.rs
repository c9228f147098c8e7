//! How commands that look at Fabric, or change it, tell their result.

use serde_json::Value;

use crate::exit;
use crate::output::{self, Format};
use crate::run::App;

/// Prints the result: the text for people, the value for programs.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn tell(app: &App, text: &str, value: Value) -> anyhow::Result<u8> {
    match app.output {
        Format::Text => output::line(text)?,
        format => output::document(format, value)?,
    }
    Ok(exit::DONE)
}

/// The value without the members that are null: what the service has not said is not there.
pub(crate) fn said(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
        }
        other => other,
    }
}
