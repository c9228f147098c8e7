//! The tokens that were handed out: what was issued counts, not what a token says of itself.

use std::collections::HashMap;
use std::time::Duration;

use http::header;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::later;
use crate::state::State;
use crate::wire::Incoming;
use crate::world::ApiError;

/// Seconds a token is good for.
pub(super) const LIFETIME: u32 = 3599;

/// The tokens that were issued.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<String, Token>);

struct Token {
    principal: Uuid,
    audience: &'static str,
    expires: OffsetDateTime,
}

impl Tokens {
    pub(super) fn issue(
        &mut self,
        token: String,
        principal: Uuid,
        audience: &'static str,
        now: OffsetDateTime,
    ) {
        let expires = later(now, Duration::from_secs(LIFETIME.into()));
        self.0.insert(token, Token { principal, audience, expires });
    }

    /// Whose token came with the request, good or not.
    pub(crate) fn principal(&self, request: &Incoming) -> Option<Uuid> {
        Some(self.0.get(bearer(request)?)?.principal)
    }
}

impl State {
    /// The caller, if its token is for one of the audiences and still good.
    pub(crate) fn caller(&self, request: &Incoming, audiences: &[&str]) -> Result<Uuid, ApiError> {
        let unauthorized = |why| ApiError::new(401, "Unauthorized", why);
        let token = bearer(request).ok_or_else(|| unauthorized("The request has no bearer token"))?;
        let token = self.tokens.0.get(token).ok_or_else(|| unauthorized("The bearer token is invalid"))?;
        if !audiences.contains(&token.audience) {
            return Err(unauthorized("The audience of the bearer token is invalid"));
        }
        if self.world.now >= token.expires {
            return Err(ApiError::new(
                401,
                "TokenExpired",
                "Access token has expired, resubmit with a new access token",
            ));
        }
        Ok(token.principal)
    }
}

fn bearer(request: &Incoming) -> Option<&str> {
    let (scheme, token) = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
