//! What can be in a trail: the predecessor's names where it had one, names in its style where it had none.

/// What happened. A name that says that something *was* made is used for that alone; what failed has names of its own, so that counting
/// names counts things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// A workspace was made.
    WorkspaceCreated,
    /// A workspace's name or description was overwritten, or put back.
    WorkspaceUpdated,
    /// A workspace was removed: the one that this deployment had made, or one that was to be deleted.
    WorkspaceDeleted,
    /// A workspace was assigned to a capacity, or taken off the one it had.
    CapacityAssigned,
    /// A workspace has the capacity again that it had before.
    CapacityRestored,
    /// A folder was made.
    FolderCreated,
    /// A folder was moved, or moved back.
    FolderMoved,
    /// A folder was removed: one that this deployment had made, or one that was to be deleted.
    FolderDeleted,
    /// An item was made.
    ItemCreated,
    /// An item's name, folder, description or definition was overwritten, or put back.
    ItemUpdated,
    /// An item was removed: one that this deployment had made, or one that was to be deleted.
    ItemDeleted,
    /// A principal was given a role.
    UserAdded,
    /// A principal has no role any more: the one that this deployment had given, or one that was to be taken away.
    UserRemoved,
    /// A principal was given another role, or the one it had before.
    UserRoleChanged,
    /// A connection with credentials was made.
    ConnectionCreated,
    /// A connection that this deployment had made was removed again.
    ConnectionDeleted,
    /// A workspace was connected to a repository.
    GitConnected,
    /// The connection to the repository was taken back, or away.
    GitDisconnected,
    /// Workspace and repository were compared for the first time.
    GitInitialized,
    /// The workspace was committed to the repository.
    GitCommitted,
    /// The workspace was updated from the repository.
    GitUpdated,
    /// Items were copied from one stage of a deployment pipeline to the next, all of them or a part.
    ItemsPromoted,
    /// A data product is about to be onboarded; nothing was made yet.
    OnboardingStarted,
    /// A data product was onboarded.
    OnboardingCompleted,
    /// A data product was not onboarded, or not wholly.
    OnboardingFailed,
    /// A change failed for good.
    ChangeFailed,
    /// A change failed and may have been made all the same.
    ChangeInDoubt,
    /// A change that was in doubt was found not to be made.
    ChangeNotMade,
    /// A change was under way when the deployment was to stop, and is not waited for.
    ChangeHalted,
    /// A change was taken back with what it was made in: nothing was sent for it.
    ChangeUndone,
    /// A change could not be taken back.
    UndoFailed,
    /// A change was not taken back, because somebody has changed it since or because it holds something that stays.
    UndoKept,
    /// An operator decided to leave what a change made.
    UndoSkipped,
    /// A marker is still on what a change made.
    MarkerLeft,
    /// Markers that an earlier process had left were taken off.
    MarkersRemoved,
    /// A deployment begins; nothing was sent yet.
    DeploymentStarted,
    /// Everything was made.
    DeploymentCompleted,
    /// Not everything was made.
    DeploymentFailed,
    /// The decision to take everything back.
    RollbackStarted,
    /// Everything was taken back.
    RollbackCompleted,
    /// Not everything was taken back.
    RollbackFailed,
    /// An operator goes on with a transaction that was cut off, or takes it back.
    TransactionTakenUp,
    /// An operator has ended a transaction where it stood.
    TransactionAbandoned,
    /// First in a file: what came before is in another.
    AuditTrailRotated,
    /// The line before was not written to its end, and was taken out.
    AuditLineTorn,
    /// Records before this one could not be written.
    AuditRecordsLost,
}

/// The members that a record of one event has besides those of every record.
pub type Fields = &'static [&'static str];

/// What is told of a change that was not made, or not taken back; and the members of the event that it would have been.
const CHANGE: Fields = &["intended_event", "error_message"];

impl EventType {
    /// Its name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The members that its records have besides those of every record and, of a change, `change`.
    #[must_use]
    pub fn fields(self) -> Fields {
        self.row().2
    }

    /// Whether the predecessor had it.
    #[must_use]
    pub fn is_inherited(self) -> bool {
        self.row().1
    }

    fn row(self) -> (&'static str, bool, Fields) {
        const CREATED_WORKSPACE: Fields =
            &["workspace_id", "workspace_name", "product_id", "capacity_id", "description"];
        const CREATED_ITEM: Fields = &["workspace_id", "item_id", "item_name", "item_type", "description"];
        const CONNECTED: Fields = &[
            "workspace_id",
            "git_provider",
            "git_organization",
            "git_project",
            "git_repository",
            "remote_branch",
            "git_directory",
        ];
        const PROMOTED: Fields = &[
            "workspace_id",
            "source_workspace_id",
            "deployment_pipeline_id",
            "source_stage",
            "target_stage",
            "items",
            "items_failed",
        ];
        const ADDED: Fields =
            &["workspace_id", "principal_identifier", "user_email", "user_id", "role", "principal_type"];
        const ROLE: Fields = &["workspace_id", "user_email", "user_id", "old_role", "new_role"];
        const ENDED: Fields = &["deployment_id", "error_message", "duration_seconds"];
        match self {
            Self::WorkspaceCreated => ("workspace_created", true, CREATED_WORKSPACE),
            Self::WorkspaceUpdated => {
                ("workspace_updated", true, &["workspace_id", "workspace_name", "changes"])
            }
            Self::WorkspaceDeleted => {
                ("workspace_deleted", true, &["workspace_id", "workspace_name", "reason"])
            }
            Self::CapacityAssigned => ("capacity_assigned", false, &["workspace_id", "capacity_id"]),
            Self::CapacityRestored => {
                ("capacity_restored", false, &["workspace_id", "capacity_id", "reason"])
            }
            Self::FolderCreated => ("folder_created", false, &["workspace_id", "folder_id", "folder_path"]),
            Self::FolderMoved => {
                ("folder_moved", false, &["workspace_id", "folder_id", "folder_path", "changes"])
            }
            Self::FolderDeleted => {
                ("folder_deleted", false, &["workspace_id", "folder_id", "folder_path", "reason"])
            }
            Self::ItemCreated => ("item_created", true, CREATED_ITEM),
            Self::ItemUpdated => {
                ("item_updated", true, &["workspace_id", "item_id", "item_name", "item_type", "changes"])
            }
            Self::ItemDeleted => {
                ("item_deleted", true, &["workspace_id", "item_id", "item_name", "item_type", "reason"])
            }
            Self::UserAdded => ("user_added", true, ADDED),
            Self::UserRemoved => ("user_removed", true, &["workspace_id", "user_email", "user_id", "reason"]),
            Self::UserRoleChanged => ("user_role_changed", true, ROLE),
            Self::ConnectionCreated => {
                ("connection_created", false, &["connection_id", "connection_name", "repository_url"])
            }
            Self::ConnectionDeleted => {
                ("connection_deleted", false, &["connection_id", "connection_name", "reason"])
            }
            Self::GitConnected => ("git_connected", true, CONNECTED),
            Self::GitDisconnected => ("git_disconnected", true, &["workspace_id", "reason"]),
            Self::GitInitialized => ("git_initialized", false, &["workspace_id"]),
            Self::GitCommitted => {
                ("git_committed", true, &["workspace_id", "commit_message", "items_count", "commit_mode"])
            }
            Self::GitUpdated => {
                ("git_updated", true, &["workspace_id", "conflict_resolution", "items_updated"])
            }
            Self::ItemsPromoted => ("items_promoted", false, PROMOTED),
            Self::OnboardingStarted => {
                ("onboarding_started", true, &["product_id", "product_name", "feature_id", "descriptor_path"])
            }
            Self::OnboardingCompleted => (
                "onboarding_completed",
                true,
                &[
                    "product_id",
                    "workspace_id",
                    "feature_workspace_id",
                    "remote_branch",
                    "items_created",
                    "duration_seconds",
                ],
            ),
            Self::OnboardingFailed => {
                ("onboarding_failed", true, &["product_id", "error_message", "duration_seconds"])
            }
            Self::ChangeFailed => ("change_failed", false, CHANGE),
            Self::ChangeInDoubt => ("change_in_doubt", false, CHANGE),
            Self::ChangeNotMade => ("change_not_made", false, CHANGE),
            Self::ChangeHalted => ("change_halted", false, CHANGE),
            Self::ChangeUndone => ("change_undone", false, &["intended_event"]),
            Self::UndoFailed => ("undo_failed", false, CHANGE),
            Self::UndoKept => ("undo_kept", false, CHANGE),
            Self::UndoSkipped => ("undo_skipped", false, CHANGE),
            Self::MarkerLeft => ("marker_left", false, &["change", "error_message"]),
            Self::MarkersRemoved => ("markers_removed", false, &["deployment_id"]),
            Self::DeploymentStarted => (
                "deployment_started",
                true,
                &["deployment_id", "product_id", "triggered_by", "changes_planned"],
            ),
            Self::DeploymentCompleted => {
                ("deployment_completed", true, &["deployment_id", "duration_seconds", "items_deployed"])
            }
            Self::DeploymentFailed => ("deployment_failed", true, ENDED),
            Self::RollbackStarted => ("rollback_started", false, &["deployment_id", "reason"]),
            Self::RollbackCompleted => ("rollback_completed", false, &["deployment_id"]),
            Self::RollbackFailed => ("rollback_failed", false, &["deployment_id", "remaining"]),
            Self::TransactionTakenUp => ("transaction_taken_up", false, &["deployment_id", "command"]),
            Self::TransactionAbandoned => {
                ("transaction_abandoned", false, &["deployment_id", "reason", "remaining"])
            }
            Self::AuditTrailRotated => {
                ("audit_trail_rotated", false, &["previous_file", "previous_chain", "previous_is_chained"])
            }
            Self::AuditLineTorn => ("audit_line_torn", false, &["bytes", "text"]),
            Self::AuditRecordsLost => ("audit_records_lost", false, &["count"]),
        }
    }

    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 46] = [
        Self::WorkspaceCreated,
        Self::WorkspaceUpdated,
        Self::WorkspaceDeleted,
        Self::CapacityAssigned,
        Self::CapacityRestored,
        Self::FolderCreated,
        Self::FolderMoved,
        Self::FolderDeleted,
        Self::ItemCreated,
        Self::ItemUpdated,
        Self::ItemDeleted,
        Self::UserAdded,
        Self::UserRemoved,
        Self::UserRoleChanged,
        Self::ConnectionCreated,
        Self::ConnectionDeleted,
        Self::GitConnected,
        Self::GitDisconnected,
        Self::GitInitialized,
        Self::GitCommitted,
        Self::GitUpdated,
        Self::ItemsPromoted,
        Self::OnboardingStarted,
        Self::OnboardingCompleted,
        Self::OnboardingFailed,
        Self::ChangeFailed,
        Self::ChangeInDoubt,
        Self::ChangeNotMade,
        Self::ChangeHalted,
        Self::ChangeUndone,
        Self::UndoFailed,
        Self::UndoKept,
        Self::UndoSkipped,
        Self::MarkerLeft,
        Self::MarkersRemoved,
        Self::DeploymentStarted,
        Self::DeploymentCompleted,
        Self::DeploymentFailed,
        Self::RollbackStarted,
        Self::RollbackCompleted,
        Self::RollbackFailed,
        Self::TransactionTakenUp,
        Self::TransactionAbandoned,
        Self::AuditTrailRotated,
        Self::AuditLineTorn,
        Self::AuditRecordsLost,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_each_event_in_this_order() {
        let text = include_str!("../../../../docs/audit.md");
        let told: Vec<_> = text
            .lines()
            .filter(|line| {
                line.starts_with("| `") && line.contains("| framework |") | line.contains("| selvedge |")
            })
            .collect();
        let rows = EventType::ALL.map(|event| {
            let fields: Vec<_> = event.fields().iter().map(|field| format!("`{field}`")).collect();
            let since = if event.is_inherited() { "framework" } else { "selvedge" };
            format!("| `{}` | {since} | {} |", event.name(), fields.join(", "))
        });
        assert_eq!(told, rows, "docs/audit.md should have:\n{}", rows.join("\n"));
    }
}
