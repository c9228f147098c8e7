//! Managed private endpoints of a workspace.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("managed private endpoints: listed", listed),
        scenario("managed private endpoints: made, read, deleted", lifecycle),
    ]
}

fn listed(session: &mut Session<'_>) -> Step {
    let all = format!("{}/managedPrivateEndpoints", workspace(session)?);
    session.list(&all)?;
    Ok(())
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let all = format!("{}/managedPrivateEndpoints", workspace(session)?);
    let resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Sql/servers/contoso";
    let body = json!({
        "name": "to-sql", "targetPrivateLinkResourceId": resource, "targetSubresourceType": "sqlServer",
        "requestMessage": "please",
    });
    let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
    session.list(&all)?;
    session.get(&one)?;
    session.delete(&one)?;
    Ok(())
}
