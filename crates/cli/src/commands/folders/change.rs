//! `folders create`, `move`, `delete` and `move-items`: each looks, makes a plan of it, and has that made true.

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Receipt, Ref};
use selvedge_deployment::desired::FolderPath;
use selvedge_deployment::live::LiveFolder;
use selvedge_fabric_client::items::{Item, ItemType};
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_rollback::Plan;
use serde_json::{Value, json};

use super::tree::{Tree, depth, leads_into, within};
use super::{at, below, exists, find, kept, shown, tell};
use crate::args::{CreateFolderArgs, DeleteFolderArgs, FoldersArgs, MoveFolderArgs, MoveItemsArgs};
use crate::commands::confirm;
use crate::commands::transact::{Session, Task};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

pub(super) async fn create(app: &App, create: &CreateFolderArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    const TRIED: &str = "create a folder";
    kept(FolderPath::new(vec![create.name.clone()]), TRIED)?;
    let session = Session::open(app).await?;
    if create.description.is_some() {
        session.progress.note("--description has no effect: folders have no description");
    }
    let fabric = &session.clients.fabric;
    let workspace = args.place(fabric).await?;
    let all = find::folders(fabric, workspace.id).await?;
    let parent = create.parent.as_ref().map(|word| find::folder(&all, word)).transpose()?;
    let path = kept(FolderPath::parse(&below(parent, &create.name)), TRIED)?.to_string();
    if let Some(has) = at(&all, &path) {
        return Err(exists(has, TRIED));
    }
    let mut plan = Plan::default();
    let change = Change::CreateFolder {
        workspace: Ref::Id(workspace.id),
        parent: parent.map(|parent| Ref::Id(parent.id)),
        name: create.name.clone(),
        path: path.clone(),
    };
    let made = plan.push(change, []);
    let receipts = session.make(Task::within(&workspace, plan, format!("create folder {path}"))).await?;
    let Some(Receipt::Folder { id }) = receipts.get(&made) else {
        return Err(anyhow!("the folder that was made has no id"));
    };
    let folder = LiveFolder { id: *id, path };
    let text = format!("✓ Created folder: {}\n  ID: {id}", one_line(&folder.path));
    let value = shown(&all, &folder);
    ended(app, &session, &workspace, create.show_tree, text, value).await
}

pub(super) async fn relocate(app: &App, to: &MoveFolderArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    const TRIED: &str = "move a folder";
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let workspace = args.place(fabric).await?;
    let all = find::folders(fabric, workspace.id).await?;
    let folder = find::folder(&all, &to.folder)?;
    let parent = to.parent.as_ref().map(|word| find::folder(&all, word)).transpose()?;
    let path = below(parent, find::name_of(&folder.path));
    if let Some(parent) = parent.filter(|parent| leads_into(&all, &parent.path, folder)) {
        let problem = anyhow!("'{}' is the folder itself, or in it", parent.path);
        return Err(problem.context(ExitWith::usage(TRIED).help("name a folder outside of it")));
    }
    let levels = within(&all, folder).first().map_or(0, |deepest| depth(&deepest.path) - depth(&folder.path));
    if depth(&path) + levels > FolderPath::MAX_DEPTH {
        let problem =
            anyhow!("what is in '{}' would be deeper than {} levels", folder.path, FolderPath::MAX_DEPTH);
        return Err(problem.context(ExitWith::usage(TRIED)));
    }
    if let Some(has) = at(&all, &path).filter(|has| has.id != folder.id) {
        return Err(exists(has, TRIED));
    }
    let mut plan = Plan::default();
    if path != folder.path {
        plan.push(
            Change::MoveFolder {
                workspace: workspace.id,
                folder: folder.id,
                to: parent.map(|parent| Ref::Id(parent.id)),
                path: folder.path.clone(),
                target: path.clone(),
            },
            [],
        );
    }
    session.make(Task::within(&workspace, plan, format!("move folder {}", folder.path))).await?;
    let moved = LiveFolder { id: folder.id, path };
    let text = format!("✓ Moved folder: {} to {}", one_line(&folder.path), one_line(&moved.path));
    let value = shown(&all, &moved);
    ended(app, &session, &workspace, to.show_tree, text, value).await
}

pub(super) async fn delete(app: &App, delete: &DeleteFolderArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let workspace = args.place(fabric).await?;
    let all = find::folders(fabric, workspace.id).await?;
    let folder = find::folder(&all, &delete.folder)?;
    let inside = within(&all, folder);
    let held = held(find::items(fabric, workspace.id).await?, &inside);
    let (folders, items) = (inside.len() - 1, held.len());
    if folders + items > 0 && !delete.force {
        let problem = anyhow!("it contains {} and {}", counted(folders, "folder"), counted(items, "item"));
        let help = "add --force to delete it with what it contains";
        return Err(problem.context(ExitWith::usage(format!("delete folder {}", folder.path)).help(help)));
    }
    let mut preview = format!("Folder: {} ({})\n", one_line(&folder.path), folder.id);
    for inside in inside.iter().rev().skip(1) {
        preview.push_str(&format!("  {}\n", one_line(&inside.path)));
    }
    for item in &held {
        preview.push_str(&format!("  {} {}\n", item.kind, one_line(&item.display_name)));
    }
    preview.push_str("This cannot be undone.");
    if !confirm::typed(app, &preview, "DELETE")? {
        return tell(app, "Deletion cancelled", json!({ "deleted": [] }));
    }
    let plan = deletions(&workspace, &inside, &held);
    session.make(Task::within(&workspace, plan, format!("delete folder {}", folder.path))).await?;
    let text = format!("✓ Deleted folder: {}", one_line(&folder.path));
    let gone: Vec<_> = inside.iter().rev().map(|folder| shown(&all, folder)).collect();
    let value = json!({ "deleted": gone, "items": held.iter().map(|item| item.id).collect::<Vec<_>>() });
    ended(app, &session, &workspace, delete.show_tree, text, value).await
}

/// What these folders hold. An endpoint goes with its store, which goes last: it takes with it what came along.
fn held(all: Vec<Item>, folders: &[&LiveFolder]) -> Vec<Item> {
    const STORES: [&str; 5] = ["Lakehouse", "Warehouse", "SQLDatabase", "MirroredDatabase", "Eventhouse"];
    let is_in = |item: &Item| folders.iter().any(|folder| Some(folder.id) == item.folder_id);
    let mut held: Vec<_> =
        all.into_iter().filter(|item| is_in(item) && item.kind != ItemType::SQL_ENDPOINT).collect();
    held.sort_by_key(|item| STORES.contains(&item.kind.as_str()));
    held
}

/// One after the other: no folder goes before what it holds.
fn deletions(workspace: &Workspace, folders: &[&LiveFolder], items: &[Item]) -> Plan<Change> {
    let mut plan = Plan::default();
    let mut before = None;
    for item in items {
        let (item_type, name) = (item.kind.to_string(), item.display_name.clone());
        let change = Change::DeleteItem { workspace: workspace.id, item: item.id, item_type, name };
        before = Some(plan.push(change, before));
    }
    for folder in folders {
        let (name, path) = (find::name_of(&folder.path).to_owned(), folder.path.clone());
        let change = Change::DeleteFolder { workspace: workspace.id, folder: folder.id, name, path };
        before = Some(plan.push(change, before));
    }
    plan
}

pub(super) async fn move_items(app: &App, to: &MoveItemsArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let workspace = args.place(fabric).await?;
    let folders = find::folders(fabric, workspace.id).await?;
    let target = match to.folder.as_str() {
        "/" => None,
        word => Some(find::folder(&folders, word)?),
    };
    let all = find::items(fabric, workspace.id).await?;
    let mut items: Vec<&Item> = Vec::new();
    for word in to.items.iter().map(|word| word.trim()).filter(|word| !word.is_empty()) {
        let item = find::select(&all, &folders, word, None).map_err(find::Miss::into_error)?;
        if items.iter().all(|known| known.id != item.id) {
            items.push(item);
        }
    }
    let path = target.map_or_else(|| "/".to_owned(), |folder| folder.path.clone());
    let mut plan = Plan::default();
    for item in items.iter().filter(|item| item.folder_id != target.map(|folder| folder.id)) {
        plan.push(
            Change::MoveItem {
                workspace: workspace.id,
                item: item.id,
                item_type: item.kind.to_string(),
                name: item.display_name.clone(),
                to: target.map(|folder| Ref::Id(folder.id)),
                target: path.clone(),
            },
            [],
        );
    }
    let moved = plan.len();
    session.make(Task::within(&workspace, plan, format!("move items to {path}"))).await?;
    let value = json!({
        "moved": moved,
        "items": items.iter().map(|item| item.id).collect::<Vec<_>>(),
        "folder": target.map(|folder| shown(&folders, folder)),
    });
    tell(app, &format!("✓ Moved {} to {}", counted(moved, "item"), one_line(&path)), value)
}

/// Tells what came of it, and draws the folders where that is asked for.
pub(super) async fn ended(
    app: &App,
    session: &Session<'_>,
    workspace: &Workspace,
    show_tree: bool,
    mut text: String,
    mut value: Value,
) -> anyhow::Result<u8> {
    if show_tree {
        let folders = find::folders(&session.clients.fabric, workspace.id).await;
        match folders {
            Ok(folders) => {
                let tree = Tree { folders: &folders, items: None };
                text.push_str(&format!("\n\n{}", tree.draw(&workspace.display_name)));
                value["tree"] = tree.value();
            }
            // What was asked for is done.
            Err(error) => session.progress.note(&format!("the folders cannot be drawn: {error:#}")),
        }
    }
    value["workspaceId"] = json!(workspace.id);
    tell(app, &text, value)
}
