//! Stores a secret. Its value is never an argument: those are seen by every process of the machine, and kept by shells.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, anyhow};
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_secrets::{ErrorKind, SecretError, SecretName, SecretStore, Source};
use serde_json::json;

use super::{list, needs_vault};
use crate::exit;
use crate::output::{self, Format, ReaderGone};
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::secrets::failed_to;

/// The most bytes that Key Vault takes.
pub(super) const MOST: u64 = 25 * 1024;

pub(super) async fn run(app: &App, name: &SecretName) -> anyhow::Result<u8> {
    let tried = || format!("store the secret `{name}`");
    needs_vault(app, "set").with_context(|| ExitWith::usage(tried()))?;
    let value = value(name).with_context(|| ExitWith::usage(tried()))?;
    let source = match store(app.secrets().await?, name, value).await {
        Ok(source) => source,
        Err(Failed::Refused(error)) => return Err(failed_to(tried(), error)),
        Err(Failed::Unknown(error)) => {
            let help = format!("look with `selvedge secrets get {name}`, or store it again");
            let with =
                ExitWith::new(exit::LEFT, format!("{}: nobody knows whether it is", tried())).help(help);
            return Err(anyhow::Error::from(error).context(with));
        }
    };
    let told = match app.output {
        Format::Text => output::line(&format!("✓ Secret '{name}' updated in Key Vault: {source}")),
        format => {
            render::result(format, json!({ "name": name.to_string(), "source": list::source(&source) }))
        }
    };
    told.map_err(|error| match error.is::<ReaderGone>() {
        true => error,
        false => error.context(format!("the secret `{name}` is stored in {source}, and cannot be told of")),
    })?;
    Ok(exit::DONE)
}

/// How a secret was not stored.
enum Failed {
    /// The vault has it not.
    Refused(SecretError),
    /// It may have it.
    Unknown(SecretError),
}

/// Where nobody knows what came of it, what the vault has then counts.
async fn store(secrets: &dyn SecretStore, name: &SecretName, value: SecretString) -> Result<Source, Failed> {
    let error = match secrets.set(name, value.clone()).await {
        Ok(source) => return Ok(source),
        Err(error) if matches!(error.kind(), ErrorKind::Unreachable(_) | ErrorKind::Throttled { .. }) => {
            error
        }
        Err(error) => return Err(Failed::Refused(error)),
    };
    match secrets.get(name).await {
        Ok(found) if !found.source.is_key_vault() => Err(Failed::Unknown(error)),
        Ok(found) if found.value.expose_secret() == value.expose_secret() => Ok(found.source),
        Ok(_) => Err(Failed::Refused(error)),
        Err(read) if *read.kind() == ErrorKind::NotFound => Err(Failed::Refused(error)),
        Err(_) => Err(Failed::Unknown(error)),
    }
}

/// From stdin as it stands but for one line break at its end, which `echo` adds; or typed twice without being shown.
fn value(name: &SecretName) -> anyhow::Result<SecretString> {
    let mut stdin = std::io::stdin();
    let text = if stdin.is_terminal() {
        let once = rpassword::prompt_password(format!("Value of {name}: ")).context("read the value")?;
        if once != rpassword::prompt_password("Once more: ").context("read the value")? {
            return Err(anyhow!("the two values differ"));
        }
        once
    } else {
        let mut text = String::new();
        stdin.by_ref().take(MOST + 3).read_to_string(&mut text).context("read the value from stdin")?;
        let line =
            text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        line.to_owned()
    };
    match text.len() as u64 {
        0 => Err(anyhow!("the value is empty")),
        length if length > MOST => {
            Err(anyhow!("the value has more than {MOST} bytes, the most that Key Vault takes"))
        }
        _ => Ok(text.into()),
    }
}
