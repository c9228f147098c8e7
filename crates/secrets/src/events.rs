//! Every log line of this crate. None holds a value or a token.

use crate::{ErrorKind, SecretError, SecretName, Source};
use std::time::Duration;

/// In the predecessor's words, which people's alerts look for.
pub(crate) fn falling_back(name: &SecretName, cause: &ErrorKind) {
    tracing::warn!(
        name: "secret.fallback",
        "Failed to get secret '{name}' from Key Vault: {cause}. Falling back to environment variable."
    );
}

pub(crate) fn fallback_failed(error: &SecretError) {
    tracing::warn!(name: "secret.fallback_failed", "The fallback failed: {error}");
}

pub(crate) fn retrieved(name: &SecretName, source: &Source) {
    tracing::debug!(name: "secret.retrieved", secret = %name, %source, "Retrieved secret '{name}' from {source}");
}

pub(crate) fn updated(name: &SecretName, source: &Source) {
    tracing::info!(name: "secret.updated", secret = %name, %source, "Secret '{name}' updated in {source}");
}

pub(crate) fn cache_cleared() {
    tracing::info!(name: "secret.cache_cleared", "Secret cache cleared");
}

pub(crate) fn kept_stale(name: &SecretName, age: Duration, cause: &ErrorKind) {
    tracing::warn!(
        name: "secret.kept",
        secret = %name,
        age_s = age.as_secs(),
        "Secret '{name}' could not be read again: {cause}; the value read {} s ago is used on",
        age.as_secs()
    );
}

pub(crate) fn token_refresh_failed(error: &azure_core::Error) {
    tracing::warn!(
        name: "identity.refresh_failed",
        kind = %error.kind(),
        "Access token could not be refreshed; the current one is still valid"
    );
}

pub(crate) fn token_failed(error: &azure_core::Error) {
    tracing::info!(name: "identity.failed", kind = %error.kind(), "Access token could not be had");
}

pub(crate) fn token_rejected(host: &str) {
    tracing::info!(name: "identity.token_rejected", host, "Access token was rejected; asking for a new one");
}

pub(crate) fn signing_in(way: &'static str) {
    tracing::debug!(name: "identity.chosen", way, "Using {way}");
}

pub(crate) fn passed_over(way: &'static str) {
    tracing::debug!(name: "identity.passed_over", way, "{way} is not available here");
}
