//! Many definitions at once: export with their folders as paths, and import of what was exported.
//!
//! Exports were recorded. Of imports the documents say what goes in and what comes out; how the service pairs and in
//! which order it looks is a guess.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};
use uuid::Uuid;

use super::definition::{PLATFORM, PartInput, Platform, not_supported, part_json, read_platform};
use super::items::{check_new, stands_alone, types_collide};
use super::{
    ApiError, Contents, Definition, Details, Item, Part, Role, Workspace, World, has_definition, item_type,
    same_name,
};

/// One item of an import, before anything has changed.
#[derive(Clone)]
struct Imported {
    kind: &'static str,
    display_name: String,
    description: String,
    logical_id: Uuid,
    folder: String,
    definition: Definition,
    /// The item it replaces.
    existing: Option<Uuid>,
    id: Uuid,
}

/// The logical id under which an export shows an item: its id with the groups turned round.
fn exported_id(id: Uuid) -> Uuid {
    let text = id.simple().to_string();
    let turned =
        [&text[24..], &text[20..24], &text[16..20], &text[12..16], &text[8..12], &text[..8]].concat();
    turned.parse().unwrap_or(id)
}

impl World {
    /// `itemDefinitionsIndex` and `definitionParts` of the items; of all that have a definition without `ids`.
    pub(crate) fn export_definitions(
        &self,
        caller: Uuid,
        workspace: Uuid,
        ids: Option<&[Uuid]>,
    ) -> Result<Value, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let mut items: Vec<&Item> = Vec::new();
        match ids {
            None => items.extend(target.items.iter().filter(|item| stands_alone(item))),
            Some(ids) => {
                for id in ids {
                    let (item, _) = self.definition_of(caller, workspace, *id)?;
                    if items.iter().any(|known| known.id == *id) {
                        let message = "An item is referenced more than once";
                        return Err(
                            ApiError::new(400, "ItemReferencedMoreThanOnce", message).about(id, "Item")
                        );
                    }
                    items.push(item);
                }
            }
        }
        let (mut index, mut parts) = (Vec::new(), Vec::new());
        for item in items {
            let root = root_path(target, item);
            let platform = item.platform(exported_id(item.id));
            parts.push(part_json(&format!("{root}/{PLATFORM}"), platform.as_bytes()));
            let own = item.definition.parts.iter();
            parts.extend(own.map(|part| part_json(&format!("{root}/{}", part.path), &part.content)));
            index.push(json!({"id": item.id, "rootPath": root}));
        }
        Ok(json!({"itemDefinitionsIndex": index, "definitionParts": parts}))
    }

    /// Whether an import would be accepted now.
    pub(crate) fn check_import(
        &self,
        caller: Uuid,
        workspace: Uuid,
        parts: &[PartInput],
        by_name: bool,
    ) -> Result<(), ApiError> {
        self.plan_import(caller, workspace, parts, by_name).map(drop)
    }

    /// Creates and replaces items, with the folders that their paths name. Logical ids become the ids of the items they
    /// stand for, in every part. All of it or nothing.
    pub(crate) fn import_definitions(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        parts: &[PartInput],
        by_name: bool,
    ) -> Result<Value, ApiError> {
        let mut plan = self.plan_import(caller, workspace, parts, by_name)?;
        let ids: Vec<(String, String)> =
            plan.iter().map(|item| (item.logical_id.to_string(), item.id.to_string())).collect();
        let (now, delay) = (self.now, self.rules.child_delay);
        let target = self.workspace_mut(caller, workspace, Role::Contributor)?;
        let mut details = Vec::new();
        for item in &mut plan {
            item.definition.parts.iter_mut().for_each(|part| part.resolve(&ids, workspace));
            details.push(json!({
                "itemId": item.id,
                "itemDisplayName": item.display_name,
                "itemType": item.kind,
                "itemLogicalId": item.logical_id,
                "operationType": if item.existing.is_some() { "Update" } else { "Create" },
                "operationStatus": "Succeeded",
            }));
            let folder = target.folder_at(&item.folder)?;
            match item.existing.and_then(|id| target.items.iter_mut().find(|known| known.id == id)) {
                Some(known) => {
                    known.description.clone_from(&item.description);
                    known.redefine(item.definition.clone())?;
                    known.logical_id = item.logical_id;
                    known.folder = folder;
                    target.rename_item(item.id, &item.display_name);
                }
                None => {
                    let mut new = Item {
                        id: item.id,
                        given_id: false,
                        logical_id: item.logical_id,
                        kind: item.kind,
                        display_name: item.display_name.clone(),
                        description: item.description.clone(),
                        folder,
                        parent: None,
                        definition: Definition::default(),
                        details: Details::new(item.kind, None, now)?,
                        contents: Contents::default(),
                        tags: Vec::new(),
                        created: now,
                    };
                    new.redefine(item.definition.clone())?;
                    target.put_item(new, delay);
                }
            }
        }
        Ok(json!({"importItemDefinitionsDetails": details}))
    }

    fn plan_import(
        &self,
        caller: Uuid,
        workspace: Uuid,
        parts: &[PartInput],
        by_name: bool,
    ) -> Result<Vec<Imported>, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let mut plan = Vec::<Imported>::new();
        for (folder, parts) in grouped(parts)? {
            let item = self.plan_one(target, folder, parts, by_name)?;
            let same = |known: &Imported| {
                types_collide(known.kind, item.kind) && same_name(&known.display_name, &item.display_name)
            };
            if plan.iter().any(same) {
                return Err(duplicate(&item.display_name));
            }
            if plan.iter().any(|known| known.logical_id == item.logical_id) {
                let why = format!("The logical id {} is there twice", item.logical_id);
                return Err(invalid_platform().because("InvalidPlatformFile", why));
            }
            plan.push(item);
        }
        self.check_item_limit(target, plan.iter().filter(|item| item.existing.is_none()).count())?;
        // The folders are checked on a copy: they are made one after the other.
        let mut copy = target.clone();
        plan.iter().try_for_each(|item| copy.folder_at(&item.folder).map(drop))?;
        Ok(plan)
    }

    fn plan_one(
        &self,
        target: &Workspace,
        folder: String,
        parts: Vec<Part>,
        by_name: bool,
    ) -> Result<Imported, ApiError> {
        let platform = parts.iter().find(|part| part.path == PLATFORM);
        let platform: Platform = read_platform(&platform.ok_or_else(invalid_platform)?.content)?;
        let kind = item_type(platform.metadata.r#type.as_deref().ok_or_else(invalid_platform)?)?;
        if !has_definition(kind) {
            return Err(not_supported());
        }
        let display_name = platform.metadata.display_name.clone().ok_or_else(invalid_platform)?;
        let (definition, _) = Definition::stored(kind, None, parts)?;
        let description = platform.metadata.description.clone().unwrap_or_default();
        check_new(kind, &display_name, &description)?;
        self.check_item_runs(target, kind)?;
        let logical = platform.logical_id();
        let same_id = |item: &&Item| {
            item.kind == kind && logical.is_some_and(|id| item.logical_id == id || exported_id(item.id) == id)
        };
        let same = |item: &&Item| item.kind == kind && same_name(&item.display_name, &display_name);
        let named = target.items.iter().find(same);
        let existing = target.items.iter().find(same_id).or_else(|| named.filter(|_| by_name));
        if named.is_some() && existing.map(|item| item.id) != named.map(|item| item.id) {
            return Err(duplicate(&display_name));
        }
        let existing = existing.map(|item| item.id);
        self.check_item_free(target, kind, &display_name, existing)?;
        Ok(Imported {
            kind,
            display_name,
            description,
            logical_id: logical.unwrap_or_else(Uuid::new_v4),
            folder,
            definition,
            existing,
            id: existing.unwrap_or_else(Uuid::new_v4),
        })
    }
}

fn invalid_platform() -> ApiError {
    ApiError::new(400, "InvalidPlatformFile", "The platform file is missing or invalid")
}

fn duplicate(name: &str) -> ApiError {
    let message = format!("There is more than one item of the name '{name}' and its type");
    ApiError::new(400, "DuplicateDisplayNameAndType", message)
}

fn root_path(workspace: &Workspace, item: &Item) -> String {
    match workspace.folder_path(item.folder).as_str() {
        "" => format!("/{}.{}", item.display_name, item.kind),
        folder => format!("/{folder}/{}.{}", item.display_name, item.kind),
    }
}

/// The parts of each item with paths of their own, and the folder the item is in. An item's folder is the first one on
/// the way from the root that is called after a type.
fn grouped(parts: &[PartInput]) -> Result<Vec<(String, Vec<Part>)>, ApiError> {
    let mut items = Vec::<(String, String, Vec<Part>)>::new();
    for part in parts {
        let Part { path, content } = part.clone().read()?;
        let invalid = || {
            ApiError::new(400, "InvalidFilesPath", "The path of a file is invalid")
                .because("InvalidFilesPath", format!("`{path}` lies in no folder of an item"))
        };
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let is_item = |name: &&str| {
            name.rsplit_once('.').is_some_and(|(_, kind)| item_type(kind).is_ok_and(|it| it == kind))
        };
        let at =
            segments.iter().position(is_item).filter(|at| at + 1 < segments.len()).ok_or_else(invalid)?;
        let (root, folder) = (segments[..=at].join("/"), segments[..at].join("/"));
        let part = Part { path: segments[at + 1..].join("/"), content };
        match items.iter_mut().find(|(known, ..)| *known == root) {
            Some((_, _, parts)) => parts.push(part),
            None => items.push((root, folder, vec![part])),
        }
    }
    match items.is_empty() {
        true => Err(ApiError::new(400, "MissingDefinitionParts", "The definition parts are missing")),
        false => Ok(items.into_iter().map(|(_, folder, parts)| (folder, parts)).collect()),
    }
}

/// How parts name the workspace they are in: by an id of zeros.
static THIS_WORKSPACE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let zeros = Uuid::nil();
    let names = "default_lakehouse_workspace_id|workspaceId|workspace";
    Regex::new(&format!(r#"((?:{names})"?\s*[:=]\s*"){zeros}""#)).ok()
});

impl Part {
    /// Puts the ids of items in the place of logical ones, and the workspace's in the place of zeros, as an import does.
    /// A part that is no text stays as it is.
    fn resolve(&mut self, ids: &[(String, String)], workspace: Uuid) {
        let Ok(text) = std::str::from_utf8(&self.content) else { return };
        let text = ids.iter().fold(text.to_owned(), |text, (logical, id)| text.replace(logical, id));
        let text = match THIS_WORKSPACE.as_ref() {
            Some(zeros) => zeros.replace_all(&text, format!(r#"${{1}}{workspace}""#)).into_owned(),
            None => text,
        };
        self.content = text.into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_turns_ids_round() {
        let id = "347a2755-b988-4c18-8fbc-d167a80d71a1".parse().unwrap();
        assert_eq!(exported_id(id).to_string(), "a80d71a1-d167-8fbc-4c18-b988347a2755");
        assert_eq!(exported_id(exported_id(id)), id);
    }

    #[test]
    fn an_import_puts_ids_in_their_places() {
        let workspace = Uuid::from_u128(7);
        let zeros = Uuid::nil();
        let ids = [("logical".to_owned(), "real".to_owned())];
        let resolved = |text: String| {
            let mut part = Part { path: String::new(), content: text.into_bytes() };
            part.resolve(&ids, workspace);
            String::from_utf8(part.content).unwrap()
        };
        for (name, sign) in
            [("\"workspaceId\"", ": "), ("\"default_lakehouse_workspace_id\"", ":"), ("workspace", " = ")]
        {
            let text = |id| format!("{name}{sign}\"{id}\"");
            assert_eq!(resolved(text(zeros)), text(workspace));
        }
        let kept = format!("\"otherId\": \"{zeros}\"");
        assert_eq!(resolved(kept.clone()), kept);
        assert_eq!(resolved("a logical id".to_owned()), "a real id");
    }
}
