//! Assertions that GitHub Actions and Azure DevOps give to a job, for Entra ID to trust.
//!
//! - <https://docs.github.com/actions/reference/security/oidc>
//! - <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::FederatedCredential;
use crate::demo;
use crate::emulator::Shared;
use crate::entra::{self, bearer};
use crate::wire::{Incoming, Reply};

/// Seconds that an assertion is good for.
const GITHUB_LIFETIME: i64 = 300;
const AZURE_DEVOPS_LIFETIME: i64 = 600;
/// What GitHub's assertions are for, when nobody says for what.
const GITHUB_AUDIENCE: &str = "https://github.com/contoso";

/// `GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=..`. The subject is the demo caller's, or the one that the variable's own
/// query names as `subject`.
pub(super) fn github(shared: &Shared, request: &Incoming) -> Reply {
    if bearer(request) != Some(demo::ACTIONS_REQUEST_TOKEN) {
        return Reply::json(401, json!({"message": "The request token is missing or wrong."}));
    }
    let credential = FederatedCredential {
        issuer: demo::GITHUB_ISSUER.to_owned(),
        subject: request.query("subject").unwrap_or(demo::GITHUB_SUBJECT).to_owned(),
        audience: request.query("audience").unwrap_or(GITHUB_AUDIENCE).to_owned(),
    };
    match assertion(&credential, shared.clock.now(), GITHUB_LIFETIME) {
        Some(token) => Reply::json(200, json!({"count": token.len(), "value": token})),
        None => Reply::json(500, json!({"message": "No assertion can be signed."})),
    }
}

/// `POST $SYSTEM_OIDCREQUESTURI?api-version=7.1&serviceConnectionId=..`. The connection is found by its id at the end of
/// the subject of some application's federated credential.
pub(super) fn azure_devops(shared: &Shared, request: &Incoming) -> Reply {
    if bearer(request) != Some(demo::SYSTEM_ACCESS_TOKEN) {
        return Reply::json(
            401,
            json!({"message": "TF400813: The user '' is not authorized to access this resource."}),
        );
    }
    if request.query("api-version").is_none_or(str::is_empty) {
        let message = "No api-version was supplied for the request. The version must be supplied either as part of the Accept header or as a query parameter.";
        return Reply::json(400, json!({"message": message}));
    }
    let Some(id) = request.query("serviceConnectionId").filter(|id| !id.is_empty()) else {
        return Reply::json(
            400,
            json!({"message": "Tokens of a pipeline without a service connection are not emulated."}),
        );
    };
    let state = shared.state();
    let all = state.world.principals.iter().flat_map(|known| &known.federated_credentials);
    let is_meant = |credential: &&FederatedCredential| {
        let last = credential.subject.rsplit_once('/').map_or("", |(_, last)| last);
        credential.issuer != demo::GITHUB_ISSUER && last.eq_ignore_ascii_case(id)
    };
    let Some(credential) = all.into_iter().find(is_meant) else {
        let message = format!("The service connection with id '{id}' could not be found.");
        return Reply::json(404, json!({"message": message}));
    };
    match assertion(credential, state.world.now, AZURE_DEVOPS_LIFETIME) {
        Some(token) => Reply::json(200, json!({"oidcToken": token})),
        None => Reply::json(500, json!({"message": "No assertion can be signed."})),
    }
}

/// An assertion with these claims, signed by the emulator's key: that is Entra ID's own, and for foreign issuers nobody
/// checks whose it is.
pub(crate) fn assertion(
    credential: &FederatedCredential,
    now: OffsetDateTime,
    lifetime: i64,
) -> Option<String> {
    let now = now.unix_timestamp();
    let claims: Value = json!({
        "jti": Uuid::new_v4(),
        "sub": credential.subject,
        "aud": credential.audience,
        "iss": credential.issuer,
        "nbf": now,
        "exp": now.saturating_add(lifetime),
        "iat": now,
    });
    entra::sign(&claims)
}
