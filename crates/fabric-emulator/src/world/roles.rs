//! Who may do what in a workspace.

use uuid::Uuid;

use super::{ApiError, Workspace, World, same_name};

/// Ordered by what it allows: a Viewer reads, a Contributor writes items, a Member shares, an Admin owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Viewer,
    Contributor,
    Member,
    Admin,
}

impl Role {
    const ALL: [Self; 4] = [Self::Viewer, Self::Contributor, Self::Member, Self::Admin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Contributor => "Contributor",
            Self::Member => "Member",
            Self::Admin => "Admin",
        }
    }

    /// Reads a role; its case does not matter to the service.
    pub(crate) fn read(text: &str) -> Result<Self, ApiError> {
        let role = Self::ALL.into_iter().find(|role| same_name(role.name(), text));
        role.ok_or_else(|| {
            ApiError::new(400, "InvalidWorkspacePrincipalRole", "The provided workspace role is invalid")
                .because("InvalidParameter", format!("`{text}` is not a workspace role"))
        })
    }
}

/// A role given to a principal. The service calls it by the principal's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) principal: Uuid,
    pub(crate) role: Role,
}

impl World {
    pub(super) fn role_in(&self, caller: Uuid, workspace: &Workspace) -> Option<Role> {
        let own = workspace.roles.iter().filter(|assignment| self.speaks_for(caller, assignment.principal));
        own.map(|assignment| assignment.role).max()
    }

    pub(crate) fn assignments(&self, caller: Uuid, workspace: Uuid) -> Result<&[Assignment], ApiError> {
        Ok(&self.workspace(caller, workspace, Role::Member)?.roles)
    }

    pub(crate) fn assignment(
        &self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
    ) -> Result<&Assignment, ApiError> {
        let assignments = self.assignments(caller, workspace)?;
        let found = assignments.iter().find(|assignment| assignment.principal == id);
        found.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "RoleAssignment"))
    }

    /// The type the caller names is not stored: the service knows better and answers with the true one.
    pub(crate) fn add_role(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        principal: Uuid,
        role: Role,
    ) -> Result<Assignment, ApiError> {
        // A Member may share what it has, not raise anybody to Admin.
        let least = if role == Role::Admin { Role::Admin } else { Role::Member };
        let target = self.workspace(caller, workspace, least)?;
        self.check_principal(principal).map_err(|error| error.about(workspace, "Workspace"))?;
        if target.roles.iter().any(|assignment| assignment.principal == principal) {
            return Err(ApiError::new(
                409,
                "PrincipalAlreadyHasWorkspaceRolePermissions",
                "The provided principal already has a role assigned in the workspace",
            )
            .about(workspace, "Workspace"));
        }
        let assignment = Assignment { principal, role };
        self.workspace_mut(caller, workspace, least)?.roles.push(assignment.clone());
        Ok(assignment)
    }

    pub(crate) fn update_role(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        role: Role,
    ) -> Result<Assignment, ApiError> {
        self.workspace(caller, workspace, Role::Admin)?;
        self.assignment(caller, workspace, id)?;
        if role != Role::Admin {
            self.check_not_last_admin(caller, workspace, id)?;
        }
        let assignment = Assignment { principal: id, role };
        let roles = &mut self.workspace_mut(caller, workspace, Role::Admin)?.roles;
        roles.iter_mut().filter(|old| old.principal == id).for_each(|old| *old = assignment.clone());
        Ok(assignment)
    }

    pub(crate) fn delete_role(&mut self, caller: Uuid, workspace: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.workspace(caller, workspace, Role::Admin)?;
        self.assignment(caller, workspace, id)?;
        self.check_not_last_admin(caller, workspace, id)?;
        self.workspace_mut(caller, workspace, Role::Admin)?
            .roles
            .retain(|assignment| assignment.principal != id);
        Ok(())
    }

    fn check_not_last_admin(&self, caller: Uuid, workspace: Uuid, id: Uuid) -> Result<(), ApiError> {
        let mut admins =
            self.assignments(caller, workspace)?.iter().filter(|known| known.role == Role::Admin);
        match admins.all(|admin| admin.principal == id) {
            true => Err(ApiError::new(
                400,
                "BadRequest",
                "The last admin of a workspace cannot be removed or demoted",
            )
            .about(workspace, "Workspace")),
            false => Ok(()),
        }
    }
}
