//! `selvedge lock`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `selvedge lock`
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// The project's folder, where the locks are; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: LockAction,
}

/// What to do with locks.
#[derive(Debug, Subcommand)]
pub(crate) enum LockAction {
    /// List the workspaces that are locked, and by whom
    List,
    /// Show who has locked a workspace
    Show(Subject),
    /// Take the lock of a workspace from a process that is gone
    Break(Subject),
}

/// Names what is locked.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// The workspace's name, or the subject as shown by `lock list`
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,
}
