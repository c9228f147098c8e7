//! The folders of a workspace as a tree.

use selvedge_deployment::live::LiveFolder;
use selvedge_fabric_client::items::Item;
use serde_json::{Value, json};

use super::{at, find, parent_of, shown};
use crate::text::one_line;

/// Folders, and the items in them.
pub(super) struct Tree<'t> {
    pub(super) folders: &'t [LiveFolder],
    /// `None`: they are not shown.
    pub(super) items: Option<&'t [Item]>,
}

impl Tree<'_> {
    /// As text beneath `root`.
    pub(super) fn draw(&self, root: &str) -> String {
        let mut lines = vec![one_line(root)];
        self.draw_below(None, "", &mut lines);
        lines.join("\n")
    }

    fn draw_below(&self, parent: Option<&LiveFolder>, indent: &str, lines: &mut Vec<String>) {
        let (folders, items) = (self.folders_in(parent), self.items_in(parent));
        let count = folders.len() + items.len();
        let branch = |number: usize| {
            if number + 1 == count { ("└── ", "    ") } else { ("├── ", "│   ") }
        };
        for (number, folder) in folders.iter().enumerate() {
            let (branch, below) = branch(number);
            lines.push(format!("{indent}{branch}{}", one_line(find::name_of(&folder.path))));
            self.draw_below(Some(folder), &format!("{indent}{below}"), lines);
        }
        for (number, item) in items.iter().enumerate() {
            let (branch, _) = branch(folders.len() + number);
            lines.push(format!("{indent}{branch}{} ({})", one_line(&item.display_name), item.kind));
        }
    }

    /// As JSON: each folder with those in it.
    pub(super) fn value(&self) -> Value {
        let mut value = self.value_below(None);
        if self.items.is_none() {
            return value["folders"].take();
        }
        value
    }

    fn value_below(&self, parent: Option<&LiveFolder>) -> Value {
        let folders: Vec<_> = self
            .folders_in(parent)
            .into_iter()
            .map(|folder| {
                let mut value = shown(self.folders, folder);
                if let (Value::Object(value), Value::Object(below)) =
                    (&mut value, self.value_below(Some(folder)))
                {
                    value.extend(below);
                }
                value
            })
            .collect();
        let mut value = json!({ "folders": folders });
        if self.items.is_some() {
            let items = self.items_in(parent).into_iter();
            value["items"] = items
                .map(|item| json!({ "id": item.id, "displayName": item.display_name, "type": item.kind }))
                .collect();
        }
        value
    }

    /// By name.
    pub(super) fn folders_in(&self, parent: Option<&LiveFolder>) -> Vec<&LiveFolder> {
        let path = parent.map(|parent| parent.path.to_lowercase());
        let is_in = |folder: &&LiveFolder| parent_of(&folder.path).map(str::to_lowercase) == path;
        let mut found: Vec<_> = self.folders.iter().filter(is_in).collect();
        found.sort_by_key(|folder| folder.path.to_lowercase());
        found
    }

    /// By name and type. What is in a folder that cannot be seen stands at the top.
    fn items_in(&self, parent: Option<&LiveFolder>) -> Vec<&Item> {
        let known =
            |item: &&Item| item.folder_id.and_then(|id| self.folders.iter().find(|folder| folder.id == id));
        let all = self.items.unwrap_or_default().iter();
        let mut found: Vec<_> =
            all.filter(|item| known(item).map(|folder| folder.id) == parent.map(|it| it.id)).collect();
        found.sort_by_key(|item| (item.display_name.to_lowercase(), item.kind.to_string()));
        found
    }
}

/// The folder and those in it, deepest first.
pub(super) fn within<'f>(all: &'f [LiveFolder], top: &LiveFolder) -> Vec<&'f LiveFolder> {
    let start = format!("{}/", top.path.to_lowercase());
    let is_in = |folder: &&LiveFolder| folder.id == top.id || folder.path.to_lowercase().starts_with(&start);
    let mut found: Vec<_> = all.iter().filter(is_in).collect();
    found.sort_by_key(|folder| std::cmp::Reverse(depth(&folder.path)));
    found
}

/// How many levels a path has.
pub(super) fn depth(path: &str) -> usize {
    path.split('/').count()
}

/// Whether `path` is that folder's, or leads into it.
pub(super) fn leads_into(all: &[LiveFolder], path: &str, top: &LiveFolder) -> bool {
    at(all, path).is_some_and(|folder| within(all, top).iter().any(|inside| inside.id == folder.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use selvedge_fabric_client::items::ItemType;
    use selvedge_fabric_client::{FolderId, ItemId};
    use uuid::Uuid;

    fn folders() -> Vec<LiveFolder> {
        let of = |(id, path): (u128, &str)| LiveFolder {
            id: FolderId(Uuid::from_u128(id)),
            path: path.to_owned(),
        };
        [(3, "Gold"), (1, "Bronze"), (2, "Bronze/Raw"), (4, "Bronze/Raw/Old"), (5, "Bronzed")]
            .map(of)
            .to_vec()
    }

    #[test]
    fn folders_and_items_are_drawn_by_name() {
        let item = |id: u128, name: &str, folder: Option<u128>| Item {
            id: ItemId(Uuid::from_u128(id)),
            kind: ItemType::NOTEBOOK,
            display_name: name.to_owned(),
            description: None,
            workspace_id: None,
            folder_id: folder.map(|id| FolderId(Uuid::from_u128(id))),
        };
        let items = [item(1, "load", Some(2)), item(2, "top", None), item(3, "lost", Some(9))];
        let folders = folders();
        let tree = Tree { folders: &folders, items: Some(&items) };
        let drawn = "sales\n├── Bronze\n│   └── Raw\n│       ├── Old\n│       └── load (Notebook)\n├── Bronzed\n├── Gold\n\
                     ├── lost (Notebook)\n└── top (Notebook)";
        assert_eq!(tree.draw("sales"), drawn);
        let value = tree.value();
        assert_eq!(value.pointer("/folders/0/folders/0/items/0/displayName"), Some(&json!("load")));
        assert_eq!(value.pointer("/folders/0/folders/0/parentFolderId"), Some(&json!(folders[1].id)));
        let tree = Tree { folders: &folders, items: None };
        assert_eq!(tree.draw("s"), "s\n├── Bronze\n│   └── Raw\n│       └── Old\n├── Bronzed\n└── Gold");
        assert_eq!(tree.value().as_array().unwrap().len(), 3);
    }

    #[test]
    fn what_is_in_a_folder_comes_deepest_first() {
        let folders = folders();
        let paths: Vec<_> = within(&folders, &folders[1]).iter().map(|folder| &*folder.path).collect();
        assert_eq!(paths, ["Bronze/Raw/Old", "Bronze/Raw", "Bronze"]);
        assert!(
            leads_into(&folders, "bronze/raw/old", &folders[1])
                && leads_into(&folders, "Bronze", &folders[1])
        );
        assert!(
            !leads_into(&folders, "Bronzed", &folders[1]) && !leads_into(&folders, "Bronze", &folders[2])
        );
    }
}
