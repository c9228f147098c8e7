//! The items: lakehouses, notebooks and the rest, each with its folder and content.

use std::collections::HashMap;
use std::path::Path;

use super::checks::{self, Limit};
use super::cursor::Cursor;
use super::folders::Folders;
use super::kinds::{KINDS, LANGUAGES, NEED_DEFINITION, NO_DEFINITION};
use super::reading::Reading;
use super::schema::{self, Keys};
use super::suggest;
use crate::definition;
use crate::desired::{DesiredItem, FolderPath, Located, Location};

/// Reads `items`. Folders that items name are added to `folders`.
pub(super) fn read(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: &Path,
    folders: &mut Folders,
) -> Vec<DesiredItem> {
    let Some(section) = reading.section(root, "items") else { return Vec::new() };
    let known: Vec<&str> = KINDS.iter().map(|(key, _)| *key).chain(["resources"]).collect();
    reading.keys(&section, Keys::of(&known.join(" ")));
    let mut items = Vec::new();
    for (key, ..) in section.entries() {
        let kind = KINDS.iter().find(|(name, _)| *name == key).map(|(_, kind)| *kind);
        if kind.is_none() && key != "resources" {
            continue;
        }
        for entry in reading.list(&section, key) {
            items.extend(item(reading, &entry, kind, project, folders));
        }
    }
    refuse_duplicates(reading, &items);
    items
}

fn item(
    reading: &mut Reading<'_>,
    entry: &Cursor<'_>,
    kind: Option<&str>,
    project: &Path,
    folders: &mut Folders,
) -> Option<DesiredItem> {
    if !entry.is_map() {
        reading.error(entry.at(), "must be a mapping with a `name`", "write `- name: ...`");
        return None;
    }
    reading.keys(entry, if kind.is_some() { schema::ITEM } else { schema::RESOURCE });
    let kind = match kind {
        Some(kind) => kind.to_owned(),
        None => resource_kind(reading, entry)?,
    };
    let name = checks::required(reading, entry, "name", "give the item a `name`");
    let name = checks::name(reading, name)?;
    let description = checks::description(reading, entry, "description", Limit::ITEM_DESCRIPTION);
    let folder = folder(reading, entry, folders);
    let definition = content(reading, entry, &kind, project);
    Some(DesiredItem { kind, name: name.value, description, folder, definition, at: name.at })
}

/// The `type` of an entry of `resources`. Fabric adds types, so one that we do not know is taken as written.
fn resource_kind(reading: &mut Reading<'_>, entry: &Cursor<'_>) -> Option<String> {
    let kind = checks::required(reading, entry, "type", "give the item a `type`, for example Eventhouse")?;
    named_kind(reading, kind)
}

/// The type of that name, as Fabric spells it.
pub(super) fn named_kind(reading: &mut Reading<'_>, kind: Located<String>) -> Option<String> {
    let known = || KINDS.iter().map(|(_, kind)| *kind).chain(NO_DEFINITION);
    if let Some(known) = known().find(|known| known.eq_ignore_ascii_case(&kind.value)) {
        return Some(known.to_owned());
    }
    if !kind.value.chars().all(|c| c.is_ascii_alphanumeric()) {
        reading.error(
            kind.at,
            format!("{:?} is not the name of an item type", kind.value),
            "use Fabric's name, for example DataPipeline",
        );
        return None;
    }
    if let Some(near) = suggest::nearest(&kind.value, known()) {
        reading.warn(
            kind.at,
            format!("{:?} is not a known item type", kind.value),
            format!("did you mean {near}?"),
        );
    }
    Some(kind.value)
}

fn folder(reading: &mut Reading<'_>, entry: &Cursor<'_>, folders: &mut Folders) -> Option<FolderPath> {
    let text = match (reading.text(entry, "target_folder"), reading.text(entry, "folder")) {
        (Some(first), Some(second)) => {
            if first.value != second.value {
                reading.error(
                    second.at,
                    format!("says another folder than target_folder in line {}", line(&first.at)),
                    "keep one of the two",
                );
            }
            first
        }
        (first, second) => first.or(second)?,
    };
    let path = text.value.trim_matches('/');
    if path.is_empty() || path.eq_ignore_ascii_case("root") {
        return None;
    }
    match FolderPath::parse(path) {
        Ok(path) => Some(folders.add(&path)),
        Err(error) => {
            reading.error(
                text.at,
                error.to_string(),
                "write a path such as \"Bronze Layer/Raw Data\", or \"root\"",
            );
            None
        }
    }
}

fn content(
    reading: &mut Reading<'_>,
    entry: &Cursor<'_>,
    kind: &str,
    project: &Path,
) -> Option<definition::Definition> {
    let path = reading.text(entry, "definition");
    check_language(reading, entry, kind, path.as_ref());
    let Some(path) = path else {
        if NEED_DEFINITION.contains(&kind) && entry.get("definition").is_none() {
            reading.error(
                entry.missing("definition"),
                format!("is missing, and Fabric makes no {kind} without one"),
                "name the file or folder that holds it, relative to this file",
            );
        }
        return None;
    };
    if NO_DEFINITION.contains(&kind) {
        reading.error(path.at, format!("a {kind} has no definition in Fabric"), "remove the key");
        return None;
    }
    let base = entry.file().parent().filter(|base| !base.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match definition::load(kind, Path::new(&path.value), base, project) {
        Ok(definition) => Some(definition),
        Err(error) => {
            reading.error(
                path.at,
                error.to_string(),
                "name a file or folder of the project, relative to this file and without `..`",
            );
            None
        }
    }
}

fn check_language(
    reading: &mut Reading<'_>,
    entry: &Cursor<'_>,
    kind: &str,
    definition: Option<&Located<String>>,
) {
    let Some(language) = reading.text(entry, "language") else { return };
    let Some((_, extension)) = LANGUAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&language.value))
    else {
        reading.warn(
            language.at,
            format!("{:?} is not a language of notebooks", language.value),
            "use python, sql, scala or r",
        );
        return;
    };
    if kind != "Notebook" {
        reading.warn(language.at, format!("a {kind} has no language"), "remove the key");
        return;
    }
    let written = definition.and_then(|path| Path::new(&path.value).extension()?.to_str());
    match written {
        // Fabric makes an empty notebook in Python.
        None if *extension != "py" && definition.is_none() => {
            reading.warn(
                language.at,
                "has no effect without a `definition`",
                "name a file with this content, or remove the key",
            );
        }
        Some(written)
            if !written.eq_ignore_ascii_case("ipynb") && !written.eq_ignore_ascii_case(extension) =>
        {
            reading.warn(
                language.at,
                format!("the definition is a .{written} file"),
                format!("name a .{extension} file, or correct the language"),
            );
        }
        _ => {}
    }
}

fn refuse_duplicates(reading: &mut Reading<'_>, items: &[DesiredItem]) {
    let mut seen: HashMap<(&str, String), &Location> = HashMap::new();
    for item in items {
        let key = (item.kind.as_str(), item.name.to_lowercase());
        if let Some(first) = seen.get(&key) {
            reading.error(
                item.at.clone(),
                format!("a {} {:?} is already in line {}", item.kind, item.name, line(first)),
                "remove or rename one of the two; Fabric does not tell names apart by case",
            );
        } else {
            seen.insert(key, &item.at);
        }
    }
}

fn line(at: &Location) -> u64 {
    at.line.unwrap_or_default()
}
