//! Who may do what in a workspace.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/workspaces/add-workspace-role-assignment>.

use crate::{Call, Paged, PrincipalId, WorkspaceId, open_enum::open_enum, workspaces};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A role in a workspace; the higher includes the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// May read.
    Viewer,
    /// May read and write items.
    Contributor,
    /// May also share, and add members below itself.
    Member,
    /// May everything.
    Admin,
}

open_enum! {
    /// What kind of principal an id names.
    PrincipalType {
        /// A person.
        USER = "User",
        /// A security group.
        GROUP = "Group",
        /// An application.
        SERVICE_PRINCIPAL = "ServicePrincipal",
        /// A profile of an application.
        SERVICE_PRINCIPAL_PROFILE = "ServicePrincipalProfile",
        /// Everybody in the tenant.
        ENTIRE_TENANT = "EntireTenant",
    }
}

/// A user, group or application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Its object id in Entra ID.
    pub id: PrincipalId,
    /// Its kind. The service corrects a wrong one.
    #[serde(rename = "type")]
    pub kind: PrincipalType,
    /// Its name; only in answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A principal's role in a workspace. A principal has at most one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleAssignment {
    /// The id of the assignment, which is the principal's id.
    pub id: PrincipalId,
    /// Who.
    pub principal: Principal,
    /// What.
    pub role: Role,
}

/// A name that is none of the four roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: expected Admin, Member, Contributor or Viewer")]
pub struct UnknownRole;

#[derive(Serialize)]
struct New<'a> {
    principal: &'a Principal,
    role: Role,
}

#[derive(Serialize)]
struct Update {
    role: Role,
}

impl Role {
    /// The name as the service writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Contributor => "Contributor",
            Self::Member => "Member",
            Self::Admin => "Admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    /// Reads a name in any case, as the service does.
    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        [Self::Viewer, Self::Contributor, Self::Member, Self::Admin]
            .into_iter()
            .find(|role| role.as_str().eq_ignore_ascii_case(name))
            .ok_or(UnknownRole)
    }
}

impl Principal {
    /// A principal to give a role to.
    #[must_use]
    pub fn new(id: PrincipalId, kind: PrincipalType) -> Self {
        Self { id, kind, display_name: None }
    }
}

/// All role assignments of a workspace. Some tenants leave out service principals: that one is not listed does not
/// prove that it has no role.
#[must_use]
pub fn list(workspace: WorkspaceId) -> Paged<RoleAssignment> {
    Paged::value("roles.list", path(workspace))
}

/// Gives a principal, which has none yet, a role.
#[must_use]
pub fn add(workspace: WorkspaceId, principal: &Principal, role: Role) -> Call<RoleAssignment> {
    Call::post("roles.add", path(workspace)).json(&New { principal, role })
}

/// Reads a principal's role.
#[must_use]
pub fn get(workspace: WorkspaceId, principal: PrincipalId) -> Call<RoleAssignment> {
    Call::get("roles.get", of(workspace, principal))
}

/// Changes a principal's role. The last admin cannot be demoted.
#[must_use]
pub fn update(workspace: WorkspaceId, principal: PrincipalId, role: Role) -> Call<RoleAssignment> {
    Call::patch("roles.update", of(workspace, principal)).json(&Update { role })
}

/// Takes a principal's role away. The last admin cannot be removed.
#[must_use]
pub fn delete(workspace: WorkspaceId, principal: PrincipalId) -> Call<()> {
    Call::delete("roles.delete", of(workspace, principal))
}

fn path(workspace: WorkspaceId) -> String {
    format!("{}/roleAssignments", workspaces::path(workspace))
}

fn of(workspace: WorkspaceId, principal: PrincipalId) -> String {
    format!("{}/{principal}", path(workspace))
}
