//! `items list`, `get` and `get-definition`: they change nothing.

use std::path::Path;

use anyhow::Context as _;
use selvedge_deployment::config::{item_type, suggest};
use selvedge_deployment::definition::Definition;
use selvedge_deployment::target::from_wire;
use selvedge_fabric_client::items;
use serde_json::{Value, json};

use super::{find, shown, shown_in, tell};
use crate::args::{GetDefinitionArgs, ItemNamed, ListItemsArgs};
use crate::clients::Clients;
use crate::render::{Progress, table};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, lines, one_line};

pub(super) async fn list(app: &App, args: &ListItemsArgs, workspace: Option<&str>) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let fabric = &clients.fabric;
    let named = args.of.as_deref().or(workspace).ok_or_else(find::no_workspace)?;
    let workspace = find::workspace(fabric, named).await?;
    let mut call = items::list(workspace.id);
    // Fabric refuses types that it does not know, and knows some that we do not.
    if let Some(known) = args.kind.as_deref().and_then(item_type) {
        call = call.query("type", known);
    }
    let mut all = fabric.list_all(call).await.map_err(find::unread)?;
    if let Some(kind) = &args.kind {
        let near = suggest::nearest(kind, all.iter().map(|item| item.kind.as_str())).map(str::to_owned);
        all.retain(|item| item.kind.as_str().eq_ignore_ascii_case(kind));
        if let Some(near) = near.filter(|_| all.is_empty()) {
            Progress::of_command(app).note(&format!("there is no {}: did you mean {near}?", one_line(kind)));
        }
    }
    let rows =
        all.iter().map(|item| vec![item.display_name.clone(), item.kind.to_string(), item.id.to_string()]);
    let text = match all.len() {
        0 => "No items found".to_owned(),
        count => format!("{}\n\nFound {count} item(s)", table(&["Display Name", "Type", "ID"], rows)),
    };
    tell(app, &text, all.iter().map(shown).collect())
}

pub(super) async fn get(app: &App, named: &ItemNamed, workspace: Option<&str>) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let (workspace, item) = named.find(&clients.fabric, workspace).await?;
    let folder = match item.folder_id {
        Some(id) => {
            let all = find::folders(&clients.fabric, workspace.id).await?;
            all.into_iter()
                .find(|folder| folder.id == id)
                .map_or_else(|| id.to_string(), |folder| folder.path)
        }
        None => "-".to_owned(),
    };
    let line = "=".repeat(60);
    let text = format!(
        "{line}\nItem: {}\nID: {}\nType: {}\nWorkspace: {}\nFolder: {}\nDescription: {}\n{line}",
        one_line(&item.display_name),
        item.id,
        item.kind,
        one_line(&workspace.display_name),
        one_line(&folder),
        one_line(item.description.as_deref().unwrap_or_default()),
    );
    tell(app, &text, shown_in(&item, &workspace))
}

pub(super) async fn definition(
    app: &App,
    args: &GetDefinitionArgs,
    workspace: Option<&str>,
) -> anyhow::Result<u8> {
    let clients = Clients::new(app).await?;
    let (workspace, item) = args.named.find(&clients.fabric, workspace).await?;
    let call = items::get_definition(workspace.id, item.id, args.format.as_deref());
    let read = clients.fabric.run(call).await.map_err(find::unread)?;
    // Whole, with the part that names and describes the item.
    let (value, count) = (json!({ "definition": read }), read.parts.len());
    let read = from_wire(read)?;
    let Some(file) = &args.file else {
        return tell(app, &parts(read), value);
    };
    write(file, &value)?;
    let text = format!("✓ Wrote {} to {}", counted(count, "part"), file.display());
    tell(app, &text, json!({ "file": file, "parts": count }))
}

/// Each part beneath its path. What is not text is told by its size.
fn parts(read: Definition) -> String {
    let mut text = String::new();
    if let Some(format) = &read.format {
        text.push_str(&format!("Format: {}\n", one_line(format)));
    }
    for part in read.parts {
        let size = counted(part.bytes.len(), "byte");
        text.push_str(&format!("==> {} ({size}) <==\n", one_line(&part.path)));
        match String::from_utf8(part.bytes) {
            Ok(part) => text.push_str(lines(&part).trim_end_matches('\n')),
            Err(_) => text.push_str("(not text)"),
        }
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text
}

fn write(file: &Path, value: &Value) -> anyhow::Result<()> {
    let tried = || ExitWith::new(crate::exit::FAILED, format!("write {}", file.display()));
    std::fs::write(file, format!("{value:#}\n")).with_context(tried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_deployment::definition::Part;

    #[test]
    fn parts_are_shown_as_text_where_they_are() {
        let part = |path: &str, bytes: &[u8]| Part { path: path.to_owned(), bytes: bytes.to_vec() };
        let parts_of = vec![part("a.py", b"print(1)\n\n"), part("b.bin", b"\xff"), part("c", b"\x1b[2J")];
        let shown = parts(Definition::new(Some("ipynb".to_owned()), parts_of));
        let expected = "Format: ipynb\n==> a.py (10 bytes) <==\nprint(1)\n\n==> b.bin (1 byte) <==\n(not text)\n\n==> c (4 bytes) <==\n";
        assert!(shown.starts_with(expected), "{shown}");
        assert!(!shown.contains('\x1b'), "{shown:?}");
    }
}
