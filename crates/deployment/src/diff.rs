//! Desired and live state in, plan out: a pure function.

use std::collections::HashMap;

use selvedge_fabric_client::git::{ConflictPolicy, InitializationStrategy};
use selvedge_fabric_client::{CapacityId, ConnectionId, FolderId, WorkspaceId};
use selvedge_rollback::{Plan, StepId};

use crate::change::{Change, Ref};
use crate::config::{Diagnostic, Diagnostics};
use crate::desired::{Desired, DesiredGit, DesiredItem, GitProvider};
use crate::live::{Live, LiveItem, ResolvedRole};
use crate::repository::{self, Place};

/// What is to be done, and what was noticed on the way.
#[derive(Debug)]
pub struct Planned {
    /// The changes, in an order in which they can be made. Empty: the live state is the desired one.
    pub plan: Plan<Change>,
    /// Differences that are left as they are.
    pub warnings: Vec<Diagnostic>,
}

/// What the planner may count on besides the two states.
#[derive(Clone, Copy, Debug, Default)]
pub struct Means<'a> {
    /// The name of the secret that holds a token for the Git provider, where there is one.
    pub git_token: Option<&'a str>,
}

/// The changes that turn `live` into `desired`.
///
/// # Errors
///
/// Every reason why no plan can reach the desired state, each with its place in the configuration.
pub fn diff(
    desired: &Desired,
    roles: &[ResolvedRole],
    live: &Live,
    means: Means<'_>,
) -> Result<Planned, Diagnostics> {
    let mut planner =
        Planner { live, plan: Plan::default(), capacity: None, warnings: Vec::new(), errors: Vec::new() };
    let workspace = planner.workspace(desired);
    planner.capacity(desired, workspace);
    let folders = planner.folders(desired, workspace);
    for item in &desired.items {
        planner.item(item, workspace, &folders);
    }
    for role in roles {
        planner.role(role, workspace);
    }
    if let Some(git) = &desired.git {
        planner.git(git, workspace, means);
    }
    let Planner { plan, warnings, errors, .. } = planner;
    if errors.is_empty() { Ok(Planned { plan, warnings }) } else { Err(Diagnostics::from(errors)) }
}

/// The changes that connect a workspace that is there to a repository, and take over what the side that wins has.
///
/// With [`InitializationStrategy::None`] nothing is taken over: where both sides have content, Fabric refuses to go on.
///
/// # Errors
///
/// When it is connected elsewhere, or there is no connection that holds the credentials.
pub fn connect(
    want: &DesiredGit,
    strategy: InitializationStrategy,
    workspace: WorkspaceId,
    live: &Live,
    means: Means<'_>,
) -> Result<Plan<Change>, Diagnostics> {
    let mut planner =
        Planner { live, plan: Plan::default(), capacity: None, warnings: Vec::new(), errors: Vec::new() };
    let workspace = Ref::Id(workspace);
    let connected_by = planner.connect(want, workspace, means);
    let Planner { mut plan, errors, .. } = planner;
    if !errors.is_empty() {
        return Err(Diagnostics::from(errors));
    }
    if !live.git.initialized {
        initialize(&mut plan, workspace, connected_by.flatten(), strategy, want.commit_message.clone());
    }
    Ok(plan)
}

/// The changes that make a connected workspace and its repository equal for the first time, by the side that wins.
pub fn initialize(
    plan: &mut Plan<Change>,
    workspace: Ref<WorkspaceId>,
    connected_by: Option<StepId>,
    strategy: InitializationStrategy,
    comment: String,
) {
    let initialized = plan.push(Change::InitializeGit { workspace, connected_by, strategy }, connected_by);
    let follows = match strategy {
        InitializationStrategy::None => return,
        InitializationStrategy::PreferRemote => {
            let conflicts = Some(ConflictPolicy::PreferRemote);
            Change::UpdateFromGit { workspace, commit: None, conflicts }
        }
        InitializationStrategy::PreferWorkspace => Change::CommitToGit { workspace, comment },
    };
    plan.push(follows, [initialized]);
}

/// Folders by path. Fabric takes names in any case.
#[derive(Default)]
struct Folders(HashMap<String, Ref<FolderId>>);

impl Folders {
    fn get(&self, path: &str) -> Option<Ref<FolderId>> {
        self.0.get(&path.to_lowercase()).copied()
    }

    fn insert(&mut self, path: &str, folder: Ref<FolderId>) {
        self.0.insert(path.to_lowercase(), folder);
    }
}

struct Planner<'a> {
    live: &'a Live,
    plan: Plan<Change>,
    /// The step that assigns a capacity, if one does.
    capacity: Option<StepId>,
    warnings: Vec<Diagnostic>,
    errors: Vec<Diagnostic>,
}

impl Planner<'_> {
    fn push(&mut self, change: Change) -> StepId {
        self.push_following(change, Vec::new())
    }

    /// Appends a change. What does not wait for another, directly or not, may be made at the same time.
    fn push_following(&mut self, change: Change, follows: Vec<StepId>) -> StepId {
        let mut after = change.uses();
        // Items and Git live on the capacity: it is not taken away while one of them is left.
        let elsewhere = matches!(
            change,
            Change::CreateFolder { .. } | Change::AddRole { .. } | Change::CreateConnection { .. }
        );
        after.extend(self.capacity.filter(|_| !elsewhere));
        self.plan.push_following(change, after, follows)
    }

    /// Every step so far.
    fn all(&self) -> Vec<StepId> {
        self.plan.steps().iter().map(|step| step.id).collect()
    }

    fn workspace(&mut self, desired: &Desired) -> Ref<WorkspaceId> {
        let want = &desired.workspace;
        let Some(live) = &self.live.workspace else {
            let (name, description) = (want.name.clone(), want.description.clone());
            return Ref::Step(self.push(Change::CreateWorkspace { name, description }));
        };
        if let Some(description) = want.description.as_ref().filter(|text| **text != live.description) {
            self.push(Change::DescribeWorkspace {
                workspace: live.id,
                name: want.name.clone(),
                description: description.clone(),
            });
        }
        Ref::Id(live.id)
    }

    fn capacity(&mut self, desired: &Desired, workspace: Ref<WorkspaceId>) {
        let assigned = self.live.workspace.as_ref().and_then(|live| live.capacity);
        let Some(want) = &desired.workspace.capacity else {
            return;
        };
        let capacity = CapacityId::from(want.value);
        if let Some(known) = &self.live.capacities {
            match known.iter().find(|known| known.id == capacity) {
                Some(known) if !known.active => self.errors.push(
                    Diagnostic::error(want.at.clone(), format!("capacity `{}` ({capacity}) is paused", known.name))
                        .with_help("resume the capacity, or name one that runs"),
                ),
                None if assigned != Some(capacity) => self.errors.push(
                    Diagnostic::error(want.at.clone(), format!("capacity {capacity} is not among those the caller may use"))
                        .with_help("check the id, and that the caller is an administrator or contributor of the capacity"),
                ),
                _ => {}
            }
        }
        if assigned != Some(capacity) {
            self.capacity = Some(self.push(Change::AssignCapacity { workspace, capacity }));
        }
    }

    /// The folders that are there and those that will be.
    fn folders(&mut self, desired: &Desired, workspace: Ref<WorkspaceId>) -> Folders {
        let mut known = Folders::default();
        for live in &self.live.folders {
            known.insert(&live.path, Ref::Id(live.id));
        }
        for folder in &desired.folders {
            let path = folder.to_string();
            if known.get(&path).is_none() {
                let parent = folder.parent().and_then(|parent| known.get(&parent.to_string()));
                let name = folder.name().to_owned();
                let step = self.push(Change::CreateFolder { workspace, parent, name, path: path.clone() });
                known.insert(&path, Ref::Step(step));
            }
        }
        known
    }

    fn item(&mut self, want: &DesiredItem, workspace: Ref<WorkspaceId>, folders: &Folders) {
        let folder = want.folder.as_ref().and_then(|path| folders.get(&path.to_string()));
        let live =
            self.live.items.iter().find(|live| {
                live.item_type == want.kind && live.name.to_lowercase() == want.name.to_lowercase()
            });
        match (live, workspace) {
            (Some(live), Ref::Id(workspace)) => self.existing_item(want, live, workspace, folder),
            _ => {
                self.push(Change::CreateItem {
                    workspace,
                    folder,
                    item_type: want.kind.clone(),
                    name: want.name.clone(),
                    description: want.description.clone(),
                    definition: want.definition.clone(),
                });
            }
        }
    }

    fn existing_item(
        &mut self,
        want: &DesiredItem,
        live: &LiveItem,
        workspace: WorkspaceId,
        folder: Option<Ref<FolderId>>,
    ) {
        let (item_type, name) = (want.kind.clone(), live.name.clone());
        if want.folder.is_some() && folder != live.folder.map(Ref::Id) {
            let message = format!("{item_type} `{name}` is in another folder and is left there");
            self.warnings.push(Diagnostic::warning(want.at.clone(), message));
        }
        let mut described = Vec::new();
        if let Some(description) = want.description.as_ref().filter(|text| **text != live.description) {
            described.push(self.push(Change::DescribeItem {
                workspace,
                item: live.id,
                item_type: item_type.clone(),
                name: name.clone(),
                description: description.clone(),
            }));
        }
        if let Some(definition) = &want.definition
            && !live.definition.as_ref().is_some_and(|live| live.same_meaning(definition))
        {
            let definition = definition.clone();
            let update = Change::UpdateDefinition { workspace, item: live.id, item_type, name, definition };
            // Fabric does not take two changes of one item at a time.
            self.push_following(update, described);
        }
    }

    fn role(&mut self, want: &ResolvedRole, workspace: Ref<WorkspaceId>) {
        let live = self.live.roles.iter().find(|live| live.principal == want.principal);
        let (principal, role, label) = (want.principal, want.role, want.label.clone());
        match (live, workspace) {
            (Some(has), _) if has.role == role => {}
            (Some(_), Ref::Id(workspace)) => {
                self.push(Change::ChangeRole { workspace, principal, role, label });
            }
            _ => {
                self.push(Change::AddRole { workspace, principal, principal_kind: want.kind, role, label });
            }
        }
    }

    fn git(&mut self, want: &DesiredGit, workspace: Ref<WorkspaceId>, means: Means<'_>) {
        let Some(connected_by) = self.connect(want, workspace, means) else { return };
        if !self.live.git.initialized {
            self.push(Change::InitializeGit {
                workspace,
                connected_by,
                strategy: InitializationStrategy::PreferWorkspace,
            });
        }
        let something_to_commit = !self.plan.is_empty() || self.live.git.uncommitted;
        if want.commit && something_to_commit {
            self.push(Change::CommitToGit { workspace, comment: want.commit_message.clone() });
        }
    }

    /// Connects where that is to be done. The step that does; `None` where it cannot be.
    fn connect(
        &mut self,
        want: &DesiredGit,
        workspace: Ref<WorkspaceId>,
        means: Means<'_>,
    ) -> Option<Option<StepId>> {
        let provider = repository::to_wire(want);
        match &self.live.git.provider {
            Some(live) if Place::from(live) != Place::from(&provider) => {
                let (live, want_place) = (Place::from(live), Place::from(&provider));
                let message = format!("the workspace is connected to {live}, not to {want_place}");
                let help = "run `selvedge git disconnect` first: what is not committed there would be lost";
                self.errors.push(Diagnostic::error(want.at.clone(), message).with_help(help));
                None
            }
            Some(_) => Some(None),
            None => {
                let connection = self.git_connection(want, means)?;
                // What is in the workspace when it is connected and compared decides what Fabric asks for next.
                let all = self.all();
                let connect = Change::ConnectGit { workspace, provider, connection };
                Some(Some(self.push_following(connect, all)))
            }
        }
    }

    /// The connection that holds the credentials: the one the project names, or one for exactly this repository, or a
    /// new one. Never one that happens to be there.
    fn git_connection(&mut self, want: &DesiredGit, means: Means<'_>) -> Option<Ref<ConnectionId>> {
        if let Some(id) = want.connection {
            return Some(Ref::Id(ConnectionId::from(id)));
        }
        let url = repository::url(&want.provider);
        let name = match &want.provider {
            GitProvider::GitHub { owner, repository } => format!("GitHub-{owner}-{repository}"),
            GitProvider::AzureDevOps { organization, project, repository } => {
                format!("AzureDevOps-{organization}-{project}-{repository}")
            }
        };
        // A project of Azure DevOps may have a space in its name.
        let fits = |path: &str| path.trim_end_matches('/').replace("%20", " ").eq_ignore_ascii_case(&url);
        if let Some(live) = self.live.connections.iter().find(|live| fits(&live.path)) {
            return Some(Ref::Id(live.id));
        }
        match (means.git_token, &want.provider) {
            (Some(secret), GitProvider::GitHub { .. }) => {
                let secret = secret.to_owned();
                // Of no use without the workspace, so it is not made before that is, and stands on its capacity.
                let ready = self.plan.steps().iter().filter(|step| {
                    matches!(step.change, Change::CreateWorkspace { .. } | Change::AssignCapacity { .. })
                });
                let ready = ready.map(|step| step.id).collect();
                Some(Ref::Step(self.push_following(Change::CreateConnection { name, url, secret }, ready)))
            }
            _ => {
                let message = format!("there is no connection to {url} that the caller may use");
                let help =
                    "set FABRIC_GIT_CONNECTION_ID to the id of one, or (GitHub) GITHUB_TOKEN to make one";
                self.errors.push(Diagnostic::error(want.at.clone(), message).with_help(help));
                None
            }
        }
    }
}
