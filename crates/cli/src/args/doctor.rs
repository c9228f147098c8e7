//! `selvedge doctor`.

use std::path::PathBuf;

use clap::Args;

/// `selvedge doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The project's folder, whose .env and settings count; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}
