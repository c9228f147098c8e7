//! The workspaces of a product and of a ticket: one transaction.

use anyhow::Context as _;
use selvedge_deployment::change::{Change, Made as _, Ref};
use selvedge_deployment::config::descriptor::Descriptor;
use selvedge_deployment::diff::{self, Means};
use selvedge_deployment::read;
use selvedge_fabric_client::git::InitializationStrategy;
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{CapacityId, WorkspaceId};
use selvedge_rollback::{Plan, StepId};
use serde_json::{Value, json};

use super::branch::Branch;
use crate::commands::deploy::prepare::{GIT_TOKEN, invalid, target_failed};
use crate::commands::find;
use crate::commands::tell::said;
use crate::commands::transact::{Session, Task};
use crate::run::App;

/// The workspaces as they are then; null where there is none.
#[derive(Default)]
pub(super) struct Made {
    pub(super) dev: Value,
    pub(super) feature: Value,
}

/// A workspace that is there, or the step that makes it.
struct Ensured {
    there: Option<Workspace>,
    step: Option<StepId>,
}

/// Ensures the workspaces, and connects that of the ticket to its branch.
///
/// # Errors
///
/// Whatever stands in the way; nothing is left then.
pub(super) async fn make(
    app: &App,
    descriptor: &Descriptor,
    dev: &str,
    feature: Option<&str>,
    branch: Option<&Branch>,
) -> anyhow::Result<Made> {
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let all = find::workspaces(fabric).await?;
    let mut plan = Plan::default();
    let mut ensure = |name: &str, description: String| {
        let found = all.iter().find(|one| one.display_name.to_lowercase() == name.to_lowercase());
        if let Some(found) = found {
            return Ensured { there: Some(found.clone()), step: None };
        }
        let create = Change::CreateWorkspace { name: name.to_owned(), description: Some(description) };
        let step = plan.push(create, []);
        if let Some(capacity) = descriptor.capacity {
            let capacity = CapacityId::from(capacity);
            plan.push(Change::AssignCapacity { workspace: Ref::Step(step), capacity }, [step]);
        }
        Ensured { there: None, step: Some(step) }
    };
    let own = ensure(dev, descriptor.description.clone());
    let ticket = feature.map(|name| ensure(name, format!("Feature workspace for {}", descriptor.name)));
    if let (Some(ticket), Some(branch), Some(git)) = (&ticket, branch, &descriptor.git) {
        let is_manual =
            app.environment.variable("SKIP_AUTO_GIT_CONNECT").is_some_and(|value| value == "true");
        let below = branch.name.rsplit('/').next().unwrap_or_default();
        let want = git.desired(&branch.name, below);
        if is_manual {
            session.progress.note(&format!(
                "SKIP_AUTO_GIT_CONNECT=true: connect it with `selvedge git connect --branch {} --directory {}`",
                want.branch, want.directory
            ));
        } else {
            let (workspace, live) = match (&ticket.there, ticket.step) {
                (Some(there), _) => {
                    let live = read::read_for_git(fabric, there.id).await.map_err(target_failed)?;
                    (Ref::Id(there.id), live)
                }
                (None, Some(step)) => {
                    (Ref::Step(step), read::read_for_new(fabric).await.map_err(target_failed)?)
                }
                (None, None) => return Ok(Made::default()),
            };
            let has_token = app.secret(GIT_TOKEN).await?.is_some();
            let means = Means { git_token: has_token.then_some(GIT_TOKEN) };
            let strategy = InitializationStrategy::PreferRemote;
            plan = diff::connect(plan, &want, strategy, workspace, &live, means)
                .map_err(|problems| invalid(&problems))?;
        }
    }
    let names = [Some(dev), feature].into_iter().flatten().map(str::to_owned).collect();
    let words = format!("onboard {}", descriptor.name);
    let receipts = session.make(Task { plan, workspaces: names, environment: Some("dev"), words }).await?;
    let read = async |ensured: Ensured| -> anyhow::Result<Value> {
        let made = ensured.step.and_then(|step| receipts.get(&step)).and_then(WorkspaceId::in_receipt);
        let id =
            made.or(ensured.there.map(|there| there.id)).context("a workspace that was made has no id")?;
        let live = fabric.send(workspaces::get(id)).await.map_err(find::unread)?;
        Ok(said(json!(live)))
    };
    let feature = match ticket {
        Some(ticket) => read(ticket).await?,
        None => Value::Null,
    };
    Ok(Made { dev: read(own).await?, feature })
}
