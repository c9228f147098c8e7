//! `.env`: who can read it, whose it is, how old it is, and whether Git knows it.

use std::path::Path;
use std::process::{Command, Stdio};

use selvedge_deployment::config::is_secret;
use selvedge_secrets::env_file::FileState;

use super::Check;
use crate::place::quoted;
use crate::run::App;
use crate::settings::{Origin, SECRET_VARIABLES, is_setting};

/// After so many days secrets in a file are worth a warning.
const OLD: u64 = 30;

/// Looks at the file in the project's folder.
pub(super) fn look(app: &App) -> Vec<Check> {
    let path = app.root.join(".env");
    let shown = quoted(&path.display().to_string());
    let state = match FileState::of(&path) {
        Ok(Some(state)) => state,
        Ok(None) => return vec![Check::ok(".env", "there is none")],
        Err(error) => return vec![Check::fail(".env", format!("cannot be looked at: {error}"), None)],
    };
    let names = app.environment.only(Origin::EnvFile).filter(|(_, value)| !value.is_empty());
    let secrets =
        names.filter(|(name, _)| SECRET_VARIABLES.contains(name) || (is_secret(name) && !is_setting(name)));
    let secrets: Vec<&str> = secrets.map(|(name, _)| name).collect();
    let held = match secrets.as_slice() {
        [] => "holds no secret".to_owned(),
        names => format!("holds {}", names.join(", ")),
    };
    let mut checks = vec![mode(&state, &held, &shown, !secrets.is_empty())];
    checks.extend(state.is_foreign.map(|foreign| owner(foreign, &shown)));
    if let Some(days) = state.age.map(|age| age.as_secs() / 86_400) {
        let evidence = format!("last changed {days} days ago; {held}");
        checks.push(match days > OLD && !secrets.is_empty() {
            true => {
                let migrate = app.command("secrets migrate");
                let help = format!("make new values, and move them to Key Vault with `{migrate}`");
                Check::warn(".env age", evidence, help)
            }
            false => Check::ok(".env age", evidence),
        });
    }
    checks.push(git(&app.root, &held, !secrets.is_empty()));
    checks
}

fn mode(state: &FileState, held: &str, path: &str, has_secrets: bool) -> Check {
    let name = ".env mode";
    let Some(mode) = state.mode else {
        return Check::ok(name, "files have no mode here; its folder decides who reads it");
    };
    let evidence = format!("{mode:04o}; {held}");
    match state.is_open_to_others() && has_secrets {
        true => Check::fail(
            name,
            format!("{evidence}, and others can read it"),
            Some(format!("run `chmod 600 {path}`")),
        ),
        false => Check::ok(name, evidence),
    }
}

/// Who owns a file can change it, and its mode. Settings are in it even where no secret is.
fn owner(foreign: bool, path: &str) -> Check {
    let name = ".env owner";
    if !foreign {
        return Check::ok(name, "belongs to whoever runs this");
    }
    let help = format!(
        "where the file ought to be yours, run `sudo chown \"$(id -un)\" {path}`; else write one of your own in its place"
    );
    Check::warn(name, "belongs to another user, who can change what it says", help)
}

/// Asks Git, which alone knows all the places that say what it ignores.
fn git(root: &Path, held: &str, has_secrets: bool) -> Check {
    let name = ".env in Git";
    match (asked(root, &["ls-files", "--error-unmatch", "--", ".env"]), has_secrets) {
        (Some(0), true) => {
            let evidence = format!("tracked: whoever has the repository has what it holds; it {held}");
            let help = "run `git rm --cached .env`, add .env to .gitignore, and make new values: the history keeps the old ones";
            Check::fail(name, evidence, Some(help.to_owned()))
        }
        (Some(0), false) => Check::warn(name, format!("tracked; it {held}"), "run `git rm --cached .env`"),
        (Some(1), _) if asked(root, &["check-ignore", "--quiet", "--", ".env"]) == Some(1) => {
            Check::warn(name, "not tracked, and not ignored either", "add .env to .gitignore")
        }
        (Some(1), _) => Check::ok(name, "not tracked, and ignored"),
        (Some(_), _) => Check::ok(name, "this is no repository"),
        (None, _) => Check::ok(name, "not looked at: there is no git to ask"),
    }
}

/// Git's exit code. Nothing that the repository configures is run.
fn asked(root: &Path, args: &[&str]) -> Option<i32> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["-c", "core.fsmonitor=false"]).args(args);
    git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    git.status().ok()?.code()
}
