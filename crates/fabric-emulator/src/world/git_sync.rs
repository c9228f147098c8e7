//! Commit and update: what moves between a workspace and its git directory.
//!
//! Each is planned by a pure function, which is also how a request is refused before its operation starts.

use uuid::Uuid;

use super::git_tree::{Change, canonical, changes, digest, tree_of};
use super::items::types_collide;
use super::{ApiError, Item, Remote, Role, Workspace, World, same_name};

/// What `commitToGit` asks for.
#[derive(Clone)]
pub(crate) struct Commit {
    pub(crate) head: Option<String>,
    /// Object or logical ids; `None` commits everything.
    pub(crate) selected: Option<Vec<Uuid>>,
}

/// What `updateFromGit` asks for.
#[derive(Clone)]
pub(crate) struct Update {
    pub(crate) remote: String,
    pub(crate) head: Option<String>,
    pub(crate) conflicts: Option<ConflictPolicy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConflictPolicy {
    PreferRemote,
    PreferWorkspace,
}

fn head_mismatch() -> ApiError {
    ApiError::new(400, "WorkspaceHeadMismatch", "The workspace head is not the one the workspace is at")
}

impl World {
    /// What the directory will hold after the commit.
    fn plan_commit(&self, caller: Uuid, workspace: Uuid, commit: &Commit) -> Result<Remote, ApiError> {
        let (workspace, git) = self.initialized_git(caller, workspace)?;
        let mut remote = self.remote(&git.provider);
        let behind = git.seen.as_ref() != Some(&remote.head);
        if behind || (commit.head.is_some() && commit.head != git.head) {
            return Err(head_mismatch());
        }
        if commit.selected.as_ref().is_some_and(Vec::is_empty) {
            return Err(ApiError::new(400, "NoItemsSelected", "No items were selected to commit"));
        }
        let ours = tree_of(workspace);
        let mut pending = changes(workspace, &git.base, &ours, &remote.items);
        if let Some(selected) = &commit.selected {
            pending.retain(|change| change.is_named_by(selected));
        }
        if pending.is_empty() {
            return Err(ApiError::new(400, "NoChangesToCommit", "There are no changes to commit"));
        }
        for change in pending {
            match ours.get(&change.key) {
                Some(entry) => remote.items.insert(change.key, entry.clone()),
                None => remote.items.remove(&change.key),
            };
        }
        remote.head = digest(&[&remote.head, &canonical(&remote.items).to_string()]);
        Ok(remote)
    }

    pub(crate) fn check_commit(
        &self,
        caller: Uuid,
        workspace: Uuid,
        commit: &Commit,
    ) -> Result<(), ApiError> {
        self.plan_commit(caller, workspace, commit).map(drop)
    }

    pub(crate) fn commit_to_git(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        commit: &Commit,
    ) -> Result<(), ApiError> {
        let remote = self.plan_commit(caller, workspace, commit)?;
        let now = self.now;
        let git = self.git_mut(caller, workspace)?;
        git.step(&remote, now);
        let key = git.provider.key.clone();
        self.remotes.insert(key, remote);
        Ok(())
    }

    /// The directory, and the changes to bring into the workspace from it.
    fn plan_update(
        &self,
        caller: Uuid,
        workspace: Uuid,
        update: &Update,
    ) -> Result<(Remote, Vec<Change>), ApiError> {
        let (workspace, git) = self.initialized_git(caller, workspace)?;
        let remote = self.remote(&git.provider);
        if update.head != git.head {
            return Err(head_mismatch());
        }
        if update.remote != remote.head {
            return Err(ApiError::invalid("remoteCommitHash", "is not the head of the branch"));
        }
        let mut plan = Vec::new();
        for change in changes(workspace, &git.base, &tree_of(workspace), &remote.items) {
            match (change.conflict, update.conflicts) {
                _ if change.remote.is_none() => {}
                ("Conflict", None) => {
                    let message = "There are conflicts between the workspace and git: a conflict resolution is required";
                    return Err(ApiError::new(400, "MissingWorkspaceConflictResolution", message));
                }
                ("Conflict", Some(ConflictPolicy::PreferWorkspace)) => {}
                _ => plan.push(change),
            }
        }
        self.check_taken_in(workspace, &remote, &plan)?;
        Ok((remote, plan))
    }

    /// Whether there is room in the workspace for what an update adds, under its names.
    fn check_taken_in(
        &self,
        workspace: &Workspace,
        remote: &Remote,
        plan: &[Change],
    ) -> Result<(), ApiError> {
        let adds = |change: &&Change| change.object_id.is_none() && remote.items.contains_key(&change.key);
        self.check_item_limit(workspace, plan.iter().filter(adds).count())?;
        let goes = |item: &Item| {
            plan.iter().any(|change| {
                let is_it = |id| item.id == id || item.parent == Some(id);
                !remote.items.contains_key(&change.key) && change.object_id.is_some_and(is_it)
            })
        };
        for Change { kind, display_name, .. } in plan.iter().filter(adds) {
            let collides =
                |item: &Item| types_collide(item.kind, kind) && same_name(&item.display_name, display_name);
            if workspace.items.iter().any(|item| collides(item) && !goes(item)) {
                let message = "The update would make two items of one name and type";
                return Err(ApiError::new(400, "PotentialDuplicateDisplayNameAndType", message)
                    .because("PotentialDuplicateDisplayNameAndType", format!("{display_name}.{kind}")));
            }
        }
        Ok(())
    }

    pub(crate) fn check_update(
        &self,
        caller: Uuid,
        workspace: Uuid,
        update: &Update,
    ) -> Result<(), ApiError> {
        self.plan_update(caller, workspace, update).map(drop)
    }

    pub(crate) fn update_from_git(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        update: &Update,
    ) -> Result<(), ApiError> {
        let (remote, plan) = self.plan_update(caller, workspace, update)?;
        let (keep, now, delay) = (self.rules.item_recovery, self.now, self.rules.child_delay);
        let target = self.workspace_mut(caller, workspace, Role::Contributor)?;
        for change in plan {
            match remote.items.get(&change.key) {
                Some(entry) => target.take_in(change.object_id, entry.clone(), now, delay)?,
                None => {
                    let gone = change.object_id.map(|id| target.take_item(id)).unwrap_or_default();
                    target.recycle_bin.extend(gone.into_iter().filter(|_| keep));
                }
            }
        }
        self.git_mut(caller, workspace)?.step(&remote, now);
        Ok(())
    }
}
