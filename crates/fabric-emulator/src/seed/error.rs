//! Where a seed is wrong, and why.

use std::fmt;

use serde_json::Value;

use crate::service::BoxError;
use crate::world::ApiError;

/// A seed could not be added; the world is as it was. The message has the place in the seed, the source what is wrong
/// there.
#[derive(Debug, thiserror::Error)]
#[error("seed the world{}{}", if .place.is_empty() { "" } else { ": " }, .place.join(", "))]
pub struct SeedError {
    /// From the outside in: a workspace, one of its items.
    place: Vec<String>,
    source: BoxError,
}

impl SeedError {
    pub(super) fn new(source: impl Into<BoxError>) -> Self {
        Self { place: Vec::new(), source: source.into() }
    }
}

impl From<ApiError> for SeedError {
    fn from(error: ApiError) -> Self {
        Self::new(Refusal(error))
    }
}

/// Says where in the seed an error lies.
pub(super) trait At<T> {
    /// The error lies in `place`, in that part of the seed which the caller may name in its turn.
    fn at(self, place: impl fmt::Display) -> Result<T, SeedError>;
}

impl<T, E: Into<SeedError>> At<T> for Result<T, E> {
    fn at(self, place: impl fmt::Display) -> Result<T, SeedError> {
        self.map_err(|error| {
            let mut error = error.into();
            error.place.insert(0, place.to_string());
            error
        })
    }
}

/// A rule of the world that is broken, with what a client would have to look for in `moreDetails`.
#[derive(Debug)]
struct Refusal(ApiError);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = self.0.details.iter();
        let details: Vec<&str> =
            details.filter_map(|detail| detail.get("message").and_then(Value::as_str)).collect();
        write!(f, "{}", self.0)?;
        if !details.is_empty() {
            write!(f, " ({})", details.join("; "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
