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
    Collection { path, part: Some(part), defined: false, payload: nothing, patch: nothing, lacks: &[] }
}

const fn defined(path: &'static str, part: &'static str) -> Collection {
    Collection { defined: true, ..with(path, part) }
}

const fn without(path: &'static str) -> Collection {
    Collection { path, part: None, defined: false, payload: nothing, patch: nothing, lacks: &[] }
}

fn nothing() -> Value {
    NOTHING
}

#[rustfmt::skip]
const COLLECTIONS: &[Collection] = &[
    with("apacheAirflowJobs", "apacheairflowjob-content.json"),
    with("copyJobs", "copyjob-content.json"),
    with("dataPipelines", "pipeline-content.json"),
    with("dataflows", "queryMetadata.json"),
    with("environments", "Setting/Sparkcompute.yml"),
    Collection { payload: || json!({"minimumConsumptionUnits": 2.25}), ..with("eventhouses", "EventhouseProperties.json") },
    with("eventstreams", "eventstream.json"),
    with("graphQLApis", "graphql-definition.json"),
    with("kqlDashboards", "RealTimeDashboard.json"),
    with("kqlQuerysets", "RealTimeQueryset.json"),
    Collection { payload: || json!({"enableSchemas": true}), ..with("lakehouses", "lakehouse.metadata.json") },
    Collection { lacks: &[Lack::UpdateMetadata], ..defined("mirroredDatabases", "mirroring.json") },
    without("mlExperiments"),
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
            scenario(name("of somebody else"), |session| of_somebody_else(session, collection)),
        ]
    });
    each.chain([scenario("KQL databases", kql_databases)]).collect()
}

impl Collection {
    /// The body of a create.
    fn body(&self, name: &str) -> Value {
        let mut body = json!({"displayName": name, "description": "Made to be looked at"});
        if let Some(part) = self.part.filter(|_| self.defined) {
            body["definition"] = definition(part);
        }
        body
    }
}

fn lifecycle(session: &mut Session<'_>, collection: &Collection) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/{}", collection.path);
    let made = session.post(&all, collection.body("One"))?;
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
    let again = id(&session.post(&all, collection.body("Again"))?)?;
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
    session.refused("POST", &format!("{all}/{NOBODY}/getDefinition"), NOTHING, "ItemNotFound")?;
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
    session.post(&all, collection.body("Taken"))?;
    session.refused("POST", &all, collection.body("taken"), "ItemDisplayNameAlreadyInUse")?;
    let one = format!("{all}/{NOBODY}");
    session.refused("GET", &one, NOTHING, "ItemNotFound")?;
    session.refused("PATCH", &one, json!({"displayName": "a"}), "ItemNotFound")?;
    session.refused("DELETE", &one, NOTHING, "ItemNotFound")?;
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
    let other = if collection.path == "dataPipelines" { "Notebook" } else { "DataPipeline" };
    item(session, &workspace, other, "Other")?;
    let all = format!("{workspace}/{}", collection.path);
    session.refused("POST", &all, collection.body("One"), "WorkspaceItemsLimitExceeded")
}

fn of_somebody_else(session: &mut Session<'_>, collection: &Collection) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/{}", collection.path);
    let one = format!("{all}/{}", id(&session.post(&all, collection.body("One"))?)?);
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "Contributor"});
    session.post(&format!("{workspace}/roleAssignments"), role)?;
    session.become_the_stranger()?;
    session.get(&one)?;
    session.refused("DELETE", &format!("{one}?hardDelete=true"), NOTHING, "InsufficientWorkspaceRole")
}

/// Made inside of an eventhouse only.
fn kql_databases(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/kqlDatabases");
    let house = id(&session.post(&format!("{workspace}/eventhouses"), json!({"displayName": "House"}))?)?;
    let payload = json!({"databaseType": "ReadWrite", "parentEventhouseItemId": house});
    let body = json!({"displayName": "Database", "creationPayload": payload});
    let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
    session.list(&all)?;
    session.get(&one)?;
    session.patch(&one, json!({"description": "d"}))?;
    session.post(&format!("{one}/getDefinition"), NOTHING)?;
    let body = json!({"definition": definition("DatabaseProperties.json")});
    session.post(&format!("{one}/updateDefinition"), body)?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "ItemNotFound")
}
