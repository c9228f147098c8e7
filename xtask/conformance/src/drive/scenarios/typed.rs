//! Typed collections, `/lakehouses` and its like: the same requests to each of them.

use super::*;

/// What a collection takes.
struct Collection {
    path: &'static str,
    /// The first part of a definition; `None` for a type that has none.
    part: Option<&'static str>,
    /// Nothing of this type is made without a definition.
    defined: bool,
    /// A creation payload, which stands in place of a definition.
    payload: fn() -> Value,
    /// What a PATCH can say besides name and description.
    patch: fn() -> Value,
    /// Made inside of an eventhouse.
    inside: bool,
    /// What its requests cannot say, though those of other collections can.
    lacks: &'static [Lack],
}

#[derive(Clone, Copy, PartialEq)]
enum Lack {
    /// `displayName` of a PATCH.
    Rename,
    /// `hardDelete` of a DELETE.
    HardDelete,
    /// `updateMetadata` of an update of the definition.
    UpdateMetadata,
}

const fn with(path: &'static str, part: &'static str) -> Collection {
    Collection {
        path,
        part: Some(part),
        defined: false,
        payload: nothing,
        patch: nothing,
        inside: false,
        lacks: &[],
    }
}

const fn defined(path: &'static str, part: &'static str) -> Collection {
    Collection { defined: true, ..with(path, part) }
}

const fn without(path: &'static str) -> Collection {
    Collection {
        path,
        part: None,
        defined: false,
        payload: nothing,
        patch: nothing,
        inside: false,
        lacks: &[],
    }
}

fn nothing() -> Value {
    NOTHING
}

#[rustfmt::skip]
const COLLECTIONS: &[Collection] = &[
    with("apacheAirflowJobs", "apacheairflowjob-content.json"),
    with("copyJobs", "copyjob-content.json"),
    Collection { lacks: &[Lack::Rename], ..with("cosmosDbDatabases", "definition.json") },
    with("dataPipelines", "pipeline-content.json"),
    with("dataflows", "queryMetadata.json"),
    with("digitalTwinBuilderFlows", "definition.json"),
    with("digitaltwinbuilders", "definition.json"),
    with("environments", "Setting/Sparkcompute.yml"),
    Collection { payload: || json!({"minimumConsumptionUnits": 2.25}), ..with("eventhouses", "EventhouseProperties.json") },
    with("eventstreams", "eventstream.json"),
    with("graphQLApis", "graphql-definition.json"),
    with("graphQuerySets", "exportedDefinition.json"),
    with("kqlDashboards", "RealTimeDashboard.json"),
    Collection { inside: true, ..with("kqlDatabases", "DatabaseProperties.json") },
    with("kqlQuerysets", "RealTimeQueryset.json"),
    Collection { payload: || json!({"enableSchemas": true}), ..with("lakehouses", "lakehouse.metadata.json") },
    Collection { lacks: &[Lack::UpdateMetadata], ..defined("mirroredDatabases", "mirroring.json") },
    with("maps", "map.json"),
    without("mlExperiments"),
    without("mlModels"),
    with("mountedDataFactories", "mountedDataFactory-content.json"),
    with("notebooks", "notebook-content.py"),
    Collection { lacks: &[Lack::HardDelete], ..defined("paginatedReports", "report.rdl") },
    with("reflexes", "ReflexEntities.json"),
    defined("reports", "definition.pbir"),
    defined("semanticModels", "model.bim"),
    with("sparkJobDefinitions", "SparkJobDefinitionV1.json"),
    Collection {
        payload: || json!({"creationMode": "New"}),
        lacks: &[Lack::Rename],
        ..with("sqlDatabases", "definition.json")
    },
    with("userDataFunctions", "definition.json"),
    Collection {
        patch: || json!({"activeValueSetName": "Default value set"}),
        ..with("variableLibraries", "variables.json")
    },
    Collection {
        payload: || json!({"collationType": "Latin1_General_100_CI_AS_KS_WS_SC_UTF8"}),
        ..without("warehouses")
    },
];

pub(super) fn scenarios() -> Vec<Scenario> {
    let each = COLLECTIONS.iter().flat_map(|collection| {
        let name = |what| format!("{}: {what}", collection.path);
        [
            scenario(name("made, read, changed, deleted"), |session| lifecycle(session, collection)),
            scenario(name("definitions"), |session| definitions(session, collection)),
            scenario(name("refused"), |session| refused(session, collection)),
            scenario(name("too many"), |session| too_many(session, collection))
                .configured(|config| config.max_items = 1),
        ]
    });
    each.chain([scenario("collections: listed only", listed_only)]).collect()
}

/// Of these the interface has a list and nothing else.
fn listed_only(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    for collection in ["dashboards", "datamarts", "mirroredWarehouses"] {
        let listed = session.list(&format!("{workspace}/{collection}"))?;
        check(listed.is_empty(), "nobody can make one", &json!(listed))?;
    }
    Ok(())
}

impl Collection {
    /// The body of a create, with what it is made inside of.
    fn placed(&self, session: &mut Session<'_>, workspace: &str, name: &str) -> Step<Value> {
        let mut body = self.body(name);
        if self.inside {
            let houses = format!("{workspace}/eventhouses");
            let house = match session.list(&houses)?.first() {
                Some(house) => id(house)?,
                None => id(&session.post(&houses, json!({"displayName": "House"}))?)?,
            };
            body["creationPayload"] = json!({"databaseType": "ReadWrite", "parentEventhouseItemId": house});
        }
        Ok(body)
    }

    /// The body of a create without that, which a definition would say.
    fn body(&self, name: &str) -> Value {
        let mut body = json!({"displayName": name, "description": "Made to be looked at"});
        if let Some(part) = self.part.filter(|_| self.defined) {
            body["definition"] = definition(part);
        }
        body
    }
}

/// An item of a typed collection, or of any type under `items`; returns its id.
pub(super) fn made(session: &mut Session<'_>, workspace: &str, path: &str, name: &str) -> Step<String> {
    let Some(collection) = COLLECTIONS.iter().find(|collection| collection.path == path) else {
        return item(session, workspace, "DataPipeline", name);
    };
    let body = collection.placed(session, workspace, name)?;
    id(&session.post(&format!("{workspace}/{path}"), body)?)
}

fn lifecycle(session: &mut Session<'_>, collection: &Collection) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/{}", collection.path);
    let body = collection.placed(session, &workspace, "One")?;
    let made = session.post(&all, body)?;
    let one = format!("{all}/{}", id(&made)?);
    let payload = (collection.payload)();
    if !payload.is_null() {
        let mut body = collection.body("Two");
        body["creationPayload"] = payload;
        let two = id(&session.post(&all, body)?)?;
        session.get(&format!("{all}/{two}"))?;
    }
    session.list(&format!("{all}?recursive=true"))?;
    let read = session.get(&one)?;
    check(read["id"] == made["id"], "it is found by its id", &read)?;
    // What comes some time after an item is there now.
    session.wait(600)?;
    session.get(&one)?;
    let mut patch = json!({"description": "Changed"});
    if !collection.lacks.contains(&Lack::Rename) {
        patch["displayName"] = "One_more".into();
    }
    let properties = (collection.patch)();
    if !properties.is_null() {
        patch["properties"] = properties;
    }
    let changed = session.patch(&one, patch)?;
    check(changed["description"] == "Changed", "the description is changed", &changed)?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "ItemNotFound")?;
    let body = collection.placed(session, &workspace, "Again")?;
    let again = id(&session.post(&all, body)?)?;
    let hard = if collection.lacks.contains(&Lack::HardDelete) { "" } else { "?hardDelete=true" };
    session.delete(&format!("{all}/{again}{hard}"))?;
    Ok(())
}

fn definitions(session: &mut Session<'_>, collection: &Collection) -> Step {
    let Some(part) = collection.part else { return Ok(()) };
    let workspace = workspace(session)?;
    let all = format!("{workspace}/{}", collection.path);
    let mut body = collection.body("Defined");
    body["definition"] = definition(part);
    let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
    let read = session.post(&format!("{one}/getDefinition"), NOTHING)?;
    session.post(&format!("{one}/updateDefinition"), json!({"definition": definition(part)}))?;
    if !collection.lacks.contains(&Lack::UpdateMetadata) {
        session.post(&format!("{one}/updateDefinition?updateMetadata=true"), read)?;
    }
    let broken = json!({"parts": [{"path": part, "payload": "%", "payloadType": "InlineBase64"}]});
    session.refused(
        "POST",
        &format!("{one}/updateDefinition"),
        json!({"definition": broken}),
        "CorruptedPayload",
    )
}

fn refused(session: &mut Session<'_>, collection: &Collection) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/{}", collection.path);
    let body = collection.placed(session, &workspace, "Taken")?;
    session.post(&all, body)?;
    let body = collection.placed(session, &workspace, "taken")?;
    session.refused("POST", &all, body, "ItemDisplayNameAlreadyInUse")?;
    if let Some(part) = collection.part {
        let mut body = collection.body("Broken");
        body["definition"] =
            json!({"parts": [{"path": part, "payload": "%", "payloadType": "InlineBase64"}]});
        session.refused("POST", &all, body, "CorruptedPayload")?;
    }
    Ok(())
}

fn too_many(session: &mut Session<'_>, collection: &Collection) -> Step {
    let workspace = workspace(session)?;
    let body = collection.placed(session, &workspace, "One")?;
    // What it is made inside of fills the workspace already.
    if !collection.inside {
        let other = if collection.path == "dataPipelines" { "Notebook" } else { "DataPipeline" };
        item(session, &workspace, other, "Other")?;
    }
    let all = format!("{workspace}/{}", collection.path);
    session.refused("POST", &all, body, "WorkspaceItemsLimitExceeded")
}
