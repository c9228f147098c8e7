//! What Entra ID publishes of itself, as clients read it before they ask for a token.
//!
//! - OpenID Connect Discovery 1.0: `/{tenant}/v2.0/.well-known/openid-configuration`, and without `v2.0`
//! - the keys (RFC 7517) that these documents name
//! - instance discovery, by which Microsoft's libraries tell a cloud of Microsoft's from any other host
//!
//! Issuers are Microsoft's, as in the tokens; endpoints have the name by which the client came here.

use http::Uri;
use serde_json::{Value, json};

use super::refusal::{Refusal, bad_request};
use super::{Tenant, Version, issuer_v1, issuer_v2};
use crate::config::Config;
use crate::wire::Incoming;

/// Names of Entra ID in the public cloud, the one for requests first and the one for caches second.
pub(crate) const HOSTS: &[&str] =
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];

/// <https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc>
pub(super) fn openid_configuration(
    config: &Config,
    tenant: &Tenant,
    request: &Incoming,
    version: Version,
) -> Value {
    let (name, id) = match tenant {
        Tenant::Own => (config.tenant.as_str(), config.tenant.as_str()),
        // The document of all tenants holds this text for whoever reads it to fill in.
        Tenant::Any(name) => (name.as_str(), "{tenantid}"),
    };
    let at = |path: &str| request.absolute(&format!("/{name}/{path}"));
    let mut document = json!({
        "token_endpoint": at(version.path("oauth2/v2.0/token", "oauth2/token")),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": at(version.path("discovery/v2.0/keys", "discovery/keys")),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let rest = match version {
        Version::V2 => json!({
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": issuer_v2(id),
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        }),
        Version::V1 => json!({
            "response_types_supported": ["code", "id_token", "code id_token", "token id_token", "token"],
            "scopes_supported": ["openid"],
            "issuer": issuer_v1(id),
            "microsoft_multi_refresh_token": true,
            "check_session_iframe": at("oauth2/checksession"),
            "userinfo_endpoint": at("openid/userinfo"),
        }),
    };
    let last = json!({
        "authorization_endpoint": at(version.path("oauth2/v2.0/authorize", "oauth2/authorize")),
        "device_authorization_endpoint": at(version.path("oauth2/v2.0/devicecode", "oauth2/devicecode")),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": at(version.path("oauth2/v2.0/logout", "oauth2/logout")),
        "claims_supported": version.claims(),
        "kerberos_endpoint": at("kerberos"),
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    });
    for more in [rest, last] {
        if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
            document.extend(more);
        }
    }
    document
}

impl Version {
    fn path(self, v2: &'static str, v1: &'static str) -> &'static str {
        match self {
            Self::V2 => v2,
            Self::V1 => v1,
        }
    }

    fn claims(self) -> Value {
        match self {
            Self::V2 => json!([
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email",
            ]),
            Self::V1 => json!([
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "amr",
                "nonce",
                "email",
                "given_name",
                "family_name",
                "nickname",
            ]),
        }
    }
}

/// What cloud an authority belongs to: one of Microsoft's names, or the name of this server.
pub(super) fn instance(request: &Incoming) -> Result<Value, Refusal> {
    let endpoint = request.query("authorization_endpoint").and_then(|text| text.parse::<Uri>().ok());
    let unknown = || bad_request("invalid_instance", 50049, "Unknown or invalid instance.");
    let endpoint = endpoint.ok_or_else(unknown)?;
    let host = endpoint.authority().ok_or_else(unknown)?.as_str();
    let own = request.absolute("");
    let own = own.split_once("://").map_or("", |(_, host)| host);
    if !HOSTS.contains(&host) && host != own {
        return Err(unknown());
    }
    let (tenant, rest) = endpoint.path().trim_start_matches('/').split_once('/').unwrap_or_default();
    let version = if rest.starts_with("oauth2/v2.0/") { "v2.0/" } else { "" };
    let mut metadata =
        vec![json!({"preferred_network": HOSTS[0], "preferred_cache": HOSTS[1], "aliases": HOSTS})];
    if host == own && !HOSTS.contains(&host) {
        metadata.push(json!({"preferred_network": own, "preferred_cache": own, "aliases": [own]}));
    }
    Ok(json!({
        "tenant_discovery_endpoint": format!("https://{host}/{tenant}/{version}.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": metadata,
    }))
}
