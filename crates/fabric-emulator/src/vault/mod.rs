//! Azure Key Vault's secrets over HTTP: <https://learn.microsoft.com/rest/api/keyvault/secrets>.
//!
//! A vault is named by the first label of its host, `{vault}.vault.azure.net`; by any other host name a client reaches the
//! first vault there is. Keys and certificates are not emulated, and neither are backups.

mod answers;
mod cloud;
mod dress;
mod route;
mod transactions;

use bytes::Bytes;
use http::Response;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::config::Config;
use crate::emulator::Shared;
use crate::entra::TokenFlaw;
use crate::fault::Tweaks;
use crate::paging;
use crate::state::State;
use crate::wire::{Incoming, Reply};
use crate::world::{Vault, VaultError, check_secret_name};
use answers::Shown;
pub(crate) use cloud::{CLOUDS, Cloud, vault_of_host};
pub(crate) use dress::dress;
use route::{Read, Route, Write};
pub(crate) use transactions::Transactions;

/// Most entries of a page, and as many as come when nobody asks for fewer.
const MAX_RESULTS: usize = 25;
const SKIP_TOKEN: &str = "$skiptoken";

type Answer = Result<Reply, VaultError>;

pub(crate) fn handle(shared: &Shared, request: &Incoming, tweaks: &Tweaks) -> Response<Bytes> {
    let config = shared.config();
    let mut state = shared.state();
    let present = tweaks.lag.map(|lag| state.look_back(lag));
    let answer = answer(&config, &mut state, request);
    if let Some(present) = present {
        state.world = present;
    }
    drop(state);
    let mut response = answer.unwrap_or_else(|error| answers::refusal(&error)).plain();
    dress(&config, request, &mut response);
    response
}

fn answer(config: &Config, state: &mut State, request: &Incoming) -> Answer {
    let name = vault(state, request)?.name.clone();
    let caller = holder(state, request).map_err(|flaw| refused(flaw, resource(request)))?;
    state.transactions.count(&name, config.quotas.vault, state.world.now)?;
    act(config, state, request, caller)
}

/// Whose token it is, if it is one for the cloud that the vault is in.
pub(crate) fn holder(state: &State, request: &Incoming) -> Result<Uuid, TokenFlaw> {
    state.holder(request, &[resource(request)])
}

/// What a token has to be for.
fn resource(request: &Incoming) -> &'static str {
    request.vault().map_or(CLOUDS[0].resource, |(_, cloud)| cloud.resource)
}

/// Carries a request of that caller out.
pub(crate) fn act(config: &Config, state: &mut State, request: &Incoming, caller: Uuid) -> Answer {
    if request.query("api-version").is_none_or(str::is_empty) {
        return Err(VaultError::bad_parameter("The api-version query parameter is required."));
    }
    let Some(route) = Route::of(request) else {
        state.unknown_routes += 1;
        let message = format!("{} {} is not emulated.", request.method, request.path);
        return Err(VaultError::new(404, "NotFound", message));
    };
    if let Some(name) = route.name() {
        check_secret_name(name)?;
    }
    let (now, delay) = (state.world.now, state.world.rules.secret_deletion);
    let vault = vault(state, request)?;
    let vault_name = vault.name.clone();
    state.world.check_vault_access(vault, caller, route.deed(), &config.tenant, route.name())?;
    let shown = Shown { request };
    match route {
        Route::Read(read) => {
            let list = |values| list(config, request, values);
            match read {
                Read::Get(name, version) => {
                    let (secret, version) = vault.read(name, version, now)?;
                    Ok(shown.bundle(secret, version, true))
                }
                Read::List => list(vault.all(now).into_iter().map(|secret| shown.item(secret)).collect()),
                Read::Versions(name) => list(shown.versions(vault.secret(name, now)?)),
                Read::Deleted(name) => Ok(shown.deleted(vault.deleted(name, delay, now)?)),
                Read::ListDeleted => {
                    let gone = vault.all_deleted(delay, now).into_iter();
                    list(gone.map(|gone| shown.deleted_item(gone)).collect())
                }
            }
        }
        Route::Write(write) => {
            state.past.remember(&state.world);
            let vault = state.world.vault_mut(&vault_name).ok_or_else(|| no_vault(&vault_name))?;
            match write {
                Write::Set(name) => {
                    let (secret, version) = vault.set(name, body(request)?, delay, now)?;
                    Ok(shown.bundle(secret, version, true))
                }
                Write::Update(name, version) => {
                    let (secret, version) = vault.update(name, version, body(request)?, now)?;
                    Ok(shown.bundle(secret, version, false))
                }
                Write::Delete(name) => Ok(shown.deleted(vault.delete(name, now)?)),
                Write::Recover(name) => Ok(shown.recovered(vault.recover(name, delay, now)?)),
                Write::Purge(name) => vault.purge(name, delay, now).map(|()| Reply::empty(204)),
            }
        }
    }
}

/// The vault and the secret that a request is about, `vault/secret` in lower case, for the request log.
pub(crate) fn subject(state: &State, request: &Incoming) -> Option<String> {
    let route = Route::of(request)?;
    let named = request.vault().map(|(name, _)| name);
    let vault = named.or_else(|| state.world.vault(None).map(|vault| vault.name.as_str()))?;
    Some(format!("{vault}/{}", route.name()?).to_lowercase())
}

fn vault<'a>(state: &'a State, request: &Incoming) -> Result<&'a Vault, VaultError> {
    let name = request.vault().map(|(name, _)| name);
    state.world.vault(name).ok_or_else(|| no_vault(name.unwrap_or_default()))
}

/// The name of a vault that is not there leads nowhere in truth.
fn no_vault(name: &str) -> VaultError {
    VaultError::new(404, "VaultNotFound", format!("The vault '{name}' is not emulated."))
}

fn refused(flaw: TokenFlaw, expected: &str) -> VaultError {
    let message = match flaw {
        TokenFlaw::Missing => "AKV10000: Request is missing a Bearer or PoP token.".to_owned(),
        TokenFlaw::Unknown => "AKV10046: Unable to resolve the key used for signature validation.".to_owned(),
        TokenFlaw::Audience(found) => {
            format!("AKV10022: Invalid audience. Expected {expected}, found: {found}.")
        }
        TokenFlaw::Expired => "[TokenExpired] Error validating token: 'S2S12086'.".to_owned(),
    };
    VaultError::new(401, "Unauthorized", message)
}

fn body<T: DeserializeOwned>(request: &Incoming) -> Result<T, VaultError> {
    // Without what is wrong: it could quote a value.
    request.parse().map_err(|_| VaultError::bad_parameter("The request body cannot be read."))
}

/// A page of a list. `nextLink` is there on the last one too.
fn list(config: &Config, request: &Incoming, values: Vec<serde_json::Value>) -> Answer {
    let wanted = match request.query("maxresults") {
        None => MAX_RESULTS,
        Some(text) => {
            text.parse().ok().filter(|wanted| (1..=MAX_RESULTS).contains(wanted)).ok_or_else(|| {
                VaultError::bad_parameter(format!("maxresults must be between 1 and {MAX_RESULTS}."))
            })?
        }
    };
    let size = config.page_size.map_or(wanted, |size| size.min(wanted));
    let cut = paging::cut(request, Some(size), SKIP_TOKEN, values)
        .ok_or_else(|| VaultError::bad_parameter("The skip token is invalid."))?;
    // As the service writes it: a form would have the dollar sign escaped.
    let next = cut.next.map(|(_, link)| link.replace("%24skiptoken=", "$skiptoken="));
    Ok(Reply::json(200, serde_json::json!({"value": cut.values, "nextLink": next})))
}
