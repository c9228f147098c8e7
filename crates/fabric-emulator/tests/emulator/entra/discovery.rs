//! What is published, held against what the service was seen to publish, and by a client's means.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use selvedge_fabric_emulator::{Emulator, demo};
use serde_json::{Value, json};

use super::{ask, credentials, emulator, refusal};
use crate::support::{Answer, send};

async fn get(emulator: &Emulator, path: &str) -> Answer {
    send(emulator, "GET", path, &[], "").await.unwrap()
}

#[tokio::test]
async fn published_keys_verify_tokens() {
    let emulator = emulator();
    let answer = ask(&emulator, &credentials(&[("client_secret", demo::CLIENT_SECRET)])).await;
    let token = answer.json["access_token"].as_str().unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let decode = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&decode(&json!(signed.split('.').next().unwrap()))).unwrap();
    for path in ["common/discovery/v2.0/keys", "common/discovery/keys", "organizations/discovery/v2.0/keys"]
        .map(str::to_owned)
        .into_iter()
        .chain(["discovery/v2.0/keys", "discovery/keys"].map(|path| format!("{}/{path}", demo::TENANT_ID)))
    {
        let keys = get(&emulator, &format!("/{path}")).await;
        let key = &keys.json["keys"][0];
        assert_eq!(
            (&key["kty"], &key["use"], &header["alg"]),
            (&json!("RSA"), &json!("sig"), &json!("RS256"))
        );
        assert_eq!(key["kid"], header["kid"], "{path}");
        let public = RsaPublicKeyComponents { n: decode(&key["n"]), e: decode(&key["e"]) };
        let verify = |text: &str, signature: &str| {
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            public.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).is_ok()
        };
        assert!(verify(signed, signature), "{path}");
        assert!(!verify(&format!("{signed}x"), signature), "{path}");
    }
}

/// Keys as recorded from `login.microsoftonline.com`, sorted: the service does not keep to an order.
const V2_KEYS: [&str; 22] = [
    "authorization_endpoint",
    "claims_supported",
    "cloud_graph_host_name",
    "cloud_instance_name",
    "device_authorization_endpoint",
    "end_session_endpoint",
    "frontchannel_logout_supported",
    "http_logout_supported",
    "id_token_signing_alg_values_supported",
    "issuer",
    "jwks_uri",
    "kerberos_endpoint",
    "msgraph_host",
    "rbac_url",
    "request_uri_parameter_supported",
    "response_modes_supported",
    "response_types_supported",
    "scopes_supported",
    "subject_types_supported",
    "tenant_region_scope",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
];

#[tokio::test]
async fn openid_configuration_is_the_services() {
    let emulator = emulator();
    let (tenant, host) = (demo::TENANT_ID, "http://localhost:8080");
    let (v1, v2) = (".well-known/openid-configuration", "v2.0/.well-known/openid-configuration");
    let own_v2 = format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let own_v1 = format!("https://sts.windows.net/{tenant}/");
    let any_v2 = "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned();
    let any_v1 = "https://sts.windows.net/{tenantid}/".to_owned();
    let cases = [
        (tenant, v2, own_v2, "oauth2/v2.0/token", "discovery/v2.0/keys"),
        ("common", v2, any_v2.clone(), "oauth2/v2.0/token", "discovery/v2.0/keys"),
        ("organizations", v2, any_v2, "oauth2/v2.0/token", "discovery/v2.0/keys"),
        (tenant, v1, own_v1, "oauth2/token", "discovery/keys"),
        ("common", v1, any_v1, "oauth2/token", "discovery/keys"),
    ];
    for (name, path, issuer, token, keys) in cases {
        let answer = get(&emulator, &format!("/{name}/{path}")).await;
        assert_eq!(answer.json["issuer"], issuer);
        assert_eq!(answer.json["token_endpoint"], format!("{host}/{name}/{token}"));
        assert_eq!(answer.json["jwks_uri"], format!("{host}/{name}/{keys}"));
        let mut found = answer.keys();
        found.sort_unstable();
        let mut expected = V2_KEYS.to_vec();
        // Recorded beside them: what only version 2.0 has, and what only version 1.0 has.
        expected.push("userinfo_endpoint");
        if path == v1 {
            expected.retain(|key| *key != "request_uri_parameter_supported");
            expected.extend(["check_session_iframe", "microsoft_multi_refresh_token"]);
        }
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}/{path}");
    }
    let unknown = get(&emulator, &format!("/contoso.example/{v2}")).await;
    assert_eq!(refusal(&unknown), (400, "invalid_tenant", 90002));
    assert_eq!(refusal(&get(&emulator, &format!("/x/{v1}")).await), (400, "invalid_request", 900023));
}

#[tokio::test]
async fn an_authority_is_known_by_microsofts_names_and_by_this_servers() {
    let emulator = emulator();
    let instance = async |authority: &str| {
        let path = "/common/discovery/instance?api-version=1.1&authorization_endpoint=";
        get(&emulator, &format!("{path}{authority}")).await
    };
    for (authority, discovery) in [
        (
            "https://login.microsoftonline.com/t/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration",
        ),
        (
            "https://login.windows.net/t/oauth2/authorize",
            "https://login.windows.net/t/.well-known/openid-configuration",
        ),
        (
            "https%3A%2F%2Flocalhost%3A8080%2Ft%2Foauth2%2Fv2.0%2Fauthorize",
            "https://localhost:8080/t/v2.0/.well-known/openid-configuration",
        ),
    ] {
        let answer = instance(authority).await;
        assert_eq!(answer.json["tenant_discovery_endpoint"], discovery);
        assert_eq!(answer.json["metadata"][0]["preferred_network"], "login.microsoftonline.com");
        assert_eq!(
            answer.json["metadata"].as_array().unwrap().len(),
            1 + usize::from(discovery.contains("local"))
        );
    }
    for wrong in ["https://evil.example/t/oauth2/authorize", "", "nonsense"] {
        assert_eq!(refusal(&instance(wrong).await), (400, "invalid_instance", 50049), "{wrong}");
    }
}

#[tokio::test]
async fn realms_tell_whose_password_it_is_and_unknown_routes_are_counted() {
    let emulator = emulator();
    for (user, expected) in [("ADA@contoso.example", "Managed"), ("eve@contoso.example", "Unknown")] {
        let realm = get(&emulator, &format!("/common/UserRealm/{user}?api-version=1.0")).await;
        assert_eq!(
            (&realm.json["account_type"], &realm.json["domain_name"]),
            (&json!(expected), &json!("contoso.example"))
        );
    }
    for elsewhere in ["/common/oauth2/v2.0/devicecode", "https://login.microsoftonline.com:443/t/kerberos"] {
        let answer = get(&emulator, elsewhere).await;
        assert_eq!((answer.status, &answer.json["error"]), (404, &json!("not_found")));
    }
    let inventory = get(&emulator, "/_emulator/inventory").await;
    assert_eq!(inventory.json["unknownRoutes"], 2);
}
