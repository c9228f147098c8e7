//! `selvedge deploy` and `selvedge plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is deployed, and where to. `deploy` and `plan` select alike.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The product configuration; without it, product_config.yaml at the project's root
    #[arg(value_name = "CONFIG")]
    pub(crate) file: Option<PathBuf>,
    /// The same, as an option
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) config: Option<PathBuf>,
    /// The environment of the configuration
    #[arg(short, long, visible_alias = "environment", value_enum, default_value_t, value_name = "ENV")]
    pub(crate) env: Target,
    /// Use an emulator inside this process, with a demo tenant, instead of Microsoft Fabric
    #[cfg(feature = "emulator")]
    #[arg(long)]
    pub(crate) local: bool,
    /// Make the local emulator fail, for example 'POST */roleAssignments=503'; may be repeated
    #[cfg(feature = "emulator")]
    #[arg(long, value_name = "FAULT", requires = "local")]
    pub(crate) inject: Vec<String>,
}

/// The environments of a product configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    #[default]
    Dev,
    Test,
    Prod,
}

impl Target {
    /// As in the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }
}

/// `selvedge deploy`
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Plan only: read, show what would change, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `selvedge plan`
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Exit with 6 instead of 0 where changes are pending
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}
