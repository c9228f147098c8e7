//! What changes workspaces: each sub-command looks, makes a plan of it, and has that made true.

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Made as _, Ref};
use selvedge_deployment::config;
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{Client, WorkspaceId};
use selvedge_rollback::Plan;
use serde_json::json;

use super::{find, said, tell};
use crate::args::{AssignCapacityArgs, CreateArgs, Env, UpdateArgs};
use crate::commands::confirm;
use crate::commands::deploy::prepare::invalid;
use crate::commands::transact::{Session, Task};
use crate::exit;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

pub(super) async fn create(app: &App, args: &CreateArgs, environment: Option<Env>) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let environment = environment.map(Env::name);
    let name = match environment {
        Some(environment) => named(app, &session, &args.name, environment)?,
        None => args.name.clone(),
    };
    if args.capacity_type.is_some() {
        session.progress.note("--capacity-type has no effect: a capacity has its size");
    }
    let fabric = &session.clients.fabric;
    refuse_taken(fabric, std::slice::from_ref(&name)).await?;
    let capacity = match &args.capacity_id {
        Some(word) => Some(find::capacity(fabric, word).await?.id),
        None => None,
    };
    let description = args
        .description
        .clone()
        .unwrap_or_else(|| format!("Workspace for {} environment", environment.unwrap_or("general")));
    let mut plan = Plan::default();
    let create = Change::CreateWorkspace { name: name.clone(), description: Some(description) };
    let made = plan.push(create, []);
    if let Some(capacity) = capacity {
        plan.push(Change::AssignCapacity { workspace: Ref::Step(made), capacity }, [made]);
    }
    let words = format!("create workspace {name}");
    let receipts = session.make(Task { plan, workspaces: vec![name.clone()], environment, words }).await?;
    let id = receipts.get(&made).and_then(WorkspaceId::in_receipt);
    let Some(id) = id else { return Err(anyhow!("the workspace that was made has no id")) };
    let live = fabric.send(workspaces::get(id)).await.map_err(find::unread)?;
    tell(app, &format!("✓ Created workspace: {}\n  ID: {id}", one_line(&name)), said(json!(live)))
}

pub(super) async fn update(app: &App, args: &UpdateArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let (id, name) = (found.id, found.display_name.clone());
    let mut plan = Plan::default();
    let described = args.description.as_ref().filter(|text| found.description.as_ref() != Some(*text));
    let before = described.map(|description| {
        let (name, description) = (name.clone(), description.clone());
        plan.push(Change::DescribeWorkspace { workspace: id, name, description }, Vec::new())
    });
    if let Some(to) = args.name.as_ref().filter(|to| **to != name) {
        let rename = Change::RenameWorkspace { workspace: id, name: name.clone(), to: to.clone() };
        plan.push(rename, before);
    }
    let workspaces = std::iter::once(name.clone()).chain(args.name.clone()).collect();
    let words = format!("update workspace {name}");
    session.make(Task { plan, workspaces, environment: None, words }).await?;
    let live = session.clients.fabric.send(workspaces::get(id)).await.map_err(find::unread)?;
    tell(app, &format!("✓ Updated workspace: {}", one_line(&live.display_name)), said(json!(live)))
}

pub(super) async fn assign(app: &App, args: &AssignCapacityArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let found = find::workspace(fabric, &args.workspace).await?;
    let capacity = find::capacity(fabric, &args.capacity).await?;
    let mut plan = Plan::default();
    if found.capacity_id != Some(capacity.id) {
        let change = Change::AssignCapacity { workspace: Ref::Id(found.id), capacity: capacity.id };
        plan.push(change, []);
    }
    let words = format!("assign workspace {} to a capacity", found.display_name);
    let live = session.make_and_read(&found, plan, words).await?;
    tell(app, &format!("✓ Assigned to capacity: {}", capacity.id), said(json!(live)))
}

pub(super) async fn unassign(app: &App, workspace: &str) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, workspace).await?;
    if found.capacity_id.is_none() {
        return tell(app, "Workspace has no capacity assigned", said(json!(found)));
    }
    let name = found.display_name.clone();
    let preview =
        format!("Workspace {} leaves its capacity: its Fabric items stop to work.", one_line(&name));
    if !confirm::typed(app, &preview, "yes")? {
        return tell(app, "Cancelled", said(json!(found)));
    }
    let mut plan = Plan::default();
    plan.push(Change::UnassignCapacity { workspace: found.id, name: name.clone() }, []);
    let live = session.make_and_read(&found, plan, format!("take workspace {name} off its capacity")).await?;
    tell(app, "✓ Unassigned from its capacity", said(json!(live)))
}

/// The name that the project's files make of `base`.
pub(super) fn named(
    app: &App,
    session: &Session<'_>,
    base: &str,
    environment: &str,
) -> anyhow::Result<String> {
    let variables = |name: &str| app.environment.variable(name);
    let named = config::workspace_name(&app.root, base, environment, &variables);
    let (name, warnings) = named.map_err(|error| invalid(&error))?;
    warnings.iter().for_each(|warning| session.progress.warn(warning));
    Ok(name)
}

/// Names have to be free, and each for one workspace.
pub(super) async fn refuse_taken(fabric: &Client, names: &[String]) -> anyhow::Result<()> {
    let there = find::workspaces(fabric).await?;
    let lower = |name: &str| name.to_lowercase();
    let taken = names
        .iter()
        .filter(|name| there.iter().any(|one| lower(&one.display_name) == lower(name)))
        .map(|name| format!("Workspace '{name}' already exists"));
    let twice = names
        .iter()
        .enumerate()
        .filter(|(index, name)| names[..*index].iter().any(|before| lower(before) == lower(name)))
        .map(|(_, name)| format!("Workspace '{name}' would be created twice"));
    let problems: Vec<_> = taken.chain(twice).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let with = ExitWith::new(exit::FAILED, format!("create {}", counted(names.len(), "workspace")));
    Err(anyhow!(problems.join("\n")).context(with))
}

impl Session<'_> {
    /// Makes the plan true, which is about this workspace.
    pub(super) async fn make_in(
        &self,
        workspace: &Workspace,
        plan: Plan<Change>,
        words: String,
    ) -> anyhow::Result<()> {
        let workspaces = vec![workspace.display_name.clone()];
        self.make(Task { plan, workspaces, environment: None, words }).await.map(drop)
    }

    /// The same, and how the workspace is then.
    async fn make_and_read(
        &self,
        workspace: &Workspace,
        plan: Plan<Change>,
        words: String,
    ) -> anyhow::Result<Workspace> {
        self.make_in(workspace, plan, words).await?;
        self.clients.fabric.send(workspaces::get(workspace.id)).await.map_err(find::unread)
    }
}
