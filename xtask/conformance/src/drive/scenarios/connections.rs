//! Connections, and who may use them.

use super::*;

const ALL: &str = "/v1/connections";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("connections: made, read, deleted", lifecycle),
        scenario("connections: changed", changed),
        scenario("connections: tested", tested),
        scenario("connections: types", types),
        scenario("connections: role assignments", roles),
        scenario("connections: refused", refused),
        scenario("connections: of somebody else", of_somebody_else),
    ]
}

fn body(name: &str) -> Value {
    let parameters = json!([
        {"dataType": "Text", "name": "server", "value": "contoso.database.windows.net"},
        {"dataType": "Text", "name": "database", "value": "sales"},
    ]);
    json!({
        "connectivityType": "ShareableCloud",
        "displayName": name,
        "connectionDetails": {"type": "SQL", "creationMethod": "SQL", "parameters": parameters},
        "privacyLevel": "Organizational",
        "credentialDetails": credentials(),
    })
}

fn credentials() -> Value {
    json!({
        "singleSignOnType": "None",
        "connectionEncryption": "NotEncrypted",
        "skipTestConnection": false,
        "credentials": {"credentialType": "Basic", "username": "reader", "password": "open"},
    })
}

fn made(session: &mut Session<'_>, name: &str) -> Step<String> {
    Ok(format!("{ALL}/{}", id(&session.post(ALL, body(name))?)?))
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let one = made(session, "Sales")?;
    session.list(ALL)?;
    session.get(&one)?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "EntityNotFound")?;
    session.refused("DELETE", &one, NOTHING, "EntityNotFound")
}

fn changed(session: &mut Session<'_>) -> Step {
    let one = made(session, "Sales")?;
    made(session, "Taken")?;
    let patch = |name: &str| json!({"connectivityType": "ShareableCloud", "displayName": name, "privacyLevel": "Private"});
    session.patch(&one, patch("Renamed"))?;
    let with = json!({"connectivityType": "ShareableCloud", "credentialDetails": credentials()});
    session.patch(&one, with)?;
    session.refused("PATCH", &one, patch("Taken"), "DuplicateConnectionName")?;
    session.refused("PATCH", &format!("{ALL}/{NOBODY}"), patch("a"), "EntityNotFound")
}

fn tested(session: &mut Session<'_>) -> Step {
    let one = made(session, "Sales")?;
    session.post(&format!("{one}/testConnection"), NOTHING)?;
    Ok(())
}

fn types(session: &mut Session<'_>) -> Step {
    session.list(&format!("{ALL}/supportedConnectionTypes"))?;
    session.list(&format!("{ALL}/supportedConnectionTypes?showAllCreationMethods=true"))?;
    Ok(())
}

fn roles(session: &mut Session<'_>) -> Step {
    let all = format!("{}/roleAssignments", made(session, "Sales")?);
    let body = json!({"principal": {"id": demo::ANALYST_ID, "type": "User"}, "role": "User"});
    let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
    session.list(&all)?;
    session.get(&one)?;
    session.patch(&one, json!({"role": "UserWithReshare"}))?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "EntityNotFound")
}

fn refused(session: &mut Session<'_>) -> Step {
    made(session, "Taken")?;
    session.refused("POST", ALL, body("taken"), "DuplicateConnectionName")?;
    let but = |pointer: &str, value: &str| {
        let mut body = body("Other");
        body.pointer_mut(pointer).into_iter().for_each(|it| *it = value.into());
        body
    };
    let cases = [
        (but("/connectionDetails/type", "Riverboat"), "InvalidConnectionDetails"),
        (but("/credentialDetails/credentials/password", ""), "InvalidCredentialDetails"),
        (but("/connectivityType", "OnPremisesGateway"), "CreateGatewayConnectionFailed"),
    ];
    for (body, code) in cases {
        session.refused("POST", ALL, body, code)?;
    }
    let nothing = format!("{ALL}/{NOBODY}");
    session.refused("GET", &nothing, NOTHING, "EntityNotFound")?;
    session.refused("POST", &format!("{nothing}/testConnection"), NOTHING, "EntityNotFound")
}

/// Who may use a connection may not manage it.
fn of_somebody_else(session: &mut Session<'_>) -> Step {
    let one = made(session, "Sales")?;
    let roles = format!("{one}/roleAssignments");
    session.refused("POST", &roles, json!({"role": "User"}), "BadRequest")?;
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "User"});
    session.post(&roles, role)?;
    session.become_the_stranger()?;
    session.get(&one)?;
    let insufficient = "InsufficientPermissionsToManageConnection";
    let patch = json!({"connectivityType": "ShareableCloud", "displayName": "Mine"});
    session.refused("PATCH", &one, patch, insufficient)?;
    session.refused("DELETE", &one, NOTHING, insufficient)
}
