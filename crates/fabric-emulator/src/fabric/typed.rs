//! Typed collections, `/v1/workspaces/{id}/lakehouses` and its like: the items of one type, with their `properties`.

use http::header;
use serde_json::Value;
use uuid::Uuid;

use super::items::{
    create_of, delete as delete_item, get_definition, item_json, list_of, patch, replace_definition,
};
use super::{Answer, Call, Row, properties};
use crate::catalogue::Evidence::{self, Recorded, Spec};
use crate::wire::Reply;
use crate::world::{ApiError, Item, Role, World};

/// A collection of one item type.
pub(super) struct Collection {
    pub(super) kind: &'static str,
    /// Its name in paths.
    pub(super) path: &'static str,
    /// What paths call the id of one.
    pub(super) id: &'static str,
    pub(super) evidence: Evidence,
    has: Has,
}

/// Which operations a collection has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Has {
    List,
    Items,
    Definitions,
}

#[rustfmt::skip]
const COLLECTIONS: &[Collection] = &[
    collection("ApacheAirflowJob", "apacheAirflowJobs", "{apacheAirflowJobId}", Spec, Has::Definitions),
    collection("CopyJob", "copyJobs", "{copyJobId}", Recorded, Has::Definitions),
    collection("DataPipeline", "dataPipelines", "{dataPipelineId}", Recorded, Has::Definitions),
    collection("Dataflow", "dataflows", "{dataflowId}", Recorded, Has::Definitions),
    collection("Environment", "environments", "{environmentId}", Recorded, Has::Definitions),
    collection("Eventhouse", "eventhouses", "{eventhouseId}", Recorded, Has::Definitions),
    collection("Eventstream", "eventstreams", "{eventstreamId}", Recorded, Has::Definitions),
    collection("GraphQLApi", "graphQLApis", "{graphQLApiId}", Recorded, Has::Definitions),
    collection("KQLDashboard", "kqlDashboards", "{kqlDashboardId}", Recorded, Has::Definitions),
    collection("KQLDatabase", "kqlDatabases", "{kqlDatabaseId}", Recorded, Has::Definitions),
    collection("KQLQueryset", "kqlQuerysets", "{kqlQuerysetId}", Recorded, Has::Definitions),
    collection("Lakehouse", "lakehouses", "{lakehouseId}", Recorded, Has::Definitions),
    collection("MLExperiment", "mlExperiments", "{mlExperimentId}", Recorded, Has::Items),
    collection("MirroredDatabase", "mirroredDatabases", "{mirroredDatabaseId}", Recorded, Has::Definitions),
    collection("MountedDataFactory", "mountedDataFactories", "{mountedDataFactoryId}", Recorded, Has::Definitions),
    collection("Notebook", "notebooks", "{notebookId}", Recorded, Has::Definitions),
    collection("PaginatedReport", "paginatedReports", "{paginatedReportId}", Spec, Has::Definitions),
    collection("Reflex", "reflexes", "{reflexId}", Recorded, Has::Definitions),
    collection("Report", "reports", "{reportId}", Recorded, Has::Definitions),
    collection("SQLDatabase", "sqlDatabases", "{sqlDatabaseId}", Recorded, Has::Definitions),
    collection("SQLEndpoint", "sqlEndpoints", "{sqlEndpointId}", Recorded, Has::List),
    collection("SemanticModel", "semanticModels", "{semanticModelId}", Recorded, Has::Definitions),
    collection("SparkJobDefinition", "sparkJobDefinitions", "{sparkJobDefinitionId}", Recorded, Has::Definitions),
    collection("UserDataFunction", "userDataFunctions", "{userDataFunctionId}", Recorded, Has::Definitions),
    collection("VariableLibrary", "variableLibraries", "{variableLibraryId}", Recorded, Has::Definitions),
    collection("Warehouse", "warehouses", "{warehouseId}", Recorded, Has::Items),
];

const fn collection(
    kind: &'static str,
    path: &'static str,
    id: &'static str,
    evidence: Evidence,
    has: Has,
) -> Collection {
    Collection { kind, path, id, evidence, has }
}

const ALL: &str = "/v1/workspaces/{workspaceId}/{collection}";
const ONE: &str = "/v1/workspaces/{workspaceId}/{collection}/{itemId}";

/// Rows about every collection that has them; the evidence of each is its collection's.
const ROWS: &[(Has, Row)] = &[
    (Has::List, Row::new("GET", ALL, Recorded, list)),
    (Has::Items, Row::new("POST", ALL, Recorded, create)),
    (Has::Items, Row::new("GET", ONE, Recorded, get)),
    (Has::Items, Row::new("PATCH", ONE, Recorded, update)),
    (Has::Items, Row::new("DELETE", ONE, Recorded, delete)),
    (
        Has::Definitions,
        Row::new(
            "POST",
            "/v1/workspaces/{workspaceId}/{collection}/{itemId}/getDefinition",
            Recorded,
            definition,
        ),
    ),
    (
        Has::Definitions,
        Row::new(
            "POST",
            "/v1/workspaces/{workspaceId}/{collection}/{itemId}/updateDefinition",
            Recorded,
            set_definition,
        ),
    ),
];

/// Each row with each of the collections it is about.
pub(super) fn routes() -> impl Iterator<Item = (&'static Row, &'static Collection)> {
    COLLECTIONS.iter().flat_map(|collection| {
        ROWS.iter().filter(|(needs, _)| collection.has >= *needs).map(move |(_, row)| (row, collection))
    })
}

/// The piece of a path between slashes that names the collection.
const COLLECTION: usize = 4;

impl Call<'_> {
    /// The type of the items in the collection in the path; a row about one collection has its name written out.
    fn kind(&self) -> Option<&'static str> {
        let named = || {
            let name = self.route.path.split('/').nth(COLLECTION)?;
            COLLECTIONS.iter().find(|collection| collection.path == name)
        };
        self.route.collection.or_else(named).map(|collection| collection.kind)
    }

    /// The item in the path, if it is of the type of the collection there: another one is not in that.
    pub(super) fn typed_item(&mut self) -> Result<(Uuid, &World, &Item), ApiError> {
        let (caller, workspace, id, kind) = (self.caller, self.workspace()?, self.item()?, self.kind());
        let world = &*self.world();
        let item = world.workspace(caller, workspace, Role::Viewer)?.item(id)?;
        match kind.is_none_or(|kind| kind == item.kind) {
            true => Ok((workspace, world, item)),
            false => Err(ApiError::not_found("ItemNotFound", id, "Item")),
        }
    }
}

fn list(call: &mut Call<'_>) -> Answer {
    list_of(call, call.kind(), typed_json)
}

fn create(call: &mut Call<'_>) -> Answer {
    create_of(call, call.kind())
}

fn get(call: &mut Call<'_>) -> Answer {
    let (workspace, world, item) = call.typed_item()?;
    Ok(Reply::json(200, typed_json(world, workspace, item)).header(header::ETAG, "\"\""))
}

fn update(call: &mut Call<'_>) -> Answer {
    call.typed_item()?;
    patch(call)?;
    get(call)
}

fn delete(call: &mut Call<'_>) -> Answer {
    call.typed_item()?;
    delete_item(call)
}

fn definition(call: &mut Call<'_>) -> Answer {
    call.typed_item()?;
    get_definition(call)
}

fn set_definition(call: &mut Call<'_>) -> Answer {
    call.typed_item()?;
    replace_definition(call, |world, workspace, item| {
        // The one type whose documents promise it.
        (item.kind == "Lakehouse").then(|| typed_json(world, workspace, item))
    })
}

fn typed_json(world: &World, workspace: Uuid, item: &Item) -> Value {
    let mut json = item_json(workspace, item);
    if let Some(properties) = properties::of(world, workspace, item) {
        json["properties"] = properties;
    }
    json
}
