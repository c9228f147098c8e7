//! Deployment pipelines: stages, workspaces, deployments.

use super::*;

const ALL: &str = "/v1/deploymentPipelines";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("deployment pipelines: made, read, changed, deleted", lifecycle),
        scenario("deployment pipelines: stages", stages),
        scenario("deployment pipelines: deployed", deployed),
        scenario("deployment pipelines: deployed into a new workspace", into_a_new_workspace),
        scenario("deployment pipelines: role assignments", roles),
        scenario("deployment pipelines: refused", refused),
    ]
}

/// A pipeline with two stages: its path, and the ids of the stages.
fn made(session: &mut Session<'_>) -> Step<(String, String, String)> {
    let stages = json!([
        {"displayName": "Development", "description": "d", "isPublic": false},
        {"displayName": "Production", "isPublic": true},
    ]);
    let made = session.post(ALL, json!({"displayName": "Sales", "description": "d", "stages": stages}))?;
    let path = format!("{ALL}/{}", id(&made)?);
    Ok((path, id(&made["stages"][0])?, id(&made["stages"][1])?))
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let (one, ..) = made(session)?;
    session.list(ALL)?;
    session.get(&one)?;
    session.patch(&one, json!({"displayName": "Sales 2", "description": "e"}))?;
    session.delete(&one)?;
    Ok(())
}

fn stages(session: &mut Session<'_>) -> Step {
    let (pipeline, first, _) = made(session)?;
    session.list(&format!("{pipeline}/stages"))?;
    let stage = format!("{pipeline}/stages/{first}");
    session.get(&stage)?;
    session.patch(&stage, json!({"displayName": "Test", "description": "d", "isPublic": true}))?;
    let workspace = workspace(session)?;
    session.post(&format!("{stage}/assignWorkspace"), json!({"workspaceId": id_in(&workspace)}))?;
    session.get(&stage)?;
    item(session, &workspace, "Lakehouse", "Bronze")?;
    session.list(&format!("{stage}/items"))?;
    session.post(&format!("{stage}/unassignWorkspace"), NOTHING)?;
    session.get(&stage)?;
    Ok(())
}

fn deployed(session: &mut Session<'_>) -> Step {
    let (pipeline, first, second) = made(session)?;
    let source = workspace_named(session, "Source")?;
    let target = workspace_named(session, "Target")?;
    for (stage, workspace) in [(&first, &source), (&second, &target)] {
        let assign = format!("{pipeline}/stages/{stage}/assignWorkspace");
        session.post(&assign, json!({"workspaceId": id_in(workspace)}))?;
    }
    let lakehouse = item(session, &source, "Lakehouse", "Bronze")?;
    let deploy = format!("{pipeline}/deploy");
    let all = json!({"sourceStageId": first, "targetStageId": second, "note": "all of it"});
    session.post(&deploy, all)?;
    let some = json!({
        "sourceStageId": first, "targetStageId": second,
        "items": [{"sourceItemId": lakehouse, "itemType": "Lakehouse"}],
        "options": {"allowCrossRegionDeployment": false},
    });
    session.post(&deploy, some)?;
    session.list(&format!("{pipeline}/stages/{second}/items"))?;
    let operations = session.list(&format!("{pipeline}/operations"))?;
    check(operations.len() == 2, "both deployments are listed", &json!(operations))?;
    session.get(&format!("{pipeline}/operations/{}", id(&operations[0])?))?;
    Ok(())
}

fn into_a_new_workspace(session: &mut Session<'_>) -> Step {
    let (pipeline, first, second) = made(session)?;
    let source = workspace(session)?;
    session.post(
        &format!("{pipeline}/stages/{first}/assignWorkspace"),
        json!({"workspaceId": id_in(&source)}),
    )?;
    item(session, &source, "Lakehouse", "Bronze")?;
    let body = json!({
        "sourceStageId": first, "targetStageId": second,
        "createdWorkspaceDetails": {"name": "Made by the deployment", "capacityId": demo::CAPACITY_ID},
    });
    session.post(&format!("{pipeline}/deploy"), body)?;
    session.get(&format!("{pipeline}/stages/{second}"))?;
    Ok(())
}

fn roles(session: &mut Session<'_>) -> Step {
    let all = format!("{}/roleAssignments", made(session)?.0);
    session.post(&all, json!({"principal": {"id": demo::ANALYST_ID, "type": "User"}, "role": "Admin"}))?;
    session.list(&all)?;
    session.delete(&format!("{all}/{}", demo::ANALYST_ID))?;
    Ok(())
}

/// Nothing tells the codes of these refusals: what is checked is their shape.
fn refused(session: &mut Session<'_>) -> Step {
    let (pipeline, first, second) = made(session)?;
    session.refused_somehow("GET", &format!("{ALL}/{NOBODY}"), NOTHING)?;
    session.refused_somehow("GET", &format!("{pipeline}/stages/{NOBODY}"), NOTHING)?;
    let body = json!({"sourceStageId": first, "targetStageId": second});
    session.refused_somehow("POST", &format!("{pipeline}/deploy"), body)?;
    let assign = format!("{pipeline}/stages/{first}/assignWorkspace");
    session.refused_somehow("POST", &assign, json!({"workspaceId": NOBODY}))
}
