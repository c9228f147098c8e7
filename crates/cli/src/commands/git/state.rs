//! How a workspace and its repository stand to each other.

use anyhow::anyhow;
use selvedge_fabric_client::Client;
use selvedge_fabric_client::git::{self, Connection, ConnectionState, GitStatus, Provider};
use selvedge_fabric_client::workspaces::Workspace;
use serde_json::{Value, json};

use crate::commands::workspaces::find;
use crate::exit;
use crate::report::ExitWith;
use crate::text::one_line;

/// A workspace, its connection, and how it differs from its repository; the last only where it is initialized.
pub(super) struct State {
    pub(super) workspace: Workspace,
    pub(super) connection: Connection,
    pub(super) status: Option<GitStatus>,
}

impl State {
    pub(super) async fn read(fabric: &Client, word: &str) -> anyhow::Result<Self> {
        let workspace = find::workspace(fabric, word).await?;
        let connection = fabric.send(git::connection(workspace.id)).await.map_err(find::unread)?;
        let status = if connection.git_connection_state == ConnectionState::INITIALIZED {
            Some(fabric.run(git::status(workspace.id)).await.map_err(find::unread)?)
        } else {
            None
        };
        Ok(Self { workspace, connection, status })
    }

    /// The same, of one that can be committed and updated.
    ///
    /// # Errors
    ///
    /// What is to be done first.
    pub(super) fn ready(&self, tried: &str) -> anyhow::Result<&GitStatus> {
        if let Some(status) = &self.status {
            return Ok(status);
        }
        let name = one_line(&self.workspace.display_name);
        let (problem, help) = if self.connection.git_provider_details.is_none() {
            ("the workspace is not connected to Git", format!("run `selvedge git connect {name}`"))
        } else {
            ("the connection is not initialized", format!("run `selvedge git initialize {name}`"))
        };
        Err(anyhow!(problem).context(ExitWith::new(exit::FAILED, tried).help(help)))
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.git_provider_details.is_some()
    }

    /// How they stand, in a word.
    pub(super) fn word(&self) -> &'static str {
        let Some(status) = &self.status else {
            return if self.is_connected() { "not_initialized" } else { "not_connected" };
        };
        let (ours, theirs) = (changed_here(status), changed_there(status));
        match (conflicts(status), ours, theirs) {
            (0, 0, 0) => "synced",
            (0, _, 0) => "uncommitted",
            (0, 0, _) => "behind",
            (0, ..) => "diverged",
            _ => "conflicts",
        }
    }

    /// The predecessor's keys, and what it lacked.
    pub(super) fn value(&self) -> Value {
        let sync = self.connection.git_sync_details.as_ref();
        json!({
            "status": "success",
            "workspace": self.workspace.display_name,
            "workspace_id": self.workspace.id,
            "is_connected": self.is_connected(),
            "connection_state": self.connection.git_connection_state,
            "connection": self.connection.git_provider_details,
            "last_sync": sync.and_then(|sync| sync.last_sync_time.clone()),
            "sync_status": self.word(),
            "git_status": self.status,
        })
    }
}

/// Items that the workspace has changed.
pub(super) fn changed_here(status: &GitStatus) -> usize {
    status.changes.iter().filter(|change| change.workspace_change.is_some()).count()
}

/// Items that the repository has changed.
pub(super) fn changed_there(status: &GitStatus) -> usize {
    status.changes.iter().filter(|change| change.remote_change.is_some()).count()
}

/// Items that both have changed, each in its way.
pub(super) fn conflicts(status: &GitStatus) -> usize {
    status.changes.iter().filter(|change| change.conflict_type.as_deref() == Some("Conflict")).count()
}

/// The items that differ, a line each: in the workspace, in the repository.
pub(super) fn rows(status: &GitStatus) -> impl Iterator<Item = Vec<String>> {
    status.changes.iter().map(|change| {
        let item = &change.item_metadata;
        let text = |text: Option<&String>| text.cloned().unwrap_or_else(|| "-".to_owned());
        let conflict = change.conflict_type.as_ref().filter(|kind| *kind != "None");
        vec![
            text(item.display_name.as_ref()),
            text(item.item_type.as_ref()),
            text(change.workspace_change.as_ref()),
            text(change.remote_change.as_ref()),
            text(conflict),
        ]
    })
}

/// As people write it: `github.com/contoso/analytics, branch main, /products`.
pub(super) fn place(provider: &Provider) -> String {
    one_line(&selvedge_deployment::repository::place(provider))
}
