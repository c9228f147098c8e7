//! Who a token is for.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Who an access token is for, as it says itself. It tells identities apart; nothing is to be allowed on the strength of it.
///
/// Shown as `<object id>@<tenant id>`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Principal {
    /// The object id in Entra ID, of a user or a service principal: claim `oid`.
    #[serde(rename = "oid")]
    pub object: String,
    /// The tenant: claim `tid`.
    #[serde(rename = "tid")]
    pub tenant: String,
}

impl Principal {
    /// Reads the claims of an access token (<https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>).
    /// `None` where it does not say who it is for: the service need not let anybody else read its tokens.
    pub(super) fn of(header: &http::HeaderValue) -> Option<Self> {
        let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
        let claims = token.split('.').nth(1)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&claims).ok()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.object, self.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_it_is_for_or_nothing() {
        let told = |token: &str| Principal::of(&token.try_into().unwrap()).map(|who| who.to_string());
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"aud":"x","oid":"one","tid":"tenant"}"#);
        assert_eq!(told(&format!("Bearer e30.{claims}.sig")).as_deref(), Some("one@tenant"));
        assert_eq!(told(&format!("Bearer e30.{claims}==.sig")).as_deref(), Some("one@tenant"));
        for opaque in ["Bearer t1", "Bearer a.b.c", "Basic e30.e30.x", "Bearer e30.e30.e30", "Bearer ..", ""]
        {
            assert_eq!(told(opaque), None, "{opaque}");
        }
    }
}
