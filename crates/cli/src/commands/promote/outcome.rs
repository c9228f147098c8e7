//! What was promoted: what Fabric says of each item, and whether the other stage shows it.

use std::collections::BTreeMap;

use selvedge_deployment::change::LeftOut;
use selvedge_deployment::promotion::Promotion;
use selvedge_fabric_client::deployment_pipelines::{self as pipelines, Deployment, Difference};
use selvedge_fabric_client::{Client, Error, ItemId};
use serde_json::{Value, json};

use super::preview::{Copied, Preview, shown};
use crate::commands::tell::tell;
use crate::exit;
use crate::output;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

pub(super) struct Outcome<'p> {
    preview: &'p Preview,
    left_out: Vec<LeftOut>,
    /// The pipeline's own record of it, where it has one.
    deployment: Option<Deployment>,
    /// The items of the other stage, by those that they are paired with.
    pairs: BTreeMap<ItemId, ItemId>,
}

/// What became of one item.
enum End<'o> {
    Promoted(ItemId),
    Failed(&'o str),
    /// Fabric says that it is there, and does not show it.
    NotThere,
}

impl<'p> Outcome<'p> {
    /// Looks what is there now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) async fn read(
        app: &App,
        fabric: &Client,
        preview: &'p Preview,
        promotion: &Promotion,
        left_out: Vec<LeftOut>,
    ) -> anyhow::Result<Self> {
        let deployment = promotion.find(fabric).await.map_err(unverified)?;
        let mut outcome = Self { preview, left_out, deployment, pairs: BTreeMap::new() };
        let settings = &app.settings.rollback;
        for read in 0..settings.absent_reads.max(1) {
            if read > 0 {
                tokio::time::sleep(settings.consistency_delay).await;
            }
            let row = &preview.row;
            let there = fabric.list_all(pipelines::items(preview.pipeline.id, row.to.id)).await;
            let there = there.map_err(unverified)?;
            outcome.pairs = there.iter().filter_map(|item| Some((row.pair(item)?, item.item_id))).collect();
            if outcome.ends().all(|(_, end)| !matches!(end, End::NotThere)) {
                break;
            }
        }
        Ok(outcome)
    }

    fn ends(&self) -> impl Iterator<Item = (&'p Copied, End<'_>)> {
        self.preview.items.iter().map(|copied| {
            let id = copied.item.item_id;
            let why = self.left_out.iter().find(|left| left.item == id);
            let end = match (why, self.pairs.get(&id)) {
                (Some(left), _) => End::Failed(&left.reason),
                (None, Some(there)) => End::Promoted(*there),
                (None, None) => End::NotThere,
            };
            (copied, end)
        })
    }

    /// How the item differed from what was there, where Fabric says so.
    fn difference(&self, item: ItemId) -> Option<&Difference> {
        let mut steps = self.deployment.iter().flat_map(Deployment::steps);
        let step = steps.find(|step| step.source_and_target.source_item_id == item)?;
        step.pre_deployment_diff_state.as_ref()
    }

    /// Says what became of each, and ends so.
    ///
    /// # Errors
    ///
    /// When it cannot be told.
    pub(super) fn tell(&self, app: &App) -> anyhow::Result<u8> {
        let row = &self.preview.row;
        let (mut lines, mut items) = (Vec::new(), Vec::new());
        let (mut promoted, mut failed) = (0, 0);
        for (copied, end) in self.ends() {
            let item = &copied.item;
            let difference = self.difference(item.item_id);
            let mut value = copied.value();
            value["difference"] = json!(difference);
            let (result, reason) = match end {
                End::Promoted(there) => {
                    promoted += 1;
                    value["targetItemId"] = json!(there);
                    lines.push(format!("  {}: {}", shown(item), words(copied, difference)));
                    ("promoted", None)
                }
                End::Failed(why) => {
                    failed += 1;
                    lines.push(format!("  ✗ {}: {}", shown(item), one_line(why)));
                    ("failed", Some(why))
                }
                End::NotThere => {
                    let why = "Fabric says that it was promoted, and the stage does not show it";
                    lines.push(format!("  ✗ {}: {why}", shown(item)));
                    ("not_verified", Some(why))
                }
            };
            value["result"] = result.into();
            value["reason"] = json!(reason);
            items.push(value);
        }
        let all = self.preview.items.len();
        let (mark, count, status, code) = match all - promoted {
            0 => ("✓", counted(all, "item"), "promoted", exit::DONE),
            _ if failed > 0 => ("✗", format!("{promoted} of {all} items"), "partly_promoted", exit::LEFT),
            _ => ("✗", format!("{promoted} of {all} items"), "not_verified", exit::LEFT),
        };
        let places = [&row.from, &row.to].map(|place| one_line(&place.name));
        let mut text = format!("{mark} Promoted {count} from {} to {}", places[0], places[1]);
        lines.iter().for_each(|line| text.push_str(&format!("\n{line}")));
        if code != exit::DONE {
            text.push_str(&format!(
                "\nWhat was promoted stays in {}. Once the rest is mended, run the command again.",
                places[1]
            ));
        }
        let mut value = self.preview.value(status);
        value["items"] = Value::Array(items);
        value["deployment"] = json!(self.deployment.as_ref().map(|one| one.id));
        output::coded(tell(app, &text, value).map(drop), code)
    }
}

fn words(copied: &Copied, difference: Option<&Difference>) -> &'static str {
    match (&copied.over, difference) {
        (_, Some(same)) if *same == Difference::NONE => "the same as before",
        (None, _) => "new",
        (Some(_), _) => "overwritten",
    }
}

/// It was promoted, and what was promoted cannot be read.
fn unverified(error: Error) -> anyhow::Error {
    let why = anyhow::Error::from(error);
    let help = "the deployment has ended; the pipeline's page in Fabric shows what it has done";
    why.context(ExitWith::new(exit::LEFT, "look what was promoted").help(help))
}
