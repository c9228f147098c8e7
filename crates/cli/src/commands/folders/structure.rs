//! `folders create-structure`: what of a structure is not there yet is made, in one transaction.

use std::collections::BTreeMap;

use anyhow::Context as _;
use selvedge_deployment::change::{Change, Made as _, Ref};
use selvedge_deployment::config;
use selvedge_deployment::desired::FolderPath;
use selvedge_deployment::live::LiveFolder;
use selvedge_fabric_client::{FolderId, WorkspaceId};
use selvedge_rollback::{Plan, Receipts};
use serde_json::json;

use super::change::ended;
use super::{at, find, tell};
use crate::args::{FoldersArgs, StructureArgs};
use crate::commands::deploy::prepare::invalid;
use crate::commands::transact::{Session, Task};
use crate::exit;
use crate::render::Progress;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

pub(super) async fn create(app: &App, args: &StructureArgs, all: &FoldersArgs) -> anyhow::Result<u8> {
    let wanted = wanted(app, args)?;
    if args.dry_run && !all.names_a_workspace() {
        let text = format!("Structure of {}:\n{}", counted(wanted.len(), "folder"), listed(&wanted));
        return tell(app, &text, json!({ "dry_run": true, "folders": wanted }));
    }
    let session = Session::open(app).await?;
    let workspace = all.place(&session.clients.fabric).await?;
    let live = find::folders(&session.clients.fabric, workspace.id).await?;
    let (plan, places) = plan(workspace.id, &live, &wanted);
    let missing: Vec<_> = wanted.iter().filter(|path| at(&live, &path.to_string()).is_none()).collect();
    if args.dry_run {
        let text = match missing.len() {
            0 => "Dry run: nothing to do: it is so already".to_owned(),
            count => format!(
                "Dry run: would create {}:\n{}",
                counted(count, "folder"),
                listed(missing.iter().copied())
            ),
        };
        return tell(app, &text, json!({ "dry_run": true, "folders": wanted, "missing": missing }));
    }
    let receipts = session.make(Task::within(&workspace, plan, "create a folder structure")).await?;
    let ids = ids(&places, &receipts);
    if let Some(file) = &args.file {
        let tried = || ExitWith::new(exit::FAILED, format!("write {}", file.display()));
        std::fs::write(file, format!("{:#}\n", json!(ids))).with_context(tried)?;
    }
    let there = wanted.len() - missing.len();
    let mut text = format!("✓ Created {}", counted(missing.len(), "folder"));
    if there > 0 {
        text.push_str(&format!(", {there} were there"));
    }
    if !missing.is_empty() {
        text.push_str(&format!(":\n{}", listed(missing.iter().copied())));
    }
    let value = json!({ "created": missing, "folders": ids });
    ended(app, &session, &workspace, args.show_tree, text, value).await
}

/// The folders that are asked for, parents before children.
fn wanted(app: &App, args: &StructureArgs) -> anyhow::Result<Vec<FolderPath>> {
    if let Some(template) = args.template {
        return Ok(template.folders());
    }
    let file = args.config.as_deref().context("a template or a file is asked for")?;
    let variables = |name: &str| app.environment.variable(name);
    let (folders, warnings) =
        config::folder_structure(file, &variables).map_err(|problems| invalid(&problems))?;
    let progress = Progress::of_command(app);
    warnings.iter().for_each(|warning| progress.warn(warning));
    Ok(folders)
}

/// What makes those that are missing, and where each of them is or will be.
fn plan(
    workspace: WorkspaceId,
    live: &[LiveFolder],
    wanted: &[FolderPath],
) -> (Plan<Change>, BTreeMap<String, Ref<FolderId>>) {
    let mut plan = Plan::default();
    let mut places: BTreeMap<String, Ref<FolderId>> = BTreeMap::new();
    for path in wanted {
        let text = path.to_string();
        let place = match at(live, &text) {
            Some(folder) => Ref::Id(folder.id),
            None => {
                let parent = path.parent().and_then(|parent| places.get(&parent.to_string()).copied());
                let after = parent.as_ref().and_then(Ref::step);
                let name = path.name().to_owned();
                let change =
                    Change::CreateFolder { workspace: Ref::Id(workspace), parent, name, path: text.clone() };
                Ref::Step(plan.push(change, after))
            }
        };
        places.insert(text, place);
    }
    (plan, places)
}

fn ids(
    places: &BTreeMap<String, Ref<FolderId>>,
    receipts: &Receipts<selvedge_deployment::change::Receipt>,
) -> BTreeMap<String, FolderId> {
    let id = |place: &Ref<FolderId>| match place {
        Ref::Id(id) => Some(*id),
        Ref::Step(step) => receipts.get(step).and_then(FolderId::in_receipt),
    };
    places.iter().filter_map(|(path, place)| Some((path.clone(), id(place)?))).collect()
}

fn listed<'p>(paths: impl IntoIterator<Item = &'p FolderPath>) -> String {
    let lines = paths.into_iter().map(|path| format!("  {}", one_line(&path.to_string())));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn what_is_there_is_used_and_not_made_again() {
        let path = |text: &str| FolderPath::parse(text).unwrap();
        let wanted = ["Bronze", "Bronze/Raw", "Bronze/Raw/Old", "Gold"].map(path);
        let bronze = FolderId(Uuid::from_u128(1));
        let live = [LiveFolder { id: bronze, path: "BRONZE".to_owned() }];
        let (made, places) = plan(WorkspaceId(Uuid::from_u128(9)), &live, &wanted);
        let told: Vec<_> =
            made.steps().iter().map(|step| (step.change.to_string(), step.after.len())).collect();
        let expected =
            [("create folder Bronze/Raw", 0), ("create folder Bronze/Raw/Old", 1), ("create folder Gold", 0)];
        assert_eq!(told, expected.map(|(text, after)| (text.to_owned(), after)));
        let Change::CreateFolder { parent, .. } = &made.steps()[0].change else { panic!("{made:?}") };
        assert_eq!(*parent, Some(Ref::Id(bronze)));
        assert_eq!(ids(&places, &Receipts::new()), BTreeMap::from([("Bronze".to_owned(), bronze)]));
    }
}
