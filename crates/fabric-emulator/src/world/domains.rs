//! Domains: how a tenant groups its workspaces.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::inventory::{keep_id, sorted};
use super::{ApiError, Role, World, check_length, check_name, same_name};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Domain {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    pub(crate) description: String,
    /// Domains are two levels deep.
    pub(crate) parent: Option<Uuid>,
    pub(crate) contributors: ContributorsScope,
    pub(crate) default_label: Option<Uuid>,
}

/// Who may bring workspaces into a domain. The third scope there is, a list of users and groups, is made by calls that
/// are not emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ContributorsScope {
    AllTenant,
    AdminsOnly,
}

/// What a create asks for.
pub(crate) struct NewDomain {
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) parent: Option<Uuid>,
    pub(crate) default_label: Option<Uuid>,
}

#[derive(Default)]
pub(crate) struct DomainPatch {
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) contributors: Option<ContributorsScope>,
    /// The nil id takes the label off.
    pub(crate) default_label: Option<Uuid>,
}

/// Lengths as others report them from Microsoft's pages of the operations.
const MAX_NAME: usize = 40;
const MAX_DESCRIPTION: usize = 256;

impl ContributorsScope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AllTenant => "AllTenant",
            Self::AdminsOnly => "AdminsOnly",
        }
    }

    pub(crate) fn read(text: &str) -> Result<Self, ApiError> {
        match text {
            "AllTenant" => Ok(Self::AllTenant),
            "AdminsOnly" => Ok(Self::AdminsOnly),
            // Nobody can be on the list: see above.
            "SpecificUsersAndGroups" => {
                let message = "The list of specific users and groups cannot be empty";
                Err(ApiError::new(400, "DomainSpecificUsersScopeCannotBeEmptyError", message))
            }
            _ => Err(ApiError::invalid("contributorsScope", "has an invalid value")),
        }
    }
}

/// Administrators are told of a missing domain in other words than users.
fn missing(id: Uuid) -> ApiError {
    ApiError::not_found("EntityNotFound", id, "Domain")
}

fn label(id: Uuid) -> Option<Uuid> {
    Some(id).filter(|id| !id.is_nil())
}

impl World {
    /// A domain as users see it: all of them see all.
    pub(crate) fn domain(&self, id: Uuid) -> Result<&Domain, ApiError> {
        let domain = self.domains.iter().find(|domain| domain.id == id);
        domain.ok_or_else(|| ApiError::not_found("DomainNotFound", id, "Domain"))
    }

    /// The domain, for an administrator.
    pub(crate) fn administered_domain(&self, caller: Uuid, id: Uuid) -> Result<&Domain, ApiError> {
        self.check_tenant_admin(caller)?;
        self.domain(id).map_err(|_| missing(id))
    }

    pub(crate) fn create_domain(&mut self, caller: Uuid, new: NewDomain) -> Result<&Domain, ApiError> {
        self.check_tenant_admin(caller)?;
        Ok(self.add_domain(new)?)
    }

    /// Adds a domain by the rules for domains, whoever asks.
    pub(crate) fn add_domain(&mut self, new: NewDomain) -> Result<&mut Domain, ApiError> {
        self.check_domain_name(&new.display_name, None)?;
        check_length("description", &new.description, MAX_DESCRIPTION)?;
        if let Some(parent) = new.parent
            && self.domain(parent).map_err(|_| missing(parent))?.parent.is_some()
        {
            return Err(ApiError::invalid("parentDomainId", "names a subdomain"));
        }
        Ok(self.domains.push_mut(Domain {
            id: Uuid::new_v4(),
            given_id: false,
            display_name: new.display_name,
            description: new.description,
            parent: new.parent,
            contributors: ContributorsScope::AllTenant,
            default_label: new.default_label.and_then(label),
        }))
    }

    pub(crate) fn update_domain(
        &mut self,
        caller: Uuid,
        id: Uuid,
        patch: DomainPatch,
    ) -> Result<&Domain, ApiError> {
        self.administered_domain(caller, id)?;
        if let Some(name) = &patch.display_name {
            self.check_domain_name(name, Some(id))?;
        }
        check_length("description", patch.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION)?;
        let domain = self.domains.iter_mut().find(|domain| domain.id == id).ok_or_else(|| missing(id))?;
        domain.display_name = patch.display_name.unwrap_or_else(|| std::mem::take(&mut domain.display_name));
        domain.description = patch.description.unwrap_or_else(|| std::mem::take(&mut domain.description));
        domain.contributors = patch.contributors.unwrap_or(domain.contributors);
        domain.default_label = patch.default_label.map_or(domain.default_label, label);
        Ok(domain)
    }

    /// Subdomains and tags of a domain go with it; that nothing refuses is a guess.
    pub(crate) fn delete_domain(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.administered_domain(caller, id)?;
        let gone = self.domains.extract_if(.., |domain| domain.id == id || domain.parent == Some(id));
        let gone: Vec<Uuid> = gone.map(|domain| domain.id).collect();
        let is_gone = |domain: Option<Uuid>| domain.is_some_and(|domain| gone.contains(&domain));
        for workspace in self.workspaces.iter_mut().chain(&mut self.deleted_workspaces) {
            workspace.domain = workspace.domain.filter(|domain| !gone.contains(domain));
        }
        let tags = self.tags.extract_if(.., |tag| is_gone(tag.domain));
        let tags: Vec<Uuid> = tags.map(|tag| tag.id).collect();
        self.forget_tags(&tags);
        Ok(())
    }

    /// Puts workspaces into a domain, whatever domain they were in; all of them or none.
    pub(crate) fn assign_workspaces(
        &mut self,
        caller: Uuid,
        domain: Uuid,
        workspaces: &[Uuid],
    ) -> Result<(), ApiError> {
        self.administered_domain(caller, domain)?;
        let known = |id: &Uuid| self.workspaces.iter().any(|workspace| workspace.id == *id);
        if let Some(unknown) = workspaces.iter().find(|id| !known(id)) {
            return Err(ApiError::not_found("WorkspaceNotFound", unknown, "Workspace"));
        }
        let chosen = self.workspaces.iter_mut().filter(|workspace| workspaces.contains(&workspace.id));
        chosen.for_each(|workspace| workspace.domain = Some(domain));
        Ok(())
    }

    /// Takes workspaces out of a domain, or all that are in it. What is not in it is passed over.
    pub(crate) fn unassign_workspaces(
        &mut self,
        caller: Uuid,
        domain: Uuid,
        workspaces: Option<&[Uuid]>,
    ) -> Result<(), ApiError> {
        self.administered_domain(caller, domain)?;
        let inside = self.workspaces.iter_mut().filter(|workspace| workspace.domain == Some(domain));
        let chosen = inside.filter(|workspace| workspaces.is_none_or(|ids| ids.contains(&workspace.id)));
        chosen.for_each(|workspace| workspace.domain = None);
        Ok(())
    }

    /// Whether the caller may bring a workspace into the domain.
    pub(crate) fn check_contributor(&self, caller: Uuid, domain: Uuid) -> Result<(), ApiError> {
        let scope = self.domain(domain)?.contributors;
        match scope == ContributorsScope::AllTenant || self.is_tenant_admin(caller) {
            true => Ok(()),
            false => {
                let message =
                    "The caller does not have enough permissions to the domain to perform the operation";
                Err(ApiError::new(403, "InsufficientPermissionsToDomain", message).about(domain, "Domain"))
            }
        }
    }

    /// Puts a workspace into a domain or, without one, out of its own, as the workspace's admin.
    pub(crate) fn set_domain(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        domain: Option<Uuid>,
    ) -> Result<(), ApiError> {
        self.workspace(caller, workspace, Role::Viewer)?;
        if self.workspace(caller, workspace, Role::Admin).is_err() {
            let message =
                "The caller does not have enough permissions to the workspace to perform the operation";
            let error = ApiError::new(403, "InsufficientWorkspaceRole", message);
            return Err(error.about(workspace, "Workspace"));
        }
        if let Some(domain) = domain {
            self.check_contributor(caller, domain)?;
        }
        self.workspace_mut(caller, workspace, Role::Admin)?.domain = domain;
        Ok(())
    }

    pub(super) fn domains_inventory(&self) -> Value {
        sorted(self.domains.iter().map(|domain| {
            let parent = domain.parent.and_then(|id| self.domain(id).ok());
            let mut json = json!({
                "displayName": domain.display_name,
                "description": domain.description,
                "parent": parent.map(|parent| &parent.display_name),
                "contributorsScope": domain.contributors.name(),
                "defaultLabelId": domain.default_label,
            });
            keep_id(&mut json, domain.id, domain.given_id);
            json
        }))
    }

    fn check_domain_name(&self, name: &str, own: Option<Uuid>) -> Result<(), ApiError> {
        check_name("displayName", name, MAX_NAME)?;
        let mut others = self.domains.iter().filter(|domain| Some(domain.id) != own);
        match others.any(|domain| same_name(&domain.display_name, name)) {
            true => Err(ApiError::new(409, "EntityConflict", "The domain display name already exists")),
            false => Ok(()),
        }
    }
}
