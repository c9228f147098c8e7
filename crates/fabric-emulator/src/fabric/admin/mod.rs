//! `/v1/admin`: what only a Fabric administrator may do.

pub(super) mod domains;
pub(super) mod workspaces;
