//! `/v1/workspaces/{id}/git`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::operations::{Busy, Long};
use crate::wire::{Reply, timestamp};
use crate::world::{
    ApiError, Change, Commit, ConflictPolicy, Credentials, InitializationStrategy, Provider, Role, Update,
    World,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectBody {
    git_provider_details: Option<Value>,
    my_git_credentials: Option<CredentialsBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialsBody {
    source: String,
    connection_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitializeBody {
    initialization_strategy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitBody {
    mode: Option<String>,
    workspace_head: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    items: Vec<ItemBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    object_id: Option<Uuid>,
    logical_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateBody {
    remote_commit_hash: Option<String>,
    workspace_head: Option<String>,
    conflict_resolution: Option<ResolutionBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResolutionBody {
    conflict_resolution_policy: String,
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/workspaces/{workspaceId}/git/connection", Spec, connection),
    Row::new("POST", "/v1/workspaces/{workspaceId}/git/connect", Spec, connect),
    Row::new("POST", "/v1/workspaces/{workspaceId}/git/disconnect", Spec, disconnect),
    Row::new("GET", "/v1/workspaces/{workspaceId}/git/myGitCredentials", Spec, credentials),
    Row::new("PATCH", "/v1/workspaces/{workspaceId}/git/myGitCredentials", Spec, set_credentials),
    Row::new("POST", "/v1/workspaces/{workspaceId}/git/initializeConnection", Spec, initialize).long(),
    Row::new("GET", "/v1/workspaces/{workspaceId}/git/status", Spec, status).long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/git/commitToGit", Spec, commit).long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/git/updateFromGit", Spec, update).long(),
];

fn connection(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let target = call.world().workspace(caller, workspace, Role::Contributor)?;
    Ok(Reply::json(200, connection_json(target.git.as_ref())))
}

fn connect(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: ConnectBody = call.request.parse()?;
    let details =
        body.git_provider_details.ok_or_else(|| ApiError::invalid("gitProviderDetails", "is required"))?;
    let credentials = body.my_git_credentials.map(read_credentials).transpose()?;
    call.world().connect_git(caller, workspace, read_provider(details)?, credentials)?;
    Ok(Reply::empty(200))
}

fn disconnect(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().disconnect_git(caller, workspace)?;
    Ok(Reply::empty(200))
}

fn credentials(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    Ok(Reply::json(200, credentials_json(call.world().git_credentials(caller, workspace)?)))
}

fn set_credentials(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let credentials = read_credentials(call.request.parse()?)?;
    call.world().set_git_credentials(caller, workspace, credentials)?;
    Ok(Reply::json(200, credentials_json(credentials)))
}

fn initialize(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: InitializeBody = call.request.parse()?;
    let strategy = match body.initialization_strategy.as_deref() {
        None | Some("None") => InitializationStrategy::None,
        Some("PreferRemote") => InitializationStrategy::PreferRemote,
        Some("PreferWorkspace") => InitializationStrategy::PreferWorkspace,
        Some(_) => return Err(ApiError::invalid("initializationStrategy", "has an invalid value")),
    };
    call.world().plan_initialization(caller, workspace, strategy)?;
    let effect = Box::new(move |world: &mut World| {
        let (action, ours, theirs) = world.initialize_git(caller, workspace, strategy)?;
        Ok(Some(json!({"requiredAction": action, "workspaceHead": ours, "remoteCommitHash": theirs})))
    });
    run_git(call, workspace, Long::GitInitialize, effect)
}

fn status(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().git_status(caller, workspace)?;
    let effect = Box::new(move |world: &mut World| {
        let (ours, theirs, changes) = world.git_status(caller, workspace)?;
        let changes: Vec<Value> = changes.iter().map(change_json).collect();
        Ok(Some(json!({"workspaceHead": ours, "remoteCommitHash": theirs, "changes": changes})))
    });
    // A status only reads: another operation of the workspace is no hindrance.
    call.run(Long::GitStatus, None, effect, |status| Reply::json(200, status.unwrap_or_default()))
}

fn commit(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: CommitBody = call.request.parse()?;
    if body.comment.is_some_and(|comment| comment.chars().count() > 300) {
        return Err(ApiError::invalid("comment", "must have at most 300 characters"));
    }
    let selected = match body.mode.as_deref() {
        Some("All") => None,
        Some("Selective") => {
            Some(body.items.iter().filter_map(|item| item.object_id.or(item.logical_id)).collect())
        }
        _ => return Err(ApiError::invalid("mode", "must be All or Selective")),
    };
    let commit = Commit { head: body.workspace_head.filter(|head| !head.is_empty()), selected };
    call.world().check_commit(caller, workspace, &commit)?;
    let effect =
        Box::new(move |world: &mut World| world.commit_to_git(caller, workspace, &commit).map(|()| None));
    run_git(call, workspace, Long::GitCommit, effect)
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: UpdateBody = call.request.parse()?;
    let conflicts =
        match body.conflict_resolution.as_ref().map(|policy| policy.conflict_resolution_policy.as_str()) {
            None => None,
            Some("PreferRemote") => Some(ConflictPolicy::PreferRemote),
            Some("PreferWorkspace") => Some(ConflictPolicy::PreferWorkspace),
            Some(_) => return Err(ApiError::invalid("conflictResolutionPolicy", "has an invalid value")),
        };
    let update = Update {
        remote: body
            .remote_commit_hash
            .ok_or_else(|| ApiError::invalid("remoteCommitHash", "is required"))?,
        head: body.workspace_head.filter(|head| !head.is_empty()),
        conflicts,
    };
    call.world().check_update(caller, workspace, &update)?;
    let effect =
        Box::new(move |world: &mut World| world.update_from_git(caller, workspace, &update).map(|()| None));
    run_git(call, workspace, Long::GitUpdate, effect)
}

/// One git operation at a time per workspace.
fn run_git(
    call: &mut Call<'_>,
    workspace: Uuid,
    long: Long<'_>,
    effect: crate::operations::Effect,
) -> Answer {
    if call.state.operations.is_busy(Busy::Git(workspace)) {
        let message = "A previous operation on the workspace is still in progress";
        let error = ApiError::new(409, "WorkspacePreviousOperationInProgress", message);
        return Err(error.about(workspace, "Workspace").retriable(true));
    }
    call.run(long, Some(Busy::Git(workspace)), effect, |result| match result {
        Some(result) => Reply::json(200, result),
        None => Reply::empty(200),
    })
}

/// The fields of each provider, with their greatest lengths in characters.
fn read_provider(details: Value) -> Result<Provider, ApiError> {
    let text = |field: &str, max: usize| match details[field].as_str() {
        Some(text) if text.chars().count() > max => {
            Err(ApiError::invalid(field, &format!("must have at most {max} characters")))
        }
        Some(text) => Ok(text.to_owned()),
        None => Err(ApiError::invalid(field, "is required")),
    };
    let needed = |field: &str, max| {
        text(field, max).and_then(|text| match text.is_empty() {
            true => Err(ApiError::invalid(field, "is required")),
            false => Ok(text),
        })
    };
    let (connection_kind, place) = match details["gitProviderType"].as_str() {
        Some("GitHub") => ("GitHubSourceControl", needed("ownerName", 100)?),
        Some("AzureDevOps") => (
            "AzureDevOpsSourceControl",
            format!("{}/{}", needed("organizationName", 100)?, needed("projectName", 100)?),
        ),
        _ => return Err(ApiError::invalid("gitProviderType", "must be AzureDevOps or GitHub")),
    };
    let (repository, branch) = (needed("repositoryName", 128)?, needed("branchName", 250)?);
    let directory = text("directoryName", 256)?;
    let key = format!("{connection_kind}:{place}/{repository}#{branch}:{}", directory.trim_matches('/'));
    Ok(Provider { key: key.to_lowercase(), connection_kind, details })
}

fn read_credentials(body: CredentialsBody) -> Result<Credentials, ApiError> {
    match (body.source.as_str(), body.connection_id) {
        ("None", _) => Ok(Credentials::None),
        ("Automatic", _) => Ok(Credentials::Automatic),
        ("ConfiguredConnection", Some(id)) => Ok(Credentials::Configured(id)),
        ("ConfiguredConnection", None) => Err(ApiError::invalid("connectionId", "is required")),
        _ => Err(ApiError::invalid("source", "has an invalid value")),
    }
}

fn credentials_json(credentials: Credentials) -> Value {
    match credentials {
        Credentials::None => json!({"source": "None"}),
        Credentials::Automatic => json!({"source": "Automatic"}),
        Credentials::Configured(id) => json!({"source": "ConfiguredConnection", "connectionId": id}),
    }
}

fn connection_json(git: Option<&crate::world::Git>) -> Value {
    let Some(git) = git else {
        return json!({"gitProviderDetails": null, "gitSyncDetails": null, "gitConnectionState": "NotConnected"});
    };
    let synced = git.synced.map(timestamp);
    let sync = git.head.as_ref().map(|head| json!({"head": head, "lastSyncTime": synced}));
    json!({
        "gitProviderDetails": git.provider.details,
        "gitSyncDetails": sync,
        "gitConnectionState": if git.initialized { "ConnectedAndInitialized" } else { "Connected" },
        "gitConnectionType": "Full",
    })
}

fn change_json(change: &Change) -> Value {
    let mut identifier = json!({});
    if let Some(id) = change.logical_id {
        identifier["logicalId"] = json!(id);
    }
    if let Some(id) = change.object_id {
        identifier["objectId"] = json!(id);
    }
    let mut json = json!({
        "itemMetadata": {
            "itemIdentifier": identifier,
            "itemType": change.kind,
            "displayName": change.display_name,
        }
    });
    if let Some(remote) = change.remote {
        json["remoteChange"] = remote.into();
    }
    if let Some(workspace) = change.workspace {
        json["workspaceChange"] = workspace.into();
    }
    json["conflictType"] = change.conflict.into();
    json
}
