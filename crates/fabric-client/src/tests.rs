//! What every function of the resources sends, as data.

use crate::{
    connections, deployment_pipelines, folders, git, graph, items, operations, roles, workspaces, *,
};
use selvedge_resilience::{
    Classify as _,
    Effect::{self, Idempotent, Once, Read},
};
use serde_json::{Value, json};
use uuid::Uuid;

const W: WorkspaceId = WorkspaceId(Uuid::from_u128(0xa));
const I: ItemId = ItemId(Uuid::from_u128(0xb));
const F: FolderId = FolderId(Uuid::from_u128(0xc));
const C: CapacityId = CapacityId(Uuid::from_u128(0xd));
const P: PrincipalId = PrincipalId(Uuid::from_u128(0xe));
const N: ConnectionId = ConnectionId(Uuid::from_u128(0xf));

/// Ids are written as one letter.
fn letters(text: &str) -> String {
    let ids = [(W.0, "W"), (I.0, "I"), (F.0, "F"), (C.0, "C"), (P.0, "P"), (N.0, "N")];
    ids.iter().fold(text.to_owned(), |text, (id, letter)| text.replace(&id.to_string(), letter))
}

#[track_caller]
fn check<T>(call: &Call<T>, effect: Effect, line: &str, body: Value) {
    let request = call.message.to_request().unwrap();
    let sent = match request.body().is_empty() {
        true => Value::Null,
        false => serde_json::from_str(&letters(std::str::from_utf8(request.body()).unwrap())).unwrap(),
    };
    assert_eq!(letters(&format!("{} {}", request.method(), request.uri())), line);
    assert_eq!(sent, body, "{line}");
    assert_eq!(FabricClassify.effect(&request), effect, "{line}");
    assert_eq!(request.headers().contains_key("content-type"), !body.is_null(), "{line}");
}

#[track_caller]
fn check_list<T>(list: &Paged<T>, line: &str) {
    let request = list.message.to_request().unwrap();
    assert_eq!(letters(&format!("{} {}", request.method(), request.uri())), line);
    assert_eq!(FabricClassify.effect(&request), Read);
}

#[test]
fn workspaces() {
    let new = workspaces::New::named("Sales");
    check(&workspaces::create(&new), Once, "POST /workspaces", json!({"displayName": "Sales"}));
    let new = workspaces::New { description: Some("d".into()), capacity_id: Some(C), ..new };
    let body = json!({"displayName": "Sales", "description": "d", "capacityId": "C"});
    check(&workspaces::create(&new), Once, "POST /workspaces", body);
    check(&workspaces::get(W), Read, "GET /workspaces/W", Value::Null);
    let update = workspaces::Update { description: Some(String::new()), ..workspaces::Update::default() };
    check(&workspaces::update(W, &update), Idempotent, "PATCH /workspaces/W", json!({"description": ""}));
    check(&workspaces::delete(W), Idempotent, "DELETE /workspaces/W", Value::Null);
    let line = "POST /workspaces/W/assignToCapacity";
    check(&workspaces::assign_to_capacity(W, C), Idempotent, line, json!({"capacityId": "C"}));
    let line = "POST /workspaces/W/unassignFromCapacity";
    check(&workspaces::unassign_from_capacity(W), Idempotent, line, Value::Null);
    check_list(&workspaces::list(), "GET /workspaces");
    check_list(&capacities::list(), "GET /capacities");
}

#[test]
fn roles() {
    let principal = roles::Principal::new(P, roles::PrincipalType::GROUP);
    let body = json!({"principal": {"id": "P", "type": "Group"}, "role": "Member"});
    let add = roles::add(W, &principal, roles::Role::Member);
    check(&add, Once, "POST /workspaces/W/roleAssignments", body);
    let line = "/workspaces/W/roleAssignments/P";
    check(&roles::get(W, P), Read, &format!("GET {line}"), Value::Null);
    let update = roles::update(W, P, roles::Role::Viewer);
    check(&update, Idempotent, &format!("PATCH {line}"), json!({"role": "Viewer"}));
    check(&roles::delete(W, P), Idempotent, &format!("DELETE {line}"), Value::Null);
    check_list(&roles::list(W), "GET /workspaces/W/roleAssignments");
    assert_eq!("mEmBer".parse(), Ok(roles::Role::Member));
    assert_eq!("Owner".parse::<roles::Role>(), Err(roles::UnknownRole));
}

#[test]
fn folders() {
    let new = folders::New { display_name: "Bronze".into(), parent_folder_id: None };
    let line = "POST /workspaces/W/folders";
    check(&folders::create(W, &new), Once, line, json!({"displayName": "Bronze"}));
    let new = folders::New { parent_folder_id: Some(F), ..new };
    let body = json!({"displayName": "Bronze", "parentFolderId": "F"});
    check(&folders::create(W, &new), Once, line, body);
    check(&folders::get(W, F), Read, "GET /workspaces/W/folders/F", Value::Null);
    check(&folders::delete(W, F), Idempotent, "DELETE /workspaces/W/folders/F", Value::Null);
    check_list(&folders::list(W), "GET /workspaces/W/folders");
}

#[test]
fn items() {
    let definition = items::Definition {
        format: None,
        parts: vec![items::Part::base64("notebook-content.py", "cHJpbnQ=")],
    };
    let parts =
        json!([{"path": "notebook-content.py", "payload": "cHJpbnQ=", "payloadType": "InlineBase64"}]);
    let new = items::New {
        folder_id: Some(F),
        definition: Some(definition.clone()),
        ..items::New::named(items::ItemType::NOTEBOOK, "Load")
    };
    let body =
        json!({"displayName": "Load", "type": "Notebook", "folderId": "F", "definition": {"parts": parts}});
    check(items::create(W, &new).call(), Once, "POST /workspaces/W/items", body);
    check(&items::get(W, I), Read, "GET /workspaces/W/items/I", Value::Null);
    let update = items::Update { display_name: Some("x".into()), ..items::Update::default() };
    let line = "PATCH /workspaces/W/items/I";
    check(&items::update(W, I, &update), Idempotent, line, json!({"displayName": "x"}));
    let line = "DELETE /workspaces/W/items/I";
    check(&items::delete(W, I, false), Idempotent, line, Value::Null);
    let line = "DELETE /workspaces/W/items/I?hardDelete=true";
    check(&items::delete(W, I, true), Idempotent, line, Value::Null);
    let line = "POST /workspaces/W/items/I/getDefinition";
    check(items::get_definition(W, I, None).call(), Read, line, Value::Null);
    let line = "POST /workspaces/W/items/I/getDefinition?format=ipynb";
    check(items::get_definition(W, I, Some("ipynb")).call(), Read, line, Value::Null);
    let body = json!({"definition": {"parts": parts}});
    let line = "POST /workspaces/W/items/I/updateDefinition";
    let update = items::update_definition(W, I, &definition, false);
    check(update.call(), Idempotent, line, body.clone());
    let line = "POST /workspaces/W/items/I/updateDefinition?updateMetadata=true";
    let update = items::update_definition(W, I, &definition, true);
    check(update.call(), Idempotent, line, body);
    check_list(&items::list(W).query("type", "Lakehouse"), "GET /workspaces/W/items?type=Lakehouse");
}

#[test]
fn git() {
    let connect = git::Connect {
        git_provider_details: git::Provider::GitHub {
            owner_name: "contoso".into(),
            repository_name: "sales".into(),
            branch_name: "main".into(),
            directory_name: "/".into(),
        },
        my_git_credentials: Some(git::Credentials::ConfiguredConnection { connection_id: N }),
    };
    let body = json!({
        "gitProviderDetails": {"gitProviderType": "GitHub", "ownerName": "contoso", "repositoryName": "sales", "branchName": "main", "directoryName": "/"},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": "N"},
    });
    check(&git::connect(W, &connect), Once, "POST /workspaces/W/git/connect", body);
    let line = "POST /workspaces/W/git/disconnect";
    check(&git::disconnect(W), Idempotent, line, Value::Null);
    check(&git::connection(W), Read, "GET /workspaces/W/git/connection", Value::Null);
    let line = "POST /workspaces/W/git/initializeConnection";
    check(git::initialize(W, None).call(), Once, line, Value::Null);
    let strategy = Some(git::InitializationStrategy::PreferWorkspace);
    let body = json!({"initializationStrategy": "PreferWorkspace"});
    check(git::initialize(W, strategy).call(), Once, line, body);
    check(git::status(W).call(), Read, "GET /workspaces/W/git/status", Value::Null);
    let commit = git::Commit {
        mode: git::CommitMode::All,
        workspace_head: Some("h".into()),
        comment: None,
        items: Vec::new(),
    };
    let body = json!({"mode": "All", "workspaceHead": "h"});
    check(git::commit(W, &commit).call(), Once, "POST /workspaces/W/git/commitToGit", body);
}

#[test]
fn deployment_pipelines() {
    use deployment_pipelines::{self as pipelines, Deploy, DeployItem, Deployment, Stage, Status};
    let (pipeline, from, to) = (PipelineId(W.0), StageId(F.0), StageId(C.0));
    check_list(&pipelines::list(), "GET /deploymentPipelines");
    check_list(&pipelines::stages(pipeline), "GET /deploymentPipelines/W/stages");
    check_list(&pipelines::items(pipeline, from), "GET /deploymentPipelines/W/stages/F/items");
    check_list(&pipelines::deployments(pipeline), "GET /deploymentPipelines/W/operations");
    let line = "GET /deploymentPipelines/W/operations/P";
    check(&pipelines::deployment(pipeline, DeploymentId(P.0)), Read, line, Value::Null);
    let items = vec![DeployItem { source_item_id: I, item_type: items::ItemType::NOTEBOOK }];
    let deploy = Deploy { source_stage_id: from, target_stage_id: to, items, note: None };
    let body = json!({"sourceStageId": "F", "targetStageId": "C",
                      "items": [{"sourceItemId": "I", "itemType": "Notebook"}]});
    let line = "POST /deploymentPipelines/W/deploy";
    check(pipelines::deploy(pipeline, &deploy).call(), Once, line, body.clone());
    let noted = Deploy { note: Some("why".into()), ..deploy };
    let mut body = body;
    body["note"] = "why".into();
    check(pipelines::deploy(pipeline, &noted).call(), Once, line, body);

    let id = W.0;
    let stage: Stage = serde_json::from_value(
        json!({"id": id, "order": 1, "displayName": "Test", "workspaceId": null, "isPublic": false}),
    )
    .unwrap();
    assert_eq!((stage.order, stage.workspace_id), (1, None));
    let step = |error: Value| {
        json!({"index": 0, "description": "NotebookDeployment", "status": "failed",
        "sourceAndTarget": {"sourceItemId": id, "itemType": "Notebook"}, "error": error})
    };
    let read = |steps: Value| -> Deployment {
        serde_json::from_value(json!({"id": id, "type": "Deploy", "status": "failed",
            "lastUpdatedTime": "2026-01-01T00:00:00", "note": null, "executionPlan": steps}))
        .unwrap()
    };
    let error = json!({"errorCode": "E", "message": "m"});
    let ended = read(json!({"steps": [step(error), step(Value::Null)]}));
    assert!(ended.has_ended() && ended.status.is(&Status::FAILED));
    assert_eq!(ended.steps()[0].error().unwrap().message, "m");
    assert_eq!(ended.steps()[1].error(), None);
    assert!(read(Value::Null).steps().is_empty());
}

#[test]
fn connections() {
    let new = connections::New {
        display_name: "git".into(),
        kind: "GitHubSourceControl".into(),
        creation_method: "GitHubSourceControl.Contents".into(),
        parameters: vec![connections::Parameter {
            name: "url".into(),
            value: "https://github.com/contoso/sales".into(),
        }],
        credentials: connections::Credentials::Key { key: "canary-4711".into() },
    };
    let create = connections::create(&new);
    let body = json!({
        "connectivityType": "ShareableCloud",
        "displayName": "git",
        "connectionDetails": {
            "type": "GitHubSourceControl",
            "creationMethod": "GitHubSourceControl.Contents",
            "parameters": [{"dataType": "Text", "name": "url", "value": "https://github.com/contoso/sales"}],
        },
        "privacyLevel": "Organizational",
        "credentialDetails": {
            "singleSignOnType": "None",
            "connectionEncryption": "NotEncrypted",
            "skipTestConnection": false,
            "credentials": {"credentialType": "Key", "key": "canary-4711"},
        },
    });
    check(&create, Once, "POST /connections", body);
    assert!(!format!("{new:?} {create:?}").contains("canary"));
    check(&connections::delete(N), Idempotent, "DELETE /connections/N", Value::Null);
    check_list(&connections::list(), "GET /connections");
}

#[test]
fn graph() {
    let select = "%24select=id%2CdisplayName";
    check_list(
        &graph::users_by_address("o'brien+x@contoso.example"),
        "GET /users?%24filter=userPrincipalName%20eq%20%27o%27%27brien%2Bx%40contoso.example%27%20or%20mail%20eq%20\
         %27o%27%27brien%2Bx%40contoso.example%27&%24select=id%2CdisplayName%2CuserPrincipalName%2Cmail",
    );
    check_list(
        &graph::groups_by_name("Data' or '1' eq '1"),
        &format!(
            "GET /groups?%24filter=displayName%20eq%20%27Data%27%27%20or%20%27%271%27%27%20eq%20%27%271%27&{select}"
        ),
    );
    check_list(
        &graph::service_principals_by_name("ci"),
        "GET /servicePrincipals?%24filter=displayName%20eq%20%27ci%27&%24select=id%2CappId%2CdisplayName",
    );
    check(&graph::group(P), Read, &format!("GET /groups/P?{select}"), Value::Null);
}

#[test]
fn operations() {
    let id = OperationId(W.0);
    check(&operations::get(id), Read, "GET /operations/W", Value::Null);
    check(&operations::result(id), Read, "GET /operations/W/result", Value::Null);
}

/// Answers as the service really writes them: nulls, missing and unknown members, stamps without a zone.
#[test]
fn answers_are_read_leniently() {
    let id = W.0;
    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }
    let workspace: workspaces::Workspace =
        read(json!({"id": id, "displayName": "x", "type": "Workspace", "oneLakeEndpoints": {}}));
    assert_eq!(workspace.description, None);
    let item: items::Item = read(
        json!({"id": id, "type": "Reflex", "displayName": "x", "description": null, "folderId": null, "tags": []}),
    );
    assert_eq!(item.kind.as_str(), "Reflex");
    let capacity: capacities::Capacity =
        read(json!({"id": id, "displayName": "x", "sku": "F64", "region": null, "state": "active"}));
    assert!(capacity.is_active());
    let assignment: roles::RoleAssignment =
        read(json!({"id": id, "principal": {"id": id, "type": "New", "displayName": null}, "role": "Admin"}));
    assert_eq!(assignment.principal.kind.as_str(), "New");
    let connection: git::Connection = read(
        json!({"gitConnectionState": "NotConnected", "gitProviderDetails": null, "gitSyncDetails": null}),
    );
    assert_eq!(connection.git_connection_state, git::ConnectionState::NOT_CONNECTED);
    for status in [Value::Null, json!(""), json!("Undefined"), json!(7), json!("Banana")] {
        let operation =
            json!({"status": status, "createdTimeUtc": "2025-09-03T06:57:07.7609439", "error": null});
        assert!(matches!(operations::State::read(operation), operations::State::Running));
    }
    for error in [Value::Null, json!("odd"), json!({"errorCode": 7, "message": "m", "moreDetails": {}})] {
        let operation = json!({"status": "failed", "error": error});
        assert!(matches!(operations::State::read(operation), operations::State::Failed(_)));
    }
}
