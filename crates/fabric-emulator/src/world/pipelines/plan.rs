//! What a deployment would do, and why it cannot be done.

use uuid::Uuid;

use super::super::{ApiError, Item, PrincipalKind, Role, Workspace, World, check_length};
use super::deploy::{DeploymentOrder, Step};
use super::{Difference, Pipeline, no_workspace};

/// A deployment that would be accepted.
pub(super) struct Plan {
    /// The workspace of the source stage.
    pub(super) source: Uuid,
    pub(super) target: Target,
    pub(super) steps: Vec<Step>,
}

/// Where a deployment goes.
pub(super) enum Target {
    Workspace(Uuid),
    New { name: String, capacity: Uuid },
}

const MAX_ITEMS: usize = 300;
const MAX_NOTE: usize = 1024;

fn refused(message: &str) -> ApiError {
    ApiError::new(400, "InvalidDeploymentOperationRequest", message)
}

impl World {
    /// What an order comes to, if it would be accepted now.
    ///
    /// # Errors
    /// The refusal, with the world as it was.
    pub(super) fn plan_deployment(
        &self,
        caller: Uuid,
        pipeline: Uuid,
        order: &DeploymentOrder,
    ) -> Result<Plan, ApiError> {
        let pipeline = self.pipeline(caller, pipeline)?;
        check_length("note", order.note.as_deref().unwrap_or_default(), MAX_NOTE)?;
        let source = self.deployed_from(caller, pipeline, order)?;
        let target = self.deployed_to(caller, pipeline, source, order)?;
        let items = chosen(source, order)?;
        self.check_deployable_by(caller, &items)?;
        let (existing, capacity) = match &target {
            Target::Workspace(id) => {
                let workspace = self.workspace(caller, *id, Role::Contributor)?;
                (Some(workspace), workspace.capacity)
            }
            Target::New { capacity, .. } => (None, Some(*capacity)),
        };
        let region = |capacity: Option<Uuid>| Some(&self.capacity(capacity?)?.region);
        if region(source.capacity) != region(capacity) && !order.across_regions {
            return Err(refused(
                "The workspaces are in different regions: allowCrossRegionDeployment is needed",
            ));
        }
        let steps: Vec<Step> = items.iter().map(|item| step(source, item, existing)).collect();
        let new = steps.iter().filter(|step| step.difference == Difference::New);
        if let Some(target) = existing {
            self.check_items_fit(target, new)?;
        }
        Ok(Plan { source: source.id, target, steps })
    }

    /// The workspace of the source stage, which must be beside the target stage.
    fn deployed_from<'a>(
        &'a self,
        caller: Uuid,
        pipeline: &Pipeline,
        order: &DeploymentOrder,
    ) -> Result<&'a Workspace, ApiError> {
        let ((from, source), (to, _)) = (pipeline.stage(order.source)?, pipeline.stage(order.target)?);
        if from.abs_diff(to) != 1 {
            return Err(refused("The target stage is not next to the source stage"));
        }
        let source = source.workspace.ok_or_else(|| no_workspace(order.source))?;
        let source = self.workspace(caller, source, Role::Contributor)?;
        self.check_deployment_runs(source)?;
        Ok(source)
    }

    /// Where to: the workspace of the target stage or, if it has none, the one that the order describes.
    fn deployed_to(
        &self,
        caller: Uuid,
        pipeline: &Pipeline,
        source: &Workspace,
        order: &DeploymentOrder,
    ) -> Result<Target, ApiError> {
        let ((from, _), (to, target)) = (pipeline.stage(order.source)?, pipeline.stage(order.target)?);
        if let Some(target) = target.workspace {
            let target = self.workspace(caller, target, Role::Contributor)?;
            if to < from && !target.items.is_empty() {
                return Err(refused("Deploying to a previous stage needs that stage to be empty"));
            }
            self.check_deployment_runs(target)?;
            return Ok(Target::Workspace(target.id));
        }
        let new = order.new_target.as_ref().ok_or_else(|| no_workspace(order.target))?;
        if !self.principal(caller).is_some_and(|caller| caller.may_create_workspaces) {
            let message = "The creation of the target workspace is blocked by a tenant setting";
            return Err(ApiError::new(403, "TargetWorkspaceCreationBlockedByTenantSetting", message));
        }
        self.check_workspace_name(&new.name, None)?;
        let capacity = new.capacity.or(source.capacity).ok_or_else(without_capacity)?;
        self.check_capacity(capacity)?;
        Ok(Target::New { name: new.name.clone(), capacity })
    }

    fn check_deployment_runs(&self, workspace: &Workspace) -> Result<(), ApiError> {
        self.check_runs(workspace, without_capacity)
    }

    /// Some types cannot be handled by a service principal.
    fn check_deployable_by(&self, caller: Uuid, items: &[&Item]) -> Result<(), ApiError> {
        let is_user = self.principal(caller).is_some_and(|caller| caller.kind == PrincipalKind::User);
        match items.iter().find(|item| !is_user && is_for_users_only(item.kind)) {
            Some(item) => {
                let message = "The operation is not supported for the principal type";
                Err(ApiError::new(400, "PrincipalTypeNotSupported", message).about(item.id, "Item"))
            }
            None => Ok(()),
        }
    }

    fn check_items_fit<'a>(
        &self,
        target: &Workspace,
        new: impl Iterator<Item = &'a Step>,
    ) -> Result<(), ApiError> {
        let mut room = self.rules.max_items.saturating_sub(target.items.len() + target.recycle_bin.len());
        for step in new {
            self.check_item_free(target, step.kind, &step.source_name, None)?;
            room = room.checked_sub(1).ok_or_else(|| {
                let message = "The workspace has reached its limit of items";
                ApiError::new(400, "WorkspaceItemsLimitExceeded", message).about(target.id, "Workspace")
            })?;
        }
        Ok(())
    }
}

fn without_capacity() -> ApiError {
    let message = "A workspace with a capacity assigned is required for the operation";
    ApiError::new(400, "WorkspaceHasNoCapacityAssigned", message)
}

/// The types whose creation the documents refuse to service principals.
fn is_for_users_only(kind: &str) -> bool {
    matches!(kind, "MLExperiment" | "UserDataFunction")
}

/// The items to deploy, in the order of the workspace or of the request.
fn chosen<'a>(source: &'a Workspace, order: &DeploymentOrder) -> Result<Vec<&'a Item>, ApiError> {
    let Some(named) = &order.items else {
        let all: Vec<&Item> = source.deployable().collect();
        check_count(all.len())?;
        return Ok(all);
    };
    check_count(named.len())?;
    let mut items: Vec<&Item> = Vec::new();
    for (id, kind) in named {
        let item = source.item(*id)?;
        if item.kind != *kind {
            return Err(ApiError::not_found("ItemNotFound", id, "Item"));
        }
        if item.parent.is_some() {
            let message = format!("Items of type {kind} cannot be deployed on their own");
            return Err(ApiError::new(400, "UnsupportedItemType", message).about(id, "Item"));
        }
        if items.iter().any(|known| known.id == item.id) {
            let message = "An item is named more than once";
            return Err(ApiError::new(400, "DuplicateSourceObjectIds", message).about(id, "Item"));
        }
        items.push(item);
    }
    Ok(items)
}

fn check_count(items: usize) -> Result<(), ApiError> {
    match items {
        0 => Err(ApiError::new(400, "NoItemsToDeploy", "There are no items to deploy")),
        1..=MAX_ITEMS => Ok(()),
        _ => {
            let message = format!("A deployment can have at most {MAX_ITEMS} items");
            Err(ApiError::new(400, "NumberOfItemsInDeployRequestExceededLimit", message))
        }
    }
}

fn step(source: &Workspace, item: &Item, target: Option<&Workspace>) -> Step {
    let (difference, partner) = match target {
        Some(target) => source.difference(item, target),
        None => (Difference::New, None),
    };
    let partner = partner.and_then(|id| target?.item(id).ok());
    Step {
        source: item.id,
        source_name: item.display_name.clone(),
        kind: item.kind,
        difference,
        target: partner.map(|partner| (partner.id, partner.display_name.clone())),
    }
}
