//! `/v1/workspaces/{id}/items/{id}/shortcuts`, and the cache of shortcuts.

use http::{HeaderName, header};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Reported, Spec};
use crate::operations::Long;
use crate::wire::Reply;
use crate::world::{ApiError, Placed, Role, Shortcut, ShortcutConflict, ShortcutInput, World};

const ALL: &str = "/v1/workspaces/{workspaceId}/items/{itemId}/shortcuts";
const ONE: &str = "/v1/workspaces/{workspaceId}/items/{itemId}/shortcuts/{shortcutPath}/{shortcutName}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Reported, list),
    Row::new("POST", ALL, Recorded, create),
    Row::new("GET", ONE, Recorded, get),
    Row::new("DELETE", ONE, Reported, delete),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/{itemId}/shortcuts/bulkCreate", Spec, create_many)
        .long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/onelake/resetShortcutCache", Spec, reset_cache).long(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManyBody {
    #[serde(default)]
    create_shortcut_requests: Vec<ShortcutInput>,
}

/// Paths in a list begin with a slash, whatever was sent: three users of the service have found that, and one client
/// of Microsoft's relies on it. Other answers have them as they were sent.
fn list(call: &mut Call<'_>) -> Answer {
    let (caller, request, workspace, id) = (call.caller, call.request, call.workspace()?, call.item()?);
    let parent = request.query("parentPath").unwrap_or_default();
    let item = call.world().shortcuts_of(caller, workspace, id, Role::Viewer)?;
    let shortcuts = item.contents.shortcuts.iter().filter(|shortcut| shortcut.is_below(parent));
    let listed = shortcuts.map(|shortcut| {
        let path = format!("/{}", shortcut.path.trim_matches('/'));
        let mut json = json!({"name": shortcut.name, "path": path, "target": shortcut.target.json()});
        if shortcut.transform.is_some() {
            json["isShortcutTransform"] = true.into();
        }
        json
    });
    let listed = listed.collect();
    Ok(one_lake(call.list(listed)?))
}

fn create(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let policy = policy(call)?;
    let new: ShortcutInput = call.request.parse()?;
    let (shortcut, placed) = call.world().create_shortcut(caller, workspace, id, new, policy)?;
    let status = if placed == Placed::New { 201 } else { 200 };
    let mut reply = Reply::json(status, shortcut_json(&shortcut));
    if let Some(location) = location(call, &shortcut) {
        reply = reply.header(header::LOCATION, location);
    }
    Ok(one_lake(reply))
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (path, name) = place(call);
    let shortcut = call.world().shortcut(caller, workspace, id, &path, &name)?;
    Ok(one_lake(Reply::json(200, shortcut_json(shortcut))))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (path, name) = place(call);
    call.world().delete_shortcut(caller, workspace, id, &path, &name)?;
    Ok(one_lake(Reply::empty(200)))
}

/// Each shortcut succeeds or fails on its own; the operation succeeds in any case.
fn create_many(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let policy = policy(call)?;
    let body: ManyBody = call.request.parse()?;
    if body.create_shortcut_requests.is_empty() {
        return Err(ApiError::invalid("createShortcutRequests", "is required"));
    }
    call.world().shortcuts_of(caller, workspace, id, Role::Contributor)?;
    let effect = move |world: &mut World| {
        let requests = body.create_shortcut_requests.into_iter();
        let made = requests.map(|new| create_one(world, caller, workspace, id, new, policy));
        Ok(Some(json!({"value": made.collect::<Vec<_>>()})))
    };
    call.run(Long::CreateShortcuts, None, Box::new(effect), |made| Reply::json(200, made.unwrap_or_default()))
}

fn create_one(
    world: &mut World,
    caller: Uuid,
    workspace: Uuid,
    item: Uuid,
    new: ShortcutInput,
    policy: ShortcutConflict,
) -> Value {
    let mut json = json!({"request": {"path": new.path, "name": new.name}});
    match world.create_shortcut(caller, workspace, item, new, policy) {
        Ok((shortcut, _)) => {
            json["result"] = shortcut_json(&shortcut);
            json["status"] = "Succeeded".into();
        }
        Err(error) => {
            let whole = || json!({"errorCode": error.code, "message": error.message});
            json["error"] = error.details.first().cloned().unwrap_or_else(whole);
            json["status"] = "Failed".into();
        }
    }
    json
}

/// There is no cache. The documents let service principals do this; one of them was refused nevertheless.
fn reset_cache(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().workspace(caller, workspace, Role::Contributor)?;
    call.run(Long::ResetShortcutCache, None, Box::new(|_: &mut World| Ok(None)), |_| Reply::empty(200))
}

fn policy(call: &Call<'_>) -> Result<ShortcutConflict, ApiError> {
    let policy = call.request.query("shortcutConflictPolicy").map(ShortcutConflict::read).transpose()?;
    Ok(policy.unwrap_or_default())
}

/// Path and name of the shortcut in the path of the request.
fn place(call: &Call<'_>) -> (String, String) {
    (call.segments("shortcutPath").join("/"), call.parameter("shortcutName").to_owned())
}

fn location(call: &Call<'_>, shortcut: &Shortcut) -> Option<String> {
    let mut location = Url::parse(&call.request.absolute(&call.request.path)).ok()?;
    let folders = shortcut.path.split('/').filter(|folder| !folder.is_empty());
    location.path_segments_mut().ok()?.pop_if_empty().extend(folders).push(&shortcut.name);
    Some(location.into())
}

fn shortcut_json(shortcut: &Shortcut) -> Value {
    let mut json = json!({"name": shortcut.name, "path": shortcut.path, "target": shortcut.target.json()});
    if let Some(transform) = &shortcut.transform {
        json["transform"] = transform.clone();
    }
    json
}

/// An answer that came from OneLake, which lets any page of a browser read it.
fn one_lake(reply: Reply) -> Reply {
    let any = [
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "*"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "*,Authorization"),
    ];
    any.into_iter().fold(reply, |reply, (name, value): (HeaderName, _)| reply.header(name, value))
}
