//! `/_emulator/assertions`

use serde::Deserialize;
use serde_json::json;

use crate::config::FederatedCredential;
use crate::emulator::Shared;
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};
use crate::workload::assertion;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssertionBody {
    issuer: String,
    subject: String,
    audience: Option<String>,
    /// Seconds from now on; in the past if negative.
    lifetime: Option<i64>,
}

/// Seconds that an assertion is good for unless said otherwise: Kubernetes gives an hour.
const LIFETIME: i64 = 3600;

/// Signs what a workload of any issuer could show to Entra ID.
pub(super) fn sign(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    let body: AssertionBody = serde_json::from_slice(&request.body)?;
    let mut credential = FederatedCredential::new(body.issuer, body.subject);
    credential.audience = body.audience.unwrap_or(credential.audience);
    let signed = assertion(&credential, shared.clock.now(), body.lifetime.unwrap_or(LIFETIME));
    let signed = signed.ok_or("no assertion can be signed")?;
    Ok(Reply::json(200, json!({"assertion": signed})))
}
