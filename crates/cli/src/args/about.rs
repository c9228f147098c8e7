//! What the program tells of itself: `explain`, `schema`, `completions`, `man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// `selvedge explain`
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An exit code, such as 3, or an error code of Fabric, such as CapacityNotInActiveState; without it, list all
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// `selvedge schema`
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// What the schema is of
    #[arg(value_enum, value_name = "OF")]
    pub(crate) of: Schema,
}

/// What there are schemas of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schema {
    /// A product's configuration, product_config.yaml
    Config,
    /// The project's configuration, project.config.json
    Project,
    /// The rules for names, naming_standards.yaml
    Naming,
    /// What `plan --output json` prints
    Plan,
    /// Each line of `deploy --output jsonl`
    Events,
    /// Each record of a journal
    Journal,
    /// What `transactions show --output json` prints
    Transaction,
}

/// `selvedge completions`
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// `selvedge man`
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder; without it, the page of `selvedge` to stdout
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
