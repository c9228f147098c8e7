//! `git status`: it changes nothing.

use super::state::{self, State};
use crate::args::InWorkspace;
use crate::clients::Clients;
use crate::commands::workspaces::tell;
use crate::render::table;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn status(app: &App, of: &InWorkspace) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let state = State::read(&clients.fabric, of.word()).await?;
    tell(app, &shown(&state), state.value())
}

fn shown(state: &State) -> String {
    let name = one_line(&state.workspace.display_name);
    let Some(provider) = &state.connection.git_provider_details else {
        return format!("{name} is not connected to Git");
    };
    let mut text = format!("{name} is connected to {}", state::place(provider));
    let Some(status) = &state.status else {
        text.push_str("\nnot initialized: run `selvedge git initialize`");
        return text;
    };
    let commit = |commit: Option<&String>| commit.cloned().unwrap_or_else(|| "none".to_owned());
    text.push_str(&format!("\nworkspace at commit {}", commit(status.workspace_head.as_ref())));
    text.push_str(&format!("\nrepository at commit {}", commit(status.remote_commit_hash.as_ref())));
    text.push_str(&format!("\n{}", said(state)));
    if !status.changes.is_empty() {
        let head = ["Item", "Type", "Workspace", "Repository", "Conflict"];
        text.push_str(&format!("\n\n{}", table(&head, state::rows(status))));
    }
    text
}

/// What may be done next.
fn said(state: &State) -> &'static str {
    match state.word() {
        "synced" => "nothing differs",
        "uncommitted" => "the workspace has changes: `selvedge git commit` takes them to the repository",
        "behind" => "the repository has changes: `selvedge git update` takes them to the workspace",
        "diverged" => "both have changes: `selvedge git update` first, then `selvedge git commit`",
        _ => {
            "both have changed an item: `selvedge git update --prefer remote` or `--prefer workspace` says who wins"
        }
    }
}
