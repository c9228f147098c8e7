//! `selvedge folders`: the predecessor's `tools/manage_fabric_folders.py`, by Fabric's API as it is.
//!
//! What only looks is in `look.rs`, what changes something in `change.rs` and `structure.rs`: plans of changes, made true as those of a
//! deployment are. What a workspace's folders look like is in `tree.rs`.

mod change;
mod look;
mod structure;
mod tree;

use anyhow::anyhow;
use selvedge_deployment::desired::{FolderPath, FolderPathError};
use selvedge_deployment::live::LiveFolder;
use selvedge_fabric_client::Client;
use selvedge_fabric_client::workspaces::Workspace;
use serde_json::{Value, json};

use super::find;
use super::tell::tell;
use crate::args::{FoldersAction, FoldersArgs};
use crate::exit;
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;

/// The variable that beat `--workspace` in the predecessor.
const VARIABLE: &str = "FABRIC_WORKSPACE_ID";

/// Runs the sub-command.
///
/// # Errors
///
/// What stands in its way.
pub(crate) async fn run(app: &App, args: &FoldersArgs) -> anyhow::Result<u8> {
    if app.environment.set(VARIABLE).is_some() {
        let note = format!("{VARIABLE} has no effect: the command line says which workspace is meant");
        Progress::of_command(app).note(&note);
    }
    match &args.action {
        FoldersAction::List(list) => look::list(app, list, args).await,
        FoldersAction::Tree(tree) => look::tree(app, tree, args).await,
        FoldersAction::ListTemplates => look::templates(app),
        FoldersAction::Create(create) => change::create(app, create, args).await,
        FoldersAction::Move(to) => change::relocate(app, to, args).await,
        FoldersAction::Delete(delete) => change::delete(app, delete, args).await,
        FoldersAction::CreateStructure(structure) => structure::create(app, structure, args).await,
        FoldersAction::MoveItems(items) => change::move_items(app, items, args).await,
    }
}

impl FoldersArgs {
    fn names_a_workspace(&self) -> bool {
        self.workspace.is_some() || self.workspace_id.is_some()
    }

    /// The workspace that both options mean.
    async fn place(&self, fabric: &Client) -> anyhow::Result<Workspace> {
        let id = self.workspace_id.map(|id| id.to_string());
        let Some(word) = self.workspace.as_ref().or(id.as_ref()) else {
            return Err(find::no_workspace());
        };
        let found = find::workspace(fabric, word).await?;
        match self.workspace_id {
            Some(id) if id != found.id => {
                let problem = anyhow!("--workspace is {}, and --workspace-id another", found.id);
                Err(problem.context(ExitWith::usage("find the workspace").help("give one of the two")))
            }
            _ => Ok(found),
        }
    }
}

/// A path that keeps Fabric's rules for names and depth.
fn kept(path: Result<FolderPath, FolderPathError>, tried: &str) -> anyhow::Result<FolderPath> {
    path.map_err(|error| anyhow::Error::from(error).context(ExitWith::usage(tried)))
}

/// The path of what is called `name` in the folder at `parent`.
fn below(parent: Option<&LiveFolder>, name: &str) -> String {
    parent.map_or_else(|| name.to_owned(), |parent| format!("{}/{name}", parent.path))
}

/// The folder at a path, in any case.
fn at<'f>(all: &'f [LiveFolder], path: &str) -> Option<&'f LiveFolder> {
    let lower = path.to_lowercase();
    all.iter().find(|folder| folder.path.to_lowercase() == lower)
}

/// The path of the folder that a folder is in.
fn parent_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}

fn exists(has: &LiveFolder, tried: &str) -> anyhow::Error {
    let problem = anyhow!("Folder '{}' already exists: {}", has.path, has.id);
    problem.context(ExitWith::new(exit::FAILED, tried))
}

/// A folder with the members that Fabric gives it, and its path.
fn shown(all: &[LiveFolder], folder: &LiveFolder) -> Value {
    let parent = parent_of(&folder.path).and_then(|path| at(all, path));
    json!({
        "id": folder.id,
        "displayName": find::name_of(&folder.path),
        "parentFolderId": parent.map(|parent| parent.id),
        "path": folder.path,
    })
}
