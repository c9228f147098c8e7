//! The world behind the interfaces: state and rules, no HTTP.
//!
//! Every rule is a function that checks first and changes after, so a refusal leaves the world as it was. Callers
//! are principals; what they may do is decided here.

mod audit;
mod bindings;
mod bulk;
mod certificates;
mod check;
mod connections;
mod contents;
mod definition;
mod details;
mod domains;
mod environments;
mod error;
mod folders;
mod git;
mod git_sync;
mod git_tree;
mod identity;
mod inventory;
mod item_type;
mod items;
mod jobs;
mod notebook;
mod pipelines;
mod principals;
mod redefine;
mod restore;
mod restore_points;
mod roles;
mod shortcuts;
mod spark;
pub(crate) mod stored;
mod tables;
mod tags;
mod vaults;
mod workspaces;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use audit::{SqlAudit, SqlAuditPatch};
pub(crate) use bindings::Binding;
pub(crate) use certificates::{Certificate, Thumbprint, Verdict};
pub(crate) use connections::{
    Connection, ConnectionAssignment, ConnectionPatch, ConnectionRole, ConnectionType, CredentialInput,
    CredentialSettings, DetailsInput, NewConnection, TYPES as CONNECTION_TYPES, USUAL_PRIVACY_LEVEL,
};
pub(crate) use contents::Contents;
pub(crate) use definition::{Definition, DefinitionInput, Part, PartInput, check_format};
pub(crate) use details::Details;
pub(crate) use domains::{ContributorsScope, Domain, DomainPatch, NewDomain};
pub(crate) use environments::{
    Environment, ExternalLibrary, Published, default_compute, listed, no_libraries,
};
pub(crate) use error::ApiError;
pub(crate) use folders::Folder;
pub(crate) use git::{Credentials, Git, InitializationStrategy, Provider, Remote};
pub(crate) use git_sync::{Commit, ConflictPolicy, Update};
pub(crate) use git_tree::Change;
pub(crate) use identity::Identity;
pub(crate) use inventory::inventory;
pub(crate) use item_type::{has_definition, item_type, needs_definition};
pub(crate) use items::{Item, ItemPatch, NewItem};
pub(crate) use jobs::{Job, JobRun, JobStatus, Schedule, ScheduleInput};
pub(crate) use pipelines::{
    Deployment, DeploymentOrder, Difference, NewTarget, Pipeline, Stage, StageInput, StageItem, Step,
};
pub(crate) use principals::{ManagedIdentity, Principal, PrincipalKind};
pub(crate) use restore_points::{RestorePoint, RestorePointInput};
pub(crate) use roles::{Assignment, Role};
pub(crate) use shortcuts::{Placed, Shortcut, ShortcutConflict, ShortcutInput};
pub(crate) use spark::{PoolInput, Spark};
pub(crate) use tables::Table;
pub(crate) use tags::{AppliedTag, Tag, Tagged};
pub(crate) use vaults::{
    Access, AttributesInput, Authorization, Deed, DeletedSecret, LOCATION, Permission, RECOVERABLE_DAYS,
    Secret, SecretInput, SecretVersion, Vault, VaultError, VaultRole, check_secret_name,
};
pub(crate) use workspaces::{Capacity, Workspace};

/// A tenant.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct World {
    /// What the tenant's clock said when somebody last looked.
    #[serde(with = "stored::time")]
    pub(crate) now: OffsetDateTime,
    /// They belong to the emulator that the tenant is in, not to the tenant.
    #[serde(skip)]
    pub(crate) rules: Rules,
    pub(crate) principals: Vec<Principal>,
    pub(crate) capacities: Vec<Capacity>,
    pub(crate) connections: Vec<Connection>,
    pub(crate) domains: Vec<Domain>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) workspaces: Vec<Workspace>,
    /// Fabric keeps a deleted workspace restorable for some days, with what it held.
    pub(crate) deleted_workspaces: Vec<Workspace>,
    /// Git repositories are outside Fabric: what was committed stays, whatever becomes of the workspace.
    pub(crate) remotes: BTreeMap<String, Remote>,
    /// Key Vaults. What comes without the name of one is for the first.
    pub(crate) vaults: Vec<Vault>,
}

/// The rules that are settings.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) name_reservation: Duration,
    pub(crate) reservation_status: u16,
    pub(crate) item_recovery: bool,
    /// Items a workspace can hold, deleted ones included.
    pub(crate) max_items: usize,
    /// How long after an item the one comes that the service makes beside it.
    pub(crate) child_delay: Duration,
    /// How long a workspace takes to get its capacity.
    pub(crate) capacity_assignment: Duration,
    /// How long it takes to delete a secret of a vault, and to recover it.
    pub(crate) secret_deletion: Duration,
}

impl World {
    pub(crate) fn new(rules: Rules, now: OffsetDateTime) -> Self {
        Self {
            now,
            rules,
            principals: Vec::new(),
            capacities: Vec::new(),
            connections: Vec::new(),
            domains: Vec::new(),
            tags: Vec::new(),
            pipelines: Vec::new(),
            workspaces: Vec::new(),
            deleted_workspaces: Vec::new(),
            remotes: BTreeMap::new(),
            vaults: Vec::new(),
        }
    }

    /// Lets the children come whose time it is, and deleted secrets go.
    pub(crate) fn settle(&mut self) {
        for workspace in &mut self.workspaces {
            workspace.let_children_come(self.now);
        }
        self.purge_secrets();
    }
}

/// The id in a path. The service answers 400 to what is no GUID.
pub(crate) fn guid(name: &str, text: &str) -> Result<Uuid, ApiError> {
    text.parse()
        .map_err(|_| ApiError::invalid(name, &format!("has an invalid value: `{text}` is not a GUID")))
}

/// Names are the same whatever the case of their letters. Nothing is allocated: a create compares with every item.
fn same_name(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// Checks a length in characters, as the documented limits count.
fn check_length(field: &str, text: &str, max: usize) -> Result<(), ApiError> {
    match text.chars().count() {
        length if length > max => {
            Err(ApiError::invalid(field, &format!("must have at most {max} characters")))
        }
        _ => Ok(()),
    }
}

/// A name that is needed, not blank, not too long and can be shown.
fn check_name(field: &str, name: &str, max: usize) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid(field, "is required"));
    }
    if name.chars().any(char::is_control) {
        return Err(ApiError::invalid(field, "has control characters"));
    }
    check_length(field, name, max)
}
