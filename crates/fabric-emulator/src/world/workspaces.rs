//! Workspaces and the capacities they run on.

use time::OffsetDateTime;
use uuid::Uuid;

use super::roles::Assignment;
use super::{
    ApiError, AppliedTag, Folder, Git, Identity, Item, Role, Spark, World, check_length, check_name,
    same_name,
};
use crate::clock::later;

#[derive(Clone)]
pub(crate) struct Capacity {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    pub(crate) sku: String,
    pub(crate) region: String,
    pub(crate) active: bool,
}

#[derive(Clone)]
pub(crate) struct Workspace {
    pub(crate) id: Uuid,
    /// Whether a seed gave the id: then it says something about the world, else it was drawn.
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) capacity: Option<Uuid>,
    /// Until when the capacity is being assigned.
    pub(crate) assigned: OffsetDateTime,
    pub(crate) roles: Vec<Assignment>,
    pub(crate) folders: Vec<Folder>,
    pub(crate) items: Vec<Item>,
    pub(crate) recycle_bin: Vec<Item>,
    /// Items whose child is still to come, and when.
    pub(super) expecting: Vec<(OffsetDateTime, Uuid)>,
    /// Names of deleted items that cannot be used yet: type, name, and until when.
    pub(crate) reserved: Vec<(&'static str, String, OffsetDateTime)>,
    pub(crate) git: Option<Git>,
    pub(crate) domain: Option<Uuid>,
    pub(crate) tags: Vec<AppliedTag>,
    pub(crate) identity: Option<Identity>,
    pub(crate) spark: Spark,
}

impl Workspace {
    /// Whether it holds no item, deleted ones included.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.recycle_bin.is_empty()
    }
}

impl World {
    pub(crate) fn capacity(&self, id: Uuid) -> Option<&Capacity> {
        self.capacities.iter().find(|capacity| capacity.id == id)
    }

    /// The workspace, if the caller has at least that role in it.
    ///
    /// # Errors
    /// 404 without any role, 403 with a lesser one.
    pub(crate) fn workspace(&self, caller: Uuid, id: Uuid, least: Role) -> Result<&Workspace, ApiError> {
        let hidden = || ApiError::not_found("WorkspaceNotFound", id, "Workspace");
        let workspace = self.workspaces.iter().find(|workspace| workspace.id == id).ok_or_else(hidden)?;
        match self.role_in(caller, workspace) {
            Some(role) if role >= least => Ok(workspace),
            Some(_) => Err(ApiError::forbidden().about(id, "Workspace")),
            None => Err(hidden()),
        }
    }

    pub(super) fn workspace_mut(
        &mut self,
        caller: Uuid,
        id: Uuid,
        least: Role,
    ) -> Result<&mut Workspace, ApiError> {
        self.workspace(caller, id, least)?;
        let hidden = || ApiError::not_found("WorkspaceNotFound", id, "Workspace");
        self.workspaces.iter_mut().find(|workspace| workspace.id == id).ok_or_else(hidden)
    }

    /// The workspaces in which the caller has a role, and the role.
    pub(crate) fn workspaces_of(&self, caller: Uuid) -> impl Iterator<Item = (&Workspace, Role)> {
        self.workspaces
            .iter()
            .filter_map(move |workspace| Some((workspace, self.role_in(caller, workspace)?)))
    }

    pub(crate) fn create_workspace(
        &mut self,
        caller: Uuid,
        display_name: &str,
        description: &str,
        capacity: Option<Uuid>,
    ) -> Result<&Workspace, ApiError> {
        if !self.principal(caller).is_some_and(|caller| caller.may_create_workspaces) {
            return Err(ApiError::forbidden());
        }
        self.check_workspace_name(display_name, None)?;
        check_length("description", description, 4000)?;
        if let Some(capacity) = capacity {
            self.check_capacity(capacity)?;
        }
        let workspace = Workspace {
            id: Uuid::new_v4(),
            given_id: false,
            display_name: display_name.to_owned(),
            description: description.to_owned(),
            capacity,
            assigned: self.now,
            roles: vec![Assignment { principal: caller, role: Role::Admin }],
            folders: Vec::new(),
            items: Vec::new(),
            recycle_bin: Vec::new(),
            expecting: Vec::new(),
            reserved: Vec::new(),
            git: None,
            domain: None,
            tags: Vec::new(),
            identity: None,
            spark: Spark::default(),
        };
        Ok(self.workspaces.push_mut(workspace))
    }

    pub(crate) fn update_workspace(
        &mut self,
        caller: Uuid,
        id: Uuid,
        display_name: Option<String>,
        description: Option<String>,
    ) -> Result<&Workspace, ApiError> {
        self.workspace(caller, id, Role::Admin)?;
        if let Some(name) = &display_name {
            self.check_workspace_name(name, Some(id))?;
        }
        check_length("description", description.as_deref().unwrap_or_default(), 4000)?;
        let workspace = self.workspace_mut(caller, id, Role::Admin)?;
        workspace.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut workspace.display_name));
        workspace.description = description.unwrap_or_else(|| std::mem::take(&mut workspace.description));
        Ok(workspace)
    }

    /// Deletes softly: the workspace and what it holds can be restored for some days, and nothing purges them. Its
    /// identity is gone for good, and its place in a deployment pipeline is free.
    pub(crate) fn delete_workspace(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        if let Some(identity) = self.workspace_mut(caller, id, Role::Admin)?.identity.take() {
            self.remove_principal(identity.principal);
        }
        self.leave_stages(id);
        let deleted = self.workspaces.extract_if(.., |workspace| workspace.id == id);
        self.deleted_workspaces.extend(deleted);
        Ok(())
    }

    pub(crate) fn assign_capacity(&mut self, caller: Uuid, id: Uuid, capacity: Uuid) -> Result<(), ApiError> {
        self.workspace(caller, id, Role::Admin)?;
        self.check_capacity(capacity)?;
        let assigned = later(self.now, self.rules.capacity_assignment);
        let workspace = self.workspace_mut(caller, id, Role::Admin)?;
        (workspace.capacity, workspace.assigned) = (Some(capacity), assigned);
        Ok(())
    }

    pub(crate) fn unassign_capacity(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.workspace_mut(caller, id, Role::Admin)?.capacity = None;
        Ok(())
    }

    /// Whether the workspace can run something now. The caller says how its own operation refuses a workspace
    /// without any capacity: items and git do not agree on that.
    pub(super) fn check_runs(
        &self,
        workspace: &Workspace,
        without: fn() -> ApiError,
    ) -> Result<(), ApiError> {
        let capacity = workspace.capacity.ok_or_else(without)?;
        if workspace.assigned > self.now {
            let message = "The workspace is being moved to another capacity";
            // Not retriable by its own word, and yet all there is to do is to wait.
            let error = ApiError::new(400, "WorkspaceMigrationOperationInProgress", message).retriable(false);
            return Err(error.about(workspace.id, "Workspace"));
        }
        self.check_capacity(capacity)
    }

    pub(super) fn check_capacity(&self, id: Uuid) -> Result<(), ApiError> {
        match self.capacity(id) {
            None => Err(ApiError::not_found("CapacityNotFound", id, "Capacity")),
            Some(capacity) if capacity.active => Ok(()),
            Some(_) => {
                Err(ApiError::new(400, "CapacityNotInActiveState", "The capacity is not in an active state")
                    .about(id, "Capacity")
                    .retriable(false))
            }
        }
    }

    pub(super) fn check_workspace_name(&self, name: &str, own: Option<Uuid>) -> Result<(), ApiError> {
        check_name("displayName", name, 256)?;
        if same_name(name, "Admin monitoring") {
            return Err(ApiError::new(400, "WorkspaceNameIsReserved", "The workspace name is reserved"));
        }
        let taken = self
            .workspaces
            .iter()
            .any(|workspace| Some(workspace.id) != own && same_name(&workspace.display_name, name));
        match taken {
            true => Err(ApiError::new(409, "WorkspaceNameAlreadyExists", "Workspace name already exists")),
            false => Ok(()),
        }
    }
}
