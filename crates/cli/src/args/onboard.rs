//! `selvedge onboard`: the predecessor's `onboard_data_product.py`.

use std::path::PathBuf;

use clap::Args;

/// `selvedge onboard`
#[derive(Debug, Args)]
pub(crate) struct OnboardArgs {
    /// The descriptor; a path from here, or from the project's root
    #[arg(value_name = "DESCRIPTOR", required_unless_present = "config")]
    pub(crate) descriptor: Option<PathBuf>,
    /// The same, as an option
    #[arg(long, value_name = "FILE", conflicts_with = "descriptor")]
    pub(crate) config: Option<PathBuf>,
    /// Make a workspace and a branch for a ticket as well
    #[arg(long, value_name = "TICKET", value_parser = ticket)]
    pub(crate) feature: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Leave branches and Git connections alone
    #[arg(long)]
    pub(crate) skip_git: bool,
    /// Leave Fabric alone
    #[arg(long)]
    pub(crate) skip_workspaces: bool,
    /// Leave the product's folder alone
    #[arg(long)]
    pub(crate) skip_scaffold: bool,
    /// Push the branch to `origin`: Fabric connects to what is there
    #[arg(long, conflicts_with = "skip_git")]
    pub(crate) push: bool,
    /// The same as --output json
    #[arg(long)]
    pub(crate) json: bool,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

/// It becomes part of the names of a workspace, a branch and a folder.
fn ticket(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_ticket = !text.is_empty() && text.chars().all(is_plain) && !text.starts_with(['-', '.']);
    let is_ref = !text.contains("..") && !text.ends_with('.') && !text.ends_with(".lock");
    if is_ticket && is_ref {
        Ok(text.to_owned())
    } else {
        Err("use letters, digits, `-`, `_` and `.`".to_owned())
    }
}
