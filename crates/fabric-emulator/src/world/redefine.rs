//! Reading and replacing the definition of an item.

use uuid::Uuid;

use super::definition::{Platform, not_supported};
use super::{ApiError, Definition, DefinitionInput, Item, ItemPatch, Role, World};

/// A definition for the item, and with `metadata` what its `.platform` says.
fn read(
    definition: DefinitionInput,
    item: &Item,
    metadata: bool,
) -> Result<(Definition, Option<Platform>), ApiError> {
    let (definition, platform) = definition.read(item.kind)?;
    let platform = platform.filter(|_| metadata);
    if let Some(platform) = &platform {
        platform.check_type(item.kind)?;
    }
    Ok((definition, platform))
}

impl World {
    /// The item whose definition may be read by the caller, and whether its workspace is connected to git.
    /// Reading a definition needs the right to write.
    pub(crate) fn definition_of(
        &self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
    ) -> Result<(&Item, bool), ApiError> {
        let workspace = self.workspace(caller, workspace, Role::Contributor)?;
        let item = workspace.item(id)?;
        if !super::has_definition(item.kind) {
            return Err(not_supported().about(id, "Item"));
        }
        self.check_item_runs(workspace, item.kind)?;
        Ok((item, workspace.git.is_some()))
    }

    /// Whether [`World::update_definition`] would be accepted now.
    pub(crate) fn check_new_definition(
        &self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        definition: &DefinitionInput,
        metadata: bool,
    ) -> Result<(), ApiError> {
        let (item, _) = self.definition_of(caller, workspace, id)?;
        read(definition.clone(), item, metadata).map(drop)
    }

    /// Replaces a definition. What `.platform` says about the item counts only with `metadata`.
    pub(crate) fn update_definition(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        definition: DefinitionInput,
        metadata: bool,
    ) -> Result<(), ApiError> {
        let (item, _) = self.definition_of(caller, workspace, id)?;
        let (definition, platform) = read(definition, item, metadata)?;
        if let Some(platform) = platform {
            let patch = ItemPatch {
                display_name: platform.metadata.display_name,
                description: platform.metadata.description,
                properties: None,
            };
            self.update_item(caller, workspace, id, patch)?;
        }
        self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(id)?.redefine(definition)
    }
}
