//! Workspaces.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/workspaces>.

use crate::{Call, CapacityId, Paged, WorkspaceId};
use selvedge_resilience::Effect;
use serde::{Deserialize, Serialize};

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name, unique in the tenant whatever the case.
    pub display_name: String,
    /// Its description; absent or empty where there is none.
    pub description: Option<String>,
    /// `Workspace`, `Personal` or `AdminWorkspace`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The capacity it runs on.
    pub capacity_id: Option<CapacityId>,
    /// How far an assignment to a capacity is: `InProgress`, `Completed` or `Failed`. Only [`get`] tells.
    pub capacity_assignment_progress: Option<String>,
}

/// A workspace to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct New {
    /// Its name, at most 256 characters.
    pub display_name: String,
    /// Its description, at most 4,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The capacity to run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_id: Option<CapacityId>,
}

/// What to change about a workspace; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The new description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    capacity_id: CapacityId,
}

impl New {
    /// A workspace of this name, without description and capacity.
    pub fn named(display_name: impl Into<String>) -> Self {
        Self { display_name: display_name.into(), ..Self::default() }
    }
}

impl Update {
    /// Another description, and nothing else.
    pub fn described(description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..Self::default() }
    }
}

/// All workspaces that the caller has a role in.
#[must_use]
pub fn list() -> Paged<Workspace> {
    Paged::value("workspaces.list", "/workspaces")
}

/// Creates a workspace; the caller becomes its admin.
#[must_use]
pub fn create(workspace: &New) -> Call<Workspace> {
    Call::post("workspaces.create", "/workspaces").json(workspace)
}

/// Reads a workspace.
#[must_use]
pub fn get(workspace: WorkspaceId) -> Call<Workspace> {
    Call::get("workspaces.get", path(workspace))
}

/// Changes name or description.
#[must_use]
pub fn update(workspace: WorkspaceId, update: &Update) -> Call<Workspace> {
    Call::patch("workspaces.update", path(workspace)).json(update)
}

/// Deletes a workspace with all it holds. The tenant keeps it restorable for some days.
#[must_use]
pub fn delete(workspace: WorkspaceId) -> Call<()> {
    Call::delete("workspaces.delete", path(workspace))
}

/// Moves a workspace to a capacity. The answer (202) comes before it is done, and names no operation:
/// [`Workspace::capacity_assignment_progress`] tells.
#[must_use]
pub fn assign_to_capacity(workspace: WorkspaceId, capacity_id: CapacityId) -> Call<()> {
    let path = format!("{}/assignToCapacity", path(workspace));
    Call::post("workspaces.assignToCapacity", path)
        .with_effect(Effect::Idempotent)
        .json(&Assignment { capacity_id })
        .without_result()
}

/// Takes a workspace off its capacity. As with [`assign_to_capacity`], the answer comes before it is done.
#[must_use]
pub fn unassign_from_capacity(workspace: WorkspaceId) -> Call<()> {
    let path = format!("{}/unassignFromCapacity", path(workspace));
    Call::post("workspaces.unassignFromCapacity", path).with_effect(Effect::Idempotent).without_result()
}

pub(crate) fn path(workspace: WorkspaceId) -> String {
    format!("/workspaces/{workspace}")
}
