//! `selvedge folders`: the predecessor's `tools/manage_fabric_folders.py`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use selvedge_deployment::config::Template;
use selvedge_fabric_client::WorkspaceId;

/// `selvedge folders`
#[derive(Debug, Args)]
pub(crate) struct FoldersArgs {
    /// The workspace's name or id
    #[arg(long, short, global = true, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// The workspace's id; where --workspace is given as well, both have to mean the same
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) workspace_id: Option<WorkspaceId>,
    /// The same as --output json
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: FoldersAction,
}

/// What to do with folders.
#[derive(Debug, Subcommand)]
pub(crate) enum FoldersAction {
    /// List the folders of a workspace
    List(ListFoldersArgs),
    /// Draw the folders of a workspace
    Tree(TreeArgs),
    /// List the templates of create-structure
    ListTemplates,
    /// Create a folder
    Create(CreateFolderArgs),
    /// Move a folder, with all that is in it
    Move(MoveFolderArgs),
    /// Delete a folder
    Delete(DeleteFolderArgs),
    /// Create the folders of a template or of a file that are not there yet
    CreateStructure(StructureArgs),
    /// Move items into a folder
    MoveItems(MoveItemsArgs),
}

/// `selvedge folders list`
#[derive(Debug, Args)]
pub(crate) struct ListFoldersArgs {
    /// Only those at the top
    #[arg(long)]
    pub(crate) top_level: bool,
    /// Show the names of the folders in each
    #[arg(long)]
    pub(crate) show_children: bool,
}

/// `selvedge folders tree`
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// Show the items as well
    #[arg(long)]
    pub(crate) show_items: bool,
}

/// `selvedge folders create`
#[derive(Debug, Args)]
pub(crate) struct CreateFolderArgs {
    /// The folder's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The folder to make it in: its path, id or name
    #[arg(long, alias = "parent-id", value_name = "FOLDER")]
    pub(crate) parent: Option<String>,
    /// Has no effect: folders have no description. It is taken for the sake of existing pipelines
    #[arg(long, value_name = "TEXT", hide = true)]
    pub(crate) description: Option<String>,
    /// Draw the folders afterwards
    #[arg(long)]
    pub(crate) show_tree: bool,
}

/// `selvedge folders move`
#[derive(Debug, Args)]
pub(crate) struct MoveFolderArgs {
    /// The folder: its path, id or name
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: String,
    /// The folder to move it into; without it, to the top
    #[arg(long, value_name = "FOLDER")]
    pub(crate) parent: Option<String>,
    /// Draw the folders afterwards
    #[arg(long)]
    pub(crate) show_tree: bool,
}

/// `selvedge folders delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteFolderArgs {
    /// The folder: its path, id or name
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: String,
    /// Delete it with the folders and items that it holds
    #[arg(long)]
    pub(crate) force: bool,
    /// Draw the folders afterwards
    #[arg(long)]
    pub(crate) show_tree: bool,
}

/// `selvedge folders create-structure`
#[derive(Debug, Args)]
pub(crate) struct StructureArgs {
    /// The template: medallion, data-science, departmental or basic
    #[arg(long, value_name = "TEMPLATE", required_unless_present = "config", value_parser = template)]
    pub(crate) template: Option<Template>,
    /// A YAML or JSON file that lists the folders
    #[arg(long, value_name = "FILE", conflicts_with = "template")]
    pub(crate) config: Option<PathBuf>,
    /// Show what would be made, and make nothing. Without a workspace, show the structure
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Draw the folders afterwards
    #[arg(long)]
    pub(crate) show_tree: bool,
    /// Write the id of each folder to this file, as JSON; `--output FILE` does the same
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `selvedge folders move-items`
#[derive(Debug, Args)]
pub(crate) struct MoveItemsArgs {
    /// The folder to move them into: its path, id or name; `/` for the top
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: String,
    /// The items: ids, names, Name.Type or Folder/Name.Type, with commas between
    #[arg(long, value_name = "ITEMS", value_delimiter = ',', required = true)]
    pub(crate) items: Vec<String>,
}

fn template(name: &str) -> Result<Template, String> {
    let names = Template::ALL.map(|template| template.name).join(", ");
    let found = Template::ALL.into_iter().find(|template| template.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| format!("use one of {names}"))
}
