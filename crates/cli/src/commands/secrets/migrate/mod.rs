//! Moves the secrets of a file to Key Vault. Nothing is counted as moved before the vault has given it back.

mod rewrite;
mod sort;
mod tell;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_secrets::{ErrorKind, KeyVault, SecretError, SecretStore as _, Source, env_file};

use super::needs_vault;
use crate::args::MigrateArgs;
use crate::commands::confirm;
use crate::exit;
use crate::redaction;
use crate::report::ExitWith;
use crate::run::App;
use crate::secrets::{exit_code, failed_to};
use crate::settings::{CLIENT_SECRET, SecretPolicy};
use crate::text::{counted, one_line};
use sort::{Found, Other, Place};

const TRIED: &str = "migrate secrets";

/// What became of a secret.
enum State {
    /// Not in the vault yet.
    Missing,
    /// In the vault, with the same value.
    Equal(Source),
    /// In the vault, with another value.
    Different,
    /// In the vault, and somebody decided that it is not to be used.
    Blocked(SecretError),
    /// Stored, and read back.
    Stored(Source),
    /// Storing it, or reading it back, went wrong.
    Failed,
}

impl State {
    /// Where it is, if what the vault has is what the file has.
    fn verified(&self) -> Option<&Source> {
        match self {
            Self::Equal(source) | Self::Stored(source) => Some(source),
            _ => None,
        }
    }
}

/// A secret, what became of it, and why it stays in the file although the vault has it.
struct Moved {
    found: Found,
    state: State,
    stays: Option<String>,
}

/// All that is to be told.
struct Outcome<'a> {
    path: &'a Path,
    /// The vault, as people call it.
    vault: &'a str,
    args: &'a MigrateArgs,
    secrets: Vec<Moved>,
    others: Vec<Other>,
    rewritten: bool,
}

impl Outcome<'_> {
    fn count(&self, is: impl Fn(&State) -> bool) -> usize {
        self.secrets.iter().filter(|moved| is(&moved.state)).count()
    }

    /// What can go from the file.
    fn removable(&self) -> Vec<&Place> {
        let gone = self.secrets.iter().filter(|it| it.state.verified().is_some() && it.stays.is_none());
        gone.flat_map(|moved| &moved.found.places).collect()
    }

    fn to_store(&self, state: &State) -> bool {
        matches!(state, State::Missing) || (self.args.overwrite && matches!(state, State::Different))
    }
}

pub(super) async fn run(app: &App, args: &MigrateArgs) -> anyhow::Result<u8> {
    let path = args.from.clone().unwrap_or_else(|| app.root.join(".env"));
    let tried = || ExitWith::usage(format!("migrate the secrets of {}", path.display()));
    usable(app).with_context(tried)?;
    let text = text(&path).with_context(tried)?;
    let whole = text.expose_secret();
    let plain = whole.strip_prefix('\u{feff}').unwrap_or(whole);
    let entries =
        env_file::entries(plain).with_context(|| format!("parse {}", path.display())).with_context(tried)?;
    let places: Vec<_> =
        entries.iter().map(|it| Place { variable: it.name.clone(), lines: it.lines.clone() }).collect();
    let sorted = sort::sort(entries, &args.only).with_context(tried)?;
    for found in &sorted.secrets {
        // Too short to be kept out of what is written: it says so where it counts, when the program starts.
        drop(redaction::learn(&found.variable, &found.value));
    }

    let vault = app.sources().vault()?;
    let opener = app.sources().opens_with_client_secret();
    let mut secrets = Vec::new();
    for found in sorted.secrets {
        let stays = stays(&found, opener);
        secrets.push(Moved { state: compare(&vault, &found).await?, found, stays });
    }
    let name = vault.host().split_once(".vault.").map_or(vault.host(), |(name, _)| name);
    let mut outcome =
        Outcome { path: &path, vault: name, args, secrets, others: sorted.others, rewritten: false };
    keep_referred(&mut outcome, plain, &places);
    if args.dry_run {
        outcome.tell(app.output)?;
        return Ok(exit::DONE);
    }
    if let Some(refusal) = refusal(&outcome) {
        return Err(outcome.told_with(app.output, refusal));
    }
    confirm(app, &outcome)?;
    if let Err(error) = store(&vault, &mut outcome).await {
        return Err(outcome.told_with(app.output, error));
    }
    keep_referred(&mut outcome, plain, &places);
    let gone = outcome.removable();
    if args.rewrite && !gone.is_empty() {
        let rewrite = || rewrite::replace(&path, whole, &rewrite::without(whole, &gone, name)?);
        if let Err(error) = rewrite() {
            let tried = format!("rewrite {}", path.display());
            let with =
                ExitWith::new(exit::LEFT, tried).help("the secrets are in the vault, and still in the file");
            return Err(outcome.told_with(app.output, error.context(with)));
        }
        outcome.rewritten = true;
    }
    outcome.tell(app.output)?;
    Ok(exit::DONE)
}

/// Whether anything would read what is stored.
fn usable(app: &App) -> anyhow::Result<()> {
    needs_vault(app, "migrate")?;
    if app.settings.secrets.policy == SecretPolicy::EnvOnly {
        return Err(anyhow!("secrets.policy is env-only, so nothing would be read from Key Vault"));
    }
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<SecretString> {
    env_file::text(path)?.with_context(|| format!("there is no file {}", path.display()))
}

/// Why a secret has to stay in the file, whatever the vault has.
fn stays(found: &Found, opener: bool) -> Option<String> {
    if opener && found.name.variable() == CLIENT_SECRET {
        return Some(
            "it opens the vault itself; open it as somebody else, such as with SELVEDGE_ENTRA__CREDENTIAL=azure-cli, to take it out"
                .to_owned(),
        );
    }
    found.ambiguous.then(|| "it is set more than once, with different values; the last one counts".to_owned())
}

/// Until no line that stays refers to one that goes.
fn keep_referred(outcome: &mut Outcome<'_>, text: &str, entries: &[Place]) {
    loop {
        let gone = outcome.removable();
        let referred = outcome.secrets.iter().position(|moved| {
            let variables = moved.found.places.iter().map(|place| &place.variable);
            let goes = moved.found.places.iter().all(|place| gone.contains(&place));
            goes && variables.into_iter().any(|it| rewrite::reference(text, entries, &gone, it).is_some())
        });
        let Some(index) = referred else { return };
        outcome.secrets[index].stays = Some("another line refers to it".to_owned());
    }
}

async fn compare(vault: &KeyVault, found: &Found) -> anyhow::Result<State> {
    match vault.get(&found.name).await {
        Ok(secret) if secret.value.expose_secret() == found.value.expose_secret() => {
            Ok(State::Equal(secret.source))
        }
        Ok(_) => Ok(State::Different),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(State::Missing),
            ErrorKind::Disabled | ErrorKind::Expired { .. } | ErrorKind::NotYetValid { .. } => {
                Ok(State::Blocked(error))
            }
            _ => Err(failed_to(TRIED, error)),
        },
    }
}

/// Why nothing is stored, where somebody has to decide first.
fn refusal(outcome: &Outcome<'_>) -> Option<anyhow::Error> {
    let mut blocked = outcome.secrets.iter().filter_map(|moved| match &moved.state {
        State::Blocked(error) => Some(error),
        _ => None,
    });
    if let Some(first) = blocked.next() {
        // Each has a command of its own; the list above says of each what keeps it.
        let help: Vec<_> = [first].into_iter().chain(blocked).filter_map(SecretError::help).collect();
        let with = ExitWith::new(exit_code(first), TRIED).help(help.join("; "));
        return Some(anyhow::Error::from(first.clone()).context(with));
    }
    if outcome.args.overwrite || outcome.count(|state| matches!(state, State::Different)) == 0 {
        return None;
    }
    let different = outcome.secrets.iter().filter(|moved| matches!(moved.state, State::Different));
    let names: Vec<_> = different.map(|moved| moved.found.variable.as_str()).collect();
    let problem = anyhow!("the vault has other values of {}; nothing was stored", names.join(", "));
    let with = ExitWith::new(exit::FAILED, TRIED)
        .help("add --overwrite to store the file's values as new versions, or name with --only what is to be migrated");
    Some(problem.context(with))
}

/// What a vault holds, others use too.
fn confirm(app: &App, outcome: &Outcome<'_>) -> anyhow::Result<()> {
    let count = outcome.count(|state| outcome.to_store(state));
    let rewrites = outcome.args.rewrite && (count > 0 || !outcome.removable().is_empty());
    if app.yes || (count == 0 && !rewrites) {
        return Ok(());
    }
    let are = if count == 1 { "is" } else { "are" };
    let mut what = format!("{} {are} to be stored in Key Vault {}", counted(count, "secret"), outcome.vault);
    if rewrites {
        what += &format!(", and {} rewritten", outcome.path.display());
    }
    let Some(no) = confirm::ask(&one_line(&format!("{what}.")))? else { return Ok(()) };
    let help = "add --yes, or look at it with --dry-run first";
    Err(anyhow!("{what}").context(no.to_string()).context(ExitWith::usage(TRIED).help(help)))
}

/// Stores what is missing, one after the other, and reads each back.
async fn store(vault: &KeyVault, outcome: &mut Outcome<'_>) -> anyhow::Result<()> {
    for index in 0..outcome.secrets.len() {
        let Moved { found, state, .. } = &outcome.secrets[index];
        if !outcome.to_store(state) {
            continue;
        }
        match put(vault, found).await {
            Ok(source) => outcome.secrets[index].state = State::Stored(source),
            Err(problem) => {
                outcome.secrets[index].state = State::Failed;
                return Err(stopped(outcome, index, problem));
            }
        }
    }
    Ok(())
}

/// Stores one. What the vault has then counts, whatever it answered. `None` as the error: what was read back is something else.
async fn put(vault: &KeyVault, found: &Found) -> Result<Source, Option<SecretError>> {
    let refused = vault.set(&found.name, found.value.clone()).await.err();
    match vault.get(&found.name).await {
        Ok(secret) if secret.value.expose_secret() == found.value.expose_secret() => Ok(secret.source),
        Ok(_) => Err(refused),
        Err(error) => Err(Some(refused.unwrap_or(error))),
    }
}

/// What was done, what went wrong and how to go on.
fn stopped(outcome: &Outcome<'_>, index: usize, problem: Option<SecretError>) -> anyhow::Error {
    let stored = outcome.count(|state| matches!(state, State::Stored(_)));
    let code = match &problem {
        _ if stored > 0 => exit::LEFT,
        Some(error) => exit_code(error),
        None => exit::FAILED,
    };
    let rest = outcome.count(|state| outcome.to_store(state));
    let variable = &outcome.secrets[index].found.variable;
    let tried = format!("migrate {variable}: {stored} stored before it, {rest} after it not tried");
    let again = "run the same command again: it goes on with what is missing";
    let help = match problem.as_ref().and_then(SecretError::help) {
        Some(help) => format!("{help}; then {again}"),
        None => again.to_owned(),
    };
    let cause = match problem {
        Some(error) => error.into(),
        None => anyhow!("what the vault gives back is not what was stored"),
    };
    cause.context(ExitWith::new(code, tried).help(help))
}
