//! What tokens say: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::tokens::LIFETIME;
use super::{issuer_v1, issuer_v2};
use crate::world::Principal;

/// Who asked for the token, and how it was proved.
pub(super) struct Grant<'a> {
    pub(super) tenant: &'a str,
    pub(super) application: &'a Principal,
    /// `1`: by a secret, `2`: by an assertion, `0`: not at all.
    pub(super) proof: &'static str,
    /// In whose name, if not in the application's own.
    pub(super) user: Option<&'a Principal>,
    pub(super) now: OffsetDateTime,
}

impl Grant<'_> {
    /// An access token in the form 1.0, which Microsoft's own services ask for.
    pub(super) fn access_token(&self, audience: &str) -> Value {
        let mut claims = json!({"aud": audience, "iss": issuer_v1(self.tenant)});
        self.add_times(&mut claims);
        claims["appid"] = json!(self.application.app_id);
        claims["appidacr"] = json!(self.proof);
        claims["idp"] = json!(issuer_v1(self.tenant));
        match self.user {
            Some(user) => {
                claims["idtyp"] = json!("user");
                claims["name"] = json!(user.display_name);
                claims["oid"] = json!(user.id);
                claims["scp"] = json!("user_impersonation");
                claims["sub"] = json!(user.id);
                claims["tid"] = json!(self.tenant);
                claims["unique_name"] = json!(user.user_principal_name);
                claims["upn"] = json!(user.user_principal_name);
            }
            None => {
                claims["idtyp"] = json!("app");
                claims["oid"] = json!(self.application.id);
                claims["sub"] = json!(self.application.id);
                claims["tid"] = json!(self.tenant);
            }
        }
        // Tells tokens apart that are alike in all else.
        claims["uti"] = json!(URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes()));
        claims["ver"] = json!("1.0");
        claims
    }

    /// An ID token for the application about the user.
    pub(super) fn id_token(&self, user: &Principal) -> Value {
        let mut claims = json!({"aud": self.application.app_id, "iss": issuer_v2(self.tenant)});
        self.add_times(&mut claims);
        claims["name"] = json!(user.display_name);
        claims["oid"] = json!(user.id);
        claims["preferred_username"] = json!(user.user_principal_name);
        claims["sub"] = json!(user.id);
        claims["tid"] = json!(self.tenant);
        claims["ver"] = json!("2.0");
        claims
    }

    fn add_times(&self, claims: &mut Value) {
        let now = self.now.unix_timestamp();
        claims["iat"] = json!(now);
        claims["nbf"] = json!(now);
        claims["exp"] = json!(now + i64::from(LIFETIME));
    }
}

/// What Microsoft's libraries know an account by, when they ask for it with `client_info=1`.
pub(super) fn client_info(tenant: &str, user: &Principal) -> String {
    URL_SAFE_NO_PAD.encode(json!({"uid": user.id, "utid": tenant}).to_string())
}
