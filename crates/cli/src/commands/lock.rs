//! `selvedge lock`: who is writing to which workspace.

use anyhow::anyhow;
use selvedge_rollback::lease::{Held, LeaseError};
use serde_json::{Value, json};

use super::confirm::{self, No};
use crate::args::{LockAction, LockArgs};
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::subject as subjects;
use crate::text::one_line;

/// Runs the sub-command.
///
/// # Errors
///
/// When the locks cannot be read, or the answer is not yes.
pub(crate) async fn run(app: &App, args: &LockArgs) -> anyhow::Result<u8> {
    let place = Place::of(app).await?;
    match &args.action {
        LockAction::List => {
            let held = place.leases.list().await.map_err(unreadable)?;
            tell(app, "locks", held.iter().map(as_json).collect(), || match held.is_empty() {
                true => "Nothing is locked.".to_owned(),
                false => held.iter().map(shown).collect::<Vec<_>>().join("\n"),
            })
        }
        LockAction::Show(named) => {
            let subject = subject(app, &named.subject);
            let held = place.leases.show(&subject).await.map_err(unreadable)?;
            tell(app, "lock", held.as_ref().map(as_json).into(), || match &held {
                None => format!("`{subject}` is not locked"),
                Some(held) => shown(held),
            })
        }
        LockAction::Break(named) => {
            let subject = subject(app, &named.subject);
            let Some(held) = place.leases.show(&subject).await.map_err(unreadable)? else {
                return tell(app, "broken", Value::Null, || format!("`{subject}` is not locked"));
            };
            confirm(app, &held)?;
            let broken = place.leases.break_(&subject).await.map_err(unreadable)?;
            tell(app, "broken", broken.as_ref().map(as_json).into(), || {
                format!("`{subject}` is not locked any more")
            })
        }
    }
}

/// A subject names the address of the service; a workspace's name is taken for one at the configured address.
fn subject(app: &App, text: &str) -> String {
    if text.contains("://") { text.to_owned() } else { subjects::of(app, [text]) }
}

fn unreadable(error: LeaseError) -> anyhow::Error {
    anyhow::Error::from(error).context(ExitWith::new(exit::FAILED, "look at the locks"))
}

fn tell(app: &App, key: &str, value: Value, text: impl FnOnce() -> String) -> anyhow::Result<u8> {
    match app.output {
        Format::Text => output::line(&text())?,
        format => render::result(format, json!({ key: value }))?,
    }
    Ok(exit::DONE)
}

/// Two that write to one workspace undo each other's changes.
fn confirm(app: &App, held: &Held) -> anyhow::Result<()> {
    if app.yes {
        return Ok(());
    }
    let question = format!("{}\nIs its process gone? If it is not, two will write.", shown(held));
    let Some(no) = confirm::ask(&question)? else { return Ok(()) };
    let problem = match no {
        No::Answered => no.to_string(),
        No::Nobody => format!("{no}, and two that write at once undo each other's changes"),
    };
    let help = "make sure that its process is gone, and add --yes";
    Err(anyhow!("{}", shown(held)).context(problem).context(ExitWith::usage("break the lock").help(help)))
}

fn shown(held: &Held) -> String {
    let expiry = match held.expires_in {
        None => "until its process ends".to_owned(),
        Some(rest) => format!("and for {} s more at the most, if its process is gone", rest.as_secs()),
    };
    let silent = held.overdue().map(|silent| {
        format!("; it has not renewed its lock for {} s, and seems to be gone", silent.as_secs())
    });
    one_line(&format!("{held}, {expiry}{}", silent.unwrap_or_default()))
}

fn as_json(held: &Held) -> Value {
    json!({
        "subject": held.subject,
        "holder": held.holder,
        "age_seconds": held.holder.as_ref().map(|holder| holder.age().as_secs()),
        "expires_in_seconds": held.expires_in.map(|rest| rest.as_secs()),
        "silent_seconds": held.overdue().map(|silent| silent.as_secs()),
    })
}
