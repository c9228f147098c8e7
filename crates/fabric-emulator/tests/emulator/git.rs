//! The git connection: its states, and what commit and update move.

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Answer, Client, definition};

fn github(branch: &str) -> Value {
    json!({
        "gitProviderDetails": {"ownerName": "contoso", "gitProviderType": "GitHub", "repositoryName": "data",
            "branchName": branch, "directoryName": "fabric"},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": demo::GITHUB_CONNECTION_ID},
    })
}

async fn git(client: &Client, workspace: &str, method: &str, call: &str, body: Value) -> Answer {
    let answer = client.send(method, &format!("{workspace}/git/{call}"), body).await;
    if answer.status == 202 { client.finish(answer).await } else { answer }
}

async fn connected(client: &Client, name: &str, branch: &str) -> String {
    let workspace = client.workspace(name).await;
    let answer = git(client, &workspace, "POST", "connect", github(branch)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{answer:?}");
    workspace
}

#[tokio::test]
async fn from_not_connected_to_committed() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let state = |answer: Answer| answer.json["gitConnectionState"].as_str().unwrap().to_owned();
    let connection = git(&client, &workspace, "GET", "connection", Value::Null).await;
    assert_eq!(connection.keys(), ["gitProviderDetails", "gitSyncDetails", "gitConnectionState"]);
    assert_eq!(state(connection), "NotConnected");
    git(&client, &workspace, "POST", "connect", github("main")).await;
    assert_eq!(state(git(&client, &workspace, "GET", "connection", Value::Null).await), "Connected");
    let credentials = git(&client, &workspace, "GET", "myGitCredentials", Value::Null).await;
    assert_eq!(credentials.json, github("main")["myGitCredentials"]);

    client.item(&workspace, "Lakehouse", "bronze").await;
    let initialized = git(&client, &workspace, "POST", "initializeConnection", json!({})).await;
    assert_eq!(initialized.keys(), ["requiredAction", "workspaceHead", "remoteCommitHash"]);
    assert_eq!(initialized.json["requiredAction"], "CommitToGit");
    assert_eq!(
        state(git(&client, &workspace, "GET", "connection", Value::Null).await),
        "ConnectedAndInitialized"
    );

    let status = git(&client, &workspace, "GET", "status", Value::Null).await;
    assert_eq!(status.keys(), ["workspaceHead", "remoteCommitHash", "changes"]);
    let changes = status.json["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "an SQL endpoint is nothing for git: {changes:?}");
    assert_eq!(
        (&changes[0]["workspaceChange"], &changes[0]["conflictType"]),
        (&json!("Added"), &json!("None"))
    );
    assert_eq!(
        changes[0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["itemMetadata", "workspaceChange", "conflictType"]
    );

    let commit =
        json!({"mode": "All", "workspaceHead": initialized.json["workspaceHead"], "comment": "first"});
    let accepted = client.post(&format!("{workspace}/git/commitToGit"), commit.clone()).await;
    assert_eq!(accepted.status, 202);
    let id = accepted.header("x-ms-operation-id").unwrap().to_owned();
    client.finish(accepted).await;
    assert_eq!(client.get(&format!("/v1/operations/{id}/result")).await.code(), "OperationHasNoResult");
    let clean = git(&client, &workspace, "GET", "status", Value::Null).await;
    assert_eq!(clean.json["changes"], json!([]));
    assert_eq!(clean.json["workspaceHead"], clean.json["remoteCommitHash"]);
    assert_ne!(clean.json["remoteCommitHash"], initialized.json["remoteCommitHash"]);
    assert_eq!(clean.json["remoteCommitHash"].as_str().unwrap().len(), 40);
    let synced = git(&client, &workspace, "GET", "connection", Value::Null).await;
    assert_eq!(synced.json["gitSyncDetails"]["head"], clean.json["workspaceHead"]);

    // What was committed stays, whatever becomes of the connection.
    git(&client, &workspace, "POST", "disconnect", Value::Null).await;
    let inventory = client.emulator.inventory().world;
    assert_eq!(inventory["remotes"][0]["items"][0]["displayName"], "bronze");
    assert_eq!(inventory["workspaces"][0]["git"], Value::Null);
}

#[tokio::test]
async fn refusals() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let bare = client.post("/v1/workspaces", json!({"displayName": "Bare"})).await.id();
    let bare = format!("/v1/workspaces/{bare}");
    let with = |credentials: Value| {
        let mut body = github("main");
        body["myGitCredentials"] = credentials;
        body
    };
    let configured = |id: &str| json!({"source": "ConfiguredConnection", "connectionId": id});
    let devops = json!({"gitProviderDetails": {"gitProviderType": "AzureDevOps", "organizationName": "o", "projectName": "p",
        "repositoryName": "r", "branchName": "b", "directoryName": "/"}});
    let mut no_owner = github("main");
    no_owner["gitProviderDetails"]["ownerName"] = Value::Null;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let commit = || json!({"mode": "All"});
    let cases = [
        (&workspace, "POST", "disconnect", Value::Null, 400, "WorkspaceNotConnectedToGit"),
        (&workspace, "POST", "initializeConnection", json!({}), 400, "WorkspaceNotConnectedToGit"),
        (&workspace, "GET", "status", Value::Null, 400, "WorkspaceNotConnectedToGit"),
        (&workspace, "GET", "myGitCredentials", Value::Null, 400, "WorkspaceNotConnectedToGit"),
        (&workspace, "POST", "commitToGit", commit(), 400, "WorkspaceNotConnectedToGit"),
        (&bare, "POST", "connect", github("main"), 400, "WorkspaceHasNoCapacityAssigned"),
        (&workspace, "POST", "connect", no_owner, 400, "InvalidInput"),
        (
            &workspace,
            "POST",
            "connect",
            with(json!({"source": "Automatic"})),
            400,
            "PrincipalTypeNotSupported",
        ),
        (&workspace, "POST", "connect", with(Value::Null), 400, "PrincipalTypeNotSupported"),
        (&workspace, "POST", "connect", devops, 400, "PrincipalTypeNotSupported"),
        (&workspace, "POST", "connect", with(configured(nobody)), 404, "ConnectionNotFound"),
        (
            &workspace,
            "POST",
            "connect",
            with(configured(demo::AZURE_DEVOPS_CONNECTION_ID)),
            400,
            "ConnectionMismatch",
        ),
        (&workspace, "POST", "connect", github("main"), 200, ""),
        (&workspace, "POST", "connect", github("main"), 409, "WorkspaceAlreadyConnectedToGit"),
        (&workspace, "GET", "status", Value::Null, 400, "WorkspaceGitConnectionNotInitialized"),
        (&workspace, "PATCH", "myGitCredentials", configured(nobody), 404, "ConnectionNotFound"),
        (&workspace, "PATCH", "myGitCredentials", configured(demo::GITHUB_CONNECTION_ID), 200, ""),
        (&workspace, "POST", "initializeConnection", json!({}), 200, ""),
        (
            &workspace,
            "POST",
            "initializeConnection",
            json!({}),
            400,
            "WorkspaceGitConnectionAlreadyInitialized",
        ),
        (&workspace, "POST", "commitToGit", commit(), 400, "NoChangesToCommit"),
        (&workspace, "POST", "commitToGit", json!({"mode": "Selective"}), 400, "NoItemsSelected"),
        (
            &workspace,
            "POST",
            "commitToGit",
            json!({"mode": "All", "workspaceHead": "0"}),
            400,
            "WorkspaceHeadMismatch",
        ),
        (&workspace, "POST", "updateFromGit", json!({"remoteCommitHash": "0"}), 400, "WorkspaceHeadMismatch"),
    ];
    for (workspace, method, call, body, status, code) in cases {
        let answer = git(&client, workspace, method, call, body.clone()).await;
        let found = if answer.status == 200 { "" } else { answer.code() };
        assert_eq!((answer.status, found), (status, code), "{method} {call} {body}");
    }
}

#[tokio::test]
async fn two_workspaces_meet_in_one_directory() {
    let client = Client::demo(Config::default()).await;
    let one = connected(&client, "One", "main").await;
    client.item(&one, "Notebook", "shared").await;
    let first = client.item(&one, "DataPipeline", "first").await;
    git(&client, &one, "POST", "initializeConnection", json!({})).await;
    git(&client, &one, "POST", "commitToGit", json!({"mode": "All"})).await;

    // An empty workspace is told to update; what arrives is what was committed.
    let two = connected(&client, "Two", "main").await;
    let initialized = git(&client, &two, "POST", "initializeConnection", json!({})).await;
    assert_eq!(initialized.json["requiredAction"], "UpdateFromGit");
    let update = json!({"remoteCommitHash": initialized.json["remoteCommitHash"], "workspaceHead": null});
    git(&client, &two, "POST", "updateFromGit", update).await;
    let names = |answer: &Answer| {
        let items = answer.json["value"].as_array().unwrap();
        items.iter().map(|item| item["displayName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&client.get(&format!("{two}/items")).await), ["first", "shared"]);
    let status = git(&client, &two, "GET", "status", Value::Null).await;
    assert_eq!(status.json["changes"], json!([]));

    // One goes ahead: a selective commit moves only what it names, and Two is behind then.
    client.send("PATCH", &first, json!({"description": "changed"})).await;
    client.item(&one, "DataPipeline", "unnamed").await;
    let id = first.rsplit('/').next().unwrap();
    git(&client, &one, "POST", "commitToGit", json!({"mode": "Selective", "items": [{"objectId": id}]}))
        .await;
    let status = git(&client, &one, "GET", "status", Value::Null).await;
    assert_eq!(status.json["changes"].as_array().unwrap().len(), 1);
    assert_eq!(status.json["changes"][0]["itemMetadata"]["displayName"], "unnamed");
}

/// Two workspaces in step with one directory that holds the pipeline `p`; returns the paths of both and of their item.
async fn in_step(client: &Client) -> [(String, String); 2] {
    let one = connected(client, "One", "main").await;
    let first = client.item(&one, "DataPipeline", "p").await;
    git(client, &one, "POST", "initializeConnection", json!({})).await;
    git(client, &one, "POST", "commitToGit", json!({"mode": "All"})).await;
    let two = connected(client, "Two", "main").await;
    let initialized = git(client, &two, "POST", "initializeConnection", json!({})).await;
    let update = json!({"remoteCommitHash": initialized.json["remoteCommitHash"]});
    git(client, &two, "POST", "updateFromGit", update).await;
    let items = client.get(&format!("{two}/items")).await;
    let second = format!("{two}/items/{}", items.json["value"][0]["id"].as_str().unwrap());
    [(one, first), (two, second)]
}

#[tokio::test]
async fn conflicts_are_not_guessed_away() {
    // (description in Two, conflict type, policy, description after the update; "" policy is none, "!" is refused)
    let cases = [
        ("otherwise", "Conflict", "", "!"),
        ("otherwise", "Conflict", "PreferRemote", "changed"),
        ("otherwise", "Conflict", "PreferWorkspace", "otherwise"),
        ("changed", "SameChanges", "", "changed"),
        ("", "None", "", "changed"),
    ];
    for (description, conflict, policy, expected) in cases {
        let client = Client::demo(Config::default()).await;
        let [(one, first), (two, second)] = in_step(&client).await;
        client.send("PATCH", &first, json!({"description": "changed"})).await;
        git(&client, &one, "POST", "commitToGit", json!({"mode": "All"})).await;
        client.send("PATCH", &second, json!({"description": description})).await;
        let behind = client.post(&format!("{two}/git/commitToGit"), json!({"mode": "All"})).await;
        assert_eq!((behind.status, behind.code()), (400, "WorkspaceHeadMismatch"));

        let status = git(&client, &two, "GET", "status", Value::Null).await.json;
        let change = &status["changes"][0];
        assert_eq!(
            (&change["remoteChange"], &change["conflictType"]),
            (&json!("Modified"), &json!(conflict))
        );
        let mut update =
            json!({"remoteCommitHash": status["remoteCommitHash"], "workspaceHead": status["workspaceHead"]});
        if !policy.is_empty() {
            update["conflictResolution"] =
                json!({"conflictResolutionType": "Workspace", "conflictResolutionPolicy": policy});
        }
        let answer = git(&client, &two, "POST", "updateFromGit", update).await;
        if expected == "!" {
            assert_eq!((answer.status, answer.code()), (400, "MissingWorkspaceConflictResolution"));
        } else {
            assert_eq!(client.get(&second).await.json["description"], expected, "{description} {policy}");
        }
    }
}

#[tokio::test]
async fn what_git_removed_goes_to_the_recycle_bin() {
    let client = Client::demo(Config::default()).await;
    let [(one, first), (two, second)] = in_step(&client).await;
    client.send("DELETE", &first, Value::Null).await;
    git(&client, &one, "POST", "commitToGit", json!({"mode": "All"})).await;
    let status = git(&client, &two, "GET", "status", Value::Null).await.json;
    assert_eq!(status["changes"][0]["remoteChange"], "Deleted");
    let update =
        json!({"remoteCommitHash": status["remoteCommitHash"], "workspaceHead": status["workspaceHead"]});
    git(&client, &two, "POST", "updateFromGit", update).await;
    assert_eq!(client.get(&second).await.code(), "ItemNotFound");
    let world = client.emulator.inventory().world;
    assert_eq!(world["workspaces"][1]["recycleBin"][0]["displayName"], "p");
}

#[tokio::test]
async fn a_workspace_that_holds_what_git_holds_has_nothing_to_do() {
    let client = Client::demo(Config::default()).await;
    let [(one, _), _] = in_step(&client).await;
    git(&client, &one, "POST", "disconnect", Value::Null).await;
    git(&client, &one, "POST", "connect", github("main")).await;
    let initialized = git(&client, &one, "POST", "initializeConnection", json!({})).await;
    assert_eq!(initialized.json["requiredAction"], "None");
}

#[tokio::test]
async fn a_status_may_be_an_operation_too() {
    for (long_running, status) in
        [(LongRunning::Table, 200), (LongRunning::Always, 202), (LongRunning::Never, 200)]
    {
        let client = Client::demo(Config { long_running, ..Config::default() }).await;
        let workspace = connected(&client, "W", "main").await;
        client.item(&workspace, "Notebook", "n").await;
        git(&client, &workspace, "POST", "initializeConnection", json!({})).await;
        let answer = client.get(&format!("{workspace}/git/status")).await;
        assert_eq!(answer.status, status, "{long_running:?}");
        let answer = client.finish(answer).await;
        assert_eq!(answer.json["changes"][0]["itemMetadata"]["displayName"], "n");
    }
}

#[tokio::test]
async fn whoever_commits_second_is_behind() {
    let client = Client::demo(Config::default()).await;
    let mut workspaces = Vec::new();
    for name in ["One", "Two"] {
        let workspace = connected(&client, name, "main").await;
        client.item(&workspace, "Notebook", name).await;
        let initialized = git(&client, &workspace, "POST", "initializeConnection", json!({})).await;
        assert_eq!(initialized.json["requiredAction"], "CommitToGit");
        workspaces.push(workspace);
    }
    git(&client, &workspaces[0], "POST", "commitToGit", json!({"mode": "All"})).await;
    let refused = git(&client, &workspaces[1], "POST", "commitToGit", json!({"mode": "All"})).await;
    assert_eq!((refused.status, refused.code()), (400, "WorkspaceHeadMismatch"));
}

#[tokio::test]
async fn two_that_both_have_content_need_a_strategy() {
    let client = Client::demo(Config::default()).await;
    let one = connected(&client, "One", "main").await;
    let body = json!({"type": "DataPipeline", "displayName": "p", "definition": definition("pipeline-content.json", "e30=")});
    client.post(&format!("{one}/items"), body).await;
    git(&client, &one, "POST", "initializeConnection", json!({})).await;
    git(&client, &one, "POST", "commitToGit", json!({"mode": "All"})).await;
    for (strategy, action) in
        [("None", ""), ("PreferRemote", "UpdateFromGit"), ("PreferWorkspace", "CommitToGit")]
    {
        let other = connected(&client, &format!("Other {strategy}"), "main").await;
        client.item(&other, "Notebook", "n").await;
        let body = json!({"initializationStrategy": strategy});
        let answer = git(&client, &other, "POST", "initializeConnection", body).await;
        if action.is_empty() {
            assert_eq!((answer.status, answer.code()), (400, "MissingInitializationPolicy"));
        } else {
            assert_eq!(answer.json["requiredAction"], action);
        }
    }
    // The same branch in another directory, or another branch, is another place.
    let elsewhere = connected(&client, "Elsewhere", "dev").await;
    let answer = git(&client, &elsewhere, "POST", "initializeConnection", json!({})).await;
    assert_eq!(answer.json["requiredAction"], "None");
    assert_eq!(answer.json["workspaceHead"], answer.json["remoteCommitHash"]);
}

#[tokio::test(start_paused = true)]
async fn one_operation_at_a_time() {
    let duration = std::time::Duration::from_secs(10);
    let client = Client::demo(Config { operation_duration: duration, ..Config::default() }).await;
    let workspace = connected(&client, "W", "main").await;
    let first = client.post(&format!("{workspace}/git/initializeConnection"), json!({})).await;
    assert_eq!(first.status, 202);
    let second = client.post(&format!("{workspace}/git/initializeConnection"), json!({})).await;
    assert_eq!((second.status, second.code()), (409, "WorkspacePreviousOperationInProgress"));
    tokio::time::advance(duration).await;
    assert_eq!(client.finish(first).await.json["requiredAction"], "None");
}

#[tokio::test]
async fn a_child_comes_with_its_parent_and_not_from_git() {
    let client =
        Client::demo(Config { long_running: LongRunning::Never, max_items: 3, ..Config::default() }).await;
    let from = connected(&client, "From", "children").await;
    client.item(&from, "Eventhouse", "house").await;
    git(&client, &from, "POST", "initializeConnection", json!({})).await;
    git(&client, &from, "POST", "commitToGit", json!({"mode": "All"})).await;
    let names = async |workspace: &str| {
        let listed = client.get(&format!("{workspace}/items")).await;
        let items = listed.json["value"].as_array().unwrap().iter();
        items.map(|item| item["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let updated = async |workspace: &str| {
        let initialized = git(
            &client,
            workspace,
            "POST",
            "initializeConnection",
            json!({"initializationStrategy": "PreferRemote"}),
        )
        .await;
        let body = json!({"remoteCommitHash": initialized.json["remoteCommitHash"], "workspaceHead": null,
            "conflictResolution": {"conflictResolutionType": "Workspace", "conflictResolutionPolicy": "PreferRemote"}});
        git(&client, workspace, "POST", "updateFromGit", body).await
    };
    let to = connected(&client, "To", "children").await;
    assert_eq!(updated(&to).await.status, 200);
    assert_eq!(names(&to).await, ["Eventhouse", "KQLDatabase"]);

    let taken = connected(&client, "Taken", "children").await;
    client.item(&taken, "KQLDatabase", "House").await;
    let refused = updated(&taken).await;
    assert_eq!((refused.status, refused.code()), (400, "PotentialDuplicateDisplayNameAndType"));
    let full = connected(&client, "Full", "children").await;
    for name in ["a", "b", "c"] {
        client.item(&full, "Warehouse", name).await;
    }
    let refused = updated(&full).await;
    assert_eq!((refused.status, refused.code()), (400, "WorkspaceItemsLimitExceeded"));
}
