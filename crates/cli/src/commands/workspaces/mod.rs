//! `selvedge workspaces`: the predecessor's `manage_workspaces.py`, by Fabric's API as it is.
//!
//! What only looks is in `look.rs`, what changes something in `change.rs`: a plan of changes, made true as those of a deployment are.

mod change;
mod find;
mod look;

use super::tell::{said, tell};
use crate::args::{WorkspacesAction, WorkspacesArgs};
use crate::run::App;

/// Runs the sub-command.
///
/// # Errors
///
/// What stands in its way.
pub(crate) async fn run(app: &App, args: &WorkspacesArgs) -> anyhow::Result<u8> {
    let environment = args.environment;
    match &args.action {
        WorkspacesAction::List(args) => look::list(app, args, environment).await,
        WorkspacesAction::Get(args) => look::get(app, args).await,
        WorkspacesAction::ListUsers(named) => look::users(app, &named.workspace).await,
        WorkspacesAction::Create(args) => change::create(app, args, environment).await,
        WorkspacesAction::Update(args) => change::update(app, args).await,
        WorkspacesAction::Delete(args) => change::delete(app, args).await,
        WorkspacesAction::AssignCapacity(args) => change::assign(app, args).await,
        WorkspacesAction::UnassignCapacity(named) => change::unassign(app, &named.workspace).await,
        WorkspacesAction::AddUser(args) => change::add_user(app, args).await,
        WorkspacesAction::RemoveUser(args) => change::remove_user(app, args).await,
        WorkspacesAction::UpdateRole(args) => change::update_role(app, args).await,
    }
}
