//! Tags: a tenant's or a domain's words for workspaces and items. They are made by a seed only.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::inventory::{keep_id, sorted};
use super::{ApiError, PrincipalKind, Role, Workspace, World};

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tag {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    /// The domain in which alone it can be applied.
    pub(crate) domain: Option<Uuid>,
}

/// A tag on something. Tags keep their names, so the name can be kept with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppliedTag {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
}

/// What is tagged.
#[derive(Clone, Copy)]
pub(crate) enum Tagged {
    Workspace,
    Item(Uuid),
}

/// <https://learn.microsoft.com/fabric/governance/tags-overview>
const MAX_TAGS: usize = 10;

fn invalid(why: &str) -> ApiError {
    ApiError::new(400, "InvalidInputs", "Invalid input was provided").because("InvalidParameter", why)
}

impl Tagged {
    /// The role that whoever tags it has at least.
    fn least_role(self) -> Role {
        match self {
            Self::Workspace => Role::Admin,
            Self::Item(_) => Role::Contributor,
        }
    }
}

impl Workspace {
    fn tags_of(&mut self, what: Tagged) -> Result<&mut Vec<AppliedTag>, ApiError> {
        match what {
            Tagged::Workspace => Ok(&mut self.tags),
            Tagged::Item(id) => Ok(&mut self.item_mut(id)?.tags),
        }
    }
}

impl World {
    /// Applies tags, all of them or none. One that is there already stays there.
    pub(crate) fn apply_tags(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        what: Tagged,
        tags: &[Uuid],
    ) -> Result<(), ApiError> {
        let target = self.taggable(caller, workspace, what)?;
        let mut applied = Vec::new();
        for tag in self.named_tags(tags)? {
            if tag.domain.is_some_and(|domain| !self.is_in_domain(target, domain)) {
                return Err(invalid("The tag belongs to a domain in which the workspace is not"));
            }
            applied.push(AppliedTag { id: tag.id, display_name: tag.display_name.clone() });
        }
        let present = self.workspace_mut(caller, workspace, what.least_role())?.tags_of(what)?;
        applied.retain(|new| !present.contains(new));
        if present.len() + applied.len() > MAX_TAGS {
            return Err(invalid("There would be more than 10 tags"));
        }
        present.extend(applied);
        Ok(())
    }

    /// Takes tags off; one that is not there is passed over.
    pub(crate) fn unapply_tags(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        what: Tagged,
        tags: &[Uuid],
    ) -> Result<(), ApiError> {
        self.taggable(caller, workspace, what)?;
        let is_user = || self.principal(caller).is_some_and(|caller| caller.kind == PrincipalKind::User);
        // The documents ask more of a user who takes a tag off a workspace than of one who puts it on.
        if matches!(what, Tagged::Workspace) && is_user() {
            self.check_tenant_admin(caller)?;
        }
        self.named_tags(tags)?;
        let present = self.workspace_mut(caller, workspace, what.least_role())?.tags_of(what)?;
        present.retain(|tag| !tags.contains(&tag.id));
        Ok(())
    }

    /// Takes tags that are no more off everything.
    pub(super) fn forget_tags(&mut self, gone: &[Uuid]) {
        for workspace in self.workspaces.iter_mut().chain(&mut self.deleted_workspaces) {
            let items = workspace.items.iter_mut().chain(&mut workspace.recycle_bin);
            let applied = items.map(|item| &mut item.tags).chain([&mut workspace.tags]);
            applied.for_each(|tags| tags.retain(|tag| !gone.contains(&tag.id)));
        }
    }

    pub(super) fn tags_inventory(&self) -> Value {
        sorted(self.tags.iter().map(|tag| {
            let domain = tag.domain.and_then(|id| self.domain(id).ok());
            let domain = domain.map(|domain| &domain.display_name);
            let mut json = json!({"displayName": tag.display_name, "domain": domain});
            keep_id(&mut json, tag.id, tag.given_id);
            json
        }))
    }

    /// The workspace, if the caller may tag that in it.
    fn taggable(&self, caller: Uuid, workspace: Uuid, what: Tagged) -> Result<&Workspace, ApiError> {
        let workspace = self.workspace(caller, workspace, what.least_role())?;
        match what {
            Tagged::Item(id) => workspace.item(id).map(|_| workspace),
            Tagged::Workspace => Ok(workspace),
        }
    }

    fn named_tags(&self, ids: &[Uuid]) -> Result<Vec<&Tag>, ApiError> {
        if ids.is_empty() {
            return Err(invalid("The tags field is required"));
        }
        let mut named: Vec<&Tag> = Vec::new();
        for id in ids {
            let tag = self.tags.iter().find(|tag| tag.id == *id);
            let tag = tag.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "Tag"))?;
            if named.iter().all(|known| known.id != tag.id) {
                named.push(tag);
            }
        }
        Ok(named)
    }

    /// Whether the workspace is in the domain or in one of its subdomains.
    fn is_in_domain(&self, workspace: &Workspace, domain: Uuid) -> bool {
        let own = workspace.domain.and_then(|id| self.domain(id).ok());
        own.is_some_and(|own| own.id == domain || own.parent == Some(domain))
    }
}
