//! What must hold of a world that comes from outside: what the rules take for granted of the one that is there.

use std::collections::HashSet;
use std::hash::Hash;

use uuid::Uuid;

use super::folders::MAX_DEPTH;
use super::{Workspace, World};

impl World {
    /// Whether everything is there that something else refers to, once, and where it can be.
    ///
    /// # Errors
    /// What is wrong, and in which workspace.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(id) = self.id_twice() {
            return Err(format!("the id {id} is there twice"));
        }
        if let Some(name) = twice(self.workspaces.iter().map(|workspace| folded(&workspace.display_name))) {
            return Err(format!("there are two workspaces `{name}`"));
        }
        for (list, workspaces) in
            [("workspaces", &self.workspaces), ("deletedWorkspaces", &self.deleted_workspaces)]
        {
            for (at, workspace) in workspaces.iter().enumerate() {
                let checked = workspace.check_folders().and_then(|()| workspace.check_items());
                let checked = checked.and_then(|()| self.check_surroundings(workspace));
                checked.map_err(|flaw| format!("{list}[{at}]: {flaw}"))?;
            }
        }
        self.check_vaults()?;
        let stages = self.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        let is_there = |id: &Uuid| self.workspaces.iter().any(|workspace| workspace.id == *id);
        match stages.filter_map(|stage| stage.workspace).find(|id| !is_there(id)) {
            Some(id) => Err(format!("the workspace {id} of a deployment pipeline's stage is not there")),
            None => Ok(()),
        }
    }

    /// What a workspace shares with others.
    fn check_surroundings(&self, workspace: &Workspace) -> Result<(), String> {
        if let Some(id) = workspace.capacity.filter(|id| self.capacity(*id).is_none()) {
            return Err(format!("the capacity {id} is not there"));
        }
        if let Some(id) = workspace.domain.filter(|id| self.domain(*id).is_err()) {
            return Err(format!("the domain {id} is not there"));
        }
        let mut holders = workspace.roles.iter().map(|assignment| assignment.principal);
        match holders.find(|id| self.principal(*id).is_none()) {
            Some(id) => Err(format!("the principal {id} with a role is not there")),
            None => Ok(()),
        }
    }

    /// An id that two things have.
    pub(crate) fn id_twice(&self) -> Option<Uuid> {
        twice(self.ids())
    }

    /// The ids of everything that a seed can give one.
    fn ids(&self) -> impl Iterator<Item = Uuid> {
        let principals = self.principals.iter().map(|principal| principal.id);
        let capacities = self.capacities.iter().map(|capacity| capacity.id);
        let connections = self.connections.iter().map(|connection| connection.id);
        let domains = self.domains.iter().map(|domain| domain.id).chain(self.tags.iter().map(|tag| tag.id));
        let pipelines = self
            .pipelines
            .iter()
            .flat_map(|pipeline| pipeline.stages.iter().map(|stage| stage.id).chain([pipeline.id]));
        let workspaces = self.workspaces.iter().map(|workspace| workspace.id);
        let items = self.workspaces.iter().flat_map(|workspace| workspace.items.iter().map(|item| item.id));
        let tenant = principals.chain(capacities).chain(connections).chain(domains).chain(pipelines);
        tenant.chain(workspaces).chain(items)
    }
}

impl Workspace {
    fn check_folders(&self) -> Result<(), String> {
        if let Some(id) = twice(self.folders.iter().map(|folder| folder.id)) {
            return Err(format!("the id {id} is there twice"));
        }
        for folder in &self.folders {
            if let Some(id) = folder.parent.filter(|id| self.folder(*id).is_err()) {
                return Err(format!("the folder {id} is not there"));
            }
            // A folder that lies in itself has no end.
            if self.lineage(Some(folder.id)).take(MAX_DEPTH + 1).count() > MAX_DEPTH {
                return Err(format!("the folder {} lies deeper than {MAX_DEPTH} levels", folder.id));
            }
        }
        match twice(self.folders.iter().map(|folder| (folder.parent, folded(&folder.display_name)))) {
            Some((_, name)) => Err(format!("there are two folders `{name}` in one place")),
            None => Ok(()),
        }
    }

    fn check_items(&self) -> Result<(), String> {
        for item in &self.items {
            if let Some(id) = item.folder.filter(|id| self.folder(*id).is_err()) {
                return Err(format!("the folder {id} of the item {} is not there", item.id));
            }
            if let Some(id) = item.parent.filter(|id| self.item(*id).is_err()) {
                return Err(format!("the item {id}, with which {} came, is not there", item.id));
            }
        }
        // One that came with another has its name, whatever else is called so.
        let own = self.items.iter().filter(|item| item.parent.is_none());
        match twice(own.map(|item| (item.kind, folded(&item.display_name)))) {
            Some((kind, name)) => Err(format!("there are two items `{name}` of the type {kind}")),
            None => Ok(()),
        }
    }
}

/// The same text for names that are the same: see [`super::same_name`].
fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// The first that has been there before.
fn twice<T: Clone + Eq + Hash>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = HashSet::new();
    all.find(|one| !seen.insert(one.clone()))
}
