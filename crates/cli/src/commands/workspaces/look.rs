//! `workspaces list`, `get` and `list-users`: they change nothing.

use anyhow::anyhow;
use futures_util::{StreamExt as _, TryStreamExt as _};
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{capacities, items};
use serde_json::json;

use super::{find, said, tell};
use crate::args::{Env, GetArgs, ListArgs};
use crate::clients::Clients;
use crate::render::table;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

/// How many workspaces are asked for at once.
pub(super) const AT_ONCE: usize = 8;
/// How many items are shown of a workspace.
const FIRST: usize = 10;

pub(super) async fn list(app: &App, args: &ListArgs, environment: Option<Env>) -> anyhow::Result<u8> {
    if args.filter_env && environment.is_none() {
        let with = ExitWith::usage("list workspaces").help("add --environment dev, test or prod");
        return Err(anyhow!("--filter-env needs an environment").context(with));
    }
    let clients = Clients::new(app).await?;
    let fabric = &clients.fabric;
    let mut all = find::workspaces(fabric).await?;
    if let Some(environment) = environment.filter(|_| args.filter_env) {
        all.retain(|one| environment.is_of(&one.display_name));
    }
    let mut head = vec!["Name", "ID", "Type"];
    let mut known = Vec::new();
    if args.details {
        head.extend(["Capacity", "State", "Region"]);
        let read = all.iter().map(|one| fabric.send(workspaces::get(one.id)));
        let read: Vec<_> = futures_util::stream::iter(read.collect::<Vec<_>>())
            .buffered(AT_ONCE)
            .try_collect()
            .await
            .map_err(find::unread)?;
        all = read;
        known = match fabric.list_all(capacities::list()).await {
            // Whoever may not see capacities sees their ids.
            Err(error) if error.status().is_some_and(|status| status == 403) => Vec::new(),
            listed => listed.map_err(find::unread)?,
        };
    }
    let rows = all.iter().map(|one| {
        let mut row = vec![one.display_name.clone(), one.id.to_string(), kind(one).to_owned()];
        if args.details {
            let capacity = known.iter().find(|capacity| Some(capacity.id) == one.capacity_id);
            let id = one.capacity_id.map(|id| id.to_string());
            let of = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
            row.push(capacity.map(|it| it.display_name.clone()).or(id).unwrap_or_else(|| "-".to_owned()));
            row.push(of(capacity.and_then(|it| it.state.as_ref())));
            row.push(of(capacity.and_then(|it| it.region.as_ref())));
        }
        row
    });
    let text = match all.len() {
        0 => "No workspaces found".to_owned(),
        count => format!("{}\n\nFound {count} workspace(s)", table(&head, rows)),
    };
    tell(app, &text, all.iter().map(|one| said(json!(one))).collect())
}

pub(super) async fn get(app: &App, args: &GetArgs) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let fabric = &clients.fabric;
    let word = [&args.workspace, &args.id, &args.name].into_iter().flatten().next();
    let found = find::workspace(fabric, word.map(String::as_str).unwrap_or_default()).await?;
    let one = fabric.send(workspaces::get(found.id)).await.map_err(find::unread)?;
    let mut value = said(json!(one));
    let mut text = shown(&one);
    if args.show_items {
        let items = fabric.list_all(items::list(one.id)).await.map_err(find::unread)?;
        let rows = items.iter().take(FIRST);
        let rows = rows.map(|item| vec![item.display_name.clone(), item.kind.to_string()]);
        text.push_str(&format!("\nItems: {}", items.len()));
        if !items.is_empty() {
            text.push_str(&format!("\n\n{}", table(&["Name", "Type"], rows)));
        }
        if items.len() > FIRST {
            text.push_str(&format!("\n... and {} more items", items.len() - FIRST));
        }
        value["items"] = items.iter().map(|item| said(json!(item))).collect();
    }
    tell(app, &text, value)
}

pub(super) async fn users(app: &App, workspace: &str) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let found = find::workspace(&clients.fabric, workspace).await?;
    let all = find::users(&clients.fabric, found.id).await?;
    let rows = all.iter().map(|one| {
        let id = one.principal.id.to_string();
        let name = one.principal.display_name.clone().unwrap_or_else(|| id.clone());
        vec![name, one.principal.kind.to_string(), one.role.to_string(), id]
    });
    let text = table(&["Principal", "Type", "Role", "ID"], rows);
    tell(app, &text, all.iter().map(|one| json!(one)).collect())
}

fn shown(one: &Workspace) -> String {
    let line = "=".repeat(60);
    let capacity = one.capacity_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let description = one_line(one.description.as_deref().unwrap_or_default());
    let name = one_line(&one.display_name);
    format!(
        "{line}\nWorkspace: {name}\nID: {}\nType: {}\nCapacity: {capacity}\nDescription: {description}\n{line}",
        one.id,
        kind(one)
    )
}

fn kind(one: &Workspace) -> &str {
    one.kind.as_deref().unwrap_or("Workspace")
}
