//! Deleting workspaces. It cannot be undone: each goes by itself, after it was shown and confirmed.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use futures_util::{StreamExt as _, TryStreamExt as _};
use selvedge_deployment::change::Change;
use selvedge_fabric_client::items::{self, Item};
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_rollback::Plan;
use serde_json::{Value, json};

use super::look::AT_ONCE;
use super::{find, said, tell};
use crate::args::{DeleteAllArgs, DeleteArgs, DeleteBulkArgs, Env};
use crate::commands::confirm;
use crate::commands::transact::{Session, Task};
use crate::exit;
use crate::report::{self, ExitWith};
use crate::run::App;
use crate::text::{counted, lines, one_line};

/// How many of a workspace's items are shown.
const SHOWN: usize = 10;

pub(super) async fn one(app: &App, args: &DeleteArgs) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let found = find::workspace(&session.clients.fabric, &args.workspace).await?;
    let one = Candidate::read(&session, found).await?;
    let name = one.name();
    if let Some(why) = one.against(app, args.force) {
        return Err(
            anyhow!(why.problem).context(ExitWith::usage(format!("delete workspace {name}")).help(why.help))
        );
    }
    let preview = format!("{}\nThis cannot be undone.", one.shown(usize::MAX));
    if !confirm::typed(app, &preview, "DELETE")? {
        return tell(app, "Deletion cancelled", json!({ "deleted": [] }));
    }
    session.make(one.task(args.force)).await?;
    let id = one.workspace.id;
    tell(app, &format!("✓ Deleted workspace: {id}"), json!({ "deleted": [one.value()] }))
}

pub(super) async fn bulk(app: &App, args: &DeleteBulkArgs) -> anyhow::Result<u8> {
    let mut words = args.workspaces.clone();
    if let Some(file) = &args.file {
        words.extend(listed(file)?);
    }
    if words.is_empty() {
        return tell(app, "No workspaces to delete", json!({ "deleted": [], "failed": [] }));
    }
    let session = Session::open(app).await?;
    let fabric = &session.clients.fabric;
    let all = find::workspaces(fabric).await?;
    let (mut found, mut failed) = (Vec::<Workspace>::new(), Vec::new());
    for word in words {
        match find::workspace_among(&all, &word) {
            Ok(one) if found.iter().any(|known| known.id == one.id) => {}
            Ok(one) => found.push(one),
            Err(error) => failed.push(Failed { named: word, id: None, error }),
        }
    }
    let sorted = Sorted::read(app, &session, found, failed, args.force).await?;
    let word = format!("DELETE {}", sorted.due.len());
    sorted.delete(app, &session, args.force, &word).await
}

pub(super) async fn all(app: &App, args: &DeleteAllArgs, environment: Option<Env>) -> anyhow::Result<u8> {
    if environment.is_none() && !args.all_visible {
        let help = "name an --environment; --all-visible deletes every workspace that this identity sees";
        let with = ExitWith::usage("delete all workspaces").help(help);
        return Err(anyhow!("nothing says which workspaces are meant").context(with));
    }
    let session = Session::open(app).await?;
    let mut found = find::workspaces(&session.clients.fabric).await?;
    if let Some(environment) = environment {
        found.retain(|one| environment.is_of(&one.display_name));
    }
    // Nobody can delete a personal workspace by the API.
    found.retain(|one| one.kind.as_deref() != Some("Personal"));
    if found.is_empty() {
        return tell(app, "No workspaces to delete", json!({ "deleted": [], "failed": [] }));
    }
    let sorted = Sorted::read(app, &session, found, Vec::new(), args.force).await?;
    sorted.delete(app, &session, args.force, "DELETE ALL").await
}

/// The words of a file, one on each line.
fn listed(file: &Path) -> anyhow::Result<Vec<String>> {
    let with = || ExitWith::usage(format!("read {}", file.display()));
    let text = std::fs::read_to_string(file).with_context(with)?;
    let text = text.trim_start_matches('\u{feff}').lines();
    let words = text.map(|line| line.split_once('#').map_or(line, |(before, _)| before).trim());
    Ok(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

/// A workspace that may be deleted, and what it holds.
struct Candidate {
    workspace: Workspace,
    items: Vec<Item>,
}

/// Why a workspace is not deleted.
struct Against {
    problem: String,
    help: &'static str,
}

impl Candidate {
    async fn read(session: &Session<'_>, workspace: Workspace) -> anyhow::Result<Self> {
        let items = session.clients.fabric.list_all(items::list(workspace.id)).await.map_err(find::unread)?;
        Ok(Self { workspace, items })
    }

    fn name(&self) -> String {
        one_line(&self.workspace.display_name)
    }

    fn against(&self, app: &App, force: bool) -> Option<Against> {
        if app.settings.workspaces.is_protected(&self.workspace.display_name) {
            let help = "if it is really to go, take its name out of workspaces.protected first";
            return Some(Against { problem: "it is protected".to_owned(), help });
        }
        (!self.items.is_empty() && !force).then(|| Against {
            problem: format!("it contains {}", counted(self.items.len(), "item")),
            help: "add --force to delete it with what it contains",
        })
    }

    /// With as many items as are to be shown.
    fn shown(&self, items: usize) -> String {
        let mut text =
            format!("Workspace: {} ({})\nItems: {}", self.name(), self.workspace.id, self.items.len());
        for item in self.items.iter().take(items) {
            text.push_str(&format!("\n  {} {}", item.kind, one_line(&item.display_name)));
        }
        if self.items.len() > items {
            text.push_str(&format!("\n  ... and {} more items", self.items.len() - items));
        }
        text
    }

    fn task(&self, force: bool) -> Task<'static> {
        let Workspace { id, display_name: name, .. } = &self.workspace;
        let mut plan = Plan::default();
        plan.push(Change::DeleteWorkspace { workspace: *id, name: name.clone(), with_items: force }, []);
        let words = format!("delete workspace {name}");
        Task { plan, workspaces: vec![name.clone()], environment: None, words }
    }

    fn value(&self) -> Value {
        said(json!(self.workspace))
    }
}

/// A workspace that is still there, or never was.
struct Failed {
    named: String,
    id: Option<String>,
    error: anyhow::Error,
}

/// Those that are to go, and those that are not.
struct Sorted {
    due: Vec<Candidate>,
    failed: Vec<Failed>,
}

impl Sorted {
    async fn read(
        app: &App,
        session: &Session<'_>,
        found: Vec<Workspace>,
        mut failed: Vec<Failed>,
        force: bool,
    ) -> anyhow::Result<Self> {
        let reads = found.into_iter().map(|one| Candidate::read(session, one));
        let read: Vec<_> =
            futures_util::stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
        let mut due = Vec::new();
        for one in read {
            match one.against(app, force) {
                None => due.push(one),
                Some(why) => failed.push(Failed {
                    named: one.name(),
                    id: Some(one.workspace.id.to_string()),
                    error: anyhow!(why.problem)
                        .context(ExitWith::new(exit::FAILED, "delete it").help(why.help)),
                }),
            }
        }
        Ok(Self { due, failed })
    }

    /// Shows what would go and what would not, asks for `word`, deletes, and says what came of each.
    async fn delete(self, app: &App, session: &Session<'_>, force: bool, word: &str) -> anyhow::Result<u8> {
        let Self { due, mut failed } = self;
        let mut preview = String::new();
        for one in &due {
            preview.push_str(&format!("{}\n", one.shown(SHOWN)));
        }
        for one in &failed {
            preview.push_str(&format!("Left: {}\n", one.told()));
        }
        preview.push_str(&format!(
            "{} would be deleted. This cannot be undone.",
            counted(due.len(), "workspace")
        ));
        let mut deleted = Vec::new();
        if !due.is_empty() {
            if !confirm::typed(app, &preview, word)? {
                return tell(app, "Deletion cancelled", json!({ "deleted": [], "failed": [] }));
            }
            let tasks = due.iter().map(|one| one.task(force)).collect();
            for (one, ended) in due.into_iter().zip(session.make_each(tasks).await?) {
                match ended {
                    Ok(()) => deleted.push(one),
                    Err(error) => {
                        let id = Some(one.workspace.id.to_string());
                        failed.push(Failed { named: one.name(), id, error });
                    }
                }
            }
        }
        let mut text = String::new();
        for one in &deleted {
            text.push_str(&format!("✓ Deleted workspace: {} ({})\n", one.workspace.id, one.name()));
        }
        for one in &failed {
            text.push_str(&format!("✗ {}\n", one.told()));
        }
        text.push_str(&format!(
            "\n📊 Summary:\n  Deleted: {}\n  Failed: {}\n  Total: {}",
            deleted.len(),
            failed.len(),
            deleted.len() + failed.len()
        ));
        let value = json!({
            "deleted": deleted.iter().map(Candidate::value).collect::<Vec<_>>(),
            "failed": failed.iter().map(Failed::value).collect::<Vec<_>>(),
        });
        tell(app, &text, value)?;
        // The gravest: something in doubt before an interruption before a refusal.
        let codes: Vec<_> = failed.iter().map(|one| report::exit_code(&one.error)).collect();
        let gravest = [exit::LEFT, exit::INTERRUPTED].into_iter().find(|code| codes.contains(code));
        Ok(gravest.unwrap_or(if codes.is_empty() { exit::DONE } else { exit::FAILED }))
    }
}

impl Failed {
    fn told(&self) -> String {
        let why = lines(&report::causes(&self.error)).replace('\n', ": ");
        let help = report::help(&self.error).map(|help| format!("; {}", one_line(help))).unwrap_or_default();
        format!("{}: {why}{help}", one_line(&self.named))
    }

    fn value(&self) -> Value {
        json!({ "named": self.named, "id": self.id, "error": report::causes(&self.error), "help": report::help(&self.error) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_workspace_on_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.txt");
        std::fs::write(&file, "\u{feff}# old ones\nacme-a-dev\r\n\n  acme-b-dev  # b\n").unwrap();
        assert_eq!(listed(&file).unwrap(), ["acme-a-dev", "acme-b-dev"]);
        assert_eq!(report::exit_code(&listed(&folder.path().join("none")).unwrap_err()), exit::USAGE);
    }
}
