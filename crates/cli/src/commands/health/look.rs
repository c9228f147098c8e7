//! What is asked of Fabric and of the journals about a workspace.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use selvedge_fabric_client::git::ConnectionState;
use selvedge_fabric_client::items::Item;
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_fabric_client::{Client, Error, git, items, workspaces};
use selvedge_rollback::describe;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::report::Report;
use crate::clients::Clients;
use crate::commands::deploy::prepare::not_read;
use crate::commands::deploy::target::Target;
use crate::commands::transactions::Report as TransactionReport;
use crate::exit;
use crate::place::Place;
use crate::report::exit_code;
use crate::run::App;
use crate::subject;
use crate::telemetry;

/// An answer that takes longer is worth a warning.
const SLOW: Duration = Duration::from_secs(5);
/// How many items are asked for at once.
const AT_ONCE: usize = 8;
/// Recent is so long ago.
const RECENT: time::Duration = time::Duration::hours(24);

/// Looks at everything there is to see. What is in the way is an issue of the report.
///
/// # Errors
///
/// The exit code that says why nothing could be seen.
pub(super) async fn look(app: &App, name: &str, report: &mut Report) -> Result<(), u8> {
    telemetry(app, report).await;
    let clients = match Clients::new(app).await {
        Ok(clients) => clients,
        Err(error) => {
            report.critical("connection_error", describe(&*error));
            return Err(exit_code(&error));
        }
    };
    let fabric = &clients.fabric;
    let workspace = find(fabric, name, report).await?;
    capacity(&workspace, report);
    items(fabric, &workspace, report).await;
    git(fabric, &workspace, report).await;
    activity(app, name, report).await;
    Ok(())
}

/// Whether what is told arrives: asked first, for nothing that follows is in its way.
async fn telemetry(app: &App, report: &mut Report) {
    if !telemetry::is_on(&app.settings, &app.flags) {
        return;
    }
    if let Err(error) = telemetry::ask(app).await {
        report.warn("telemetry", describe(&*error));
    }
}

async fn find(fabric: &Client, name: &str, report: &mut Report) -> Result<Workspace, u8> {
    let listed = fabric.list_all(workspaces::list()).await;
    let listed = listed.map_err(|error| unseen("connection_error", error, report))?;
    let lower = name.to_lowercase();
    let Some(found) = listed.into_iter().find(|found| found.display_name.to_lowercase() == lower) else {
        let missing = format!("there is no workspace `{name}`, or this identity does not see it");
        report.critical("accessibility", missing);
        return Err(exit::FAILED);
    };
    let started = Instant::now();
    let workspace = fabric.send(workspaces::get(found.id)).await;
    let workspace = workspace.map_err(|error| unseen("accessibility", error, report))?;
    let took = started.elapsed();
    report.metric("workspace_response_time", took.as_secs_f64());
    if took > SLOW {
        report.warn("performance", format!("the workspace took {:.1} s to answer", took.as_secs_f64()));
    }
    Ok(workspace)
}

fn unseen(kind: &str, error: Error, report: &mut Report) -> u8 {
    report.critical(kind, describe(&error));
    let with = not_read(&error);
    exit_code(&anyhow::Error::from(error).context(with))
}

fn capacity(workspace: &Workspace, report: &mut Report) {
    match (&workspace.capacity_id, workspace.capacity_assignment_progress.as_deref()) {
        (None, _) => report.warn("capacity_check", "the workspace is assigned to no capacity"),
        (Some(_), Some("Failed")) => report.warn("capacity_check", "the assignment to a capacity has failed"),
        _ => {}
    }
}

/// Counts the items, and reads each.
async fn items(fabric: &Client, workspace: &Workspace, report: &mut Report) {
    let listed: Vec<Item> = match fabric.list_all(items::list(workspace.id)).await {
        Ok(listed) => listed,
        Err(error) => return report.critical("accessibility", describe(&error)),
    };
    let mut counts = BTreeMap::<&str, u64>::new();
    for item in &listed {
        *counts.entry(item.kind.as_str()).or_default() += 1;
    }
    report.metric("item_counts", json!(counts));
    report.metric("total_items", listed.len());
    let reads =
        listed.iter().map(async |item| fabric.send(items::get(workspace.id, item.id)).await.map(drop));
    let reads: Vec<_> = futures_util::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let failed = listed.iter().zip(reads).filter_map(|(item, read)| Some((item, read.err()?)));
    report.failed_items = failed.map(|(item, error)| failed_item(item, &error)).collect();
    report.items_failed();
}

fn failed_item(item: &Item, error: &Error) -> Value {
    json!({
        "id": item.id.to_string(),
        "name": item.display_name,
        "type": item.kind.as_str(),
        "status": "unhealthy",
        // Fabric's interface does not tell.
        "last_modified": null,
        "issues": [describe(error)],
    })
}

async fn git(fabric: &Client, workspace: &Workspace, report: &mut Report) {
    let connection = match fabric.send(git::connection(workspace.id)).await {
        Ok(connection) => connection,
        Err(error) => return git_unknown(&error, report),
    };
    if connection.git_connection_state != ConnectionState::INITIALIZED {
        // A connection that was never made is a choice; one that was only begun is not.
        let is_begun = connection.git_connection_state == ConnectionState::CONNECTED;
        if is_begun {
            report.warn("git_sync", "the Git connection is not initialized");
        }
        return report.metric("git_integration", json!({ "connected": is_begun }));
    }
    let status = match fabric.run(git::status(workspace.id)).await {
        Ok(status) => status,
        Err(error) => return git_unknown(&error, report),
    };
    let head = connection.git_sync_details.and_then(|details| details.head);
    let (pending, is_behind) = (status.changes.len(), status.workspace_head != status.remote_commit_hash);
    if pending > 0 || is_behind {
        report.warn("git_sync", format!("the workspace and its repository differ: {pending} changes"));
    }
    let details = json!({
        "connected": true,
        "sync_status": if pending > 0 || is_behind { "out_of_sync" } else { "synced" },
        "pending_changes": pending,
        "head": head,
    });
    report.metric("git_integration", details);
}

fn git_unknown(error: &Error, report: &mut Report) {
    report.warn("git_sync", format!("the Git connection cannot be read: {}", describe(error)));
    report.metric("git_integration", json!({ "connected": null, "error": describe(error) }));
}

/// What this project's journals say of the workspace. Who uses it otherwise Fabric's interface does not tell.
async fn activity(app: &App, name: &str, report: &mut Report) {
    match transactions(app, name).await {
        Ok(None) => {}
        Ok(Some(found)) => {
            let [recent, failed] = [found.recent, found.failed].map(Value::from);
            let activity =
                json!({ "last_24h_deployments": recent, "failed_operations": failed, "active_users": null });
            report.metric("recent_activity", activity);
            for open in found.open {
                report.warn("activity_check", open);
            }
        }
        Err(error) => {
            report.warn("activity_check", format!("journals cannot be read: {}", describe(&*error)))
        }
    }
}

#[derive(Default)]
struct Transactions {
    recent: u64,
    failed: u64,
    open: Vec<String>,
}

/// `None` where journals are not to be asked.
async fn transactions(app: &App, name: &str) -> anyhow::Result<Option<Transactions>> {
    let Some(place) = Place::of_deployment(app).await? else { return Ok(None) };
    let subject = subject::of(app, [name]);
    let mut counted = Transactions::default();
    let since = OffsetDateTime::now_utc() - RECENT;
    for found in place.journals.list::<Target>().await? {
        let told = TransactionReport::read(app, &place, &found).await?;
        if !told.subject.as_deref().is_some_and(|about| subject::overlap(about, &subject)) {
            continue;
        }
        if found.last.is_some_and(|last| last >= since) {
            counted.recent += 1;
            counted.failed += u64::from(!["committed", "running"].contains(&told.state));
        }
        if let Some(command) = told.commands.first() {
            let (id, state) = (told.transaction, told.state_words());
            counted.open.push(format!("transaction {id} is open ({state}): run `{command}`"));
        }
    }
    Ok(Some(counted))
}
