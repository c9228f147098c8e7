//! Users, groups and service principals, as Entra ID knows them.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{ApiError, Certificate, World};
use crate::config::FederatedCredential;

/// Somebody or something that can be given a role.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Principal {
    pub(crate) id: Uuid,
    pub(crate) kind: PrincipalKind,
    pub(crate) display_name: String,
    pub(crate) mail: Option<String>,
    pub(crate) user_principal_name: Option<String>,
    /// Application (client) id of a service principal.
    pub(crate) app_id: Option<String>,
    /// Client secret of a service principal that may ask for tokens.
    pub(crate) secret: Option<String>,
    pub(crate) secret_expired: bool,
    /// Whose assertions a service principal may show instead of a secret.
    pub(crate) federated_credentials: Vec<FederatedCredential>,
    /// By whose keys a service principal may sign assertions of its own.
    pub(crate) certificates: Vec<Certificate>,
    /// Password of a user who may ask for tokens.
    pub(crate) password: Option<String>,
    /// Whether it may ask for tokens at all.
    pub(crate) enabled: bool,
    /// Members of a group, direct ones only.
    pub(crate) members: Vec<Uuid>,
    /// Whether the tenant lets it create workspaces; a service principal, connections and deployment pipelines too.
    pub(crate) may_create_workspaces: bool,
    /// Whether it is a Fabric administrator.
    pub(crate) tenant_admin: bool,
    /// For a service principal that is the managed identity of the machine that clients run on.
    pub(crate) managed_identity: Option<ManagedIdentity>,
}

/// Kinds of managed identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ManagedIdentity {
    /// The machine's own; there is one at most.
    SystemAssigned,
    /// One of several, of which a client names the one that it wants.
    UserAssigned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PrincipalKind {
    User,
    Group,
    ServicePrincipal,
}

impl PrincipalKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServicePrincipal => "ServicePrincipal",
        }
    }
}

impl World {
    pub(crate) fn principal(&self, id: Uuid) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.id == id)
    }

    /// The service principal of an application.
    pub(crate) fn application(&self, app_id: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| {
            principal.app_id.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(app_id))
        })
    }

    /// Whether there is such a principal to give something to.
    pub(crate) fn check_principal(&self, id: Uuid) -> Result<(), ApiError> {
        if self.principal(id).is_some() {
            return Ok(());
        }
        let mut error = ApiError::new(400, "PrincipalNotFound", "The provided principal was not found");
        error.details.push(json!({"relatedResource": {"resourceId": id, "resourceType": "Principal"}}));
        Err(error)
    }

    /// Takes a principal out of the tenant, with every role and membership that it had.
    pub(super) fn remove_principal(&mut self, id: Uuid) {
        self.principals.retain(|principal| principal.id != id);
        self.principals.iter_mut().for_each(|group| group.members.retain(|member| *member != id));
        for workspace in self.workspaces.iter_mut().chain(&mut self.deleted_workspaces) {
            workspace.roles.retain(|assignment| assignment.principal != id);
        }
        self.pipelines.iter_mut().for_each(|pipeline| pipeline.admins.retain(|admin| *admin != id));
        self.connections
            .iter_mut()
            .for_each(|connection| connection.roles.retain(|assignment| assignment.principal != id));
        self.vaults.iter_mut().for_each(|vault| vault.access.retain(|access| access.principal != id));
    }

    /// Whether the caller may create connections and deployment pipelines: the tenant setting about workspaces is about
    /// them too, where service principals are concerned. See
    /// <https://learn.microsoft.com/fabric/admin/service-admin-portal-developer>.
    pub(super) fn check_may_create(&self, caller: Uuid) -> Result<(), ApiError> {
        let may = self.principal(caller).is_some_and(|caller| {
            caller.kind != PrincipalKind::ServicePrincipal || caller.may_create_workspaces
        });
        if may { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    pub(super) fn is_tenant_admin(&self, caller: Uuid) -> bool {
        self.principal(caller).is_some_and(|caller| caller.tenant_admin)
    }

    /// What is under `/v1/admin` is for Fabric administrators only.
    pub(crate) fn check_tenant_admin(&self, caller: Uuid) -> Result<(), ApiError> {
        if self.is_tenant_admin(caller) { Ok(()) } else { Err(ApiError::forbidden()) }
    }

    /// Whether a role given to `holder` is `caller`'s: itself, or a group it is in.
    pub(super) fn speaks_for(&self, caller: Uuid, holder: Uuid) -> bool {
        caller == holder || self.principal(holder).is_some_and(|group| group.members.contains(&caller))
    }
}
