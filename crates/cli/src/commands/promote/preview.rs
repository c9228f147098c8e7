//! What would be promoted: the items of both stages, side by side.

use std::collections::BTreeSet;

use anyhow::anyhow;
use selvedge_deployment::promotion::{PromotedItem, Promotion, PromotionStage};
use selvedge_fabric_client::deployment_pipelines::{self as pipelines, MOST_ITEMS, Pipeline, StageItem};
use selvedge_fabric_client::items::Item;
use selvedge_fabric_client::{Client, DeploymentId, ItemId};
use serde_json::{Value, json};

use super::find::{Place, Row};
use crate::commands::find::{self, unread};
use crate::exit;
use crate::render::table;
use crate::report::ExitWith;
use crate::text::{counted, one_line};

/// What is said of every promotion.
const LOST: &str = "This cannot be undone: selvedge keeps nothing of what is overwritten.";

pub(super) struct Preview {
    pub(super) pipeline: Pipeline,
    pub(super) row: Row,
    /// What is to be copied, in the order of the stage.
    pub(super) items: Vec<Copied>,
    /// What the target alone has.
    only_there: Vec<StageItem>,
    /// How many items were not asked for.
    not_chosen: usize,
}

/// An item, and the one that it is copied over.
pub(super) struct Copied {
    pub(super) item: StageItem,
    pub(super) over: Option<StageItem>,
    /// Another of its type and name, where it is copied over none: Fabric makes a second, or refuses.
    namesake: Option<ItemId>,
}

impl Row {
    /// The item of the stage to copy from that this one of the other is paired with.
    pub(super) fn pair(&self, there: &StageItem) -> Option<ItemId> {
        if self.is_forward { there.source_item_id } else { there.target_item_id }
    }
}

impl Preview {
    /// Reads both stages. Without `words` all items are chosen.
    ///
    /// # Errors
    ///
    /// When they cannot be read, a word stands for nothing or for several, or Fabric would refuse it.
    pub(super) async fn read(
        fabric: &Client,
        pipeline: Pipeline,
        row: Row,
        words: &[String],
    ) -> anyhow::Result<Self> {
        let list = async |place: &Place| {
            fabric.list_all(pipelines::items(pipeline.id, place.id)).await.map_err(unread)
        };
        let (here, there) = (list(&row.from).await?, list(&row.to).await?);
        Self::of(pipeline, row, here, there, words)
    }

    fn of(
        pipeline: Pipeline,
        row: Row,
        here: Vec<StageItem>,
        there: Vec<StageItem>,
        words: &[String],
    ) -> anyhow::Result<Self> {
        let tried = format!("promote from {} to {}", one_line(&row.from.name), one_line(&row.to.name));
        if !row.is_forward && !there.is_empty() {
            let problem = anyhow!(
                "that is a step back, and stage {} has {}",
                one_line(&row.to.name),
                counted(there.len(), "item")
            );
            let help = "Fabric copies back to a stage that is empty, and to no other";
            return Err(problem.context(ExitWith::new(exit::FAILED, tried).help(help)));
        }
        let chosen = chosen(&here, words)?;
        let not_chosen = here.len() - chosen.len();
        if chosen.len() > MOST_ITEMS {
            let problem = anyhow!("these are {} items, and Fabric takes {MOST_ITEMS} at once", chosen.len());
            let help = "name those of one promotion with --items";
            return Err(problem.context(ExitWith::new(exit::FAILED, tried).help(help)));
        }
        let ids: BTreeSet<_> = here.iter().map(|item| item.item_id).collect();
        let items = chosen.into_iter().map(|item| {
            let over = there.iter().find(|there| row.pair(there) == Some(item.item_id)).cloned();
            let name = item.item_display_name.to_lowercase();
            let is_namesake = |there: &&StageItem| {
                there.item_type == item.item_type && there.item_display_name.to_lowercase() == name
            };
            let namesake = there.iter().find(is_namesake).filter(|_| over.is_none());
            Copied { item: item.clone(), over, namesake: namesake.map(|there| there.item_id) }
        });
        let items = items.collect();
        let is_paired = |there: &StageItem| row.pair(there).is_some_and(|id| ids.contains(&id));
        let only_there = there.into_iter().filter(|there| !is_paired(there)).collect();
        Ok(Self { pipeline, row, items, only_there, not_chosen })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn promotion(&self, note: Option<String>, known: Vec<DeploymentId>) -> Promotion {
        let stage = |place: &Place| PromotionStage {
            id: place.id,
            name: place.name.clone(),
            workspace: place.workspace,
        };
        let items = self.items.iter().map(|Copied { item, .. }| PromotedItem {
            id: item.item_id,
            item_type: item.item_type.as_str().to_owned(),
            name: item.item_display_name.clone(),
        });
        Promotion {
            pipeline: self.pipeline.id,
            name: self.pipeline.display_name.clone(),
            from: stage(&self.row.from),
            to: stage(&self.row.to),
            items: items.collect(),
            note,
            known,
        }
    }

    pub(super) fn text(&self) -> String {
        let place = |place: &Place| {
            format!("{} (workspace {})", one_line(&place.name), one_line(&place.workspace_name))
        };
        let mut text = format!("Pipeline: {}", one_line(&self.pipeline.display_name));
        text.push_str(&format!("\nFrom: {}\nTo: {}\n\n", place(&self.row.from), place(&self.row.to)));
        let rows = self.items.iter().map(|copied| {
            let item = &copied.item;
            vec![item.item_display_name.clone(), item.item_type.as_str().to_owned(), copied.words()]
        });
        text.push_str(&table(&["Item", "Type", "There"], rows));
        let to = one_line(&self.row.to.name);
        if !self.only_there.is_empty() {
            text.push_str(&format!("\n\nOnly in {to}, and left alone:"));
            for item in &self.only_there {
                text.push_str(&format!("\n  {}", shown(item)));
            }
        }
        let over = self.items.iter().filter(|copied| copied.over.is_some()).count();
        let new = self.items.len() - over;
        text.push_str(&format!("\n\n{}: {new} new, {over} overwritten", counted(self.items.len(), "item")));
        if self.not_chosen > 0 {
            text.push_str(&format!("; {} not chosen", self.not_chosen));
        }
        text.push_str(&format!("\n{LOST}"));
        text
    }

    pub(super) fn value(&self, status: &str) -> Value {
        let place = |place: &Place| {
            json!({ "id": place.id, "displayName": place.name, "workspaceId": place.workspace,
                    "workspaceName": place.workspace_name })
        };
        json!({
            "status": status,
            "pipeline": { "id": self.pipeline.id, "displayName": self.pipeline.display_name },
            "from": place(&self.row.from),
            "to": place(&self.row.to),
            "items": self.items.iter().map(Copied::value).collect::<Vec<_>>(),
            "only_in_target": self.only_there.iter().map(value).collect::<Vec<_>>(),
            "not_chosen": self.not_chosen,
        })
    }
}

impl Copied {
    fn words(&self) -> String {
        match &self.over {
            None if self.namesake.is_some() => "new, beside one of that name".to_owned(),
            None => "new".to_owned(),
            Some(over) if over.item_display_name == self.item.item_display_name => "overwritten".to_owned(),
            Some(over) => format!("overwritten: {}", over.item_display_name),
        }
    }

    pub(super) fn value(&self) -> Value {
        let mut value = value(&self.item);
        value["action"] = if self.over.is_some() { "overwrite" } else { "create" }.into();
        value["targetItemId"] = json!(self.over.as_ref().map(|over| over.item_id));
        value["namesakeId"] = json!(self.namesake);
        value
    }
}

fn value(item: &StageItem) -> Value {
    json!({ "id": item.item_id, "type": item.item_type, "displayName": item.item_display_name })
}

/// An item as people call it.
pub(super) fn shown(item: &StageItem) -> String {
    format!("{} {}", item.item_type, one_line(&item.item_display_name))
}

/// The items of these words, each once, in the order of the stage.
fn chosen<'i>(all: &'i [StageItem], words: &[String]) -> anyhow::Result<Vec<&'i StageItem>> {
    if words.is_empty() {
        return Ok(all.iter().collect());
    }
    let known: Vec<_> = all.iter().map(as_item).collect();
    let (mut ids, mut missed) = (BTreeSet::new(), Vec::new());
    for word in words {
        match find::select(&known, &[], word.trim(), None) {
            Ok(item) => {
                ids.insert(item.id);
            }
            Err(miss) => missed.push(miss),
        }
    }
    match find::Miss::all(missed) {
        Some(miss) => Err(miss.into_error()),
        None => Ok(all.iter().filter(|item| ids.contains(&item.item_id)).collect()),
    }
}

fn as_item(item: &StageItem) -> Item {
    Item {
        id: item.item_id,
        kind: item.item_type.clone(),
        display_name: item.item_display_name.clone(),
        description: None,
        workspace_id: None,
        folder_id: None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::report;

    fn item(id: u128, kind: &str, name: &str, source: Option<u128>) -> StageItem {
        StageItem {
            item_id: Uuid::from_u128(id).into(),
            item_type: kind.into(),
            item_display_name: name.to_owned(),
            source_item_id: source.map(|id| Uuid::from_u128(id).into()),
            target_item_id: None,
            last_deployment_time: None,
        }
    }

    fn preview(
        is_forward: bool,
        here: Vec<StageItem>,
        there: Vec<StageItem>,
        words: &[&str],
    ) -> anyhow::Result<Preview> {
        let place = |id: u128, name: &str| Place {
            id: Uuid::from_u128(id).into(),
            name: name.to_owned(),
            workspace: Uuid::from_u128(id).into(),
            workspace_name: format!("sales-{name}"),
        };
        let row = Row { from: place(1, "dev"), to: place(2, "test"), is_forward };
        let pipeline =
            Pipeline { id: Uuid::from_u128(3).into(), display_name: "Sales".to_owned(), description: None };
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        Preview::of(pipeline, row, here, there, &words)
    }

    /// Fabric pairs items by itself: an item keeps its partner when it is renamed, and may have none beside one of its name.
    #[test]
    fn pairs_are_fabrics_and_no_matter_of_names() {
        let here = vec![
            item(11, "Notebook", "load", None),
            item(12, "Report", "sales", None),
            item(13, "Report", "new", None),
        ];
        let there = vec![
            item(21, "Notebook", "Load orders", Some(11)),
            item(22, "Report", "SALES", None),
            item(23, "Report", "old", Some(99)),
        ];
        let seen = preview(true, here.clone(), there.clone(), &[]).unwrap();
        let text = seen.text();
        for said in [
            "load  | Notebook | overwritten: Load orders",
            "sales | Report   | new, beside one of that name",
            "new   | Report   | new\n",
            "Only in test, and left alone:\n  Report SALES\n  Report old\n",
            "3 items: 2 new, 1 overwritten\nThis cannot be undone",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        let value = seen.value("planned");
        assert_eq!(value["items"][0]["targetItemId"], json!(Uuid::from_u128(21)));
        assert_eq!(value["items"][1]["namesakeId"], json!(Uuid::from_u128(22)));
        assert_eq!(value["items"][2]["namesakeId"], Value::Null);
        let promotion = seen.promotion(None, Vec::new());
        assert_eq!(promotion.to_string(), "promote 3 items from dev to test");

        // What is paired with an item that is not chosen is not the target's alone.
        let text = preview(true, here, there, &["new"]).unwrap().text();
        assert!(text.contains("1 item: 1 new, 0 overwritten; 2 not chosen"), "{text}");
        assert!(!text.contains("Load orders"), "{text}");
    }

    #[test]
    fn what_fabric_would_refuse_is_not_asked_for() {
        let many =
            |count: u128| (1..=count).map(|id| item(id, "Notebook", &format!("n{id}"), None)).collect();
        assert_eq!(preview(true, many(300), Vec::new(), &[]).unwrap().items.len(), 300);
        let error = preview(true, many(301), Vec::new(), &[]).err().unwrap();
        assert!(report::causes(&error).contains("301 items, and Fabric takes 300"), "{error:?}");
        assert!(preview(true, many(301), Vec::new(), &["n7.notebook"]).is_ok());
        // Back to an empty stage, and to no other.
        assert!(preview(false, many(1), Vec::new(), &[]).is_ok());
        let error = preview(false, many(1), vec![item(9, "Report", "r", None)], &[]).err().unwrap();
        assert_eq!(report::exit_code(&error), exit::FAILED);
    }
}
