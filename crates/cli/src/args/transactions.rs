//! `selvedge transactions`, for short `tx`.

use std::path::PathBuf;

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
    /// Undo what an interrupted transaction made
    Rollback(TransactionId),
    /// Go on with an interrupted transaction, forward or back, whichever way it was going
    Resume(TransactionId),
}

/// Names one transaction.
#[derive(Debug, Args)]
pub(crate) struct TransactionId {
    /// As shown by `transactions list`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}
