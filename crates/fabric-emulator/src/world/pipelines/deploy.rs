//! Deployments: content copied from one stage to the next.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ApiError, Contents, Details, Item, Role, Workspace, World, has_definition};
use super::plan::{Plan, Target};
use super::{Difference, Pipeline};

/// What `deploy` asks for.
pub(crate) struct DeploymentOrder {
    pub(crate) source: Uuid,
    pub(crate) target: Uuid,
    /// Ids and types; `None` deploys everything.
    pub(crate) items: Option<Vec<(Uuid, &'static str)>>,
    /// The workspace to make where the target stage has none.
    pub(crate) new_target: Option<NewTarget>,
    pub(crate) note: Option<String>,
    pub(crate) across_regions: bool,
}

pub(crate) struct NewTarget {
    pub(crate) name: String,
    pub(crate) capacity: Option<Uuid>,
}

/// A deployment as the pipeline remembers it. Whether it runs or has failed, its operation knows.
#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) id: Uuid,
    pub(crate) by: Uuid,
    pub(crate) source: Uuid,
    pub(crate) target: Uuid,
    pub(crate) note: Option<String>,
    pub(crate) started: OffsetDateTime,
    /// When it had succeeded.
    pub(crate) ended: Option<OffsetDateTime>,
    /// The operation that does it, if it is not done at once.
    pub(crate) operation: Option<Uuid>,
    pub(crate) steps: Vec<Step>,
    /// The items of the target stage that it wrote.
    written: Vec<Uuid>,
}

/// One item of a deployment, as it was before.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) source: Uuid,
    pub(crate) source_name: String,
    pub(crate) kind: &'static str,
    pub(crate) difference: Difference,
    pub(crate) target: Option<(Uuid, String)>,
}

impl Pipeline {
    /// When an item was last written by a deployment.
    pub(super) fn last_deployed(&self, item: Uuid) -> Option<OffsetDateTime> {
        let wrote = |deployment: &&Deployment| deployment.written.contains(&item);
        self.deployments.iter().filter(wrote).filter_map(|deployment| deployment.ended).max()
    }
}

impl World {
    /// Writes down that a deployment begins, if it would be accepted now. Returns its id.
    pub(crate) fn begin_deployment(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        order: &DeploymentOrder,
    ) -> Result<Uuid, ApiError> {
        let steps = self.plan_deployment(caller, pipeline, order)?.steps;
        let deployment = Deployment {
            id: Uuid::new_v4(),
            by: caller,
            source: order.source,
            target: order.target,
            note: order.note.clone(),
            started: self.now,
            ended: None,
            operation: None,
            steps,
            written: Vec::new(),
        };
        let id = deployment.id;
        self.pipeline_mut(caller, pipeline)?.deployments.push(deployment);
        Ok(id)
    }

    /// Remembers which operation does the deployment.
    pub(crate) fn follow_deployment(&mut self, pipeline: Uuid, id: Uuid, operation: Option<Uuid>) {
        let pipeline = self.pipelines.iter_mut().find(|known| known.id == pipeline);
        let deployments = pipeline.into_iter().flat_map(|pipeline| &mut pipeline.deployments);
        let deployments = deployments.filter(|deployment| deployment.id == id);
        deployments.for_each(|deployment| deployment.operation = operation);
    }

    /// Does what was ordered, all of it or nothing, by what the stages hold now.
    pub(crate) fn deploy(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        id: Uuid,
        order: &DeploymentOrder,
    ) -> Result<(), ApiError> {
        let Plan { source, target, steps } = self.plan_deployment(caller, pipeline, order)?;
        let source = self.workspace(caller, source, Role::Contributor)?;
        let copied: Vec<(Item, String)> = steps
            .iter()
            .filter(|step| step.difference != Difference::Same)
            .map(|step| source.item(step.source).map(|it| (it.clone(), source.folder_path(it.folder))))
            .collect::<Result<_, _>>()?;
        let target = match target {
            Target::Workspace(id) => id,
            Target::New { name, capacity } => {
                let made = self.create_workspace(caller, &name, "", Some(capacity))?.id;
                self.stage_mut(caller, pipeline, order.target)?.workspace = Some(made);
                made
            }
        };
        let (now, delay) = (self.now, self.rules.child_delay);
        let workspace = self.workspace_mut(caller, target, Role::Contributor)?;
        let mut written: Vec<Uuid> =
            steps.iter().filter_map(|step| step.target.as_ref().map(|(id, _)| *id)).collect();
        for (item, folder) in copied {
            written.push(workspace.receive(&item, &folder, now, delay)?);
        }
        let deployments = &mut self.pipeline_mut(caller, pipeline)?.deployments;
        for deployment in deployments.iter_mut().filter(|deployment| deployment.id == id) {
            deployment.ended = Some(now);
            deployment.written = std::mem::take(&mut written);
        }
        Ok(())
    }
}

impl Workspace {
    /// Brings a copy of another workspace's item here, new or over its partner. What it holds and its tags stay behind.
    /// Returns the id of the item here. Nothing that was planned is refused: folders and names were good in the other
    /// workspace.
    fn receive(
        &mut self,
        item: &Item,
        folder: &str,
        now: OffsetDateTime,
        delay: Duration,
    ) -> Result<Uuid, ApiError> {
        let folder = self.folder_at(folder)?;
        let Some(id) = self.partner(item).map(|partner| partner.id) else {
            let id = Uuid::new_v4();
            let details = match &item.details {
                made @ (Details::Lakehouse { .. } | Details::Warehouse { .. }) => made.clone(),
                // What is active or published is each stage's own business.
                _ => Details::new(item.kind, None, now)?,
            };
            let copy = Item {
                id,
                given_id: false,
                logical_id: Uuid::new_v4(),
                folder,
                details,
                contents: Contents::default(),
                tags: Vec::new(),
                created: now,
                ..item.clone()
            };
            self.put_item(copy, delay);
            return Ok(id);
        };
        for own in self.items.iter_mut().filter(|own| own.id == id || own.parent == Some(id)) {
            own.display_name.clone_from(&item.display_name);
            own.folder = folder;
        }
        let own = self.item_mut(id)?;
        own.description.clone_from(&item.description);
        if has_definition(item.kind) {
            own.definition = item.definition.clone();
        }
        Ok(id)
    }
}
