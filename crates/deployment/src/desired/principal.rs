//! Who may have a role, and which.

use std::fmt;

use selvedge_fabric_client::roles::Role;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How a configuration names a principal. Only an object id can be sent to Fabric; the others are looked up.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub enum PrincipalRef {
    /// The object id in Entra ID.
    Id(Uuid),
    /// A user's e-mail address or user principal name.
    Email(String),
    /// The display name of a group or a service principal.
    Name(String),
}

impl fmt::Display for PrincipalRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(text) | Self::Name(text) => f.write_str(text),
        }
    }
}

/// The kinds of principal a configuration may name, spelt as Fabric spells them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A security group or Microsoft 365 group.
    Group,
    /// An application.
    ServicePrincipal,
}

impl PrincipalKind {
    /// All of them, in the order documentation lists them.
    pub const ALL: [Self; 3] = [Self::User, Self::Group, Self::ServicePrincipal];

    /// Fabric's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::ServicePrincipal => "ServicePrincipal",
        }
    }

    /// The kind of this name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for PrincipalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The role that holds when a principal is given two.
pub fn strongest(a: Role, b: Role) -> Role {
    a.max(b)
}
