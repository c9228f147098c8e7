//! Whether the identity that deploys may do what a deployment does.

use anyhow::Context as _;
use selvedge_deployment::change::Change;
use selvedge_deployment::desired::Role;
use selvedge_deployment::diff::{Means, diff};
use selvedge_deployment::live::Live;
use selvedge_fabric_client::workspaces;

use super::Check;
use crate::args::Selection;
use crate::clients::Clients;
use crate::commands::deploy::prepare::{GIT_TOKEN, Surveyed, config_file_in, survey};
use crate::identity;
use crate::render::Progress;
use crate::report;
use crate::run::App;
use crate::text::counted;

const SECTION: &str = "fabric";

/// Signs in, reads, and compares the rights with those that the plan takes.
pub(super) async fn look(app: &App, selection: &Selection) -> Vec<Check> {
    let checks = if identity::is_known(app).await {
        asked(app, selection).await
    } else {
        let help = "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or another way to sign in";
        vec![Check::warn("sign-in", "there are no credentials: Fabric was not asked", help)]
    };
    checks.into_iter().map(|check| Check { section: SECTION, ..check }).collect()
}

async fn asked(app: &App, selection: &Selection) -> Vec<Check> {
    let clients = match Clients::new(app).await {
        Ok(clients) => clients,
        Err(error) => return vec![refused("sign-in", &error)],
    };
    let who = match clients.identity.principal().await.context("sign in") {
        Ok(who) => who.map_or_else(|| "signed in".to_owned(), |who| format!("signed in as {who}")),
        Err(error) => return vec![refused("sign-in", &error)],
    };
    let mut checks = vec![Check::ok("sign-in", who)];
    match clients.fabric.list_all(workspaces::list()).await {
        Ok(all) => checks
            .push(Check::ok("Fabric", format!("answers, and shows {}", counted(all.len(), "workspace")))),
        Err(error) => {
            let tenant = error.status().is_some_and(|status| status == 401 || status == 403);
            let help = tenant.then(|| {
                "allow \"Service principals can use Fabric APIs\" in the tenant settings, for a group with this application".to_owned()
            });
            checks.push(Check::fail("Fabric", format!("{:#}", anyhow::Error::from(error)), help));
            return checks;
        }
    }
    let Some(config) = config_file_in(&app.root) else { return checks };
    match survey(app, selection, config, false, &Progress::Quiet).await {
        Ok(surveyed) => checks.extend(plan(app, &clients, &surveyed).await),
        // The files have a section of their own; the rest stands in the way of a plan as well.
        Err(error) => checks.push(refused("plan", &error)),
    }
    checks
}

fn refused(name: &str, error: &anyhow::Error) -> Check {
    Check::fail(name, format!("{error:#}"), report::help(error).map(str::to_owned))
}

/// What the plan asks for: an active capacity, and a role.
async fn plan(app: &App, clients: &Clients, surveyed: &Surveyed) -> Vec<Check> {
    let Surveyed { desired, roles, live, .. } = surveyed;
    let has_token = app.secret(GIT_TOKEN).await.is_ok_and(|token| token.is_some());
    let means = Means { git_token: has_token.then_some(GIT_TOKEN) };
    let planned = match diff(desired, roles, live, means) {
        Ok(planned) => planned.plan,
        Err(problems) => {
            let first = problems.iter().next();
            let evidence = first.map(ToString::to_string).unwrap_or_default();
            return vec![Check::fail("plan", evidence, first.and_then(|problem| problem.help.clone()))];
        }
    };
    let mut checks = vec![Check::ok("plan", counted(planned.len(), "change"))];
    checks.extend(capacity(desired.workspace.capacity.as_ref().map(|it| it.value.to_string()), live));
    let needed = planned.steps().iter().filter_map(|step| needed(&step.change)).max();
    checks.push(role(needed, clients, live).await);
    checks
}

fn capacity(wanted: Option<String>, live: &Live) -> Option<Check> {
    let wanted = wanted?;
    let found = live.capacities.as_ref()?.iter().find(|known| known.id.to_string() == wanted)?;
    Some(Check::ok("capacity", format!("{} runs", found.name)))
}

/// The least role in a workspace that is there which may make the change. `None`: it takes none there.
fn needed(change: &Change) -> Option<Role> {
    match change {
        Change::CreateWorkspace { .. } | Change::CreateConnection { .. } => None,
        Change::CreateFolder { .. }
        | Change::CreateItem { .. }
        | Change::DescribeItem { .. }
        | Change::UpdateDefinition { .. }
        | Change::UpdateFromGit { .. }
        | Change::CommitToGit { .. }
        | Change::PromoteItems(_) => Some(Role::Contributor),
        _ => Some(Role::Admin),
    }
}

async fn role(needed: Option<Role>, clients: &Clients, live: &Live) -> Check {
    const NAME: &str = "rights";
    if live.workspace.is_none() {
        let evidence =
            "the workspace is not there: whoever makes it is its Admin. That it may be made shows when it is";
        return Check::ok(NAME, evidence);
    }
    let Some(needed) = needed else { return Check::ok(NAME, "the plan takes none") };
    let own = clients.identity.principal().await.ok().flatten();
    let own = own.and_then(|own| live.roles.iter().find(|one| own.object == one.principal.to_string()));
    match own {
        Some(own) if own.role >= needed => Check::ok(NAME, format!("{}; the plan takes {needed}", own.role)),
        Some(own) => {
            let evidence = format!("{}, and the plan takes {needed}", own.role);
            Check::fail(NAME, evidence, Some(format!("have an Admin give this identity the role {needed}")))
        }
        // By a group, which Fabric does not resolve for us.
        None => Check::warn(
            NAME,
            format!("no role of its own in the workspace; the plan takes {needed}"),
            format!("have an Admin give this identity the role {needed}, unless a group has it"),
        ),
    }
}
