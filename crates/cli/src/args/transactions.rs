//! `selvedge transactions`, for short `tx`.

use clap::{Args, Subcommand};

/// `selvedge transactions`
#[derive(Debug, Args)]
pub(crate) struct TransactionsArgs {
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
    /// Finish an interrupted transaction
    Resume(TransactionId),
}

/// Names one transaction.
#[derive(Debug, Args)]
pub(crate) struct TransactionId {
    /// As shown by `transactions list`
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}
