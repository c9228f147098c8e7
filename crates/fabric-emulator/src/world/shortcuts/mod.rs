//! OneLake shortcuts: folders of a lakehouse or KQL database that lead elsewhere.
//!
//! The refusals are as users have reported them of the service; the documents name hardly any. That the service takes
//! a moment to forget a deleted shortcut is not emulated.

mod target;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::definition::not_supported;
use super::{ApiError, Item, Role, World};
pub(crate) use target::Target;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Shortcut {
    /// The folder that it lies in, as it was sent: with a slash at its start or without.
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) target: Target,
    /// What happens to files on their way to a table.
    pub(crate) transform: Option<Value>,
}

/// What a create asks for.
#[derive(Clone, Deserialize)]
pub(crate) struct ShortcutInput {
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    target: Map<String, Value>,
    transform: Option<Value>,
}

/// What a create does where a shortcut of that name is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ShortcutConflict {
    #[default]
    Abort,
    GenerateUniqueName,
    CreateOrOverwrite,
    OverwriteOnly,
}

/// Where a shortcut went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    New,
    OverAnother,
}

impl ShortcutConflict {
    pub(crate) fn read(text: &str) -> Result<Self, ApiError> {
        let known = [
            ("Abort", Self::Abort),
            ("GenerateUniqueName", Self::GenerateUniqueName),
            ("CreateOrOverwrite", Self::CreateOrOverwrite),
            ("OverwriteOnly", Self::OverwriteOnly),
        ];
        let known = known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let invalid = || ApiError::invalid("shortcutConflictPolicy", "has an invalid value");
        known.map(|(_, policy)| policy).ok_or_else(invalid)
    }
}

impl Shortcut {
    /// Whether it lies at that place, whatever slashes the path begins and ends with.
    fn is_at(&self, path: &str, name: &str) -> bool {
        self.name == name && folder(&self.path) == folder(path)
    }

    /// Whether it lies in that folder or below it.
    pub(crate) fn is_below(&self, parent: &str) -> bool {
        let rest = folder(&self.path).strip_prefix(folder(parent));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder(parent).is_empty())
    }

    pub(super) fn inventory(&self, world: &World) -> Value {
        json!({
            "path": folder(&self.path),
            "name": self.name,
            "target": self.target.inventory(world),
            "transform": self.transform,
        })
    }
}

impl ShortcutInput {
    fn into_shortcut(self) -> Result<Shortcut, ApiError> {
        if folder(&self.path).is_empty() {
            return Err(refused("The path field is required"));
        }
        let is_odd = |segment: &str| matches!(segment, "" | "." | "..");
        if folder(&self.path).split('/').any(is_odd) {
            return Err(refused("The path field has an invalid value"));
        }
        if self.name.trim().is_empty() || self.name.contains('/') || is_odd(&self.name) {
            return Err(refused("The name field is missing or has an invalid value"));
        }
        let target = Target::read(self.target)?;
        Ok(Shortcut { path: self.path, name: self.name, target, transform: self.transform })
    }
}

impl World {
    /// The item whose shortcuts the caller may use that much.
    pub(crate) fn shortcuts_of(
        &self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        least: Role,
    ) -> Result<&Item, ApiError> {
        let workspace = self.workspace(caller, workspace, least)?;
        let item = workspace.item(item)?;
        if !matches!(item.kind, "Lakehouse" | "KQLDatabase") {
            return Err(not_supported().about(item.id, "Item"));
        }
        self.check_item_runs(workspace, item.kind)?;
        Ok(item)
    }

    pub(crate) fn shortcut(
        &self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        path: &str,
        name: &str,
    ) -> Result<&Shortcut, ApiError> {
        let item = self.shortcuts_of(caller, workspace, item, Role::Viewer)?;
        let found = item.contents.shortcuts.iter().find(|shortcut| shortcut.is_at(path, name));
        found.ok_or_else(|| no_shortcut(path, name))
    }

    pub(crate) fn create_shortcut(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        new: ShortcutInput,
        policy: ShortcutConflict,
    ) -> Result<(Shortcut, Placed), ApiError> {
        let holder = self.shortcuts_of(caller, workspace, item, Role::Contributor)?;
        let mut new = new.into_shortcut()?;
        let top = folder(&new.path).split('/').next().unwrap_or_default();
        if holder.kind == "Lakehouse" && !matches!(top, "Files" | "Tables") {
            return Err(refused("The path must begin with \"Files\" or \"Tables\""));
        }
        self.check_target(caller, &new.target)?;
        let existing = &holder.contents.shortcuts;
        let at = existing.iter().position(|shortcut| shortcut.is_at(&new.path, &new.name));
        let over = match (policy, at) {
            (ShortcutConflict::Abort, Some(_)) => return Err(conflict()),
            (ShortcutConflict::OverwriteOnly, None) => return Err(no_shortcut(&new.path, &new.name)),
            (ShortcutConflict::GenerateUniqueName, Some(_)) => {
                new.name = free_name(existing, &new);
                None
            }
            (_, at) => at,
        };
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        let shortcuts = &mut item.contents.shortcuts;
        match over.and_then(|at| shortcuts.get_mut(at)) {
            Some(old) => {
                old.clone_from(&new);
                Ok((new, Placed::OverAnother))
            }
            None => {
                shortcuts.push(new.clone());
                Ok((new, Placed::New))
            }
        }
    }

    pub(crate) fn delete_shortcut(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        path: &str,
        name: &str,
    ) -> Result<(), ApiError> {
        self.shortcuts_of(caller, workspace, item, Role::Contributor)?;
        self.shortcut(caller, workspace, item, path, name)?;
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        item.contents.shortcuts.retain(|shortcut| !shortcut.is_at(path, name));
        Ok(())
    }
}

/// A path without the slashes around it, which mean nothing.
fn folder(path: &str) -> &str {
    path.trim_matches('/')
}

/// The first name with a number that is free. How the service forms it is a guess.
fn free_name(existing: &[Shortcut], new: &Shortcut) -> String {
    let mut names = (1..).map(|number: u64| format!("{}_{number}", new.name));
    let taken = |name: &String| existing.iter().any(|shortcut| shortcut.is_at(&new.path, name));
    names.find(|name| !taken(name)).unwrap_or_default()
}

/// How OneLake refuses what a body says.
fn refused(why: impl Into<String>) -> ApiError {
    ApiError::new(
        400,
        "BadRequest",
        "The request could not be processed due to missing or invalid information",
    )
    .because("RequestBodyValidationFailed", why)
}

fn not_found(code: &str, why: String) -> ApiError {
    ApiError::new(404, "EntityNotFound", "The requested resource could not be found.").because(code, why)
}

fn no_shortcut(path: &str, name: &str) -> ApiError {
    not_found("ShortcutNotFound", format!("Shortcut '{}/{name}' is not found.", folder(path)))
}

/// The code in the details is spelled as the service spells it.
fn conflict() -> ApiError {
    ApiError::new(409, "EntityConflict", "The request could not be processed due to a conflict").because(
        "ShorcutsOperationNotAllowed",
        "Shortcut operation set to abort and shortcut with same name already exists.",
    )
}
