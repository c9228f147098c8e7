//! Whether the secrets that this program uses can be had, and how long they are good.

use azure_core::time::OffsetDateTime;
use selvedge_secrets::{
    ErrorKind, KeyVault, Secret, SecretError, SecretName, SecretProperties, SecretStore as _,
};

use super::Check;
use crate::run::App;
use crate::settings::{CLIENT_SECRET, Origin, SECRET_VARIABLES, SecretPolicy};
use crate::text::counted;

/// How long before its end a secret is worth a warning.
const AHEAD: i64 = 30;

/// The check of the vault itself.
const VAULT: &str = "Key Vault";

/// Looks at the vault, and at each secret. It needs `get` alone; what needs `list` is left out where that is not allowed.
pub(super) async fn look(app: &App) -> Vec<Check> {
    let off = match (app.flags.key_vault.on, app.settings.secrets.policy) {
        (false, _) => Some("FEATURE_USE_KEY_VAULT is off"),
        (true, SecretPolicy::EnvOnly) => Some("secrets.policy is env-only"),
        _ => None,
    };
    if let Some(why) = off {
        let evidence = format!("not asked: {why}; secrets come from the environment and .env");
        let mut checks = vec![Check::ok(VAULT, evidence)];
        checks.extend(SECRET_VARIABLES.map(|variable| Check::ok(variable, in_environment(app, variable))));
        return checks;
    }
    let vault = match app.sources().vault() {
        Ok(vault) => vault,
        Err(error) => {
            let help = "set KEY_VAULT_URL=https://NAME.vault.azure.net, or FEATURE_USE_KEY_VAULT=false";
            return vec![Check::fail(VAULT, format!("{error:#}"), Some(help.to_owned()))];
        }
    };
    let mut secrets = Vec::new();
    for variable in SECRET_VARIABLES {
        let Ok(name) = variable.parse::<SecretName>() else { continue };
        let answer = vault.get(&name).await;
        if let Err(error) = &answer
            && !is_about_secret(error.kind())
        {
            // The same for every other.
            return vec![Check::fail(VAULT, whole(error), error.help())];
        }
        let needed_here = app.sources().opens_with_client_secret() && variable == CLIENT_SECRET;
        secrets.push(secret(app, variable, answer, needed_here));
    }
    let mut checks = vec![Check::ok(VAULT, format!("{} answers, and `get` is allowed", vault.host()))];
    checks.extend(secrets);
    checks.push(ahead(app, &vault).await);
    checks
}

/// Whether the vault let us in, and only this secret is not to be had.
pub(crate) fn is_about_secret(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NotFound | ErrorKind::Disabled | ErrorKind::Expired { .. } | ErrorKind::NotYetValid { .. }
    )
}

fn secret(app: &App, variable: &str, answer: Result<Secret, SecretError>, needed_here: bool) -> Check {
    let copy = copy(app, variable);
    match (answer, copy) {
        (Ok(Secret { source, expires: Some(at), .. }), _) if is_near(at) => Check::warn(
            variable,
            format!("{source}; {}", until(at)),
            format!("store a new value with `{}`", app.command(&format!("secrets set {variable}"))),
        ),
        (Ok(secret), Some(copy)) if !needed_here => {
            let evidence = format!("{}, and another copy {copy}", secret.source);
            Check::warn(
                variable,
                evidence,
                format!("delete the copy, or run `{}`", app.command("secrets migrate --rewrite")),
            )
        }
        (Ok(secret), _) => {
            let until = secret.expires.map(|at| format!("; {}", until(at))).unwrap_or_default();
            Check::ok(variable, format!("{}{until}", secret.source))
        }
        (Err(error), Some(copy)) if *error.kind() == ErrorKind::NotFound && needed_here => {
            Check::ok(variable, format!("{copy}, where it has to be: it opens the vault"))
        }
        (Err(error), Some(copy)) if *error.kind() == ErrorKind::NotFound => {
            let evidence = format!("not in the vault; {copy}");
            Check::warn(
                variable,
                evidence,
                format!("move it there with `{}`", app.command("secrets migrate")),
            )
        }
        (Err(error), None) if *error.kind() == ErrorKind::NotFound => Check::ok(variable, "not set"),
        (Err(error), _) => Check::fail(variable, error.kind().to_string(), error.help()),
    }
}

/// Where the environment has it.
fn copy(app: &App, variable: &str) -> Option<&'static str> {
    let (value, origin) = app.environment.find(variable)?;
    let place = match origin {
        Origin::EnvFile => "in .env",
        _ => "in the environment",
    };
    (!value.is_empty()).then_some(place)
}

fn in_environment(app: &App, variable: &str) -> &'static str {
    copy(app, variable).unwrap_or("not set")
}

/// What else is in the vault, and ends soon.
async fn ahead(app: &App, vault: &KeyVault) -> Check {
    let name = "expiry dates";
    let listed = match vault.list().await {
        Ok(listed) => listed,
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => {
            return Check::ok(
                name,
                "of other secrets not looked at: `list` is not allowed, and nothing else needs it",
            );
        }
        Err(error) => return Check::warn(name, whole(&error), error.help().unwrap_or_default()),
    };
    let ends = |it: &SecretProperties| it.expires.filter(|at| it.enabled && is_near(*at));
    let near = listed.iter().filter_map(|it| Some(format!("{}: {}", it.name, until(ends(it)?))));
    let near: Vec<String> = near.collect();
    if near.is_empty() {
        return Check::ok(
            name,
            format!("{} in the vault, none ends within {AHEAD} days", counted(listed.len(), "secret")),
        );
    }
    Check::warn(name, near.join("; "), format!("store new values with `{}`", app.command("secrets set NAME")))
}

fn days(at: OffsetDateTime) -> i64 {
    (at - OffsetDateTime::now_utc()).whole_days()
}

fn is_near(at: OffsetDateTime) -> bool {
    days(at) < AHEAD
}

fn until(at: OffsetDateTime) -> String {
    match at <= OffsetDateTime::now_utc() {
        true => format!("ended on {}", at.date()),
        false => format!("ends on {}, in {} days", at.date(), days(at)),
    }
}

/// With the innermost cause, which says who refused, or why nobody was there.
fn whole(error: &SecretError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let (outer, inner) = (error.to_string(), cause.to_string());
    if outer == inner { outer } else { format!("{outer}: {inner}") }
}
