//! What changes workspaces: each sub-command looks, makes a plan of it, and has that made true.

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Made as _, Ref};
use selvedge_deployment::config;
use selvedge_deployment::desired::{DesiredRole, Location, PrincipalKind, PrincipalRef, Role};
use selvedge_deployment::principals;
use selvedge_fabric_client::roles::PrincipalType;
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{PrincipalId, WorkspaceId, items};
use selvedge_rollback::Plan;
use serde_json::json;

use super::{find, said, tell};
use crate::args::{
    AddUserArgs, AssignCapacityArgs, CreateArgs, DeleteArgs, Env, RemoveUserArgs, UpdateArgs, UpdateRoleArgs,
};
use crate::commands::confirm;
use crate::commands::deploy::prepare::{invalid, resolve_failed};
use crate::commands::transact::{Session, Task};
use crate::exit;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn create(app: &App, args: &CreateArgs, environment: Option<Env>) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let name = named(app, &session, &args.name, environment)?;
    if args.capacity_type.is_some() {
        session.progress.note("--capacity-type has no effect: a capacity has its size");
    }
    let fabric = &session.clients.fabric;
    let taken = find::workspaces(fabric).await?;
    if taken.iter().any(|one| one.display_name.to_lowercase() == name.to_lowercase()) {
        let problem = anyhow!("Workspace '{name}' already exists");
        return Err(problem.context(ExitWith::new(exit::FAILED, format!("create workspace {name}"))));
    }
    let capacity = match &args.capacity_id {
        Some(word) => Some(find::capacity(fabric, word).await?.id),
        None => None,
    };
    let general = environment.map_or("general", Env::name);
    let description =
        args.description.clone().unwrap_or_else(|| format!("Workspace for {general} environment"));
    let mut plan = Plan::default();
    let create = Change::CreateWorkspace { name: name.clone(), description: Some(description) };
    let made = plan.push(create, []);
    if let Some(capacity) = capacity {
        plan.push(Change::AssignCapacity { workspace: Ref::Step(made), capacity }, [made]);
    }
    let words = format!("create workspace {name}");
    let environment = environment.map(Env::name);
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

pub(super) async fn delete(app: &App, args: &DeleteArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let found = find::workspace(fabric, &args.workspace).await?;
    let (id, name) = (found.id, found.display_name.clone());
    let held = fabric.list_all(items::list(id)).await.map_err(find::unread)?;
    if !held.is_empty() && !args.force {
        let problem = anyhow!("it contains {} items", held.len());
        let help = "add --force to delete it with what it contains";
        return Err(problem.context(ExitWith::usage(format!("delete workspace {name}")).help(help)));
    }
    let mut preview = format!("Workspace: {} ({id})\nItems: {}\n", one_line(&name), held.len());
    for item in &held {
        preview.push_str(&format!("  {} {}\n", item.kind, one_line(&item.display_name)));
    }
    preview.push_str("This cannot be undone.");
    if !confirm::typed(app, &preview, "DELETE")? {
        return tell(app, "Deletion cancelled", json!({ "deleted": [] }));
    }
    let mut plan = Plan::default();
    plan.push(
        Change::DeleteWorkspace { workspace: id, name: name.clone(), with_items: args.force },
        Vec::new(),
    );
    let words = format!("delete workspace {name}");
    session.make(Task { plan, workspaces: vec![name], environment: None, words }).await?;
    tell(app, &format!("✓ Deleted workspace: {id}"), json!({ "deleted": [said(json!(found))] }))
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

pub(super) async fn add_user(app: &App, args: &AddUserArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let word = &args.principal;
    let principal = match word.parse() {
        Ok(id) => PrincipalRef::Id(id),
        Err(_) if word.contains('@') => PrincipalRef::Email(word.clone()),
        Err(_) => PrincipalRef::Name(word.clone()),
    };
    let at = Location { file: "PRINCIPAL".into(), line: None, column: None, key: String::new() };
    let wanted = DesiredRole { principal, kind: args.principal_type, role: args.role, at };
    let resolved = principals::resolve(&session.clients.graph, &[wanted]).await.map_err(resolve_failed)?;
    let users = find::users(&session.clients.fabric, found.id).await?;
    let mut plan = Plan::default();
    for role in resolved.roles {
        if let Some(has) = users.iter().find(|one| one.principal.id == role.principal) {
            let problem = anyhow!("'{word}' already has access to the workspace, as {}", has.role);
            let help = "run `selvedge workspaces update-role` to give another role";
            return Err(problem.context(ExitWith::new(exit::FAILED, "add a user").help(help)));
        }
        plan.push(
            Change::AddRole {
                workspace: Ref::Id(found.id),
                principal: role.principal,
                principal_kind: role.kind,
                role: role.role,
                label: role.label,
            },
            [],
        );
    }
    let words = format!("give {word} the role {}", args.role);
    session.make_in(&found, plan, words).await?;
    let (kind, role) = (args.principal_type, args.role);
    let value = json!({ "principal": word, "type": kind, "role": role, "workspace_id": found.id });
    tell(app, &format!("✓ Added {kind} '{}' with role '{role}'", one_line(word)), value)
}

pub(super) async fn remove_user(app: &App, args: &RemoveUserArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let has = find::holder(&session.clients, found.id, &args.principal).await?;
    refuse_self(&session, has.principal.id).await?;
    let mut plan = Plan::default();
    plan.push(
        Change::RemoveRole {
            workspace: found.id,
            principal: has.principal.id,
            principal_kind: kind(&has.principal.kind)?,
            label: args.principal.clone(),
        },
        Vec::new(),
    );
    session.make_in(&found, plan, format!("take the role of {} away", args.principal)).await?;
    let value = json!({ "removed": has, "workspace_id": found.id });
    tell(app, &format!("✓ Removed user '{}'", one_line(&args.principal)), value)
}

pub(super) async fn update_role(app: &App, args: &UpdateRoleArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let has = find::holder(&session.clients, found.id, &args.principal).await?;
    let mut plan = Plan::default();
    if has.role != args.role {
        if args.role != Role::Admin {
            refuse_self(&session, has.principal.id).await?;
        }
        let (principal, label) = (has.principal.id, args.principal.clone());
        let change = Change::ChangeRole { workspace: found.id, principal, role: args.role, label };
        plan.push(change, []);
    }
    let words = format!("change the role of {} to {}", args.principal, args.role);
    session.make_in(&found, plan, words).await?;
    let value = json!({ "principal": has.principal, "role": args.role, "workspace_id": found.id });
    tell(app, &format!("✓ Updated user '{}' to role '{}'", one_line(&args.principal), args.role), value)
}

/// Whoever takes its own rights away can neither go on nor go back.
async fn refuse_self(session: &Session<'_>, principal: PrincipalId) -> anyhow::Result<()> {
    let own = session.clients.identity.principal().await.ok().flatten();
    if own.is_some_and(|own| own.object == principal.to_string()) {
        let problem = anyhow!("it is the identity that this command runs as: it could not take it back");
        return Err(problem.context(ExitWith::usage("take rights away").help("sign in as another Admin")));
    }
    Ok(())
}

/// A kind that can be given its role back.
fn kind(kind: &PrincipalType) -> anyhow::Result<PrincipalKind> {
    let known = PrincipalKind::parse(kind.as_str());
    known.ok_or_else(|| {
        let problem = anyhow!("a {} could not be given its role back", kind.as_str());
        problem.context(ExitWith::usage("take a role away").help("do it in the portal"))
    })
}

/// The name that `base` stands for.
fn named(app: &App, session: &Session<'_>, base: &str, environment: Option<Env>) -> anyhow::Result<String> {
    let Some(environment) = environment else { return Ok(base.to_owned()) };
    let variables = |name: &str| app.environment.variable(name);
    let named = config::workspace_name(&app.root, base, environment.name(), &variables);
    let (name, warnings) = named.map_err(|error| invalid(&error))?;
    warnings.iter().for_each(|warning| session.progress.warn(warning));
    Ok(name)
}

impl Session<'_> {
    /// Makes the plan true, which is about this workspace.
    async fn make_in(&self, workspace: &Workspace, plan: Plan<Change>, words: String) -> anyhow::Result<()> {
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
