//! `/v1/workspaces/{id}/provisionIdentity` and its opposite

use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::operations::Long;
use crate::wire::Reply;
use crate::world::{Identity, World};

pub(super) const ROUTES: &[Row] = &[
    Row::new("POST", "/v1/workspaces/{workspaceId}/provisionIdentity", Recorded, provision).long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/deprovisionIdentity", Recorded, deprovision).long(),
];

fn provision(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().check_provision(caller, workspace)?;
    let effect = Box::new(move |world: &mut World| {
        Ok(Some(identity_json(world.provision_identity(caller, workspace)?)))
    });
    call.run(Long::ProvisionIdentity, None, effect, |identity| Reply::json(200, identity.unwrap_or_default()))
}

fn deprovision(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().check_deprovision(caller, workspace)?;
    let effect =
        Box::new(move |world: &mut World| world.deprovision_identity(caller, workspace).map(|()| None));
    call.run(Long::DeprovisionIdentity, None, effect, |_| Reply::empty(200))
}

pub(super) fn identity_json(identity: Identity) -> Value {
    json!({"applicationId": identity.application, "servicePrincipalId": identity.principal})
}
