//! `selvedge workspaces`: the predecessor's `manage_workspaces.py`, by Fabric's API as it is.
//!
//! What only looks is in `look.rs`. What changes something makes a plan of changes, which is made true as that of a deployment is.

mod change;
mod delete;
pub(super) mod find;
mod look;
mod people;
mod set;

use serde_json::Value;

use crate::args::{WorkspacesAction, WorkspacesArgs};
use crate::exit;
use crate::output::{self, Format};
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
        WorkspacesAction::Delete(args) => delete::one(app, args).await,
        WorkspacesAction::DeleteBulk(args) => delete::bulk(app, args).await,
        WorkspacesAction::DeleteAll(args) => delete::all(app, args, environment).await,
        WorkspacesAction::AssignCapacity(args) => change::assign(app, args).await,
        WorkspacesAction::UnassignCapacity(named) => change::unassign(app, &named.workspace).await,
        WorkspacesAction::AddUser(args) => people::add(app, args).await,
        WorkspacesAction::RemoveUser(args) => people::remove(app, args).await,
        WorkspacesAction::UpdateRole(args) => people::update(app, args).await,
        WorkspacesAction::AddUsersFromFile(args) => people::add_from_file(app, args).await,
        WorkspacesAction::CopyUsers(args) => people::copy(app, args).await,
        WorkspacesAction::CreateSet(args) => set::create(app, args).await,
        WorkspacesAction::Setup(args) => set::setup(app, args).await,
    }
}

/// Prints the result: the text for people, the value for programs.
pub(super) fn tell(app: &App, text: &str, value: Value) -> anyhow::Result<u8> {
    match app.output {
        Format::Text => output::line(text)?,
        format => output::document(format, value)?,
    }
    Ok(exit::DONE)
}

/// The value without the members that are null: what the service has not said is not there.
pub(super) fn said(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect())
        }
        other => other,
    }
}
