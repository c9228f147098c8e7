//! The `properties` of typed items. Addresses are of the service's form and lead nowhere.

use serde_json::{Value, json};
use uuid::Uuid;

use super::environments::publish_json;
use crate::wire::timestamp;
use crate::world::{Details, Item, World};

/// What a typed GET and list show of an item beyond what every item has; `None` for types without properties.
pub(super) fn of(world: &World, workspace: Uuid, item: &Item) -> Option<Value> {
    let one_lake =
        |folder| format!("https://onelake.dfs.fabric.microsoft.com/{workspace}/{}/{folder}", item.id);
    let kusto = |part| format!("https://{part}-{}.z0.kusto.fabric.microsoft.com", item.id.simple());
    Some(match (item.kind, &item.details) {
        ("Lakehouse", details) => {
            let mut json = json!({
                "oneLakeTablesPath": one_lake("Tables"),
                "oneLakeFilesPath": one_lake("Files"),
                "sqlEndpointProperties": sql_endpoint(world, workspace, item),
            });
            if *details == (Details::Lakehouse { schemas: true }) {
                json["defaultSchema"] = "dbo".into();
            }
            json
        }
        ("MirroredDatabase", _) => json!({
            "oneLakeTablesPath": one_lake("Tables"),
            "sqlEndpointProperties": sql_endpoint(world, workspace, item),
        }),
        ("Warehouse", Details::Warehouse { collation }) => json!({
            "connectionString": connection_string(item.id),
            "createdDate": timestamp(item.created),
            "lastUpdatedTime": timestamp(item.created),
            "collationType": collation,
        }),
        ("VariableLibrary", Details::VariableLibrary { active_value_set }) => {
            json!({"$type": "VariableLibraryProperties", "activeValueSetName": active_value_set})
        }
        ("Environment", Details::Environment(environment)) => {
            json!({"publishDetails": publish_json(environment, world)})
        }
        ("Eventhouse", _) => json!({
            "queryServiceUri": kusto("trd"),
            "ingestionServiceUri": kusto("ingest-trd"),
            "databasesItemIds": world.children_of(workspace, item.id).map(|child| child.id).collect::<Vec<_>>(),
        }),
        ("KQLDatabase", _) => {
            let mut json = json!({
                "queryServiceUri": kusto("trd"),
                "ingestionServiceUri": kusto("ingest-trd"),
                "databaseType": "ReadWrite",
            });
            if let Some(parent) = item.parent {
                json["parentEventhouseItemId"] = json!(parent);
            }
            json
        }
        ("SQLDatabase", _) => json!({
            "connectionString": format!("Data Source={},1433;Initial Catalog={}", connection_string(item.id), item.display_name),
            "databaseName": format!("{}-{}", item.display_name, item.id),
            "serverFqdn": connection_string(item.id),
        }),
        ("SparkJobDefinition", _) => json!({"oneLakeRootPath": one_lake("")}),
        ("MLExperiment", _) => json!({"mlFlowExperimentId": item.logical_id}),
        _ => return None,
    })
}

/// The SQL endpoint that comes with an item, some time after it.
fn sql_endpoint(world: &World, workspace: Uuid, item: &Item) -> Value {
    match world.children_of(workspace, item.id).find(|child| child.kind == "SQLEndpoint") {
        Some(child) => json!({
            "connectionString": connection_string(child.id),
            "id": child.id,
            "provisioningStatus": "Success",
        }),
        None => json!({"connectionString": null, "id": null, "provisioningStatus": "InProgress"}),
    }
}

pub(super) fn connection_string(of: Uuid) -> String {
    format!("{}.datawarehouse.fabric.microsoft.com", of.simple())
}
