//! `/v1/workspaces/{id}/managedPrivateEndpoints`: no workspace here has any.

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::world::Role;

pub(super) const ROUTES: &[Row] =
    &[Row::new("GET", "/v1/workspaces/{workspaceId}/managedPrivateEndpoints", Recorded, list)];

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().workspace(caller, workspace, Role::Viewer)?;
    call.list(Vec::new())
}
