//! `selvedge promote`.

use std::path::PathBuf;

use clap::Args;
use selvedge_fabric_client::deployment_pipelines::LONGEST_NOTE;

/// `selvedge promote`
#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// The deployment pipeline: its name or id
    #[arg(long, value_name = "PIPELINE")]
    pub(crate) pipeline: String,
    /// The stage to copy from: its name, or its place in the row, from 0 on
    #[arg(long, value_name = "STAGE")]
    pub(crate) from: String,
    /// The stage to copy to, next to it
    #[arg(long, value_name = "STAGE")]
    pub(crate) to: String,
    /// Only these items: names, Name.Type or ids, joined by commas or one option each [default: all]
    #[arg(long, value_name = "ITEM", value_delimiter = ',')]
    pub(crate) items: Vec<String>,
    /// What the pipeline's history is to say of it
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(crate) note: Option<String>,
    /// Show what would be promoted, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The same as --output json
    #[arg(long)]
    pub(crate) json: bool,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

fn note(text: &str) -> Result<String, String> {
    match text.chars().count() {
        length if length > LONGEST_NOTE => {
            Err(format!("it has {length} characters, and Fabric takes {LONGEST_NOTE}"))
        }
        _ => Ok(text.to_owned()),
    }
}
