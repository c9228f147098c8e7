//! What a report says of a change besides its text: its kind, and what it is about by name and id.

use crate::change::{Change, Receipt};
use crate::repository::Place;

impl Change {
    /// Its kind, as the journal has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CreateWorkspace { .. } => "create_workspace",
            Self::DescribeWorkspace { .. } => "describe_workspace",
            Self::RenameWorkspace { .. } => "rename_workspace",
            Self::DeleteWorkspace { .. } => "delete_workspace",
            Self::AssignCapacity { .. } => "assign_capacity",
            Self::UnassignCapacity { .. } => "unassign_capacity",
            Self::CreateFolder { .. } => "create_folder",
            Self::MoveFolder { .. } => "move_folder",
            Self::DeleteFolder { .. } => "delete_folder",
            Self::CreateItem { .. } => "create_item",
            Self::RenameItem { .. } => "rename_item",
            Self::MoveItem { .. } => "move_item",
            Self::DeleteItem { .. } => "delete_item",
            Self::DescribeItem { .. } => "describe_item",
            Self::UpdateDefinition { .. } => "update_definition",
            Self::AddRole { .. } => "add_role",
            Self::ChangeRole { .. } => "change_role",
            Self::RemoveRole { .. } => "remove_role",
            Self::CreateConnection { .. } => "create_connection",
            Self::ConnectGit { .. } => "connect_git",
            Self::InitializeGit { .. } => "initialize_git",
            Self::UpdateFromGit { .. } => "update_from_git",
            Self::DisconnectGit { .. } => "disconnect_git",
            Self::CommitToGit { .. } => "commit_to_git",
            Self::PromoteItems(_) => "promote_items",
        }
    }

    /// What it is about, as people call it. `None` where the kind says it all.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        Some(match self {
            Self::CreateWorkspace { name, .. }
            | Self::DescribeWorkspace { name, .. }
            | Self::RenameWorkspace { name, .. }
            | Self::DeleteWorkspace { name, .. }
            | Self::UnassignCapacity { name, .. }
            | Self::CreateItem { name, .. }
            | Self::RenameItem { name, .. }
            | Self::MoveItem { name, .. }
            | Self::DeleteItem { name, .. }
            | Self::DescribeItem { name, .. }
            | Self::UpdateDefinition { name, .. }
            | Self::CreateConnection { name, .. } => name.clone(),
            Self::AssignCapacity { capacity, .. } => capacity.to_string(),
            Self::CreateFolder { path, .. }
            | Self::MoveFolder { path, .. }
            | Self::DeleteFolder { path, .. } => path.clone(),
            Self::AddRole { label, .. } | Self::ChangeRole { label, .. } | Self::RemoveRole { label, .. } => {
                label.clone()
            }
            Self::ConnectGit { provider, .. } | Self::DisconnectGit { provider, .. } => {
                Place::from(provider).to_string()
            }
            Self::PromoteItems(promotion) => promotion.name.clone(),
            Self::InitializeGit { .. } | Self::UpdateFromGit { .. } | Self::CommitToGit { .. } => {
                return None;
            }
        })
    }

    /// The id of what it is about, where that is known: of what it makes, once that is made, from its receipt.
    #[must_use]
    pub fn id(&self, receipt: Option<&Receipt>) -> Option<String> {
        match (self, receipt) {
            (_, Some(Receipt::Workspace { id })) => Some(id.to_string()),
            (_, Some(Receipt::Folder { id })) => Some(id.to_string()),
            (_, Some(Receipt::Item { id })) => Some(id.to_string()),
            (_, Some(Receipt::Connection { id })) => Some(id.to_string()),
            (
                Self::DescribeWorkspace { workspace, .. }
                | Self::RenameWorkspace { workspace, .. }
                | Self::DeleteWorkspace { workspace, .. }
                | Self::UnassignCapacity { workspace, .. },
                _,
            ) => Some(workspace.to_string()),
            (Self::MoveFolder { folder, .. } | Self::DeleteFolder { folder, .. }, _) => {
                Some(folder.to_string())
            }
            (
                Self::DescribeItem { item, .. }
                | Self::UpdateDefinition { item, .. }
                | Self::RenameItem { item, .. }
                | Self::MoveItem { item, .. }
                | Self::DeleteItem { item, .. },
                _,
            ) => Some(item.to_string()),
            (
                Self::AddRole { principal, .. }
                | Self::ChangeRole { principal, .. }
                | Self::RemoveRole { principal, .. },
                _,
            ) => Some(principal.to_string()),
            (Self::PromoteItems(promotion), _) => Some(promotion.pipeline.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use selvedge_fabric_client::{ItemId, WorkspaceId};
    use selvedge_rollback::StepId;

    use super::*;
    use crate::change::Ref;

    #[test]
    fn the_schema_of_a_report_has_each_kind() {
        let schema = include_str!("../../../docs/transaction.schema.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let found = schema.pointer("/$defs/transaction/properties/steps/items/properties/kind/enum");
        let mut told: Vec<_> =
            found.unwrap().as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
        told.sort_unstable();
        // What it takes for a change says which there are.
        let refused = serde_json::from_str::<Change>(r#"{"change":"none"}"#).unwrap_err().to_string();
        let mut known: Vec<_> = refused.split('`').skip(3).step_by(2).collect();
        known.sort_unstable();
        assert_eq!(told, known);
    }

    #[test]
    fn a_kind_is_called_as_the_journal_calls_it_and_what_is_made_has_its_receipts_id() {
        let workspace: WorkspaceId = "00000000-0000-4000-8000-000000000001".parse().unwrap();
        let item: ItemId = "00000000-0000-4000-8000-000000000002".parse().unwrap();
        let made = Ref::Step(StepId::new(1));
        let text = || "x".to_owned();
        let (id, receipt) = (Some(item.to_string()), Receipt::Item { id: item });
        for (change, name, before, after) in [
            (Change::CreateWorkspace { name: text(), description: None }, Some("x"), None, id.clone()),
            (
                Change::DescribeItem {
                    workspace,
                    item,
                    item_type: text(),
                    name: text(),
                    description: text(),
                },
                Some("x"),
                id.clone(),
                id.clone(),
            ),
            (Change::CommitToGit { workspace: made, comment: text() }, None, None, id),
        ] {
            assert_eq!(serde_json::to_value(&change).unwrap()["change"], change.kind());
            assert_eq!(change.name().as_deref(), name);
            assert_eq!((change.id(None), change.id(Some(&receipt))), (before, after));
        }
    }
}
