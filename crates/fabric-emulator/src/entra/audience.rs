//! What a token can be for: resources, and the scopes that name them.

use super::refusal::{Refusal, bad_request};
use crate::vault::CLOUDS;

/// Fabric's REST API. Power BI's resource opens it too.
pub(crate) const FABRIC: &[&str] =
    &["https://api.fabric.microsoft.com", "https://analysis.windows.net/powerbi/api"];
/// Microsoft Graph.
pub(crate) const GRAPH: &[&str] = &["https://graph.microsoft.com"];
/// OneLake, Azure Resource Manager (by both of its names) and Azure Monitor.
const OTHERS: &[&str] = &[
    "https://storage.azure.com",
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://monitor.azure.com",
];

/// Scopes that ask for something about the user, not for a resource: OpenID Connect Core 5.4 and 11.
const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];

/// The audience of a token for the resource with this identifier.
pub(super) fn of_resource(resource: &str) -> Result<&'static str, Refusal> {
    // Many write an identifier with a slash at its end, which gives a scope with two; Entra ID takes both.
    let resource = resource.trim_end_matches('/');
    let vaults = CLOUDS.iter().map(|cloud| cloud.resource);
    let mut known = FABRIC.iter().chain(GRAPH).chain(OTHERS).copied().chain(vaults);
    known.find(|known| *known == resource).ok_or_else(|| {
        let message = format!(
            "The resource principal named {resource} was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
        );
        bad_request("invalid_resource", 500011, message)
    })
}

/// The audience that an application asks for: exactly one resource, with all that it was granted there.
pub(super) fn of_application(scope: &str) -> Result<&'static str, Refusal> {
    let resource = scope.strip_suffix("/.default").ok_or_else(|| {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        bad_request("invalid_scope", 1002012, message)
    })?;
    of_resource(resource)
}

/// The audience that is asked for in a user's name: scopes of one resource, beside those of OpenID Connect.
pub(super) fn of_user(scope: &str) -> Result<&'static str, Refusal> {
    let mut resources = scope
        .split_whitespace()
        .filter(|scope| !OPENID.contains(scope))
        .map(|scope| scope.rsplit_once('/').map(|(resource, _)| resource));
    let first = resources.next().flatten();
    match first {
        Some(resource) if resources.all(|other| other == first) => of_resource(resource),
        _ => {
            let message = format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            );
            Err(bad_request("invalid_scope", 70011, message))
        }
    }
}

/// Whether an ID token is asked for.
pub(super) fn wants_id_token(scope: &str) -> bool {
    scope.split_whitespace().any(|scope| scope == "openid")
}
