//! What a vault answers, as JSON with the keys in the service's order.

use http::header;
use serde_json::{Map, Value, json};

use crate::wire::{Incoming, Reply};
use crate::world::{DeletedSecret, RECOVERABLE_DAYS, Secret, SecretVersion, VaultError};

/// Secrets as a request shows them: with addresses by the name that the client used for the vault.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) request: &'a Incoming,
}

impl Shown<'_> {
    /// One version, with its value if it is for somebody who may see that.
    pub(super) fn bundle(self, secret: &Secret, version: &SecretVersion, with_value: bool) -> Reply {
        let mut json = Map::new();
        if with_value {
            json.insert("value".to_owned(), version.value.as_str().into());
        }
        self.describe(&mut json, secret, version, true);
        Reply::json(200, json.into())
    }

    /// An entry of a list of secrets.
    pub(super) fn item(self, secret: &Secret) -> Value {
        let mut json = Map::new();
        if let Some(version) = secret.latest() {
            self.describe(&mut json, secret, version, false);
        }
        json.into()
    }

    /// The entries of a list of versions.
    pub(super) fn versions(self, secret: &Secret) -> Vec<Value> {
        let entry = |version| {
            let mut json = Map::new();
            self.describe(&mut json, secret, version, true);
            json.into()
        };
        secret.versions.iter().map(entry).collect()
    }

    pub(super) fn deleted(self, gone: &DeletedSecret) -> Reply {
        Reply::json(200, self.gone(gone, true))
    }

    /// An entry of a list of deleted secrets.
    pub(super) fn deleted_item(self, gone: &DeletedSecret) -> Value {
        self.gone(gone, false)
    }

    /// A secret that comes back; its value is not told.
    pub(super) fn recovered(self, secret: &Secret) -> Reply {
        let mut json = Map::new();
        if let Some(version) = secret.latest() {
            self.describe(&mut json, secret, version, true);
        }
        Reply::json(200, json.into())
    }

    fn gone(self, gone: &DeletedSecret, with_version: bool) -> Value {
        let recovery = self.request.absolute(&format!("/deletedsecrets/{}", gone.secret.name));
        let mut json = Map::new();
        json.insert("recoveryId".to_owned(), recovery.into());
        json.insert("deletedDate".to_owned(), gone.deleted.unix_timestamp().into());
        json.insert("scheduledPurgeDate".to_owned(), gone.purged.unix_timestamp().into());
        if let Some(version) = gone.secret.latest() {
            self.describe(&mut json, &gone.secret, version, with_version);
        }
        json.into()
    }

    fn describe(
        self,
        json: &mut Map<String, Value>,
        secret: &Secret,
        version: &SecretVersion,
        with_version: bool,
    ) {
        let mut id = self.request.absolute(&format!("/secrets/{}", secret.name));
        if with_version {
            id.push('/');
            id.push_str(&version.number());
        }
        json.insert("id".to_owned(), id.into());
        if let Some(kind) = &version.content_type {
            json.insert("contentType".to_owned(), kind.as_str().into());
        }
        json.insert("attributes".to_owned(), attributes(version));
        json.insert("tags".to_owned(), json!(version.tags));
    }
}

/// Times are seconds since 1970.
fn attributes(version: &SecretVersion) -> Value {
    let mut json = json!({"enabled": version.enabled});
    if let Some(at) = version.not_before {
        json["nbf"] = at.unix_timestamp().into();
    }
    if let Some(at) = version.expires {
        json["exp"] = at.unix_timestamp().into();
    }
    json["created"] = version.created.unix_timestamp().into();
    json["updated"] = version.updated.unix_timestamp().into();
    json["recoveryLevel"] = "Recoverable+Purgeable".into();
    json["recoverableDays"] = RECOVERABLE_DAYS.into();
    json
}

/// An error with its inner code.
pub(super) fn refusal(error: &VaultError) -> Reply {
    let mut body = json!({"code": error.code, "message": error.message});
    if let Some(inner) = error.inner {
        body["innererror"] = json!({"code": inner});
    }
    let reply = Reply::json(error.status, json!({"error": body}));
    match error.retry_after {
        Some(seconds) => reply.header(header::RETRY_AFTER, seconds.to_string()),
        None => reply,
    }
}
