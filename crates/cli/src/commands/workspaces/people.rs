//! Who has which role: one principal at a time, those of a file, those of another workspace.

use std::path::absolute;

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Ref};
use selvedge_deployment::config;
use selvedge_deployment::desired::{DesiredRole, Location, PrincipalKind, PrincipalRef, Role};
use selvedge_deployment::live::ResolvedRole;
use selvedge_deployment::principals;
use selvedge_fabric_client::roles::{PrincipalType, RoleAssignment};
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_fabric_client::{PrincipalId, WorkspaceId};
use selvedge_rollback::Plan;
use serde_json::{Value, json};

use super::{find, said, tell};
use crate::args::{AddUserArgs, AddUsersFromFileArgs, CopyUsersArgs, RemoveUserArgs, UpdateRoleArgs};
use crate::commands::confirm;
use crate::commands::deploy::prepare::{invalid, resolve_failed};
use crate::commands::transact::Session;
use crate::exit;
use crate::render::table;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn add(app: &App, args: &AddUserArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let word = &args.principal;
    let wanted = [wanted("PRINCIPAL", word, args.principal_type, args.role)];
    let resolved = resolve(&session, &wanted).await?;
    let users = find::users(&session.clients.fabric, found.id).await?;
    let mut plan = Plan::default();
    for role in resolved {
        if let Some(has) = role_of(&users, role.principal) {
            let problem = anyhow!("'{word}' already has access to the workspace, as {has}");
            let help = "run `selvedge workspaces update-role` to give another role";
            return Err(problem.context(ExitWith::new(exit::FAILED, "add a user").help(help)));
        }
        plan.push(given(Ref::Id(found.id), role), []);
    }
    let words = format!("give {word} the role {}", args.role);
    session.make_in(&found, plan, words).await?;
    let (kind, role) = (args.principal_type, args.role);
    let value = json!({ "principal": word, "type": kind, "role": role, "workspace_id": found.id });
    tell(app, &format!("✓ Added {kind} '{}' with role '{role}'", one_line(word)), value)
}

pub(super) async fn remove(app: &App, args: &RemoveUserArgs) -> anyhow::Result<u8> {
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

pub(super) async fn update(app: &App, args: &UpdateRoleArgs) -> anyhow::Result<u8> {
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

pub(super) async fn add_from_file(app: &App, args: &AddUsersFromFileArgs) -> anyhow::Result<u8> {
    // Before anything is sent. A path on the command line is relative to where it was typed.
    let path = absolute(&args.file).unwrap_or_else(|_| args.file.clone());
    let (wanted, warnings) = config::principals_file(&path).map_err(|problems| invalid(&problems))?;
    if wanted.is_empty() {
        let problem = anyhow!("{} names nobody", args.file.display());
        return Err(problem.context(ExitWith::new(exit::FAILED, "add users from a file")));
    }
    let session = Session::open(app).await?;
    warnings.iter().for_each(|warning| session.progress.warn(warning));
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let users = find::users(&session.clients.fabric, found.id).await?;
    let resolved = resolve(&session, &wanted).await?;
    let rows: Vec<Row> = resolved.into_iter().map(|role| Row::new(role, &users)).collect();
    let text = Row::table(&rows);
    let value = |is_made: bool| Row::value(&rows, &found, is_made);
    if args.dry_run {
        return tell(app, &format!("{text}\n\nDRY RUN MODE - No principals will be added"), value(false));
    }
    for row in &rows {
        row.warn(&session);
    }
    let mut plan = Plan::default();
    for row in rows.iter().filter(|row| row.has.is_none()) {
        plan.push(given(Ref::Id(found.id), row.role.clone()), []);
    }
    if !plan.is_empty() && !confirm::agreed(app, &text, "Continue?")? {
        return tell(app, "Cancelled", value(false));
    }
    let words = format!("add users to workspace {}", found.display_name);
    session.make_in(&found, plan, words).await?;
    let added = rows.iter().filter(|row| row.has.is_none()).count();
    let summary = format!(
        "{text}\n\n📊 Summary:\n  Added: {added}\n  Already there: {}\n  Total: {}",
        rows.len() - added,
        rows.len()
    );
    tell(app, &summary, value(true))
}

pub(super) async fn copy(app: &App, args: &CopyUsersArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let source = find::workspace(fabric, &args.source).await?;
    let target = find::workspace(fabric, &args.target).await?;
    let (from, has) = (find::users(fabric, source.id).await?, find::users(fabric, target.id).await?);
    let (mut plan, mut copied, mut skipped) = (Plan::default(), Vec::new(), Vec::new());
    for one in from {
        let id = one.principal.id;
        let reason = match (role_of(&has, id), PrincipalKind::parse(one.principal.kind.as_str())) {
            (Some(role), _) if role == one.role => "already has this role".to_owned(),
            (Some(role), _) => format!("already has access, as {role}"),
            (None, None) => format!("a {} cannot be given a role", one.principal.kind.as_str()),
            (None, Some(kind)) => {
                let label = one.principal.display_name.clone().unwrap_or_else(|| id.to_string());
                plan.push(
                    Change::AddRole {
                        workspace: Ref::Id(target.id),
                        principal: id,
                        principal_kind: kind,
                        role: one.role,
                        label,
                    },
                    [],
                );
                copied.push(one);
                continue;
            }
        };
        skipped.push((one, reason));
    }
    let words = format!("copy users from {} to {}", source.display_name, target.display_name);
    session.make_in(&target, plan, words).await?;
    let label = |one: &RoleAssignment| {
        one.principal.display_name.clone().unwrap_or_else(|| one.principal.id.to_string())
    };
    let mut text = String::new();
    for one in &copied {
        text.push_str(&format!("✓ {} as {}\n", one_line(&label(one)), one.role));
    }
    for (one, reason) in &skipped {
        text.push_str(&format!("- {}: {reason}\n", one_line(&label(one))));
    }
    text.push_str(&format!("\n{} copied, {} skipped", copied.len(), skipped.len()));
    let success = copied.iter().map(|one| json!({ "principal_id": one.principal.id, "role": one.role }));
    let skipped = skipped
        .iter()
        .map(|(one, reason)| json!({ "principal_id": one.principal.id, "reason": reason }))
        .collect::<Vec<_>>();
    // All or nobody: whoever failed is not told here, but by the exit code.
    let value = json!({ "success": success.collect::<Vec<_>>(), "failed": [], "skipped": skipped });
    tell(app, &text, value)
}

/// A principal of a file, and the role that it has already.
struct Row {
    role: ResolvedRole,
    has: Option<Role>,
}

impl Row {
    fn new(role: ResolvedRole, users: &[RoleAssignment]) -> Self {
        let has = role_of(users, role.principal);
        Self { role, has }
    }

    fn warn(&self, session: &Session<'_>) {
        if let Some(has) = self.has.filter(|has| *has != self.role.role) {
            let (label, role) = (&self.role.label, self.role.role);
            session.progress.note(&format!(
                "{label} already has access as {has}: `selvedge workspaces update-role` makes it {role}"
            ));
        }
    }

    fn table(rows: &[Self]) -> String {
        let rows = rows.iter().map(|row| {
            let state = row.has.map_or_else(|| "new".to_owned(), |has| format!("has {has}"));
            let ResolvedRole { label, kind, role, .. } = &row.role;
            vec![label.clone(), kind.to_string(), role.to_string(), state]
        });
        table(&["Principal", "Type", "Role", "State"], rows)
    }

    fn value(rows: &[Self], workspace: &Workspace, is_made: bool) -> Value {
        let told = |row: &Self| {
            let ResolvedRole { principal, kind, role, .. } = &row.role;
            said(json!({ "principal_id": principal, "type": kind, "role": role, "has": row.has }))
        };
        let (there, new): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.has.is_some());
        let all = |rows: Vec<&Self>| rows.into_iter().map(told).collect::<Vec<_>>();
        let key = if is_made { "added" } else { "would_add" };
        json!({
            "workspace_id": workspace.id,
            (key): all(new),
            "skipped": all(there),
        })
    }
}

/// A role as it was typed: by object id, e-mail address or name.
pub(super) fn wanted(argument: &str, word: &str, kind: PrincipalKind, role: Role) -> DesiredRole {
    let principal = match word.parse() {
        Ok(id) => PrincipalRef::Id(id),
        Err(_) if word.contains('@') => PrincipalRef::Email(word.to_owned()),
        Err(_) => PrincipalRef::Name(word.to_owned()),
    };
    let at = Location { file: argument.into(), line: None, column: None, key: String::new() };
    DesiredRole { principal, kind, role, at }
}

/// Finds everybody. Somebody who cannot be looked up is an error: nobody is left out.
pub(super) async fn resolve(
    session: &Session<'_>,
    wanted: &[DesiredRole],
) -> anyhow::Result<Vec<ResolvedRole>> {
    let resolved = principals::resolve(&session.clients.graph, wanted).await.map_err(resolve_failed)?;
    resolved.warnings.iter().for_each(|warning| session.progress.warn(warning));
    Ok(resolved.roles)
}

/// The change that gives the role.
pub(super) fn given(workspace: Ref<WorkspaceId>, role: ResolvedRole) -> Change {
    let ResolvedRole { principal, kind, role, label, .. } = role;
    Change::AddRole { workspace, principal, principal_kind: kind, role, label }
}

fn role_of(users: &[RoleAssignment], principal: PrincipalId) -> Option<Role> {
    users.iter().find(|one| one.principal.id == principal).map(|one| one.role)
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
