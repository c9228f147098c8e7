//! `selvedge audit`: shows the audit trail, and checks it. Nothing is sent.

mod show;
mod verify;

use crate::args::AuditAction;
use crate::run::App;

/// Runs the sub-command.
///
/// # Errors
///
/// When the trail cannot be read, or is not intact.
pub(crate) fn run(app: &App, action: &AuditAction) -> anyhow::Result<u8> {
    match action {
        AuditAction::Verify(args) => verify::run(app, args),
        AuditAction::Show(args) => show::run(app, args),
    }
}
