//! `selvedge git`: the predecessor's `sync_fabric_git.py`, by Fabric's API as it is.
//!
//! A workspace is not connected, connected, or connected and initialized; only then is it committed and updated. Each sub-command looks
//! first how far it is, and says which one comes before it.

mod change;
mod look;
mod state;

use crate::args::GitAction;
use crate::run::App;

/// Runs the sub-command.
///
/// # Errors
///
/// What stands in its way.
pub(crate) async fn run(app: &App, action: &GitAction) -> anyhow::Result<u8> {
    match action {
        GitAction::Status(of) => look::status(app, of).await,
        GitAction::Connect(args) => change::connect(app, args).await,
        GitAction::Initialize(args) => change::initialize(app, args).await,
        GitAction::Commit(args) => change::commit(app, args).await,
        GitAction::Update(args) => change::update(app, args).await,
        GitAction::Disconnect(of) => change::disconnect(app, of).await,
        GitAction::Sync(args) => Box::pin(run(app, &args.stands_for())).await,
    }
}
