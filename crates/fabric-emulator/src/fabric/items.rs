//! `/v1/workspaces/{id}/items`

use http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::folders::Scope;
use super::{Answer, Call};
use crate::operations::Long;
use crate::wire::Reply;
use crate::world::{ApiError, DefinitionInput, Item, ItemPatch, NewItem, Role, guid, item_type};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    r#type: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    folder_id: Option<Uuid>,
    definition: Option<DefinitionInput>,
    creation_payload: Option<Value>,
}

pub(super) fn route(call: &mut Call<'_>, workspace: Uuid, method: &str, rest: &[&str]) -> Answer {
    let (caller, request) = (call.caller, call.request);
    match (method, rest) {
        ("GET", []) => list(call, workspace),
        ("POST", []) => create(call, workspace),
        ("GET", [id]) => {
            let item = call.world().workspace(caller, workspace, Role::Viewer)?.item(guid("itemId", id)?)?;
            Ok(Reply::json(200, item_json(workspace, item)).header(header::ETAG, "\"\""))
        }
        ("PATCH", [id]) => {
            let body: ItemBody = request.parse()?;
            let patch = ItemPatch { display_name: body.display_name, description: body.description };
            let item = call.world().update_item(caller, workspace, guid("itemId", id)?, patch)?;
            Ok(Reply::json(200, item_json(workspace, &item)).header(header::ETAG, "\"\""))
        }
        ("DELETE", [id]) => {
            let hard = request.flag("hardDelete").unwrap_or(false);
            call.world().delete_item(caller, workspace, guid("itemId", id)?, hard)?;
            Ok(Reply::empty(200))
        }
        ("POST", [id, "getdefinition"]) => get_definition(call, workspace, guid("itemId", id)?),
        ("POST", [id, "updatedefinition"]) => update_definition(call, workspace, guid("itemId", id)?),
        _ => call.unknown(),
    }
}

fn list(call: &mut Call<'_>, workspace: Uuid) -> Answer {
    let (caller, request) = (call.caller, call.request);
    let kind = request.query("type").map(item_type).transpose()?;
    let target = call.world().workspace(caller, workspace, Role::Viewer)?;
    let scope = Scope::read(request, target)?;
    let items = target.items.iter().filter(|item| kind.is_none_or(|kind| item.kind == kind));
    let items = items.filter(|item| scope.holds(target, item.folder));
    let listed = items.map(|item| item_json(workspace, item)).collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>, workspace: Uuid) -> Answer {
    let caller = call.caller;
    let body: ItemBody = call.request.parse()?;
    if body.definition.is_some() && body.creation_payload.is_some() {
        return Err(ApiError::new(
            400,
            "RequestWithDefinitionAndCreationPayloadNotSupported",
            "A request with both a definition and a creation payload is not supported",
        ));
    }
    let new = NewItem {
        kind: item_type(&body.r#type.unwrap_or_default())?,
        display_name: body.display_name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        folder: body.folder_id,
        definition: body.definition,
    };
    call.world().check_new_item(caller, workspace, &new)?;
    let long = Long::Create { kind: new.kind, with_definition: new.definition.is_some() };
    let effect = Box::new(move |world: &mut crate::world::World| {
        let item = world.create_item(caller, workspace, new)?;
        Ok(Some(item_json(workspace, &item)))
    });
    call.run(long, None, effect, |item| {
        Reply::json(201, item.unwrap_or_default()).header(header::ETAG, "\"\"")
    })
}

fn get_definition(call: &mut Call<'_>, workspace: Uuid, id: Uuid) -> Answer {
    let caller = call.caller;
    let format = call.request.query("format").map(str::to_owned);
    let kind = call.world().definition_of(caller, workspace, id)?.0.kind;
    let effect = Box::new(move |world: &mut crate::world::World| {
        let (item, git) = world.definition_of(caller, workspace, id)?;
        Ok(Some(item.definition_json(format.as_deref(), git)))
    });
    call.run(Long::GetDefinition { kind }, None, effect, |definition| {
        Reply::json(200, definition.unwrap_or_default())
    })
}

fn update_definition(call: &mut Call<'_>, workspace: Uuid, id: Uuid) -> Answer {
    let caller = call.caller;
    let metadata = call.request.flag("updateMetadata").unwrap_or(false);
    let missing = || ApiError::new(400, "MissingDefinition", "The item definition is missing");
    let definition = call.request.parse::<ItemBody>()?.definition.ok_or_else(missing)?;
    let kind = call.world().check_new_definition(caller, workspace, id, &definition)?;
    let effect = Box::new(move |world: &mut crate::world::World| {
        world.update_definition(caller, workspace, id, definition, metadata)?;
        Ok(None)
    });
    call.run(Long::UpdateDefinition { kind }, None, effect, |_| Reply::empty(200))
}

fn item_json(workspace: Uuid, item: &Item) -> Value {
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
    json
}
