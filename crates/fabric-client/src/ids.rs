//! Identifiers, a type for each kind of thing, so that one is never taken for another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::from_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A workspace.
    WorkspaceId
);
id!(
    /// An item of a workspace.
    ItemId
);
id!(
    /// A folder of a workspace.
    FolderId
);
id!(
    /// A capacity.
    CapacityId
);
id!(
    /// A user, group or service principal of Entra ID, by its *object* id (not an application id). Also the id of
    /// its role assignment in a workspace.
    PrincipalId
);
id!(
    /// A connection.
    ConnectionId
);
id!(
    /// A long-running operation.
    OperationId
);
id!(
    /// A deployment pipeline.
    PipelineId
);
id!(
    /// A stage of a deployment pipeline.
    StageId
);
id!(
    /// A deployment through a pipeline.
    DeploymentId
);
