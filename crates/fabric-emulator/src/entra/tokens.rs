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

/// Why the token of a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFlaw {
    Missing,
    /// Not one that was handed out here.
    Unknown,
    /// It is for this audience.
    Audience(&'static str),
    Expired,
}

impl State {
    /// The caller, if its token is for one of the audiences and still good.
    pub(crate) fn caller(&self, request: &Incoming, audiences: &[&str]) -> Result<Uuid, ApiError> {
        let unauthorized = |why| ApiError::new(401, "Unauthorized", why);
        self.holder(request, audiences).map_err(|flaw| match flaw {
            TokenFlaw::Missing => unauthorized("The request has no bearer token"),
            TokenFlaw::Unknown => unauthorized("The bearer token is invalid"),
            TokenFlaw::Audience(_) => unauthorized("The audience of the bearer token is invalid"),
            TokenFlaw::Expired => ApiError::new(
                401,
                "TokenExpired",
                "Access token has expired, resubmit with a new access token",
            ),
        })
    }

    /// The same, for services that refuse in other words.
    pub(crate) fn holder(&self, request: &Incoming, audiences: &[&str]) -> Result<Uuid, TokenFlaw> {
        let token = bearer(request).ok_or(TokenFlaw::Missing)?;
        let token = self.tokens.0.get(token).ok_or(TokenFlaw::Unknown)?;
        if !audiences.contains(&token.audience) {
            return Err(TokenFlaw::Audience(token.audience));
        }
        if self.world.now >= token.expires {
            return Err(TokenFlaw::Expired);
        }
        Ok(token.principal)
    }
}

/// The token of RFC 6750 2.1.
pub(crate) fn bearer(request: &Incoming) -> Option<&str> {
    let (scheme, token) = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
