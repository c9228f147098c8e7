//! `selvedge transactions`: shows transactions and takes up interrupted ones.

mod abandon;
mod export;
mod gc;
mod list;
mod recheck;
mod report;
mod show;
mod sweep;
mod take_up;
mod text;

use selvedge_rollback::TransactionId;
use selvedge_rollback::journal::JournalError;

use crate::args::{TransactionsAction, TransactionsArgs};
use crate::exit;
use crate::place::Place;
use crate::report::ExitWith;
use crate::run::App;
use take_up::Way;

pub(crate) use recheck::tool;
pub(crate) use report::{Left, Report};
pub(crate) use text::named;

/// Runs the sub-command.
///
/// # Errors
///
/// When there is no such transaction, it is running, its journal is damaged, or it cannot be brought to an end.
pub(crate) async fn run(app: &App, args: &TransactionsArgs) -> anyhow::Result<u8> {
    let place = &Place::of(app).await?;
    match &args.action {
        TransactionsAction::List => list::run(app, place).await,
        TransactionsAction::Show(named) => show::run(app, place, find(place, &named.id).await?).await,
        TransactionsAction::Sweep(args) => sweep::run(app, place, args.workspace.as_deref()).await,
        TransactionsAction::Export(args) => export::run(place, find(place, &args.id).await?, args).await,
        TransactionsAction::Gc(args) => gc::run(app, place, args).await,
        TransactionsAction::Rollback(args) => {
            take_up::run(app, place, find(place, &args.named.id).await?, Way::Back(args)).await
        }
        TransactionsAction::Resume(named) => {
            take_up::run(app, place, find(place, &named.id).await?, Way::On).await
        }
        TransactionsAction::Abandon(args) => {
            abandon::run(app, place, find(place, &args.named.id).await?, &args.reason).await
        }
    }
}

async fn find(place: &Place, prefix: &str) -> anyhow::Result<TransactionId> {
    place.journals.find(prefix).await.map_err(|error| {
        anyhow::Error::from(error)
            .context(ExitWith::usage("find the transaction").help("run `selvedge transactions list`"))
    })
}

fn unusable(error: JournalError) -> anyhow::Error {
    anyhow::Error::from(error).context(ExitWith::new(exit::FAILED, "read the transaction"))
}
