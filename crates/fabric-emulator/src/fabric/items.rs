//! `/v1/workspaces/{id}/items`, and what typed collections share with it.

use http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::folders::Scope;
use super::tags::tags_json;
use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::operations::Long;
use crate::wire::{Reply, folder_id};
use crate::world::{
    ApiError, DefinitionInput, Item, ItemPatch, NewItem, Role, World, check_format, item_type,
};

const ALL: &str = "/v1/workspaces/{workspaceId}/items";
const ONE: &str = "/v1/workspaces/{workspaceId}/items/{itemId}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, create).long(),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/{itemId}/getDefinition", Recorded, get_definition)
        .long(),
    Row::new(
        "POST",
        "/v1/workspaces/{workspaceId}/items/{itemId}/updateDefinition",
        Recorded,
        update_definition,
    )
    .long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/{itemId}/move", Spec, move_one),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/bulkMove", Spec, move_many),
];

/// The most items one `bulkMove` takes.
const MAX_MOVED: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    r#type: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "folder_id")]
    folder_id: Option<Uuid>,
    definition: Option<DefinitionInput>,
    creation_payload: Option<Value>,
    properties: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MoveBody {
    items: Option<Vec<Uuid>>,
    #[serde(default, deserialize_with = "folder_id")]
    target_folder_id: Option<Uuid>,
}

fn list(call: &mut Call<'_>) -> Answer {
    let kind = call.request.query("type").map(item_type).transpose()?;
    list_of(call, kind, |_, workspace, item| item_json(workspace, item))
}

/// The items of a workspace, of one type or of all.
pub(super) fn list_of(
    call: &mut Call<'_>,
    kind: Option<&'static str>,
    json: fn(&World, Uuid, &Item) -> Value,
) -> Answer {
    let (caller, request, workspace) = (call.caller, call.request, call.workspace()?);
    let world = call.world();
    let target = world.workspace(caller, workspace, Role::Viewer)?;
    let scope = Scope::read(request, target)?;
    let items = target.items.iter().filter(|item| kind.is_none_or(|kind| item.kind == kind));
    let items = items.filter(|item| scope.holds(target, item.folder));
    let listed = items.map(|item| json(world, workspace, item)).collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>) -> Answer {
    create_of(call, None)
}

/// An item of a type, whatever type the body names; of the body's where none is given.
pub(super) fn create_of(call: &mut Call<'_>, kind: Option<&'static str>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: ItemBody = call.request.parse()?;
    let kind = match kind {
        Some(kind) => kind,
        None => item_type(body.r#type.as_deref().unwrap_or_default())?,
    };
    if body.definition.is_some() && body.creation_payload.is_some() {
        return Err(ApiError::new(
            400,
            "RequestWithDefinitionAndCreationPayloadNotSupported",
            "A request with both a definition and a creation payload is not supported",
        ));
    }
    let new = NewItem {
        kind,
        display_name: body.display_name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        folder: body.folder_id,
        definition: body.definition,
        creation_payload: body.creation_payload,
    };
    let long = Long::Create { kind, with_definition: new.definition.is_some() };
    call.check_before(long, |world| world.new_item(caller, workspace, new.clone()))?;
    let effect = Box::new(move |world: &mut World| {
        let item = world.create_item(caller, workspace, new)?;
        Ok(Some(item_json(workspace, &item)))
    });
    call.run(long, None, effect, |item| {
        Reply::json(201, item.unwrap_or_default()).header(header::ETAG, "\"\"")
    })
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let item = call.world().workspace(caller, workspace, Role::Viewer)?.item(id)?;
    Ok(Reply::json(200, item_json(workspace, item)).header(header::ETAG, "\"\""))
}

fn update(call: &mut Call<'_>) -> Answer {
    let workspace = call.workspace()?;
    let item = patch(call)?;
    Ok(Reply::json(200, item_json(workspace, &item)).header(header::ETAG, "\"\""))
}

/// Changes what a PATCH names: of an item, or of one with `properties` that can be set.
pub(super) fn patch(call: &mut Call<'_>) -> Result<Item, ApiError> {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let body: ItemBody = call.request.parse()?;
    let patch = ItemPatch {
        display_name: body.display_name,
        description: body.description,
        properties: body.properties,
    };
    call.world().update_item(caller, workspace, id, patch)
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let hard = call.request.flag("hardDelete").unwrap_or(false);
    call.world().delete_item(caller, workspace, id, hard)?;
    Ok(Reply::empty(200))
}

pub(super) fn get_definition(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let format = call.request.query("format").map(str::to_owned);
    let kind = call.world().definition_of(caller, workspace, id)?.0.kind;
    check_format(kind, format.as_deref())?;
    let effect = Box::new(move |world: &mut World| {
        let (item, git) = world.definition_of(caller, workspace, id)?;
        Ok(Some(item.definition_json(format.as_deref(), git)))
    });
    call.run(Long::GetDefinition { kind }, None, effect, |definition| {
        Reply::json(200, definition.unwrap_or_default())
    })
}

fn update_definition(call: &mut Call<'_>) -> Answer {
    replace_definition(call, |_, _, _| None)
}

/// Replaces a definition. Most types have no result to show for it.
pub(super) fn replace_definition(
    call: &mut Call<'_>,
    result: fn(&World, Uuid, &Item) -> Option<Value>,
) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let metadata = call.request.flag("updateMetadata").unwrap_or(false);
    let missing = || ApiError::new(400, "MissingDefinition", "The item definition is missing");
    let definition = call.request.parse::<ItemBody>()?.definition.ok_or_else(missing)?;
    let long = Long::UpdateDefinition { kind: call.world().definition_of(caller, workspace, id)?.0.kind };
    call.check_before(long, |world| {
        world.check_new_definition(caller, workspace, id, &definition, metadata)
    })?;
    let effect = Box::new(move |world: &mut World| {
        world.update_definition(caller, workspace, id, definition, metadata)?;
        let (item, _) = world.definition_of(caller, workspace, id)?;
        Ok(result(world, workspace, item))
    });
    call.run(long, None, effect, |shown| match shown {
        Some(shown) => Reply::json(200, shown),
        None => Reply::empty(200),
    })
}

fn move_one(call: &mut Call<'_>) -> Answer {
    let id = call.item()?;
    let body: MoveBody = call.request.parse()?;
    moved(call, &[id], body.target_folder_id)
}

fn move_many(call: &mut Call<'_>) -> Answer {
    let body: MoveBody = call.request.parse()?;
    let items = body.items.unwrap_or_default();
    if items.is_empty() || items.len() > MAX_MOVED {
        return Err(ApiError::invalid("items", &format!("must have 1 to {MAX_MOVED} entries")));
    }
    moved(call, &items, body.target_folder_id)
}

fn moved(call: &mut Call<'_>, items: &[Uuid], target: Option<Uuid>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let moved = call.world().move_items(caller, workspace, items, target)?;
    let moved: Vec<Value> = moved.iter().map(|item| item_json(workspace, item)).collect();
    Ok(Reply::json(200, json!({"value": moved})))
}

pub(super) fn item_json(workspace: Uuid, item: &Item) -> Value {
    let mut json = json!({
        "id": item.id,
        "type": item.kind,
        "displayName": item.display_name,
        "description": item.description,
        "workspaceId": workspace,
    });
    if let Some(folder) = item.folder {
        json["folderId"] = json!(folder);
    }
    if !item.tags.is_empty() {
        json["tags"] = tags_json(&item.tags);
    }
    json
}
