//! What there is, and what the program's own secrets are now.

use azure_core::time::{OffsetDateTime, to_rfc3339};
use selvedge_secrets::{ErrorKind, SecretName, Source};
use serde_json::{Value, json};

use super::used;
use crate::exit;
use crate::output::{self, Format};
use crate::render;
use crate::run::App;
use crate::secrets::{failed, failed_to};
use crate::text::one_line;

/// Lists the names that the store has. From the environment, which holds all kinds of things, only those of ours.
pub(super) async fn run(app: &App) -> anyhow::Result<u8> {
    let mut all = app.secrets().await?.list().await.map_err(|error| failed_to("list secrets", error))?;
    let is_ours = |name: &str| name.parse::<SecretName>().is_ok_and(|name| used().any(|ours| ours == name));
    all.retain(|known| known.source.is_key_vault() || is_ours(&known.name));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    match app.output {
        Format::Text if all.is_empty() => output::line("There are no secrets.")?,
        Format::Text => {
            for known in &all {
                let off = if known.enabled { "" } else { ", disabled" };
                let expires = known.expires.map(|at| format!(", expires {}", date(at))).unwrap_or_default();
                output::line(&one_line(&format!("{:<32} {}{off}{expires}", known.name, known.source)))?;
            }
        }
        format => {
            let rows: Vec<Value> = all
                .iter()
                .map(|known| {
                    json!({
                        "name": known.name,
                        "source": source(&known.source),
                        "enabled": known.enabled,
                        "not_before": known.not_before.map(date),
                        "expires": known.expires.map(date),
                        "updated": known.updated.map(date),
                    })
                })
                .collect();
            render::result(format, json!({ "secrets": rows }))?;
        }
    }
    Ok(exit::DONE)
}

/// Asks for each secret that this program uses, past whatever is kept.
pub(super) async fn refresh(app: &App) -> anyhow::Result<u8> {
    let store = app.secrets().await?;
    store.refresh();
    let mut rows = Vec::new();
    let mut worst = None;
    for name in used() {
        match store.get(&name).await {
            Ok(secret) => rows.push((name, Some(secret.source))),
            Err(error) if *error.kind() == ErrorKind::NotFound => rows.push((name, None)),
            Err(error) => worst = Some(error),
        }
    }
    if let Some(error) = worst {
        return Err(failed(error));
    }
    match app.output {
        Format::Text => {
            for (name, found) in &rows {
                let found = found.as_ref().map_or_else(|| "not set".to_owned(), Source::to_string);
                output::line(&format!("{:<24} {found}", name.variable()))?;
            }
        }
        format => {
            let row = |(name, found): &(SecretName, Option<Source>)| json!({ "name": name.to_string(), "source": found.as_ref().map(source) });
            render::result(format, json!({ "secrets": rows.iter().map(row).collect::<Vec<_>>() }))?;
        }
    }
    Ok(exit::DONE)
}

/// As the JSON has it.
pub(super) fn source(source: &Source) -> Value {
    match source {
        Source::Environment { variable } => json!({ "kind": "environment", "variable": variable }),
        Source::EnvFile { variable, path, line } => {
            json!({ "kind": "env-file", "variable": variable, "path": path.display().to_string(), "line": line })
        }
        Source::KeyVault { vault, version } => {
            json!({ "kind": "key-vault", "vault": vault, "version": version })
        }
        other => json!({ "kind": "other", "name": other.to_string() }),
    }
}

pub(super) fn date(at: OffsetDateTime) -> String {
    to_rfc3339(&at)
}
