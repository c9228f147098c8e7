//! Stores a secret. Its value is never an argument: those are seen by every process of the machine, and kept by shells.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, anyhow};
use secrecy::SecretString;
use selvedge_secrets::SecretName;
use serde_json::json;

use super::{list, needs_vault};
use crate::exit;
use crate::output::{self, Format};
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
    let stored = app.secrets().await?.set(name, value).await;
    let source = stored.map_err(|error| failed_to(tried(), error))?;
    match app.output {
        Format::Text => output::line(&format!("✓ Secret '{name}' updated in Key Vault: {source}"))?,
        format => {
            render::result(format, json!({ "name": name.to_string(), "source": list::source(&source) }))?
        }
    }
    Ok(exit::DONE)
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
