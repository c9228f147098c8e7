//! `selvedge secrets`: where secrets come from, without showing them.

mod list;
mod migrate;
mod set;

use serde_json::json;

use selvedge_secrets::{Secret, SecretName};

use crate::args::{Name, SecretsAction, SecretsArgs};
use crate::exit;
use crate::output::{self, Format};
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::secrets::failed;
use crate::settings::SECRET_VARIABLES;

use anyhow::{Context as _, anyhow, ensure};
use secrecy::ExposeSecret as _;

/// Runs the sub-command.
///
/// # Errors
///
/// When the store cannot be reached, denies it, or has no such secret.
pub(crate) async fn run(app: &App, args: &SecretsArgs) -> anyhow::Result<u8> {
    match &args.action {
        SecretsAction::Get { name, reveal: true } => reveal(app, &named(name)?).await,
        SecretsAction::Get { name, reveal: false } => get(app, &named(name)?).await,
        SecretsAction::Set { name, value } if value.is_empty() => set::run(app, &named(name)?).await,
        SecretsAction::Set { .. } => {
            let problem = anyhow!(
                "a value is never an argument: every process of the machine sees those, and shells keep them"
            );
            let help = "change the value, which may have been seen, and pipe the new one into the command";
            Err(problem.context(ExitWith::usage("store a secret").help(help)))
        }
        SecretsAction::Migrate(args) => migrate::run(app, args).await,
        SecretsAction::List => list::run(app).await,
        SecretsAction::Refresh => list::refresh(app).await,
    }
}

fn named(given: &Name) -> anyhow::Result<SecretName> {
    given.name.parse().with_context(|| ExitWith::usage(format!("use the name `{}`", given.name)))
}

async fn secret(app: &App, name: &SecretName) -> anyhow::Result<Secret> {
    app.secrets().await?.get(name).await.map_err(failed)
}

async fn get(app: &App, name: &SecretName) -> anyhow::Result<u8> {
    let secret = secret(app, name).await?;
    let fingerprint = secret.fingerprint(name);
    let expires = secret.expires.map(list::date);
    match app.output {
        Format::Text => {
            let shown = fingerprint.as_deref().unwrap_or("none: it has less than 16 bytes");
            let expires = expires.map(|expires| format!("\nexpires      {expires}")).unwrap_or_default();
            output::line(&format!(
                "name         {name}\nsource       {}\nlength       {} bytes\nfingerprint  {shown}{expires}",
                secret.source,
                secret.length(),
            ))?;
        }
        format => {
            let result = json!({
                "name": name.to_string(),
                "source": list::source(&secret.source),
                "length": secret.length(),
                "fingerprint": fingerprint,
                "expires": expires,
            });
            render::result(format, result)?;
        }
    }
    Ok(exit::DONE)
}

/// The value, for a pipe: nothing is added but a line break.
async fn reveal(app: &App, name: &SecretName) -> anyhow::Result<u8> {
    let secret = secret(app, name).await?;
    let value = secret.value.expose_secret();
    // The one place that is asked to show a value.
    match app.output {
        Format::Text => output::exactly(value)?,
        _ => output::exact_document(json!({ "name": name.to_string(), "value": value }))?,
    }
    Ok(exit::DONE)
}

/// Whether there is a vault to `verb` secrets in.
///
/// # Errors
///
/// There is none.
fn needs_vault(app: &App, verb: &str) -> anyhow::Result<()> {
    ensure!(
        app.flags.key_vault.on,
        "Cannot {verb} secrets when Key Vault is disabled. Set FEATURE_USE_KEY_VAULT=true and configure KEY_VAULT_URL"
    );
    Ok(())
}

/// The secrets that this program itself uses.
fn used() -> impl Iterator<Item = SecretName> {
    SECRET_VARIABLES.into_iter().filter_map(|name| name.parse().ok())
}
