//! `selvedge deploy` and `selvedge plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is deployed, and where to. `deploy` and `plan` select alike.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// The product configuration; without it, product_config.yaml at the project's root. `deploy` takes a plan of `plan --out` as well
    #[arg(value_name = "CONFIG")]
    pub(crate) file: Option<PathBuf>,
    /// The same, as an option
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) config: Option<PathBuf>,
    /// The environment of the configuration [default: dev]
    #[arg(short, long, visible_alias = "environment", value_enum, value_name = "ENV")]
    pub(crate) env: Option<Target>,
    /// Use an emulator inside this process, with a demo tenant, instead of Microsoft Fabric
    #[cfg(feature = "emulator")]
    #[arg(long)]
    pub(crate) local: bool,
    /// Make the local emulator fail, for example 'POST */roleAssignments=503'; may be repeated
    #[cfg(feature = "emulator")]
    #[arg(long, value_name = "FAULT", requires = "local")]
    pub(crate) inject: Vec<String>,
}

impl Selection {
    /// Whatever configuration the project has, in this environment.
    pub(crate) fn of(env: Target) -> Self {
        Self {
            file: None,
            config: None,
            env: Some(env),
            #[cfg(feature = "emulator")]
            local: false,
            #[cfg(feature = "emulator")]
            inject: Vec::new(),
        }
    }
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
    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Dev, Self::Test, Self::Prod].into_iter().find(|one| one.as_str() == name)
    }

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
    /// Show what changes in the content of items, part by part
    #[arg(long)]
    pub(crate) diff: bool,
    /// Write the plan to a file, which `deploy` carries out as it is or refuses
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// `selvedge drift`
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Exit with 6 instead of 0 where something differs
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Show what differs in the content of items, part by part
    #[arg(long)]
    pub(crate) diff: bool,
}
