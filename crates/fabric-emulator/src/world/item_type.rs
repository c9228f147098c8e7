//! The item types of Fabric and what each of them allows.

use super::{ApiError, check_name, same_name};

/// `ItemType` of `common/definitions.json` in Microsoft's OpenAPI documents.
pub(super) const TYPES: &[&str] = &[
    "AnomalyDetector",
    "ApacheAirflowJob",
    "AppBackend",
    "AzureDatabricksStorage",
    "CopyJob",
    "CosmosDBDatabase",
    "Dashboard",
    "DataAgent",
    "DataBuildToolJob",
    "DataPipeline",
    "Dataflow",
    "Datamart",
    "DigitalTwinBuilder",
    "DigitalTwinBuilderFlow",
    "Environment",
    "EventSchemaSet",
    "Eventhouse",
    "Eventstream",
    "GraphModel",
    "GraphQLApi",
    "GraphQuerySet",
    "KQLDashboard",
    "KQLDatabase",
    "KQLQueryset",
    "Lakehouse",
    "MLExperiment",
    "MLModel",
    "Map",
    "MirroredAzureDatabricksCatalog",
    "MirroredCatalog",
    "MirroredDatabase",
    "MirroredWarehouse",
    "MountedDataFactory",
    "Notebook",
    "Ontology",
    "OperationsAgent",
    "OrgApp",
    "OrgAppAudience",
    "PaginatedReport",
    "Plan",
    "Reflex",
    "Report",
    "SQLDatabase",
    "SQLEndpoint",
    "SemanticModel",
    "SnowflakeDatabase",
    "SparkJobDefinition",
    "UserDataFunction",
    "VariableLibrary",
    "Warehouse",
    "WarehouseSnapshot",
];

/// The service's spelling of a type.
///
/// # Errors
/// `InvalidItemType` when there is none.
pub(crate) fn item_type(text: &str) -> Result<&'static str, ApiError> {
    let known = TYPES.iter().copied().find(|known| same_name(known, text));
    known.ok_or_else(|| {
        ApiError::new(400, "InvalidItemType", "The provided item type is invalid")
            .because("InvalidParameter", format!("`{text}` is not an item type"))
    })
}

/// Types that the service makes beside others and that cannot be asked for.
pub(super) fn check_creatable(kind: &str) -> Result<(), ApiError> {
    match kind {
        "Dashboard" | "Datamart" | "MirroredWarehouse" | "SQLEndpoint" => {
            let message = format!("Items of type {kind} cannot be created");
            Err(ApiError::new(400, "UnsupportedItemType", message))
        }
        _ => Ok(()),
    }
}

pub(crate) fn has_definition(kind: &str) -> bool {
    !matches!(
        kind,
        "Warehouse"
            | "Dashboard"
            | "Datamart"
            | "SQLEndpoint"
            | "MirroredWarehouse"
            | "MLExperiment"
            | "MLModel"
    )
}

pub(crate) fn needs_definition(kind: &str) -> bool {
    matches!(kind, "SemanticModel" | "Report" | "PaginatedReport" | "MirroredDatabase")
}

/// The type of the item that comes with one of this type, under its name, and goes with it.
pub(super) fn child_type(kind: &str) -> Option<&'static str> {
    match kind {
        "Lakehouse" | "MirroredDatabase" => Some("SQLEndpoint"),
        "Eventhouse" => Some("KQLDatabase"),
        _ => None,
    }
}

/// Power BI's own types live in workspaces without a capacity too.
pub(super) fn needs_capacity(kind: &str) -> bool {
    !matches!(kind, "Dashboard" | "Datamart" | "PaginatedReport" | "Report" | "SemanticModel")
}

/// The one type whose items keep their name: the service was recorded to refuse another.
pub(super) fn check_rename(kind: &str, from: &str, to: &str) -> Result<(), ApiError> {
    match kind {
        "CosmosDBDatabase" if from != to => {
            let message = "The display name of a Cosmos DB database cannot be changed";
            Err(ApiError::new(400, "CosmosDBDatabaseDisplayNameCannotBeChanged", message))
        }
        _ => Ok(()),
    }
}

/// Checks a display name by the rule of its type: what becomes an SQL identifier takes letters, digits and `_` only.
pub(super) fn check_item_name(kind: &str, name: &str) -> Result<(), ApiError> {
    check_name("displayName", name, 256)?;
    let strict = matches!(kind, "Lakehouse" | "Environment" | "Warehouse");
    match strict && !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => Err(ApiError::new(400, "InvalidInput", "The request has an invalid input").because(
            "InvalidParameter",
            format!("DisplayName is Invalid for ArtifactType. DisplayName: {name}"),
        )),
        false => Ok(()),
    }
}
