//! Items of neighbouring stages, paired by type and name.
//!
//! The service pairs items when a workspace is assigned or an item deployed, and keeps the pairs when an item is renamed
//! in one stage. Here the names decide anew each time, so a renamed item has lost its partner.

use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{ApiError, Item, Role, Workspace, World, same_name};
use super::no_workspace;

/// What deploying an item would do to the target stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    New,
    Different,
    Same,
}

/// An item of a stage, with its partners in the stages beside.
pub(crate) struct StageItem<'a> {
    pub(crate) item: &'a Item,
    pub(crate) source: Option<Uuid>,
    pub(crate) target: Option<Uuid>,
    pub(crate) deployed: Option<OffsetDateTime>,
}

impl Difference {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Different => "Different",
            Self::Same => "NoDifference",
        }
    }
}

impl Workspace {
    /// The items that can be deployed: those that come with others are left out, they will come by themselves.
    pub(super) fn deployable(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.parent.is_none())
    }

    /// The item with which another workspace's item is paired.
    pub(super) fn partner(&self, of: &Item) -> Option<&Item> {
        self.deployable().find(|item| item.kind == of.kind && same_name(&item.display_name, &of.display_name))
    }

    /// How an item of this workspace differs from its partner in the target, by what a deployment would carry over.
    pub(super) fn difference(&self, item: &Item, target: &Workspace) -> (Difference, Option<Uuid>) {
        let Some(partner) = target.partner(item) else { return (Difference::New, None) };
        let same = partner.display_name == item.display_name
            && partner.description == item.description
            && partner.definition == item.definition
            && target.folder_path(partner.folder) == self.folder_path(item.folder);
        (if same { Difference::Same } else { Difference::Different }, Some(partner.id))
    }
}

impl World {
    /// The items of a stage. Partners are shown to who is at least a Contributor where they are.
    pub(crate) fn stage_items(
        &self,
        caller: Uuid,
        pipeline: Uuid,
        stage: Uuid,
    ) -> Result<Vec<StageItem<'_>>, ApiError> {
        let pipeline = self.pipeline(caller, pipeline)?;
        let (at, own) = pipeline.stage(stage)?;
        let workspace = own.workspace.ok_or_else(|| no_workspace(stage))?;
        let workspace = self.workspace(caller, workspace, Role::Contributor)?;
        let beside = |at: Option<usize>| {
            let assigned = pipeline.stages.get(at?)?.workspace?;
            self.workspace(caller, assigned, Role::Contributor).ok()
        };
        let (before, after) = (beside(at.checked_sub(1)), beside(at.checked_add(1)));
        let partner = |workspace: Option<&Workspace>, item: &Item| Some(workspace?.partner(item)?.id);
        let items = workspace.deployable().map(|item| StageItem {
            item,
            source: partner(before, item),
            target: partner(after, item),
            deployed: pipeline.last_deployed(item.id),
        });
        Ok(items.collect())
    }
}
