//! `selvedge promote`: items copied from one stage of a deployment pipeline to the one beside it.
//!
//! What words stand for is in `find.rs`, what would be copied in `preview.rs`, what was copied in `outcome.rs`. Fabric does the copying, and
//! nothing keeps what it overwrites: the one change of its plan cannot be taken back.

mod find;
mod outcome;
mod preview;

use anyhow::anyhow;
use selvedge_deployment::change::{Change, Receipt};
use selvedge_deployment::promotion::Promotion;
use selvedge_fabric_client::deployment_pipelines as pipelines;
use selvedge_rollback::Plan;

use super::confirm;
use super::find::unread;
use super::tell::tell;
use super::transact::{Session, Task};
use crate::args::PromoteArgs;
use crate::run::App;
use crate::text::one_line;
use find::Row;
use outcome::Outcome;
use preview::Preview;

/// Promotes, or shows what would be promoted.
///
/// # Errors
///
/// What stands in its way.
pub(crate) async fn run(app: &App, args: &PromoteArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let pipeline = find::pipeline(fabric, &args.pipeline).await?;
    // Before anything is looked at that this one is to be told from.
    let known = fabric.list_all(pipelines::deployments(pipeline.id)).await.map_err(unread)?;
    let row = Row::read(fabric, &pipeline, &args.from, &args.to).await?;
    let preview = Preview::read(fabric, pipeline, row, &args.items).await?;
    if preview.is_empty() {
        let text = format!("Nothing to promote: stage {} has no items", one_line(&preview.row.from.name));
        return tell(app, &text, preview.value("nothing_to_promote"));
    }
    if args.dry_run {
        let text = format!("{}\n\nDRY RUN MODE - Nothing is promoted", preview.text());
        return tell(app, &text, preview.value("planned"));
    }
    if !agreed(app, &preview)? {
        return tell(app, "Cancelled", preview.value("cancelled"));
    }
    let known = known.into_iter().map(|one| one.id).collect();
    let promotion = preview.promotion(args.note.clone(), known);
    let receipt = make(&session, &preview, &promotion).await?;
    let Receipt::Promoted { left_out } = receipt else {
        return Err(anyhow!("what was promoted is not known"));
    };
    Outcome::read(app, fabric, &preview, &promotion, left_out).await?.tell(app)
}

/// The name of a protected workspace is typed. It is not what protects it from being deleted: nothing is deleted here.
fn agreed(app: &App, preview: &Preview) -> anyhow::Result<bool> {
    let text = preview.text();
    let to = &preview.row.to.workspace_name;
    match app.settings.workspaces.is_protected(to) {
        true => {
            confirm::typed(app, &format!("{text}\nWorkspace {} is protected.", one_line(to)), &one_line(to))
        }
        false => confirm::agreed(app, &text, "Promote?"),
    }
}

async fn make(session: &Session<'_>, preview: &Preview, promotion: &Promotion) -> anyhow::Result<Receipt> {
    let words = promotion.to_string();
    let mut plan = Plan::default();
    let step = plan.push(Change::PromoteItems(Box::new(promotion.clone())), []);
    // Of what is copied from, too: a transaction that is open there may take away what was promoted from it.
    let workspaces = [&preview.row.from, &preview.row.to].map(|stage| stage.workspace_name.clone()).to_vec();
    let mut receipts = session.make(Task { plan, workspaces, environment: None, words }).await?;
    receipts.remove(&step).ok_or_else(|| anyhow!("the promotion has given nothing back"))
}
