//! Workspace identities: a service principal that belongs to a workspace and goes with it.
//!
//! See <https://learn.microsoft.com/fabric/security/workspace-identity>.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApiError, Principal, PrincipalKind, Role, Workspace, World};

/// The service principal of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) application: Uuid,
    pub(crate) principal: Uuid,
}

impl World {
    /// Whether [`World::provision_identity`] would be accepted now.
    pub(crate) fn check_provision(&self, caller: Uuid, workspace: Uuid) -> Result<(), ApiError> {
        let target = self.workspace(caller, workspace, Role::Admin)?;
        if target.identity.is_some() {
            let message = "The workspace already has an identity";
            let error = ApiError::new(409, "WorkspaceIdentityAlreadyExists", message);
            return Err(error.about(workspace, "Workspace"));
        }
        self.check_runs(target, || {
            let message = "A workspace with a capacity assigned is required for the operation";
            ApiError::new(400, "WorkspaceHasNoCapacityAssigned", message)
        })
    }

    /// The identity is known to Entra ID from then on, by the name of the workspace. It cannot ask for tokens.
    pub(crate) fn provision_identity(&mut self, caller: Uuid, workspace: Uuid) -> Result<Identity, ApiError> {
        self.check_provision(caller, workspace)?;
        let identity = Identity { application: Uuid::new_v4(), principal: Uuid::new_v4() };
        let target = self.workspace_mut(caller, workspace, Role::Admin)?;
        target.identity = Some(identity);
        let display_name = target.display_name.clone();
        self.principals.push(Principal {
            id: identity.principal,
            kind: PrincipalKind::ServicePrincipal,
            display_name,
            mail: None,
            user_principal_name: None,
            app_id: Some(identity.application.to_string()),
            secret: None,
            secret_expired: false,
            federated_credentials: Vec::new(),
            certificates: Vec::new(),
            password: None,
            enabled: true,
            members: Vec::new(),
            may_create_workspaces: false,
            tenant_admin: false,
            managed_identity: None,
        });
        Ok(identity)
    }

    /// Whether [`World::deprovision_identity`] would be accepted now.
    pub(crate) fn check_deprovision(&self, caller: Uuid, workspace: Uuid) -> Result<Identity, ApiError> {
        let target = self.workspace(caller, workspace, Role::Admin)?;
        target.identity.ok_or_else(|| ApiError::not_found("EntityNotFound", workspace, "WorkspaceIdentity"))
    }

    pub(crate) fn deprovision_identity(&mut self, caller: Uuid, workspace: Uuid) -> Result<(), ApiError> {
        let identity = self.check_deprovision(caller, workspace)?;
        self.workspace_mut(caller, workspace, Role::Admin)?.identity = None;
        self.remove_principal(identity.principal);
        Ok(())
    }

    /// The workspace whose identity that principal is; a deleted one has none any more.
    pub(super) fn workspace_of_identity(&self, principal: Uuid) -> Option<&Workspace> {
        let is_its = |identity: Identity| identity.principal == principal;
        self.workspaces.iter().find(|workspace| workspace.identity.is_some_and(is_its))
    }

    /// A principal as the inventory names it: an identity by its workspace, for its id was drawn.
    pub(super) fn principal_key(&self, principal: Uuid) -> Value {
        match self.workspace_of_identity(principal) {
            Some(workspace) => json!({"identityOf": workspace.display_name}),
            None => json!(principal),
        }
    }
}
