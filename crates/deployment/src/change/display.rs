//! Changes as people read them.

use std::fmt;

use super::Change;
use crate::repository::Place;

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateWorkspace { name, .. } => write!(f, "create workspace {name}"),
            Self::DescribeWorkspace { name, .. } => write!(f, "describe workspace {name}"),
            Self::RenameWorkspace { name, to, .. } => write!(f, "rename workspace {name} to {to}"),
            Self::DeleteWorkspace { name, .. } => write!(f, "delete workspace {name}"),
            Self::UnassignCapacity { name, .. } => write!(f, "take workspace {name} off its capacity"),
            Self::AssignCapacity { capacity, .. } => write!(f, "assign capacity {capacity}"),
            Self::CreateFolder { path, .. } => write!(f, "create folder {path}"),
            Self::MoveFolder { path, target, .. } => write!(f, "move folder {path} to {target}"),
            Self::DeleteFolder { path, .. } => write!(f, "delete folder {path}"),
            Self::CreateItem { item_type, name, .. } => write!(f, "create {item_type} {name}"),
            Self::RenameItem { item_type, name, to, .. } => write!(f, "rename {item_type} {name} to {to}"),
            Self::MoveItem { item_type, name, target, .. } => {
                write!(f, "move {item_type} {name} to {target}")
            }
            Self::DeleteItem { item_type, name, .. } => write!(f, "delete {item_type} {name}"),
            Self::DescribeItem { item_type, name, .. } => write!(f, "describe {item_type} {name}"),
            Self::UpdateDefinition { item_type, name, .. } => write!(f, "update {item_type} {name}"),
            Self::AddRole { role, label, .. } => write!(f, "give {label} the role {role}"),
            Self::ChangeRole { role, label, .. } => write!(f, "change the role of {label} to {role}"),
            Self::RemoveRole { label, .. } => write!(f, "take the role of {label} away"),
            Self::CreateConnection { name, .. } => write!(f, "create connection {name}"),
            Self::ConnectGit { provider, .. } => write!(f, "connect to Git {}", Place::from(provider)),
            Self::InitializeGit { .. } => f.write_str("initialize the Git connection"),
            Self::UpdateFromGit { .. } => f.write_str("update from Git"),
            Self::DisconnectGit { provider, .. } => {
                write!(f, "disconnect from Git {}", Place::from(provider))
            }
            Self::CommitToGit { .. } => f.write_str("commit to Git"),
            Self::PromoteItems(promotion) => promotion.fmt(f),
        }
    }
}
