//! `selvedge transactions sweep`: what carries a transaction's marker, found without its journal.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::anyhow;
use selvedge_deployment::strays::{self, Stray};
use selvedge_rollback::TransactionId;
use selvedge_rollback::journal::JournalError;
use serde_json::{Value, json};

use super::report::Report;
use crate::clients::Clients;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

/// Lists what is marked, in one workspace or in all that this identity sees. Nothing is removed: an id that no journal
/// owns may be anybody's.
///
/// # Errors
///
/// When something cannot be read.
pub(crate) async fn run(app: &App, place: &Place, workspace: Option<&str>) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let wanted = workspace.map(str::to_lowercase);
    let is_wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| name.to_lowercase() == *wanted);
    let looked = strays::look(&clients.fabric, is_wanted).await.map_err(not_looked)?;
    if let Some(name) = workspace
        && looked.workspaces.is_empty()
    {
        return Err(not_looked(anyhow!("there is no workspace `{name}`, or this identity does not see it")));
    }
    let found = looked.strays;
    let mut rows = Vec::new();
    let mut known = BTreeMap::<TransactionId, Advice>::new();
    for stray in &found {
        // One transaction may have left many.
        let advice = match known.entry(stray.marker.transaction) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => {
                unknown.insert(advice(app, place, stray.marker.transaction).await?).clone()
            }
        };
        rows.push((stray, advice));
    }
    if app.output == Format::Text {
        if rows.is_empty() {
            output::line("Nothing carries a transaction's marker.")?;
        }
        for (stray, advice) in &rows {
            output::line(&one_line(&format!("{}  {}", name(stray), stray.marker)))?;
            output::line(&match advice {
                Advice::Run(command) => format!("  run `{command}`"),
                Advice::ByHand(why) => format!("  {}", one_line(why)),
            })?;
        }
    } else {
        let strays: Vec<_> = rows.iter().map(|(stray, advice)| as_json(stray, advice)).collect();
        render::result(app.output, json!({ "strays": strays }))?;
    }
    Ok(if rows.is_empty() { exit::DONE } else { exit::LEFT })
}

/// What is to be done about a stray.
#[derive(Clone)]
enum Advice {
    Run(String),
    ByHand(String),
}

pub(super) fn not_looked(error: impl Into<anyhow::Error>) -> anyhow::Error {
    error.into().context(ExitWith::new(exit::FAILED, "look for what transactions have left"))
}

/// What finishes the transaction of a stray, where its journal is here and something does.
async fn advice(app: &App, place: &Place, id: TransactionId) -> anyhow::Result<Advice> {
    let found = place.journals.summary::<Target>(id).await;
    if matches!(found.state, Err(JournalError::NotFound(_))) {
        let elsewhere = "its journal is not here: remove it by hand, or look where it was deployed from";
        return Ok(Advice::ByHand(elsewhere.to_owned()));
    }
    let report = Report::read(app, place, &found).await?;
    let words = report.state_words();
    Ok(match (report.state, report.commands.into_iter().next()) {
        (_, Some(command)) => Advice::Run(command),
        ("running", None) => Advice::ByHand("its transaction is running".to_owned()),
        ("unreadable", None) => {
            Advice::ByHand(format!("its journal cannot be read: {}", report.reason.unwrap_or_default()))
        }
        _ => {
            let what = "remove it by hand, or its marker where it is wanted";
            Advice::ByHand(format!("its transaction has ended ({words}): {what}"))
        }
    })
}

pub(super) fn name(stray: &Stray) -> String {
    let Stray { workspace, workspace_name, item, .. } = stray;
    match item {
        Some(item) => {
            format!("{} {} ({}) in workspace {workspace_name}", item.kind.as_str(), item.name, item.id)
        }
        None => format!("workspace {workspace_name} ({workspace})"),
    }
}

fn as_json(stray: &Stray, advice: &Advice) -> Value {
    let command = match advice {
        Advice::Run(command) => Some(command),
        Advice::ByHand(_) => None,
    };
    let item = stray.item.as_ref();
    json!({
        "workspace": stray.workspace.to_string(),
        "workspace_name": stray.workspace_name,
        "item": item.map(|item| json!({ "id": item.id.to_string(), "type": item.kind.as_str(), "name": item.name })),
        "transaction": stray.marker.transaction.to_string(),
        "step": stray.marker.step.number(),
        "command": command,
    })
}
