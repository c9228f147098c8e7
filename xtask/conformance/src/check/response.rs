//! An answer: its status, its headers, its body.

use http::{HeaderMap, header};
use serde_json::Value;

use super::{Finding, Kind, Side, Violation, text};
use crate::spec::{Operation, Response, Specs, Target};

impl Specs {
    /// What is wrong with the answer to a request, by the documents alone.
    ///
    /// # Errors
    /// When a schema cannot be compiled.
    pub(crate) fn check_response(
        &self,
        method: &str,
        target: &str,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> anyhow::Result<Vec<Violation>> {
        let (target, side) = (Target::new(target), Side::Answer(status));
        let Some(matched) = self.find(method, &target) else {
            return Ok(self.no_operation(method, target.path, side));
        };
        let operation = matched.operation;
        let found = match operation.response(status) {
            Some(documented) => {
                let mut found = self.check_headers(documented, headers)?;
                found.extend(self.check_answer_body(operation, documented, status, headers, body)?);
                found
            }
            None => {
                let message = "the operation has no such status";
                vec![Finding::new("status", Kind::Status, message).about(&status.to_string())]
            }
        };
        Ok(Self::violations(&operation.name(), side, found))
    }

    /// What is wrong with the result of a long-running operation, which is the body that the request would have been
    /// answered with at once. `body` is `None` of an operation that ended without a result.
    ///
    /// # Errors
    /// When a schema cannot be compiled.
    pub(crate) fn check_result(
        &self,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
    ) -> anyhow::Result<Vec<Violation>> {
        let target = Target::new(target);
        let Some(matched) = self.find(method, &target) else {
            return Ok(self.no_operation(method, target.path, Side::Result));
        };
        let one = |message: &str| vec![Finding::new("", Kind::Body, message)];
        let found = match (matched.operation.at_once().and_then(|response| response.schema), body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => one("no result is documented"),
            (Some(_), None) => one("a result is documented"),
            (Some(schema), Some(body)) => match serde_json::from_slice::<Value>(body) {
                Ok(value) => self.schemas.check(schema, &value)?,
                Err(error) => one(&format!("is not JSON: {error}")),
            },
        };
        Ok(Self::violations(&matched.operation.name(), Side::Result, found))
    }

    fn check_headers(&self, documented: &Response, headers: &HeaderMap) -> anyhow::Result<Vec<Finding>> {
        let mut found = Vec::new();
        for (name, typed) in &documented.headers {
            let at = format!("header:{name}");
            match headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes())) {
                Some(value) => found.extend(text(&self.schemas, typed, &at, &value)?),
                None => found.push(Finding::new(at, Kind::Missing, "the header is documented")),
            }
        }
        Ok(found)
    }

    fn check_answer_body(
        &self,
        operation: &Operation,
        documented: &Response,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> anyhow::Result<Vec<Finding>> {
        let one = |message: &str| Ok(vec![Finding::new("", Kind::Body, message)]);
        if documented.file {
            return Ok(Vec::new());
        }
        let Some(schema) = documented.schema else {
            return if body.is_empty() { Ok(Vec::new()) } else { one("none is documented") };
        };
        if body.is_empty() {
            return one("a body is documented");
        }
        let mut found = Vec::new();
        let media_type =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media_type.starts_with("application/json") {
            let message = format!("`{media_type}` does not announce JSON");
            found.push(Finding::new("header:Content-Type", Kind::Value, message));
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => {
                found.extend(self.schemas.check(schema, &value)?);
                if status >= 400 {
                    found.extend(check_code(operation, &value));
                }
            }
            Err(error) => found.push(Finding::new("", Kind::Body, format!("is not JSON: {error}"))),
        }
        Ok(found)
    }
}

/// The service is free to add codes; which ones this project makes use of is for the overlay to say.
fn check_code(operation: &Operation, error: &Value) -> Option<Finding> {
    let code = error["errorCode"].as_str()?;
    let message = format!("the operation lists no error `{code}`");
    let unlisted = !operation.error_codes.contains(code);
    unlisted.then(|| Finding::new("/errorCode", Kind::ErrorCode, message).about(code))
}
