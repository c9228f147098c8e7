//! What we know of Fabric's item types. It is an open set: one that is not here is still deployed.

/// The keys of `items` and the type that each stands for.
pub(super) const KINDS: [(&str, &str); 27] = [
    ("lakehouses", "Lakehouse"),
    ("warehouses", "Warehouse"),
    ("notebooks", "Notebook"),
    ("pipelines", "DataPipeline"),
    ("data_pipelines", "DataPipeline"),
    ("dataflows", "Dataflow"),
    ("semantic_models", "SemanticModel"),
    ("reports", "Report"),
    ("environments", "Environment"),
    ("eventhouses", "Eventhouse"),
    ("eventstreams", "Eventstream"),
    ("kql_databases", "KQLDatabase"),
    ("kql_dashboards", "KQLDashboard"),
    ("kql_querysets", "KQLQueryset"),
    ("ml_models", "MLModel"),
    ("ml_experiments", "MLExperiment"),
    ("spark_job_definitions", "SparkJobDefinition"),
    ("variable_libraries", "VariableLibrary"),
    ("sql_databases", "SQLDatabase"),
    ("mirrored_databases", "MirroredDatabase"),
    ("cosmos_databases", "CosmosDBDatabase"),
    ("copy_jobs", "CopyJob"),
    ("graphql_apis", "GraphQLApi"),
    ("reflexes", "Reflex"),
    ("maps", "Map"),
    ("data_factories", "MountedDataFactory"),
    ("user_data_functions", "UserDataFunction"),
];

/// Types that Fabric does not create without a definition.
pub(super) const NEED_DEFINITION: [&str; 2] = ["Report", "SemanticModel"];
/// Types that have none.
pub(super) const NO_DEFINITION: [&str; 5] =
    ["Dashboard", "Datamart", "PaginatedReport", "SQLEndpoint", "Warehouse"];

/// The languages of notebooks and the files that hold them. `.ipynb` names its language inside.
pub(super) const LANGUAGES: [(&str, &str); 9] = [
    ("python", "py"),
    ("pyspark", "py"),
    ("sql", "sql"),
    ("sparksql", "sql"),
    ("spark_sql", "sql"),
    ("scala", "scala"),
    ("spark", "scala"),
    ("r", "r"),
    ("sparkr", "r"),
];
