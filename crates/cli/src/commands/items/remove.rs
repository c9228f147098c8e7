//! `items delete` and `bulk-delete`. What is deleted stays so: each item is a transaction of its own, and one that fails stops no other.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::Change;
use selvedge_fabric_client::items::Item;
use selvedge_fabric_client::workspaces::Workspace;
use selvedge_rollback::{Plan, describe};
use serde_json::{Value, json};

use super::{find, shown, shown_in, tell};
use crate::args::{BulkDeleteArgs, DeleteItemArgs};
use crate::commands::confirm;
use crate::commands::transact::{Session, Task};
use crate::report::{ExitWith, exit_code};
use crate::run::App;
use crate::text::one_line;
use crate::{exit, output};

/// What an answer that was not the word asked for leads to.
const CANCELLED: &str = "Deletion cancelled";

pub(super) async fn delete(app: &App, args: &DeleteItemArgs, workspace: Option<&str>) -> anyhow::Result<u8> {
    let session = Session::open(app).await?;
    let (workspace, item) = args.named.find(&session.clients.fabric, workspace).await?;
    let preview = format!("Item: {}\nWorkspace: {}\n{LOST}", line(&item), one_line(&workspace.display_name));
    if !args.force && !confirm::typed(app, &preview, "DELETE")? {
        return tell(app, CANCELLED, json!({ "deleted": [] }));
    }
    session.make(task(&workspace, &item)).await?;
    let text = format!("✓ Deleted item: {}", one_line(&item.display_name));
    tell(app, &text, json!({ "deleted": [shown_in(&item, &workspace)] }))
}

/// What a preview says of all that is deleted.
const LOST: &str =
    "This cannot be undone here. Where the tenant has a recycle bin, it can be restored from there.";

pub(super) async fn bulk(app: &App, args: &BulkDeleteArgs, workspace: Option<&str>) -> anyhow::Result<u8> {
    let named = workspace.ok_or_else(find::no_workspace)?;
    let words = match &args.file {
        Some(file) => listed(file)?,
        None => args.ids.clone(),
    };
    let mut session = Session::open(app).await?;
    let workspace = find::workspace(&session.clients.fabric, named).await?;
    let all = find::items(&session.clients.fabric, workspace.id).await?;
    let (items, mut failed) = match &args.kind {
        Some(kind) => {
            (all.iter().filter(|item| item.kind.as_str().eq_ignore_ascii_case(kind)).collect(), Vec::new())
        }
        None => chosen(&all, &words)?,
    };
    if items.is_empty() && failed.is_empty() {
        return tell(app, "No items to delete", summary(&[], &[]));
    }
    let count = items.len();
    let mut preview = format!("Workspace: {}\n", one_line(&workspace.display_name));
    items.iter().for_each(|item| preview.push_str(&format!("  {}\n", line(item))));
    failed.iter().for_each(|(word, why)| preview.push_str(&format!("  {}: {why}\n", one_line(word))));
    preview.push_str(&format!("{LOST}\nDelete {count} item(s)?"));
    if count > 0 && !args.force && !confirm::typed(app, &preview, &format!("DELETE {count}"))? {
        return tell(app, CANCELLED, summary(&[], &[]));
    }
    let mut deleted = Vec::new();
    let mut code = exit::FAILED;
    let ended = session.make_each(items.iter().map(|item| task(&workspace, item)).collect()).await?;
    for (item, ended) in items.into_iter().zip(ended) {
        let Err(error) = ended else {
            deleted.push(item);
            continue;
        };
        failed.push((item.id.to_string(), describe(&*error)));
        // What is left or locked says more than that something failed.
        let so = exit_code(&error);
        code = code.max(if so == exit::USAGE { exit::FAILED } else { so });
    }
    let mut text = String::new();
    deleted.iter().for_each(|item| text.push_str(&format!("✓ {}\n", line(item))));
    failed
        .iter()
        .for_each(|(word, why)| text.push_str(&format!("✗ {}: {}\n", one_line(word), one_line(why))));
    let (done, lost) = (deleted.len(), failed.len());
    text.push_str(&format!("\nSummary:\n  Deleted: {done}\n  Failed: {lost}\n  Total: {}", done + lost));
    let told = tell(app, &text, summary(&deleted, &failed));
    output::coded(told.map(drop), if failed.is_empty() { exit::DONE } else { code })
}

/// The items of these words, each once, and the words that stand for none.
#[expect(clippy::type_complexity, reason = "it is said what each part is")]
fn chosen<'i>(all: &'i [Item], words: &[String]) -> anyhow::Result<(Vec<&'i Item>, Vec<(String, String)>)> {
    let (mut items, mut failed): (Vec<&Item>, _) = (Vec::new(), Vec::new());
    for word in words {
        match find::select(all, &[], word, None) {
            Ok(item) if items.iter().all(|known| known.id != item.id) => items.push(item),
            Ok(_) => {}
            // Which one was meant has to be said before anything goes.
            Err(miss) if miss.is_ambiguous() => return Err(miss.into_error()),
            Err(_) => failed.push((word.clone(), "not found in the workspace".to_owned())),
        }
    }
    Ok((items, failed))
}

/// What stands on the lines of a file.
fn listed(file: &Path) -> anyhow::Result<Vec<String>> {
    let tried = || ExitWith::usage(format!("read {}", file.display()));
    let text = std::fs::read_to_string(file).with_context(tried)?;
    if text.len() > 1 << 20 {
        return Err(anyhow!("it is larger than 1 MiB").context(tried()));
    }
    Ok(words(&text))
}

fn words(text: &str) -> Vec<String> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn summary(deleted: &[&Item], failed: &[(String, String)]) -> Value {
    let failures: Vec<_> = failed.iter().map(|(item, why)| json!({ "item": item, "error": why })).collect();
    json!({
        "deleted": deleted.iter().map(|item| shown(item)).collect::<Vec<_>>(),
        "failed": failures,
        "total": deleted.len() + failed.len(),
    })
}

fn task(workspace: &Workspace, item: &Item) -> Task<'static> {
    let (item_type, name) = (item.kind.to_string(), item.display_name.clone());
    let words = format!("delete {item_type} {name}");
    let mut plan = Plan::default();
    plan.push(Change::DeleteItem { workspace: workspace.id, item: item.id, item_type, name }, []);
    Task::within(workspace, plan, words)
}

fn line(item: &Item) -> String {
    format!("{} {} ({})", item.kind, one_line(&item.display_name), item.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_an_item_on_each_line() {
        assert_eq!(words("\u{feff}# all of them\n a \r\n\nb # the second\n#c"), ["a", "b"]);
        assert!(words("\n # nothing\n").is_empty());
    }
}
