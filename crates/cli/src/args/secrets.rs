//! `selvedge secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `selvedge secrets`
#[derive(Debug, Args)]
pub(crate) struct SecretsArgs {
    /// The project's folder, whose .env and settings count; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: SecretsAction,
}

/// What to do with secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretsAction {
    /// Show where a secret comes from, and whether it is the one you mean; not its value
    Get {
        #[command(flatten)]
        name: Name,
        /// Print the value itself, and nothing else
        #[arg(long)]
        reveal: bool,
    },
    /// Store a secret in Key Vault; its value comes from stdin, or is asked for on a terminal
    Set {
        #[command(flatten)]
        name: Name,
        /// Refused with what it ought to be, and never shown
        #[arg(hide = true, value_name = "VALUE")]
        value: Vec<String>,
    },
    /// List what there is, without values
    List,
    /// Move the secrets of a file such as .env to Key Vault
    Migrate(MigrateArgs),
    /// Ask Key Vault again for the secrets that this program uses, and say what it answers
    Refresh,
}

/// `selvedge secrets migrate`
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The file with the secrets; without it, the project's .env
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// These variables alone, whatever their names look like
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Store a new version where the vault has another value
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Put a comment in the place of each secret that is in the vault now
    #[arg(long)]
    pub(crate) rewrite: bool,
}

/// Names a secret.
#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The secret: AZURE_CLIENT_SECRET and azure-client-secret are the same
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
