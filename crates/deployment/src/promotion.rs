//! Items that a deployment pipeline copies from one stage to the one beside it, and what became of them.

use std::fmt;

use selvedge_fabric_client::deployment_pipelines::{
    self as pipelines, Deploy, DeployItem, Deployment, Status,
};
use selvedge_fabric_client::{
    Client, DeploymentId, Error, ItemId, PipelineId, StageId, WorkspaceId, items::ItemType,
};
use serde::{Deserialize, Serialize};

use crate::change::LeftOut;

/// What is to be copied, and where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// Its display name, for people.
    pub name: String,
    /// The stage to copy from.
    pub from: PromotionStage,
    /// The stage to copy to.
    pub to: PromotionStage,
    /// The items.
    pub items: Vec<PromotedItem>,
    /// What the pipeline's history says of it.
    pub note: Option<String>,
    /// The deployments that the pipeline told of before: another one is this, or somebody else's.
    pub known: Vec<DeploymentId>,
}

/// A stage, and the workspace that is assigned to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotionStage {
    /// The stage.
    pub id: StageId,
    /// Its display name, for people.
    pub name: String,
    /// The workspace.
    pub workspace: WorkspaceId,
}

/// One item to copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotedItem {
    /// Its id in the stage to copy from.
    pub id: ItemId,
    /// Its type.
    pub item_type: String,
    /// Its display name, for people.
    pub name: String,
}

impl Promotion {
    /// The request.
    #[must_use]
    pub fn order(&self) -> Deploy {
        let items = self.items.iter().map(|item| DeployItem {
            source_item_id: item.id,
            item_type: ItemType::from(item.item_type.as_str()),
        });
        Deploy {
            source_stage_id: self.from.id,
            target_stage_id: self.to.id,
            items: items.collect(),
            note: self.note.clone(),
        }
    }

    /// The deployments that the pipeline did not know before, without their steps.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub async fn since(&self, client: &Client) -> Result<Vec<Deployment>, Error> {
        let mut all = client.list_all(pipelines::deployments(self.pipeline)).await?;
        all.retain(|one| !self.known.contains(&one.id));
        Ok(all)
    }

    /// The deployment that made this, or is about to; with its steps.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn find(&self, client: &Client) -> Result<Option<Deployment>, Error> {
        for one in self.since(client).await? {
            if one.source_stage_id != Some(self.from.id) || one.target_stage_id != Some(self.to.id) {
                continue;
            }
            let one = client.send(pipelines::deployment(self.pipeline, one.id)).await?;
            if self.is(&one) {
                return Ok(Some(one));
            }
        }
        Ok(None)
    }

    /// Whether it has this one's note, and no other items. Somebody else's of which that is true comes to the same.
    fn is(&self, one: &Deployment) -> bool {
        let (note, is_cut) = match &one.note {
            Some(note) => (note.content.as_str(), note.is_truncated == Some(true)),
            None => ("", false),
        };
        let ours = self.note.as_deref().unwrap_or_default();
        let says_so = if is_cut { ours.starts_with(note) } else { ours == note };
        let is_among = |id: ItemId| self.items.iter().any(|item| item.id == id);
        says_so && one.steps().iter().all(|step| is_among(step.source_and_target.source_item_id))
    }

    /// What an ended deployment has left out, and why.
    #[must_use]
    pub fn left_out(&self, ended: &Deployment) -> Vec<LeftOut> {
        let all_done = ended.status.is(&Status::SUCCEEDED);
        let why = |item: &PromotedItem| {
            let step = ended.steps().iter().find(|step| step.source_and_target.source_item_id == item.id);
            match step {
                // Where it tells of none, it may have done all.
                None if all_done && ended.steps().is_empty() => None,
                Some(step) if step.status.is(&Status::SUCCEEDED) => None,
                Some(step) => Some(step.error().map_or_else(
                    || format!("its step ended as {}", step.status),
                    |error| {
                        [error.code.to_string(), error.message].map(|part| part.trim().to_owned()).join(": ")
                    },
                )),
                None => Some("the deployment ended without it".to_owned()),
            }
        };
        let left = self.items.iter().filter_map(|item| Some(LeftOut { item: item.id, reason: why(item)? }));
        left.collect()
    }

    /// The item as people call it, where it is one of these.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&PromotedItem> {
        self.items.iter().find(|item| item.id == id)
    }
}

impl fmt::Display for Promotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.items.len() == 1 { "" } else { "s" };
        write!(f, "promote {} item{s} from {} to {}", self.items.len(), self.from.name, self.to.name)
    }
}

impl fmt::Display for PromotedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.item_type, self.name)
    }
}
