//! The service's error codes.

use super::text::Printable;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// The service's error code: an open set, of which the ones this crate acts on are named here.
///
/// See <https://learn.microsoft.com/rest/api/fabric/articles/using-fabric-apis> for the error model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorCode(Cow<'static, str>);

impl ErrorCode {
    /// The capacity is paused.
    pub const CAPACITY_NOT_IN_ACTIVE_STATE: Self = Self::new("CapacityNotInActiveState");
    /// Another spelling of [`CAPACITY_NOT_IN_ACTIVE_STATE`](Self::CAPACITY_NOT_IN_ACTIVE_STATE) that has been seen.
    pub const CAPACITY_NOT_ACTIVE: Self = Self::new("CapacityNotActive");
    /// The capacity itself is overloaded.
    pub const CAPACITY_LIMIT_EXCEEDED: Self = Self::new("CapacityLimitExceeded");
    /// Not there, or not to be seen by the caller.
    pub const ENTITY_NOT_FOUND: Self = Self::new("EntityNotFound");
    /// A folder of this name stands there already.
    pub const FOLDER_DISPLAY_NAME_ALREADY_IN_USE: Self = Self::new("FolderDisplayNameAlreadyInUse");
    /// Not there, or not to be seen by the caller.
    pub const FOLDER_NOT_FOUND: Self = Self::new("FolderNotFound");
    /// The caller may not do this.
    pub const INSUFFICIENT_PRIVILEGES: Self = Self::new("InsufficientPrivileges");
    /// An item of this type and name stands there already.
    pub const ITEM_DISPLAY_NAME_ALREADY_IN_USE: Self = Self::new("ItemDisplayNameAlreadyInUse");
    /// The name of a deleted item is still reserved; it becomes free within minutes.
    pub const ITEM_DISPLAY_NAME_NOT_AVAILABLE_YET: Self = Self::new("ItemDisplayNameNotAvailableYet");
    /// Not there, or not to be seen by the caller.
    pub const ITEM_NOT_FOUND: Self = Self::new("ItemNotFound");
    /// The operation never existed, or its record is gone.
    pub const OPERATION_NOT_FOUND: Self = Self::new("OperationNotFound");
    /// The item type has no definition.
    pub const OPERATION_NOT_SUPPORTED_FOR_ITEM: Self = Self::new("OperationNotSupportedForItem");
    /// The operation ended without a result, as some do.
    pub const OPERATION_HAS_NO_RESULT: Self = Self::new("OperationHasNoResult");
    /// The principal has a role in the workspace already.
    pub const PRINCIPAL_ALREADY_HAS_ROLE: Self = Self::new("PrincipalAlreadyHasWorkspaceRolePermissions");
    /// No such principal, or not known yet in this region.
    pub const PRINCIPAL_NOT_FOUND: Self = Self::new("PrincipalNotFound");
    /// The caller is of a type that may not do this.
    pub const PRINCIPAL_TYPE_NOT_SUPPORTED: Self = Self::new("PrincipalTypeNotSupported");
    /// Throttled: the quota of the minute is used up.
    pub const REQUEST_BLOCKED: Self = Self::new("RequestBlocked");
    /// Throttled: the capacity runs as many jobs as it can.
    pub const TOO_MANY_REQUESTS_FOR_CAPACITY: Self = Self::new("TooManyRequestsForCapacity");
    /// Throttled: too many job requests.
    pub const TOO_MANY_REQUESTS_FOR_JOBS: Self = Self::new("TooManyRequestsForJobs");
    /// The access token has expired.
    pub const TOKEN_EXPIRED: Self = Self::new("TokenExpired");
    /// The workspace is connected to Git already.
    pub const WORKSPACE_ALREADY_CONNECTED_TO_GIT: Self = Self::new("WorkspaceAlreadyConnectedToGit");
    /// The workspace has changed since its head was read.
    pub const WORKSPACE_HEAD_MISMATCH: Self = Self::new("WorkspaceHeadMismatch");
    /// The workspace is being moved between capacities; it says that it is not retriable, and passes in minutes.
    pub const WORKSPACE_MIGRATION_IN_PROGRESS: Self = Self::new("WorkspaceMigrationOperationInProgress");
    /// A workspace of this name exists already.
    pub const WORKSPACE_NAME_ALREADY_EXISTS: Self = Self::new("WorkspaceNameAlreadyExists");
    /// The workspace is not connected to Git.
    pub const WORKSPACE_NOT_CONNECTED_TO_GIT: Self = Self::new("WorkspaceNotConnectedToGit");
    /// Not there, or not to be seen by the caller.
    pub const WORKSPACE_NOT_FOUND: Self = Self::new("WorkspaceNotFound");
    /// Another Git operation of the workspace is under way.
    pub const WORKSPACE_PREVIOUS_OPERATION_IN_PROGRESS: Self =
        Self::new("WorkspacePreviousOperationInProgress");

    const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// The code as the service writes it; empty where it named none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ErrorCode {
    fn from(code: String) -> Self {
        Self(Cow::Owned(code))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&self.0).fmt(f)
    }
}
