//! Deleted workspaces, brought back by an administrator.

use uuid::Uuid;

use super::{ApiError, Assignment, Role, World};

impl World {
    /// Brings a deleted workspace back with all that it held, under its old name or a new one. What it has lost by its
    /// deletion, an identity and a place in a deployment pipeline, does not come back.
    pub(crate) fn restore_workspace(
        &mut self,
        caller: Uuid,
        id: Uuid,
        name: Option<String>,
        admin: Option<Uuid>,
    ) -> Result<(), ApiError> {
        self.check_tenant_admin(caller)?;
        if self.workspaces.iter().any(|workspace| workspace.id == id) {
            let message = "The workspace is not deleted";
            let error = ApiError::new(400, "InvalidRestoreWorkspaceRequest", message);
            return Err(error.about(id, "Workspace"));
        }
        let deleted = self.deleted_workspaces.iter().find(|workspace| workspace.id == id);
        let deleted = deleted.ok_or_else(|| ApiError::not_found("WorkspaceNotFound", id, "Workspace"))?;
        let name = name.unwrap_or_else(|| deleted.display_name.clone());
        self.check_workspace_name(&name, None)?;
        if let Some(admin) = admin {
            self.check_principal(admin)?;
        }
        for mut workspace in self.deleted_workspaces.extract_if(.., |workspace| workspace.id == id) {
            workspace.display_name.clone_from(&name);
            if let Some(admin) = admin {
                workspace.roles.retain(|assignment| assignment.principal != admin);
                workspace.roles.push(Assignment { principal: admin, role: Role::Admin });
            }
            self.workspaces.push(workspace);
        }
        Ok(())
    }
}
