//! `selvedge transactions`, for short `tx`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

/// `selvedge transactions`
#[derive(Debug, Args)]
pub(crate) struct TransactionsArgs {
    /// The project's folder, where the journals are; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: TransactionsAction,
}

/// What to do with transactions.
#[derive(Debug, Subcommand)]
pub(crate) enum TransactionsAction {
    /// List the transactions and how they stand
    List,
    /// Show one transaction, change by change
    Show(TransactionId),
    /// Undo what an interrupted transaction made, or go on with a rollback that failed
    ///
    /// Whatever cannot be undone is named, and the same command goes on with it.
    Rollback(RollbackArgs),
    /// Go on with an interrupted transaction, forward or back, whichever way it was going
    Resume(TransactionId),
    /// End an interrupted transaction where it stands, and name what is left
    ///
    /// Nothing is undone, nothing is deleted, and Fabric is not asked for anything. There is no way back: neither `rollback` nor
    /// `resume` goes on with it afterwards. The workspace is free for the next deployment. Exit code 0, whatever is left.
    Abandon(AbandonArgs),
    /// Find what interrupted transactions have left in Fabric, without their journals
    Sweep(SweepArgs),
    /// Write the records of a journal, damaged or not, as lines of JSON; they hold definitions
    Export(ExportArgs),
    /// Remove the journals of transactions that ended long ago, and with them the definitions they hold
    Gc(GcArgs),
}

/// How to go back.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) named: TransactionId,
    /// Only go on with a rollback that was begun and failed or was cut off; never begin one
    #[arg(long = "continue")]
    pub(crate) go_on: bool,
    /// Leave what this step made where it is, and take the rest back; may be given more than once. Only what a rollback has
    /// failed at can be left: `transactions show` says which. Exit code 3, since something is left
    #[arg(long, value_name = "STEP", requires = "reason")]
    pub(crate) skip: Vec<u32>,
    /// Why it is left, for the journal and the reports
    #[arg(long, value_name = "TEXT", requires = "skip", value_parser = reason)]
    pub(crate) reason: Option<String>,
}

/// What is given up, and why.
#[derive(Debug, Args)]
pub(crate) struct AbandonArgs {
    #[command(flatten)]
    pub(crate) named: TransactionId,
    /// Why, for the journal and the reports
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() { Err("it says nothing") } else { Ok(text.to_owned()) }
}

/// Where to look.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// Look into the workspace of this name only; without it, into all that are visible
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
}

/// What to write where.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// As shown by `transactions list`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Write to this file, which must not be there yet, for its owner's eyes; without it, to stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Instead of the journal, what could not be written to it and is kept on this machine
    #[arg(long)]
    pub(crate) spilled: bool,
}

/// What to remove.
#[derive(Debug, Args)]
pub(crate) struct GcArgs {
    /// Those whose last record is older than this, such as 30d, 12h or 0s; without it, than the setting rollback.retention
    #[arg(long, value_name = "AGE", value_parser = crate::settings::duration::parse)]
    pub(crate) older_than: Option<Duration>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Names one transaction.
#[derive(Debug, Args)]
pub(crate) struct TransactionId {
    /// As shown by `transactions list`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}
