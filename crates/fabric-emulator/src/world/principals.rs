//! Users, groups and service principals, as Entra ID knows them.

use uuid::Uuid;

use super::World;
use crate::config::FederatedCredential;

/// Somebody or something that can be given a role.
#[derive(Clone)]
pub(crate) struct Principal {
    pub(crate) id: Uuid,
    pub(crate) kind: PrincipalKind,
    pub(crate) display_name: String,
    pub(crate) mail: Option<String>,
    pub(crate) user_principal_name: Option<String>,
    /// Application (client) id of a service principal.
    pub(crate) app_id: Option<String>,
    /// Client secret of a service principal that may ask for tokens.
    pub(crate) secret: Option<String>,
    pub(crate) secret_expired: bool,
    /// Whose assertions a service principal may show instead of a secret.
    pub(crate) federated_credentials: Vec<FederatedCredential>,
    /// Password of a user who may ask for tokens.
    pub(crate) password: Option<String>,
    /// Whether it may ask for tokens at all.
    pub(crate) enabled: bool,
    /// Members of a group, direct ones only.
    pub(crate) members: Vec<Uuid>,
    /// Whether the tenant lets it create workspaces.
    pub(crate) may_create_workspaces: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    User,
    Group,
    ServicePrincipal,
}

impl PrincipalKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServicePrincipal => "ServicePrincipal",
        }
    }
}

impl World {
    pub(crate) fn principal(&self, id: Uuid) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.id == id)
    }

    /// The service principal of an application.
    pub(crate) fn application(&self, app_id: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| {
            principal.app_id.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(app_id))
        })
    }

    /// Whether a role given to `holder` is `caller`'s: itself, or a group it is in.
    pub(super) fn speaks_for(&self, caller: Uuid, holder: Uuid) -> bool {
        caller == holder || self.principal(holder).is_some_and(|group| group.members.contains(&caller))
    }
}
