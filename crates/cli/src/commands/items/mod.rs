//! `selvedge items`: the predecessor's `manage_fabric_items.py`, by Fabric's API as it is.
//!
//! What only looks is in `look.rs`, what makes and changes in `change.rs`, what removes in `remove.rs`: plans of changes, made true as those of
//! a deployment are.

mod change;
mod content;
mod look;
mod remove;

use selvedge_fabric_client::Client;
use selvedge_fabric_client::items::Item;
use selvedge_fabric_client::workspaces::Workspace;
use serde_json::{Value, json};

use super::find;
use super::tell::tell;
use crate::args::{ItemNamed, ItemsAction, ItemsArgs};
use crate::run::App;

/// Runs the sub-command.
///
/// # Errors
///
/// What stands in its way.
pub(crate) async fn run(app: &App, args: &ItemsArgs) -> anyhow::Result<u8> {
    let workspace = args.workspace.as_deref();
    match &args.action {
        ItemsAction::List(args) => look::list(app, args, workspace).await,
        ItemsAction::Get(named) => look::get(app, named, workspace).await,
        ItemsAction::GetDefinition(args) => look::definition(app, args, workspace).await,
        ItemsAction::Create(args) => change::create(app, args, workspace).await,
        ItemsAction::Update(args) => change::update(app, args, workspace).await,
        ItemsAction::Delete(args) => remove::delete(app, args, workspace).await,
        ItemsAction::BulkDelete(args) => remove::bulk(app, args, workspace).await,
    }
}

impl ItemNamed {
    /// The item, and the workspace that it is in.
    async fn find(&self, fabric: &Client, workspace: Option<&str>) -> anyhow::Result<(Workspace, Item)> {
        let id = self.item_id.map(|id| id.to_string());
        // Only a path can name a workspace, too: a name may hold a slash itself.
        let (workspace, word) = match &self.item {
            Some(path) => find::within(fabric, workspace, Some(path)).await?,
            None => {
                let named = workspace.ok_or_else(find::no_workspace)?;
                (find::workspace(fabric, named).await?, self.item_name.as_deref().or(id.as_deref()))
            }
        };
        let item = find::item(fabric, &workspace, word.unwrap_or_default(), self.kind.as_deref()).await?;
        Ok((workspace, item))
    }
}

/// An item with the members that the predecessor gave it. Fabric tells no dates.
fn shown(item: &Item) -> Value {
    json!({
        "id": item.id,
        "displayName": item.display_name,
        "type": item.kind,
        "description": item.description,
        "createdDate": null,
        "modifiedDate": null,
        "folderId": item.folder_id,
    })
}

/// The same, with its workspace.
fn shown_in(item: &Item, workspace: &Workspace) -> Value {
    let mut value = shown(item);
    value["workspaceId"] = json!(workspace.id);
    value
}
