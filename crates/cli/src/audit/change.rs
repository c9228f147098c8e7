//! What a change is called in the trail, and what is told of it.

use selvedge_deployment::change::{Change, Made, Receipt, Ref, Undo};
use selvedge_deployment::promotion::{PromotedItem, Promotion};
use selvedge_fabric_client::git::Provider;
use selvedge_observability::audit::EventType;
use selvedge_rollback::{Receipts, StepId};
use serde_json::{Value, json};

/// What is known of a step besides its change.
pub(super) struct Facts<'f> {
    /// What the steps gave back so far.
    pub(super) receipts: &'f Receipts<Receipt>,
    /// The step.
    pub(super) step: StepId,
    /// What reverses it, where that is known. It says what stood there before.
    pub(super) undo: Option<&'f Undo>,
    /// The product that is deployed.
    pub(super) product: Option<&'f str>,
}

impl Facts<'_> {
    /// What stood there before, where that is a word: the role, the capacity.
    fn before(&self) -> Option<String> {
        match self.undo? {
            Undo::RestoreRole { before } => Some(before.to_string()),
            Undo::RestoreCapacity { before } => before.map(|capacity| capacity.to_string()),
            _ => None,
        }
    }

    fn id<I: Made + ToString>(&self, what: &Ref<I>) -> Option<String> {
        what.resolve(self.receipts).map(|id| id.to_string())
    }

    /// The id of what the change makes, or is about.
    fn own(&self, change: &Change) -> Option<String> {
        change.id(self.receipts.get(&self.step))
    }

    /// The workspace that the change is made in.
    pub(super) fn workspace(&self, change: &Change) -> Option<String> {
        match change {
            Change::CreateWorkspace { .. } => self.own(change),
            Change::DescribeWorkspace { workspace, .. }
            | Change::RenameWorkspace { workspace, .. }
            | Change::DeleteWorkspace { workspace, .. }
            | Change::UnassignCapacity { workspace, .. }
            | Change::RemoveRole { workspace, .. }
            | Change::MoveFolder { workspace, .. }
            | Change::DeleteFolder { workspace, .. }
            | Change::RenameItem { workspace, .. }
            | Change::MoveItem { workspace, .. }
            | Change::DeleteItem { workspace, .. }
            | Change::DisconnectGit { workspace, .. }
            | Change::DescribeItem { workspace, .. }
            | Change::UpdateDefinition { workspace, .. }
            | Change::ChangeRole { workspace, .. } => Some(workspace.to_string()),
            Change::AssignCapacity { workspace, .. }
            | Change::CreateFolder { workspace, .. }
            | Change::CreateItem { workspace, .. }
            | Change::AddRole { workspace, .. }
            | Change::ConnectGit { workspace, .. }
            | Change::InitializeGit { workspace, .. }
            | Change::UpdateFromGit { workspace, .. }
            | Change::CommitToGit { workspace, .. } => self.id(workspace),
            Change::PromoteItems(promotion) => Some(promotion.to.workspace.to_string()),
            Change::CreateConnection { .. } => None,
        }
    }
}

/// Why something was removed that no rollback removed.
const ASKED: &str = "requested";

/// The event of a change that is made, and its members. What is not known is null, so that a name that a reader expects is there.
pub(super) fn made(change: &Change, facts: &Facts<'_>) -> (EventType, Value) {
    let (workspace, own) = (facts.workspace(change), facts.own(change));
    match change {
        Change::CreateWorkspace { name, description } => (
            EventType::WorkspaceCreated,
            json!({ "workspace_id": workspace, "workspace_name": name, "product_id": facts.product,
                    "capacity_id": null, "description": description }),
        ),
        Change::DescribeWorkspace { name, description, .. } => (
            EventType::WorkspaceUpdated,
            json!({ "workspace_id": workspace, "workspace_name": name, "changes": { "description": description } }),
        ),
        Change::RenameWorkspace { name, to, .. } => (
            EventType::WorkspaceUpdated,
            json!({ "workspace_id": workspace, "workspace_name": name, "changes": { "name": to } }),
        ),
        Change::DeleteWorkspace { name, .. } => (
            EventType::WorkspaceDeleted,
            json!({ "workspace_id": workspace, "workspace_name": name, "reason": ASKED }),
        ),
        Change::AssignCapacity { capacity, .. } => (
            EventType::CapacityAssigned,
            json!({ "workspace_id": workspace, "capacity_id": capacity.to_string() }),
        ),
        Change::UnassignCapacity { .. } => {
            (EventType::CapacityAssigned, json!({ "workspace_id": workspace, "capacity_id": null }))
        }
        Change::CreateFolder { path, .. } => (
            EventType::FolderCreated,
            json!({ "workspace_id": workspace, "folder_id": own, "folder_path": path }),
        ),
        Change::MoveFolder { path, target, .. } => (
            EventType::FolderMoved,
            json!({ "workspace_id": workspace, "folder_id": own, "folder_path": path, "changes": { "folder_path": target } }),
        ),
        Change::DeleteFolder { path, .. } => (
            EventType::FolderDeleted,
            json!({ "workspace_id": workspace, "folder_id": own, "folder_path": path, "reason": ASKED }),
        ),
        Change::RenameItem { item_type, name, to, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "name": to }))
        }
        Change::MoveItem { item_type, name, target, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "folder": target }))
        }
        Change::DeleteItem { item_type, name, .. } => (
            EventType::ItemDeleted,
            json!({ "workspace_id": workspace, "item_id": own, "item_name": name, "item_type": item_type,
                    "reason": ASKED }),
        ),
        Change::CreateItem { item_type, name, description, .. } => (
            EventType::ItemCreated,
            json!({ "workspace_id": workspace, "item_id": own, "item_name": name, "item_type": item_type,
                    "description": description }),
        ),
        Change::DescribeItem { item_type, name, description, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "description": description }))
        }
        Change::UpdateDefinition { item_type, name, definition, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "definition": definition.digest() }))
        }
        Change::AddRole { principal, principal_kind, role, label, .. } => (
            EventType::UserAdded,
            json!({ "workspace_id": workspace, "principal_identifier": label, "user_email": email(label),
                    "user_id": principal.to_string(), "role": role.to_string(),
                    "principal_type": principal_kind.as_str() }),
        ),
        Change::ChangeRole { principal, role, label, .. } => (
            EventType::UserRoleChanged,
            json!({ "workspace_id": workspace, "user_email": email(label), "user_id": principal.to_string(),
                    "old_role": facts.before(), "new_role": role.to_string() }),
        ),
        Change::RemoveRole { principal, label, .. } => (
            EventType::UserRemoved,
            json!({ "workspace_id": workspace, "user_email": email(label), "user_id": principal.to_string(),
                    "reason": ASKED }),
        ),
        Change::CreateConnection { name, url, .. } => (
            EventType::ConnectionCreated,
            json!({ "connection_id": own, "connection_name": name, "repository_url": url }),
        ),
        Change::ConnectGit { provider, .. } => (EventType::GitConnected, connected(workspace, provider)),
        Change::InitializeGit { .. } => (EventType::GitInitialized, json!({ "workspace_id": workspace })),
        Change::UpdateFromGit { conflicts, .. } => (
            EventType::GitUpdated,
            json!({ "workspace_id": workspace, "conflict_resolution": conflicts, "items_updated": null }),
        ),
        Change::DisconnectGit { .. } => {
            (EventType::GitDisconnected, json!({ "workspace_id": workspace, "reason": ASKED }))
        }
        Change::CommitToGit { comment, .. } => (
            EventType::GitCommitted,
            json!({ "workspace_id": workspace, "commit_message": comment, "items_count": null, "commit_mode": "All" }),
        ),
        Change::PromoteItems(promotion) => (EventType::ItemsPromoted, promoted(promotion, facts)),
    }
}

fn item_updated(
    change: &Change,
    facts: &Facts<'_>,
    item_type: &str,
    name: &str,
    changes: &Value,
) -> (EventType, Value) {
    let (workspace, own) = (facts.workspace(change), facts.own(change));
    let fields = json!({ "workspace_id": workspace, "item_id": own, "item_name": name, "item_type": item_type,
                         "changes": changes });
    (EventType::ItemUpdated, fields)
}

/// What a promotion has copied, and what it has left out.
fn promoted(promotion: &Promotion, facts: &Facts<'_>) -> Value {
    let left_out = match facts.receipts.get(&facts.step) {
        Some(Receipt::Promoted { left_out }) => &left_out[..],
        _ => &[],
    };
    let why =
        |item: &PromotedItem| left_out.iter().find(|left| left.item == item.id).map(|left| &left.reason);
    let told = |item: &PromotedItem| json!({ "item_id": item.id, "item_name": item.name, "item_type": item.item_type });
    let items: Vec<_> = promotion.items.iter().filter(|item| why(item).is_none()).map(told).collect();
    let failed = promotion.items.iter().filter_map(|item| {
        let mut failed = told(item);
        failed["error_message"] = why(item)?.as_str().into();
        Some(failed)
    });
    json!({ "workspace_id": promotion.to.workspace, "source_workspace_id": promotion.from.workspace,
            "deployment_pipeline_id": promotion.pipeline, "source_stage": promotion.from.name,
            "target_stage": promotion.to.name, "items": items, "items_failed": failed.collect::<Vec<_>>() })
}

/// The event of a change that is taken back, and its members.
pub(super) fn taken_back(change: &Change, facts: &Facts<'_>) -> (EventType, Value) {
    const REASON: &str = "rollback";
    if matches!(facts.undo, Some(Undo::Nothing)) {
        return with_another(change, facts);
    }
    let (workspace, own) = (facts.workspace(change), facts.own(change));
    match change {
        Change::CreateWorkspace { name, .. } => (
            EventType::WorkspaceDeleted,
            json!({ "workspace_id": workspace, "workspace_name": name, "reason": REASON }),
        ),
        Change::DescribeWorkspace { name, .. } => (
            EventType::WorkspaceUpdated,
            json!({ "workspace_id": workspace, "workspace_name": name, "changes": { "description": "as before" } }),
        ),
        Change::RenameWorkspace { name, .. } => (
            EventType::WorkspaceUpdated,
            json!({ "workspace_id": workspace, "workspace_name": name, "changes": { "name": "as before" } }),
        ),
        Change::AssignCapacity { .. } | Change::UnassignCapacity { .. } => (
            EventType::CapacityRestored,
            json!({ "workspace_id": workspace, "capacity_id": facts.before(), "reason": REASON }),
        ),
        Change::CreateFolder { path, .. } => (
            EventType::FolderDeleted,
            json!({ "workspace_id": workspace, "folder_id": own, "folder_path": path, "reason": REASON }),
        ),
        Change::MoveFolder { path, .. } => (
            EventType::FolderMoved,
            json!({ "workspace_id": workspace, "folder_id": own, "folder_path": path, "changes": { "folder_path": "as before" } }),
        ),
        Change::RenameItem { item_type, name, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "name": "as before" }))
        }
        Change::MoveItem { item_type, name, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "folder": "as before" }))
        }
        Change::CreateItem { item_type, name, .. } => (
            EventType::ItemDeleted,
            json!({ "workspace_id": workspace, "item_id": own, "item_name": name, "item_type": item_type,
                    "reason": REASON }),
        ),
        Change::DescribeItem { item_type, name, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "description": "as before" }))
        }
        Change::UpdateDefinition { item_type, name, .. } => {
            item_updated(change, facts, item_type, name, &json!({ "definition": "as before" }))
        }
        Change::AddRole { principal, label, .. } => (
            EventType::UserRemoved,
            json!({ "workspace_id": workspace, "user_email": email(label), "user_id": principal.to_string(),
                    "reason": REASON }),
        ),
        Change::ChangeRole { principal, role, label, .. } => (
            EventType::UserRoleChanged,
            json!({ "workspace_id": workspace, "user_email": email(label), "user_id": principal.to_string(),
                    "old_role": role.to_string(), "new_role": facts.before() }),
        ),
        Change::RemoveRole { principal, principal_kind, label, .. } => (
            EventType::UserAdded,
            json!({ "workspace_id": workspace, "principal_identifier": label, "user_email": email(label),
                    "user_id": principal.to_string(), "role": facts.before(),
                    "principal_type": principal_kind.as_str() }),
        ),
        Change::CreateConnection { name, .. } => (
            EventType::ConnectionDeleted,
            json!({ "connection_id": own, "connection_name": name, "reason": REASON }),
        ),
        Change::ConnectGit { .. } => {
            (EventType::GitDisconnected, json!({ "workspace_id": workspace, "reason": REASON }))
        }
        Change::InitializeGit { .. }
        | Change::UpdateFromGit { .. }
        | Change::DisconnectGit { .. }
        | Change::CommitToGit { .. }
        | Change::DeleteWorkspace { .. }
        | Change::DeleteFolder { .. }
        | Change::DeleteItem { .. }
        | Change::PromoteItems(_) => with_another(change, facts),
    }
}

/// The event of a change that was taken back with what it was made in.
fn with_another(change: &Change, facts: &Facts<'_>) -> (EventType, Value) {
    let (intended, mut fields) = made(change, facts);
    fields["intended_event"] = intended.name().into();
    (EventType::ChangeUndone, fields)
}

/// The predecessor had its own `git_branch` in this record, and overwrote it with that of the checkout, as in every record: the branch that
/// is connected has a name of its own.
fn connected(workspace: Option<String>, provider: &Provider) -> Value {
    let (kind, organization, project, repository, branch, directory) = match provider {
        Provider::GitHub { owner_name, repository_name, branch_name, directory_name } => {
            ("GitHub", owner_name, None, repository_name, branch_name, directory_name)
        }
        Provider::AzureDevOps {
            organization_name,
            project_name,
            repository_name,
            branch_name,
            directory_name,
        } => (
            "AzureDevOps",
            organization_name,
            Some(project_name),
            repository_name,
            branch_name,
            directory_name,
        ),
    };
    json!({
        "workspace_id": workspace,
        "git_provider": kind,
        "git_organization": organization,
        "git_project": project,
        "git_repository": repository,
        "remote_branch": branch,
        "git_directory": directory,
    })
}

/// The label of a principal, where it is an address.
fn email(label: &str) -> Option<&str> {
    label.contains('@').then_some(label)
}
