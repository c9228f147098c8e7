//! The folders of a workspace: `folder_structure`, `use_medallion_architecture`, and what items ask for.

use std::collections::HashMap;

use super::checks;
use super::cursor::Cursor;
use super::document::Value;
use super::reading::Reading;
use super::schema;
use crate::desired::{FolderPath, Location};

/// The tree of the medallion architecture, unless the file draws its own.
const MEDALLION: [(&str, [&str; 3]); 3] = [
    ("Bronze Layer", ["Raw Data", "Archive", "External Sources"]),
    ("Silver Layer", ["Cleaned", "Transformed", "Validated"]),
    ("Gold Layer", ["Analytics", "Business Metrics", "Reports"]),
];

/// Folders, each once, parents before children. Fabric keeps names unique without regard to case.
#[derive(Default)]
pub(super) struct Folders {
    paths: Vec<FolderPath>,
    by_lower_case: HashMap<String, FolderPath>,
}

impl Folders {
    /// Adds a folder and those it stands in; answers with the spelling that was there first.
    pub(super) fn add(&mut self, path: &FolderPath) -> FolderPath {
        let key = path.to_string().to_lowercase();
        if let Some(known) = self.by_lower_case.get(&key) {
            return known.clone();
        }
        let mut segments =
            path.parent().map(|parent| self.add(&parent).segments().to_vec()).unwrap_or_default();
        segments.push(path.name().to_owned());
        let path = FolderPath::new(segments).unwrap_or_else(|_| path.clone());
        self.paths.push(path.clone());
        self.by_lower_case.insert(key, path.clone());
        path
    }

    pub(super) fn into_vec(self) -> Vec<FolderPath> {
        self.paths
    }
}

/// The folders that the file asks for, for this environment.
///
/// The environment decides where it says anything, the top level otherwise. `create_folders: false` turns the tree
/// off; folders that items name are made all the same, for the items must stand somewhere.
pub(super) fn read(reading: &mut Reading<'_>, root: &Cursor<'_>, environment: &Cursor<'_>) -> Folders {
    let mut folders = Folders::default();
    let create = reading.flag(environment, "create_folders").unwrap_or(true);
    let medallion = reading.flag(environment, "use_medallion_architecture");
    let shared = reading.section(root, "folder_structure");
    let own = reading.section(environment, "folder_structure");
    let mut layers = None;
    for structure in [&shared, &own].into_iter().flatten().filter(|structure| is_template(structure)) {
        reading.keys(structure, schema::TEMPLATE);
        layers = reading.section(structure, "medallion").or(layers);
    }
    let chosen = match (&own, medallion) {
        (Some(own), _) => Some(own),
        (None, None) => shared.as_ref(),
        (None, Some(_)) => None,
    };
    match chosen {
        Some(structure) if is_template(structure) => {
            let on = template(reading, structure, shared.as_ref(), layers.is_some());
            if on && create {
                add_medallion(reading, layers, &mut folders);
            }
        }
        Some(tree) if create => add_tree(reading, tree, &mut folders),
        None if medallion == Some(true) && create => add_medallion(reading, layers, &mut folders),
        _ => {}
    }
    folders
}

/// The folders that a file of its own asks for.
pub(super) fn draw(reading: &mut Reading<'_>, root: &Cursor<'_>, folders: &mut Folders) {
    if root.get("folders").is_some_and(|list| matches!(list.value(), Value::List(_))) {
        for folder in reading.list(root, "folders") {
            add_listed(reading, &folder, folders);
        }
        return;
    }
    match reading.section(root, "folder_structure") {
        Some(structure) if is_template(&structure) => {
            reading.keys(&structure, schema::TEMPLATE);
            let layers = reading.section(&structure, "medallion");
            if template(reading, &structure, None, layers.is_some()) {
                add_medallion(reading, layers, folders);
            }
        }
        Some(tree) => add_tree(reading, &tree, folders),
        None if root.get("folder_structure").is_some() => {}
        None => add_tree(reading, root, folders),
    }
}

/// A path, or `{name, subfolders}`.
fn add_listed(reading: &mut Reading<'_>, folder: &Cursor<'_>, folders: &mut Folders) {
    if folder.is_map() {
        return add_folder(reading, folder, &[], folders);
    }
    let Some(text) = reading.text_at(folder) else { return };
    match FolderPath::parse(text.value.trim_matches('/')) {
        Ok(path) => drop(folders.add(&path)),
        Err(error) => reading.error(text.at, error.to_string(), "rename the folder"),
    }
}

/// Whether this is `{enabled, template, medallion}` rather than a tree of names.
fn is_template(structure: &Cursor<'_>) -> bool {
    let scalar = |key| structure.get(key).is_some_and(|value| matches!(value.value(), Value::Scalar { .. }));
    scalar("template")
        || scalar("enabled")
        || structure.get("medallion").is_some_and(|value| value.get("layers").is_some())
}

/// Whether the template is turned on. There is one, so layers that are drawn need not name it.
fn template(
    reading: &mut Reading<'_>,
    structure: &Cursor<'_>,
    shared: Option<&Cursor<'_>>,
    layers: bool,
) -> bool {
    if reading.flag(structure, "enabled") == Some(false) {
        return false;
    }
    let name = reading.text(structure, "template").or_else(|| reading.text(shared?, "template"));
    match name {
        Some(name) if name.value.eq_ignore_ascii_case("medallion") => true,
        None if layers => true,
        Some(name) => {
            let message = format!("there is no folder template {:?}", name.value);
            reading.error(
                name.at,
                message,
                "use `medallion`, or list the folders by name with their `subfolders`",
            );
            false
        }
        None => {
            reading.error(structure.missing("template"), "is missing", "add `template: medallion`");
            false
        }
    }
}

fn add_medallion(reading: &mut Reading<'_>, layers: Option<Cursor<'_>>, folders: &mut Folders) {
    let Some(own) = layers else {
        for (layer, subfolders) in MEDALLION {
            for path in std::iter::once(vec![layer]).chain(subfolders.map(|name| vec![layer, name])) {
                if let Ok(path) = FolderPath::new(path.into_iter().map(str::to_owned).collect()) {
                    folders.add(&path);
                }
            }
        }
        return;
    };
    reading.keys(&own, schema::MEDALLION);
    for list in ["layers", "shared_folders"] {
        for folder in reading.list(&own, list) {
            add_folder(reading, &folder, &[], folders);
        }
    }
}

/// A mapping of names to `{subfolders: [..]}`, to a list of subfolders, or to nothing.
fn add_tree(reading: &mut Reading<'_>, tree: &Cursor<'_>, folders: &mut Folders) {
    for (name, below, at) in tree.entries() {
        let Some(path) = add_path(reading, &[], name, at, folders) else { continue };
        match below.value() {
            Value::List(_) => {
                for folder in below.items() {
                    add_folder(reading, &folder, path.segments(), folders);
                }
            }
            Value::Map(_) => add_below(reading, &below, &path, folders),
            Value::Scalar { .. } if below.is_null() => {}
            Value::Scalar { .. } => {
                reading.error(below.at(), "must hold `subfolders`", "write `subfolders: [Name, ..]` below it")
            }
        }
    }
}

/// A name, or `{name, subfolders}`.
fn add_folder(reading: &mut Reading<'_>, folder: &Cursor<'_>, above: &[String], folders: &mut Folders) {
    if !folder.is_map() {
        if let Some(name) = reading.text_at(folder) {
            add_path(reading, above, &name.value, name.at, folders);
        }
        return;
    }
    let name = checks::required(reading, folder, "name", "give the folder a `name`");
    if let Some(name) = name
        && let Some(path) = add_path(reading, above, &name.value, name.at, folders)
    {
        add_below(reading, folder, &path, folders);
    }
}

fn add_below(reading: &mut Reading<'_>, folder: &Cursor<'_>, path: &FolderPath, folders: &mut Folders) {
    reading.keys(folder, schema::FOLDER);
    for below in reading.list(folder, "subfolders") {
        add_folder(reading, &below, path.segments(), folders);
    }
}

fn add_path(
    reading: &mut Reading<'_>,
    above: &[String],
    name: &str,
    at: Location,
    folders: &mut Folders,
) -> Option<FolderPath> {
    let mut segments = above.to_vec();
    segments.push(name.to_owned());
    match FolderPath::new(segments) {
        Ok(path) => Some(folders.add(&path)),
        Err(error) => {
            reading.error(at, error.to_string(), "rename the folder");
            None
        }
    }
}
