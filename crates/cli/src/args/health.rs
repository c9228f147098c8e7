//! `selvedge health`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `selvedge health`
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// The workspace's name
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: String,
    /// What the report says that the environment is
    #[arg(long, value_name = "TEXT")]
    pub(crate) environment: String,
    /// How the report is written: json, or text (Markdown, for people); --output has no say here
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, value_name = "FORMAT")]
    pub(crate) output_format: ReportFormat,
    /// Write the report to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Fail where something is critical. That is so without it, too: it is taken for the sake of existing pipelines
    #[arg(long)]
    pub(crate) fail_on_critical: bool,
    /// The project's folder, whose settings and journals count; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// One JSON document
    #[default]
    Json,
    /// Markdown, for people
    Text,
}
