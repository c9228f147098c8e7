//! The checklist of a stage: four weeks from flags that are off to what production requires.
//!
//! Each line is computed, and a stage that `doctor` finds nothing against is one that a deployment keeps to.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::Check;
use crate::audit;
use crate::commands::deploy::target::Target;
use crate::flags::{Stage, Switch};
use crate::place::{Place, Writable, write_to};
use crate::run::App;
use crate::settings::{JOURNAL_KEY, SecretPolicy};
use crate::text::counted;

const SECRETS: &str = "week 1: secrets";
const REQUESTS: &str = "week 2: requests";
const ROLLBACK: &str = "week 3: rollback";
const WATCHING: &str = "week 4: watching";

/// Looks at everything that a stage asks for.
pub(super) async fn look(app: &App, stage: Stage) -> Vec<Check> {
    let flags = &app.flags;
    let flag = |section, variable: &str, switch: Switch, is_required| {
        flag(app, stage, section, variable, switch, is_required)
    };
    let mut checks = vec![
        flag(SECRETS, "FEATURE_USE_KEY_VAULT", flags.key_vault, true),
        vault(app, stage),
        flag(REQUESTS, "FEATURE_USE_RETRY_LOGIC", flags.retry, false),
        flag(REQUESTS, "FEATURE_USE_CIRCUIT_BREAKER", flags.circuit_breaker, false),
        flag(ROLLBACK, "FEATURE_USE_ROLLBACK", flags.rollback, true),
    ];
    checks.extend(journals(app).await);
    checks.extend([
        flag(WATCHING, "FEATURE_USE_TELEMETRY", flags.telemetry, true),
        flag(WATCHING, "FEATURE_USE_HEALTH_CHECKS", flags.health_checks, true),
        trail(app),
        back(app),
    ]);
    checks
}

/// A flag that is off is wrong at the target where it is required there, and worth a word wherever the flags no longer decide alone.
fn flag(
    app: &App,
    stage: Stage,
    section: &'static str,
    variable: &str,
    switch: Switch,
    is_required: bool,
) -> Check {
    let set_by = switch.origin.name();
    let check = if switch.on {
        Check::ok(variable, format!("on, by {set_by}"))
    } else {
        let help = format!("set {variable}=true in the environment or {}", app.root.join(".env").display());
        let evidence = format!("off, by {set_by}");
        match stage {
            Stage::Current => Check { help: Some(help), ..Check::ok(variable, evidence) },
            Stage::Target if is_required => Check::fail(variable, evidence, Some(help)),
            Stage::Intermediate | Stage::Target => Check::warn(variable, evidence, help),
        }
    };
    Check { section, ..check }
}

/// Whether secrets come from a vault, and at the target from nowhere else.
fn vault(app: &App, stage: Stage) -> Check {
    const NAME: &str = "where secrets come from";
    let secrets = &app.settings.secrets;
    let problem = if secrets.vault_url.is_none() {
        Some(("no vault is named", "set KEY_VAULT_URL=https://NAME.vault.azure.net"))
    } else if secrets.policy == SecretPolicy::EnvOnly {
        let help = "set secrets.policy to key-vault-then-env, or key-vault-only";
        Some(("secrets.policy is env-only: the vault is never asked", help))
    } else {
        None
    };
    let check = match (problem, stage) {
        (None, _) => Check::ok(NAME, format!("the vault of KEY_VAULT_URL, {}", policy(app, stage))),
        (Some((evidence, help)), Stage::Current) => {
            Check { help: Some(help.to_owned()), ..Check::ok(NAME, evidence) }
        }
        (Some((evidence, help)), Stage::Intermediate) => Check::warn(NAME, evidence, help),
        (Some((evidence, help)), Stage::Target) => Check::fail(NAME, evidence, Some(help.to_owned())),
    };
    Check { section: SECRETS, ..check }
}

fn policy(app: &App, stage: Stage) -> &'static str {
    match (app.settings.secrets.policy, stage) {
        (SecretPolicy::KeyVaultOnly, _) | (_, Stage::Target) => "and nowhere else",
        _ => "then the environment and .env",
    }
}

/// Where journals are, whether they can be written, and whether one is open.
async fn journals(app: &App) -> Vec<Check> {
    let checks = match place(app).await {
        Ok(checks) => checks,
        Err(error) => {
            let help = "set rollback.journal_dir to a folder that can be written, or rollback.journal to a container";
            vec![Check::fail("journals", format!("{error:#}"), Some(help.to_owned()))]
        }
    };
    checks.into_iter().map(|check| Check { section: ROLLBACK, ..check }).collect()
}

async fn place(app: &App) -> anyhow::Result<Vec<Check>> {
    Writable::of(app).await?.check().await?;
    let place = Place::of(app).await?;
    let journals = if place.is_shared {
        Check::ok("journals", "in a container: a transaction outlives the machine, and can be written")
    } else if app.job.system().is_some() {
        let help = "set rollback.journal to a container of Azure Blob Storage";
        Check::warn("journals", "in a folder of this CI runner, which goes with it", help)
    } else {
        Check::ok("journals", "in a folder that can be written")
    };
    let sealed = match (app.secret(JOURNAL_KEY).await?.is_some(), place.is_shared) {
        (true, _) => Check::ok("journals sealed", "with SELVEDGE_JOURNAL_KEY"),
        (false, true) => Check::warn(
            "journals sealed",
            "no: whoever reads the container reads the definitions",
            "set SELVEDGE_JOURNAL_KEY to what `openssl rand -base64 32` prints, before the first deployment there",
        ),
        (false, false) => Check::ok("journals sealed", "no: they are readable by their owner alone"),
    };
    let open = place.journals.list_unless_ended::<Target>(app.settings.rollback.retention).await?;
    let open =
        open.iter().filter(|found| !found.state.as_ref().is_ok_and(|state| state.direction().has_ended()));
    let open = match open.count() {
        0 => Check::ok("open transactions", "none"),
        count => Check::fail(
            "open transactions",
            format!("{}: nothing is deployed to their workspaces", counted(count, "transaction")),
            Some(format!("see `{}`", app.command("transactions list"))),
        ),
    };
    Ok(vec![journals, sealed, open])
}

/// Whether changes are written down.
fn trail(app: &App) -> Check {
    const NAME: &str = "audit trail";
    let check = match audit::path(app) {
        None => Check::warn(NAME, "none is written: audit.file is empty", "set audit.file"),
        Some(path) => match can_be_written(&path) {
            Ok(()) => Check::ok(NAME, format!("{} can be written", path.display())),
            Err(error) => {
                let evidence = format!("{}: {error}", path.display());
                Check::fail(NAME, evidence, Some("set audit.file to a file that can be written".to_owned()))
            }
        },
    };
    Check { section: WATCHING, ..check }
}

/// Without leaving anything behind.
fn can_be_written(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return OpenOptions::new().append(true).open(path).map(drop);
    }
    write_to(path.parent().unwrap_or(path))
}

/// What it takes to go back. There is nothing else: no file has another form, and no journal is lost.
fn back(app: &App) -> Check {
    let on: Vec<_> =
        app.flags.rows().filter(|(_, switch)| switch.on).map(|(flag, _)| flag.variable).collect();
    let evidence = match on.as_slice() {
        [] => "every flag is off".to_owned(),
        on => format!("HARDENING_STAGE=current, and false for {}", on.join(", ")),
    };
    Check { section: WATCHING, ..Check::ok("way back", evidence) }
}
