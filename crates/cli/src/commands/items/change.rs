//! `items create` and `update`: each looks, makes a plan of it, and has that made true.

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Receipt, Ref};
use selvedge_deployment::config::{self, NewItem};
use selvedge_deployment::definition::Definition;
use selvedge_deployment::target::from_wire;
use selvedge_fabric_client::items::{self, Item};
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_rollback::Plan;

use super::{content, find, shown_in, tell};
use crate::args::{CreateItemArgs, UpdateItemArgs};
use crate::commands::deploy::prepare::invalid;
use crate::commands::transact::{Session, Task};
use crate::exit;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn create(app: &App, args: &CreateItemArgs, workspace: Option<&str>) -> anyhow::Result<u8> {
    let named = workspace.ok_or_else(find::no_workspace)?;
    let session = Session::open(app).await?;
    let wanted = NewItem {
        kind: ("--type", &args.kind),
        name: Some(("--name", &args.name)),
        description: args.description.as_deref().map(|text| ("--description", text)),
        definition: Some(("--definition-file", args.definition_file.is_some())),
    };
    let kind = checked(app, &session, wanted)?;
    let definition = args.definition_file.as_deref().map(|file| content::load(&kind, file)).transpose()?;
    let fabric = &session.clients.fabric;
    let workspace = find::workspace(fabric, named).await?;
    let (id, name) = (workspace.id, &args.name);
    if let Some(has) = named_so(&find::items(fabric, id).await?, &kind, name) {
        return Err(taken(has, "create an item"));
    }
    let folder = match &args.folder {
        Some(word) => Some(Ref::Id(find::folder(&find::folders(fabric, id).await?, word)?.id)),
        None => None,
    };
    let mut plan = Plan::default();
    let change = Change::CreateItem {
        workspace: Ref::Id(id),
        folder,
        item_type: kind.clone(),
        name: name.clone(),
        description: args.description.clone(),
        definition,
    };
    let made = plan.push(change, []);
    let task = Task::within(&workspace, plan, format!("create {kind} {name}"));
    let receipts = session.make(task).await?;
    let Some(Receipt::Item { id }) = receipts.get(&made) else {
        return Err(anyhow!("the item that was made has no id"));
    };
    let live = fabric.send(items::get(workspace.id, *id)).await.map_err(find::unread)?;
    let text = format!("✓ Created item: {}\n  ID: {id}\n  Type: {kind}", one_line(name));
    tell(app, &text, shown_in(&live, &workspace))
}

pub(super) async fn update(app: &App, args: &UpdateItemArgs, workspace: Option<&str>) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let (workspace, item) = args.named.find(fabric, workspace).await?;
    let kind = item.kind.to_string();
    let to = args.new_name.as_ref().filter(|to| **to != item.display_name);
    let given = NewItem {
        kind: ("--type", &kind),
        name: to.map(|name| ("--new-name", name.as_str())),
        description: args.description.as_deref().map(|text| ("--description", text)),
        definition: args.definition_file.as_ref().map(|_| ("--definition-file", true)),
    };
    checked(app, &session, given)?;
    let others = find::items(fabric, workspace.id).await?;
    let others = to.and_then(|to| named_so(&others, &kind, to));
    if let Some(has) = others.filter(|has| has.id != item.id) {
        return Err(taken(has, "rename an item"));
    }
    let definition = match &args.definition_file {
        Some(file) => changed(&session, &workspace, &item, content::load(&kind, file)?).await?,
        None => None,
    };
    let plan = changes(&workspace, &item, args.description.as_ref(), definition, to);
    let words = format!("update {kind} {}", item.display_name);
    session.make(Task::within(&workspace, plan, words)).await?;
    let live = fabric.send(items::get(workspace.id, item.id)).await.map_err(find::unread)?;
    let text = format!("✓ Updated item: {}", one_line(&live.display_name));
    tell(app, &text, shown_in(&live, &workspace))
}

/// What is to be changed, one after the other: the name last, so that what comes before it is told by the name that was given.
fn changes(
    workspace: &Workspace,
    item: &Item,
    description: Option<&String>,
    definition: Option<Definition>,
    to: Option<&String>,
) -> Plan<Change> {
    let (workspace, id) = (workspace.id, item.id);
    let (item_type, name) = (item.kind.to_string(), item.display_name.clone());
    let mut plan = Plan::default();
    let mut before = None;
    let is_new = |text: &&String| **text != item.description.as_deref().unwrap_or_default();
    if let Some(description) = description.filter(is_new) {
        let (item_type, name, description) = (item_type.clone(), name.clone(), description.clone());
        before =
            Some(plan.push(Change::DescribeItem { workspace, item: id, item_type, name, description }, []));
    }
    if let Some(definition) = definition {
        let (item_type, name) = (item_type.clone(), name.clone());
        let change = Change::UpdateDefinition { workspace, item: id, item_type, name, definition };
        before = Some(plan.push(change, before));
    }
    if let Some(to) = to {
        plan.push(Change::RenameItem { workspace, item: id, item_type, name, to: to.clone() }, before);
    }
    plan
}

/// The content, where the item does not have it yet.
async fn changed(
    session: &Session<'_>,
    workspace: &Workspace,
    item: &Item,
    wanted: Definition,
) -> anyhow::Result<Option<Definition>> {
    let call = items::get_definition(workspace.id, item.id, wanted.format.as_deref());
    let live = session.clients.fabric.run(call).await.map_err(find::unread)?;
    Ok((!from_wire(live)?.same_meaning(&wanted)).then_some(wanted))
}

/// The type as Fabric spells it, of an item that keeps the rules.
fn checked(app: &App, session: &Session<'_>, item: NewItem<'_>) -> anyhow::Result<String> {
    let variables = |name: &str| app.environment.variable(name);
    let checked = config::check_item(&app.root, item, &variables);
    let (kind, warnings) = checked.map_err(|problems| invalid(&problems))?;
    warnings.iter().for_each(|warning| session.progress.warn(warning));
    Ok(kind)
}

fn named_so<'i>(all: &'i [Item], kind: &str, name: &str) -> Option<&'i Item> {
    let lower = name.to_lowercase();
    all.iter().find(|item| item.kind.as_str() == kind && item.display_name.to_lowercase() == lower)
}

fn taken(has: &Item, tried: &str) -> anyhow::Error {
    let problem = anyhow!("{} '{}' already exists: {}", has.kind, has.display_name, has.id);
    problem.context(ExitWith::new(exit::FAILED, tried).help("run `selvedge items update` to change it"))
}
