//! The git connection of a workspace.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("git: connected, committed, updated, disconnected", lifecycle),
        scenario("git: Azure DevOps", azure_devops),
        scenario("git: credentials", credentials),
        scenario("git: refused", refused),
        scenario("git: refused without a capacity", without_capacity),
        scenario("git: refused to a reader", to_a_reader),
        scenario("git: one operation at a time", one_at_a_time),
        scenario("git: related workspaces", relations),
    ]
}

fn github() -> Value {
    json!({
        "gitProviderDetails": {
            "gitProviderType": "GitHub", "ownerName": "contoso", "repositoryName": "data", "branchName": "main",
            "directoryName": "fabric",
        },
        "myGitCredentials": configured(demo::GITHUB_CONNECTION_ID),
    })
}

fn configured(connection: &str) -> Value {
    json!({"source": "ConfiguredConnection", "connectionId": connection})
}

/// A workspace connected to the git directory that all share; returns the path of its git calls.
fn connected(session: &mut Session<'_>, name: &str) -> Step<String> {
    let workspace = workspace_named(session, name)?;
    session.post(&format!("{workspace}/git/connect"), github())?;
    Ok(format!("{workspace}/git"))
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let first = workspace_named(session, "First")?;
    let git = format!("{first}/git");
    session.get(&format!("{git}/connection"))?;
    session.post(&format!("{git}/connect"), github())?;
    session.get(&format!("{git}/connection"))?;
    let lakehouse = item(session, &first, "Lakehouse", "Bronze")?;
    item(session, &first, "Environment", "Spark")?;
    let action =
        session.post(&format!("{git}/initializeConnection"), json!({"initializationStrategy": "None"}))?;
    check(action["requiredAction"] == "CommitToGit", "a commit is asked for", &action)?;
    session.get(&format!("{git}/connection"))?;
    session.get(&format!("{git}/status"))?;
    let some = json!({"mode": "Selective", "items": [{"objectId": lakehouse}], "comment": "c"});
    session.post(&format!("{git}/commitToGit"), some)?;
    let head = &session.get(&format!("{git}/status"))?["workspaceHead"];
    session.post(&format!("{git}/commitToGit"), json!({"mode": "All", "workspaceHead": head}))?;
    session.get(&format!("{git}/connection"))?;

    let other = connected(session, "Second")?;
    session.post(&format!("{other}/initializeConnection"), NOTHING)?;
    let status = session.get(&format!("{other}/status"))?;
    let resolution =
        json!({"conflictResolutionType": "Workspace", "conflictResolutionPolicy": "PreferRemote"});
    session.post(
        &format!("{other}/updateFromGit"),
        json!({
            "remoteCommitHash": status["remoteCommitHash"], "conflictResolution": resolution,
            "options": {"allowOverrideItems": true},
        }),
    )?;
    session.get(&format!("{other}/status"))?;
    session.post(&format!("{other}/disconnect"), NOTHING)?;
    session.refused("GET", &format!("{other}/status"), NOTHING, "WorkspaceNotConnectedToGit")
}

fn azure_devops(session: &mut Session<'_>) -> Step {
    let git = format!("{}/git", workspace(session)?);
    let details = json!({
        "gitProviderType": "AzureDevOps", "organizationName": "contoso", "projectName": "Data",
        "repositoryName": "data", "branchName": "main", "directoryName": "/fabric",
    });
    let body = json!({
        "gitProviderDetails": details, "myGitCredentials": configured(demo::AZURE_DEVOPS_CONNECTION_ID),
    });
    session.post(&format!("{git}/connect"), body)?;
    session.get(&format!("{git}/connection"))?;
    Ok(())
}

fn credentials(session: &mut Session<'_>) -> Step {
    let git = connected(session, "Workspace")?;
    let target = format!("{git}/myGitCredentials");
    session.get(&target)?;
    session.patch(&target, json!({"source": "None"}))?;
    session.get(&target)?;
    session.patch(&target, configured(demo::GITHUB_CONNECTION_ID))?;
    let cases = [
        (json!({"source": "Automatic"}), "PrincipalTypeNotSupported"),
        (configured(NOBODY), "ConnectionNotFound"),
        (configured(demo::AZURE_DEVOPS_CONNECTION_ID), "ConnectionMismatch"),
    ];
    for (body, code) in cases {
        session.refused("PATCH", &target, body, code)?;
    }
    let unconnected = workspace_named(session, "Unconnected")?;
    let target = format!("{unconnected}/git/myGitCredentials");
    session.refused("GET", &target, NOTHING, "WorkspaceNotConnectedToGit")?;
    session.refused("PATCH", &target, json!({"source": "None"}), "WorkspaceNotConnectedToGit")
}

fn refused(session: &mut Session<'_>) -> Step {
    let unconnected = format!("{}/git", workspace_named(session, "Unconnected")?);
    let commit = json!({"mode": "All"});
    let update = json!({"remoteCommitHash": "a"});
    let cases = [
        ("POST", "disconnect", NOTHING),
        ("POST", "initializeConnection", NOTHING),
        ("GET", "status", NOTHING),
        ("POST", "commitToGit", commit.clone()),
        ("POST", "updateFromGit", update.clone()),
    ];
    for (method, call, body) in cases {
        session.refused(method, &format!("{unconnected}/{call}"), body, "WorkspaceNotConnectedToGit")?;
    }
    let mut automatic = github();
    automatic["myGitCredentials"] = json!({"source": "Automatic"});
    session.refused("POST", &format!("{unconnected}/connect"), automatic, "PrincipalTypeNotSupported")?;

    let workspace = workspace_named(session, "First")?;
    let git = format!("{workspace}/git");
    session.post(&format!("{git}/connect"), github())?;
    session.refused("POST", &format!("{git}/connect"), github(), "WorkspaceAlreadyConnectedToGit")?;
    session.refused(
        "POST",
        &format!("{git}/commitToGit"),
        commit.clone(),
        "WorkspaceGitConnectionNotInitialized",
    )?;
    item(session, &workspace, "Lakehouse", "Bronze")?;
    session.post(&format!("{git}/initializeConnection"), NOTHING)?;
    let stale = json!({"mode": "All", "workspaceHead": "a".repeat(40)});
    session.refused("POST", &format!("{git}/commitToGit"), stale, "WorkspaceHeadMismatch")?;
    session.post(&format!("{git}/commitToGit"), commit.clone())?;
    session.refused("POST", &format!("{git}/commitToGit"), commit, "NoChangesToCommit")?;
    let stale = json!({"remoteCommitHash": "a".repeat(40), "workspaceHead": "b".repeat(40)});
    session.refused("POST", &format!("{git}/updateFromGit"), stale, "WorkspaceHeadMismatch")?;

    let second = workspace_named(session, "Second")?;
    item(session, &second, "Environment", "Spark")?;
    session.post(&format!("{second}/git/connect"), github())?;
    let initialize = format!("{second}/git/initializeConnection");
    session.refused("POST", &initialize, NOTHING, "MissingInitializationPolicy")
}

fn without_capacity(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let git = format!("{workspace}/git");
    session.post(&format!("{git}/connect"), github())?;
    session.post(&format!("{workspace}/unassignFromCapacity"), NOTHING)?;
    let without = "WorkspaceHasNoCapacityAssigned";
    session.refused("GET", &format!("{git}/status"), NOTHING, without)?;
    session.refused("POST", &format!("{git}/initializeConnection"), NOTHING, without)?;
    session.refused("POST", &format!("{git}/commitToGit"), json!({"mode": "All"}), without)?;
    session.refused("POST", &format!("{git}/updateFromGit"), json!({"remoteCommitHash": "a"}), without)?;
    let bare = id(&session.post("/v1/workspaces", json!({"displayName": "Bare"}))?)?;
    session.refused("POST", &format!("/v1/workspaces/{bare}/git/connect"), github(), without)
}

fn to_a_reader(session: &mut Session<'_>) -> Step {
    let git = connected(session, "Workspace")?;
    let roles = git.replace("/git", "/roleAssignments");
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "Viewer"});
    session.post(&roles, role)?;
    session.become_the_stranger()?;
    let cases = [
        ("GET", "connection", NOTHING),
        ("POST", "connect", github()),
        ("POST", "disconnect", NOTHING),
        ("POST", "initializeConnection", NOTHING),
        ("GET", "status", NOTHING),
        ("POST", "commitToGit", json!({"mode": "All"})),
        ("POST", "updateFromGit", json!({"remoteCommitHash": "a"})),
        ("GET", "myGitCredentials", NOTHING),
        ("PATCH", "myGitCredentials", json!({"source": "None"})),
    ];
    for (method, call, body) in cases {
        session.refused(method, &format!("{git}/{call}"), body, "InsufficientPrivileges")?;
    }
    Ok(())
}

fn one_at_a_time(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let git = format!("{workspace}/git");
    item(session, &workspace, "Lakehouse", "Bronze")?;
    session.post(&format!("{git}/connect"), github())?;
    session.post(&format!("{git}/initializeConnection"), NOTHING)?;
    let commit = format!("{git}/commitToGit");
    session.post_unfinished(&commit, json!({"mode": "All"}))?;
    // Whether there is nothing left to commit or the first commit is still under way depends on the mode.
    session.refused_somehow("POST", &commit, json!({"mode": "All"}))?;
    session.wait(60)?;

    let other = connected(session, "Second")?;
    session.post(&format!("{other}/initializeConnection"), NOTHING)?;
    let update = format!("{other}/updateFromGit");
    let body = json!({"remoteCommitHash": session.get(&format!("{other}/status"))?["remoteCommitHash"]});
    session.post_unfinished(&update, body.clone())?;
    // So it is here: an update that is over has moved the head.
    session.refused_somehow("POST", &update, body)
}

fn relations(session: &mut Session<'_>) -> Step {
    let first = connected(session, "First")?;
    let second = workspace_named(session, "Second")?;
    let all = format!("{first}/workspaceRelations");
    session.get(&all)?;
    let body = json!({"relatedWorkspaceId": id_in(&second), "relationType": "RelatedWorkspace"});
    let made = session.post(&all, body)?;
    session.delete(&format!("{all}/{}", id(&made)?))?;
    Ok(())
}
