//! `selvedge items`: the predecessor's `manage_fabric_items.py`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use selvedge_fabric_client::ItemId;

/// `selvedge items`
#[derive(Debug, Args)]
pub(crate) struct ItemsArgs {
    /// The workspace's name or id; a path of an item may begin with it instead
    #[arg(long, short, global = true, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// The same as --output json
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: ItemsAction,
}

/// What to do with items.
#[derive(Debug, Subcommand)]
pub(crate) enum ItemsAction {
    /// List the items of a workspace
    List(ListItemsArgs),
    /// Show an item
    Get(ItemNamed),
    /// Show the content of an item, or write it to a file
    GetDefinition(GetDefinitionArgs),
    /// Create an item
    Create(CreateItemArgs),
    /// Change the name, the description or the content of an item
    Update(UpdateItemArgs),
    /// Delete an item
    Delete(DeleteItemArgs),
    /// Delete several items, one by one
    BulkDelete(BulkDeleteArgs),
}

/// Names one item.
#[derive(Debug, Args)]
pub(crate) struct ItemNamed {
    /// The item: its id, name, Name.Type or Folder/Name.Type, with the workspace in front unless --workspace names it
    #[arg(value_name = "ITEM", required_unless_present_any = ["item_name", "item_id"])]
    pub(crate) item: Option<String>,
    /// The item's name
    #[arg(long, alias = "name", value_name = "NAME", conflicts_with = "item")]
    pub(crate) item_name: Option<String>,
    /// The item's id
    #[arg(long, value_name = "ID", conflicts_with_all = ["item", "item_name"], value_parser = id)]
    pub(crate) item_id: Option<ItemId>,
    /// The item's type, where several have the name
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
}

/// `selvedge items list`
#[derive(Debug, Args)]
pub(crate) struct ListItemsArgs {
    /// The workspace's name or id
    #[arg(value_name = "WORKSPACE", conflicts_with = "workspace")]
    pub(crate) of: Option<String>,
    /// Only items of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
}

/// `selvedge items get-definition`
#[derive(Debug, Args)]
pub(crate) struct GetDefinitionArgs {
    #[command(flatten)]
    pub(crate) named: ItemNamed,
    /// The format, where the type has several: ipynb
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// Write it to this file, as the API carries it; `--output FILE` does the same
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// `selvedge items create`
#[derive(Debug, Args)]
pub(crate) struct CreateItemArgs {
    /// The item's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Its type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: String,
    /// Its description
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Its content: a file, a folder as Git has it, or what get-definition wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) definition_file: Option<PathBuf>,
    /// The folder to put it in: its path, id or name
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<String>,
}

/// `selvedge items update`
#[derive(Debug, Args)]
pub(crate) struct UpdateItemArgs {
    #[command(flatten)]
    pub(crate) named: ItemNamed,
    /// Its new name
    #[arg(long, value_name = "NAME", required_unless_present_any = ["description", "definition_file"])]
    pub(crate) new_name: Option<String>,
    /// Its new description
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Its new content: a file, a folder as Git has it, or what get-definition wrote
    #[arg(long, value_name = "FILE")]
    pub(crate) definition_file: Option<PathBuf>,
}

/// `selvedge items delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteItemArgs {
    #[command(flatten)]
    pub(crate) named: ItemNamed,
    /// Do not ask: the same as --yes
    #[arg(long)]
    pub(crate) force: bool,
}

/// `selvedge items bulk-delete`
#[derive(Debug, Args)]
pub(crate) struct BulkDeleteArgs {
    /// The items: ids, names or Name.Type
    #[arg(long, value_name = "ITEM", num_args = 1.., required_unless_present_any = ["file", "kind"])]
    pub(crate) ids: Vec<String>,
    /// A file with an item on each line; what follows a # is not read
    #[arg(long, value_name = "FILE", conflicts_with = "ids")]
    pub(crate) file: Option<PathBuf>,
    /// All items of this type
    #[arg(long = "type", value_name = "TYPE", conflicts_with_all = ["ids", "file"])]
    pub(crate) kind: Option<String>,
    /// Do not ask: the same as --yes
    #[arg(long)]
    pub(crate) force: bool,
}

fn id(text: &str) -> Result<ItemId, String> {
    text.parse().map_err(|_| "it is not an id; give a name with --item-name".to_owned())
}
