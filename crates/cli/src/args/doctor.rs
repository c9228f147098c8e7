//! `selvedge doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::Target;

/// `selvedge doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The project's folder, whose .env and settings count; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// Go through the checklist of a stage, week by week [default: that of HARDENING_STAGE]
    #[arg(long, value_enum, value_name = "STAGE")]
    pub(crate) stage: Option<StageName>,
    /// The environment whose deployment is looked at
    #[arg(short, long, visible_alias = "environment", value_enum, default_value_t, value_name = "ENV")]
    pub(crate) env: Target,
    /// Prove against an emulator inside this machine, with this project's settings, that retries, circuit breaker and rollback do what
    /// they say
    #[cfg(feature = "emulator")]
    #[arg(long)]
    pub(crate) self_test: bool,
}

/// A stage by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageName {
    /// The flags decide
    Current,
    /// Each flag that is off is a warning
    Intermediate,
    /// Production: what has to be on, is
    Target,
}
