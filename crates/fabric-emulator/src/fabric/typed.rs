//! Typed collections, `/v1/workspaces/{id}/lakehouses` and its like: the items of one type, with their `properties`.

use http::header;
use serde_json::Value;
use uuid::Uuid;

use super::items::{
    create_of, delete as delete_item, get_definition, item_json, list_of, patch, replace_definition,
};
use super::route::Route;
use super::{Answer, Call, Row, properties};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::Reply;
use crate::world::{ApiError, Item, Role, World};

/// A collection of one item type.
pub(super) struct Collection {
    pub(super) kind: &'static str,
    /// Its name in paths.
    pub(super) path: &'static str,
    /// What paths call the id of one.
    pub(super) id: &'static str,
    has: Has,
    /// What somebody recorded of its type.
    recorded: &'static [Part],
}

/// Which operations a collection has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Has {
    List,
    /// One can be read, too.
    Single,
    Items,
    Definitions,
}

/// Operations that were recorded together, in the collection or of the type under `/items`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Item,
    GetDefinition,
    UpdateDefinition,
}

const NOTHING: &[Part] = &[];
const ITEMS: &[Part] = &[Part::Item];
const READ: &[Part] = &[Part::Item, Part::GetDefinition];
const WRITTEN: &[Part] = &[Part::Item, Part::GetDefinition, Part::UpdateDefinition];
/// Nobody read the definition that was written.
const WRITTEN_ONLY: &[Part] = &[Part::Item, Part::UpdateDefinition];

#[rustfmt::skip]
const COLLECTIONS: &[Collection] = &[
    collection("ApacheAirflowJob", "apacheAirflowJobs", "{apacheAirflowJobId}", Has::Definitions, NOTHING),
    collection("CopyJob", "copyJobs", "{copyJobId}", Has::Definitions, READ),
    collection("CosmosDBDatabase", "cosmosDbDatabases", "{cosmosDbDatabaseId}", Has::Definitions, WRITTEN),
    collection("Dashboard", "dashboards", "{dashboardId}", Has::List, NOTHING),
    collection("DataPipeline", "dataPipelines", "{dataPipelineId}", Has::Definitions, WRITTEN),
    collection("Dataflow", "dataflows", "{dataflowId}", Has::Definitions, READ),
    collection("Datamart", "datamarts", "{datamartId}", Has::List, NOTHING),
    collection("DigitalTwinBuilder", "digitaltwinbuilders", "{digitaltwinbuilderId}", Has::Definitions, READ),
    collection("DigitalTwinBuilderFlow", "digitalTwinBuilderFlows", "{digitalTwinBuilderFlowId}", Has::Definitions, WRITTEN_ONLY),
    collection("Environment", "environments", "{environmentId}", Has::Definitions, WRITTEN),
    collection("Eventhouse", "eventhouses", "{eventhouseId}", Has::Definitions, WRITTEN),
    collection("Eventstream", "eventstreams", "{eventstreamId}", Has::Definitions, WRITTEN),
    collection("GraphQLApi", "graphQLApis", "{graphQLApiId}", Has::Definitions, READ),
    collection("GraphQuerySet", "graphQuerySets", "{graphQuerySetId}", Has::Definitions, READ),
    collection("KQLDashboard", "kqlDashboards", "{kqlDashboardId}", Has::Definitions, WRITTEN),
    collection("KQLDatabase", "kqlDatabases", "{kqlDatabaseId}", Has::Definitions, READ),
    collection("KQLQueryset", "kqlQuerysets", "{kqlQuerysetId}", Has::Definitions, WRITTEN),
    collection("Lakehouse", "lakehouses", "{lakehouseId}", Has::Definitions, WRITTEN),
    collection("MLExperiment", "mlExperiments", "{mlExperimentId}", Has::Items, ITEMS),
    collection("MLModel", "mlModels", "{mlModelId}", Has::Items, ITEMS),
    collection("Map", "maps", "{mapId}", Has::Definitions, READ),
    collection("MirroredDatabase", "mirroredDatabases", "{mirroredDatabaseId}", Has::Definitions, WRITTEN),
    collection("MirroredWarehouse", "mirroredWarehouses", "{mirroredWarehouseId}", Has::List, NOTHING),
    collection("MountedDataFactory", "mountedDataFactories", "{mountedDataFactoryId}", Has::Definitions, READ),
    collection("Notebook", "notebooks", "{notebookId}", Has::Definitions, WRITTEN),
    collection("PaginatedReport", "paginatedReports", "{paginatedReportId}", Has::Definitions, NOTHING),
    collection("Reflex", "reflexes", "{reflexId}", Has::Definitions, WRITTEN),
    collection("Report", "reports", "{reportId}", Has::Definitions, WRITTEN),
    collection("SQLDatabase", "sqlDatabases", "{sqlDatabaseId}", Has::Definitions, READ),
    collection("SQLEndpoint", "sqlEndpoints", "{sqlEndpointId}", Has::Single, ITEMS),
    collection("SemanticModel", "semanticModels", "{semanticModelId}", Has::Definitions, READ),
    collection("SparkJobDefinition", "sparkJobDefinitions", "{sparkJobDefinitionId}", Has::Definitions, WRITTEN),
    collection("UserDataFunction", "userDataFunctions", "{userDataFunctionId}", Has::Definitions, WRITTEN),
    collection("VariableLibrary", "variableLibraries", "{variableLibraryId}", Has::Definitions, WRITTEN),
    collection("Warehouse", "warehouses", "{warehouseId}", Has::Items, ITEMS),
];

const fn collection(
    kind: &'static str,
    path: &'static str,
    id: &'static str,
    has: Has,
    recorded: &'static [Part],
) -> Collection {
    Collection { kind, path, id, has, recorded }
}

const ALL: &str = "/v1/workspaces/{workspaceId}/{collection}";
const ONE: &str = "/v1/workspaces/{workspaceId}/{collection}/{itemId}";
const GET_DEFINITION: &str = "/v1/workspaces/{workspaceId}/{collection}/{itemId}/getDefinition";
const UPDATE_DEFINITION: &str = "/v1/workspaces/{workspaceId}/{collection}/{itemId}/updateDefinition";

/// A row about every collection that has it. Its evidence is for the types of which it was recorded; of the others
/// there is the documents' word.
struct TypedRow {
    needs: Has,
    part: Part,
    row: Row,
}

const ROWS: &[TypedRow] = &[
    typed_row(Has::List, Part::Item, Row::new("GET", ALL, Spec, list)),
    typed_row(Has::Items, Part::Item, Row::new("POST", ALL, Recorded, create).long()),
    typed_row(Has::Single, Part::Item, Row::new("GET", ONE, Recorded, get)),
    typed_row(Has::Items, Part::Item, Row::new("PATCH", ONE, Recorded, update)),
    typed_row(Has::Items, Part::Item, Row::new("DELETE", ONE, Recorded, delete)),
    typed_row(
        Has::Definitions,
        Part::GetDefinition,
        Row::new("POST", GET_DEFINITION, Recorded, definition).long(),
    ),
    typed_row(
        Has::Definitions,
        Part::UpdateDefinition,
        Row::new("POST", UPDATE_DEFINITION, Recorded, set_definition).long(),
    ),
];

const fn typed_row(needs: Has, part: Part, row: Row) -> TypedRow {
    TypedRow { needs, part, row }
}

/// Each row with each of the collections it is about, as a route.
pub(super) fn routes() -> impl Iterator<Item = Route> {
    COLLECTIONS.iter().flat_map(|collection| {
        ROWS.iter().filter(|typed| collection.has >= typed.needs).map(move |typed| {
            let mut route = typed.row.route(Some(collection));
            if !collection.recorded.contains(&typed.part) {
                route.evidence = Spec;
            }
            route
        })
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
