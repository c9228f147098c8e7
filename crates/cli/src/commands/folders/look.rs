//! `folders list`, `tree` and `list-templates`: they change nothing.

use selvedge_deployment::config::Template;
use serde_json::json;

use super::tree::{Tree, depth};
use super::{find, shown, tell};
use crate::args::{FoldersArgs, ListFoldersArgs, TreeArgs};
use crate::clients::Clients;
use crate::render::table;
use crate::run::App;

pub(super) async fn list(app: &App, list: &ListFoldersArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let workspace = args.place(&clients.fabric).await?;
    let mut all = find::folders(&clients.fabric, workspace.id).await?;
    all.sort_by_key(|folder| folder.path.to_lowercase());
    let tree = Tree { folders: &all, items: None };
    let listed: Vec<_> = all.iter().filter(|folder| !list.top_level || depth(&folder.path) == 1).collect();
    let mut head = vec!["Name", "ID", "Path"];
    if list.show_children {
        head.push("Subfolders");
    }
    let rows = listed.iter().map(|folder| {
        let mut row =
            vec![find::name_of(&folder.path).to_owned(), folder.id.to_string(), folder.path.clone()];
        if list.show_children {
            let below = tree.folders_in(Some(folder));
            row.push(below.iter().map(|below| find::name_of(&below.path)).collect::<Vec<_>>().join(", "));
        }
        row
    });
    let text = match listed.len() {
        0 => "No folders found".to_owned(),
        count => format!("{}\n\nFound {count} folder(s)", table(&head, rows)),
    };
    let value = listed.iter().map(|folder| {
        let mut value = shown(&all, folder);
        if list.show_children {
            value["children"] =
                tree.folders_in(Some(folder)).iter().map(|below| shown(&all, below)).collect();
        }
        value
    });
    tell(app, &text, value.collect())
}

pub(super) async fn tree(app: &App, tree: &TreeArgs, args: &FoldersArgs) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let workspace = args.place(&clients.fabric).await?;
    let folders = find::folders(&clients.fabric, workspace.id).await?;
    let items = match tree.show_items {
        true => Some(find::items(&clients.fabric, workspace.id).await?),
        false => None,
    };
    let tree = Tree { folders: &folders, items: items.as_deref() };
    tell(app, &tree.draw(&workspace.display_name), tree.value())
}

pub(super) fn templates(app: &App) -> anyhow::Result<u8> {
    let mut text = Vec::new();
    let mut values = Vec::new();
    for template in Template::ALL {
        let folders = template.folders();
        text.push(format!("{}: {}", template.name, template.about));
        text.extend(folders.iter().map(|path| format!("  {path}")));
        values.push(json!({ "name": template.name, "description": template.about, "folders": folders }));
    }
    tell(app, &text.join("\n"), values.into())
}
