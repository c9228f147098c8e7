//! Long-running operations: which requests become one, and their life from 202 to `Succeeded` or `Failed`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::later;
use crate::config::LongRunning;
use crate::fault::{Ending, Past};
use crate::wire::timestamp;
use crate::world::{ApiError, World, stored};

/// What an operation does to the world when its time has come, and the result it then has.
pub(crate) type Effect = Box<dyn FnOnce(&mut World) -> Result<Option<Value>, ApiError> + Send>;

#[derive(Default)]
pub(crate) struct Operations {
    all: BTreeMap<Uuid, Operation>,
    /// Running ones, in the order they were started.
    running: Vec<Running>,
}

struct Running {
    id: Uuid,
    due: OffsetDateTime,
    /// What takes no second operation until this one is done.
    busy: Option<Busy>,
    effect: Effect,
    /// How a fault lets it end.
    ending: Option<Ending>,
}

/// What an operation keeps busy: of each there is one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// The git connection of a workspace.
    Git(Uuid),
    /// A deployment pipeline.
    Pipeline(Uuid),
    /// The making of restore points of a warehouse.
    RestorePoint(Uuid),
    /// The content of a warehouse that goes back to a restore point.
    Restoration(Uuid),
}

/// How an operation begins.
pub(crate) struct Order {
    pub(crate) now: OffsetDateTime,
    pub(crate) takes: Duration,
    pub(crate) retry_after: u32,
    pub(crate) caller: Uuid,
    pub(crate) workspace: Option<Uuid>,
    pub(crate) busy: Option<Busy>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    /// Who started it.
    pub(crate) caller: Uuid,
    /// Where, if it was in a workspace.
    pub(crate) workspace: Option<Uuid>,
    #[serde(with = "stored::time")]
    created: OffsetDateTime,
    #[serde(with = "stored::time")]
    updated: OffsetDateTime,
    /// Seconds after which the service says to look again.
    retry_after: u32,
    state: OperationState,
}

/// Where an operation stands.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum OperationState {
    Running,
    Succeeded(Option<Value>),
    Failed(Failure),
    /// What no documentation knows.
    Other(String),
}

/// What is kept of the refusal by which an operation failed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
    retriable: bool,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let retriable = error.retriable.unwrap_or(false);
        Self { code: error.code.to_owned(), message: error.message, retriable }
    }
}

impl OperationState {
    fn of(result: Option<Value>, ending: Option<Ending>) -> Self {
        match ending {
            None => Self::Succeeded(result),
            Some(Ending::Fails) => {
                let message = "An unexpected error occurred while processing the request";
                Self::Failed(ApiError::new(500, "UnknownError", message).into())
            }
            Some(Ending::Hangs) => Self::Running,
            Some(Ending::Status(status)) => Self::Other(status),
            Some(Ending::NoResult) => Self::Succeeded(None),
            Some(Ending::EmptyResult) => Self::Succeeded(Some(json!({}))),
        }
    }
}

/// Operations nothing more comes of.
impl From<BTreeMap<Uuid, Operation>> for Operations {
    fn from(all: BTreeMap<Uuid, Operation>) -> Self {
        Self { all, running: Vec::new() }
    }
}

impl Operations {
    pub(crate) fn start(&mut self, order: Order, effect: Effect, ending: Option<Ending>) -> Uuid {
        let Order { now, takes, retry_after, caller, workspace, busy } = order;
        let (id, state) = (Uuid::new_v4(), OperationState::Running);
        self.all.insert(id, Operation { caller, workspace, created: now, updated: now, retry_after, state });
        self.running.push(Running { id, due: later(now, takes), busy, effect, ending });
        id
    }

    /// Lets every operation whose time has come take effect as of that time, in the order in which they were due.
    pub(crate) fn settle(&mut self, world: &mut World, past: &mut Past) {
        let now = world.now;
        while let Some(running) = self.next_due(now) {
            world.now = running.due;
            past.remember(world);
            let state = match (running.effect)(world) {
                Ok(result) => OperationState::of(result, running.ending),
                Err(error) => OperationState::Failed(error.into()),
            };
            if let Some(operation) = self.all.get_mut(&running.id) {
                operation.state = state;
                operation.updated = running.due;
            }
        }
        world.now = now;
    }

    /// Takes out the running operation that was due first; of several at once, the one that was started first.
    fn next_due(&mut self, now: OffsetDateTime) -> Option<Running> {
        let due = self.running.iter().enumerate().filter(|(_, running)| running.due <= now);
        let (at, _) = due.min_by_key(|(_, running)| running.due)?;
        Some(self.running.remove(at))
    }

    /// Those whose time has not come, and when it does.
    pub(crate) fn running(&self) -> impl Iterator<Item = (Uuid, OffsetDateTime)> {
        self.running.iter().map(|running| (running.id, running.due))
    }

    /// All of them, by their ids.
    pub(crate) fn all(&self) -> &BTreeMap<Uuid, Operation> {
        &self.all
    }

    pub(crate) fn is_busy(&self, what: Busy) -> bool {
        self.running.iter().any(|running| running.busy == Some(what))
    }

    pub(crate) fn state(&self, id: &str) -> Option<&OperationState> {
        Some(&self.all.get(&id.parse().ok()?)?.state)
    }

    /// When the operation was last seen to move.
    pub(crate) fn updated(&self, id: Uuid) -> Option<OffsetDateTime> {
        Some(self.all.get(&id)?.updated)
    }

    pub(crate) fn retry_after(&self, id: &str) -> Option<u32> {
        Some(self.all.get(&id.parse().ok()?)?.retry_after)
    }

    /// The operation as a poll shows it. A failed one is HTTP 200 too, and its error has no request id.
    pub(crate) fn poll(&self, id: &str) -> Option<Value> {
        let operation = self.all.get(&id.parse().ok()?)?;
        let (status, percent, error) = match &operation.state {
            OperationState::Running => ("Running", Value::Null, Value::Null),
            OperationState::Other(status) => (status.as_str(), Value::Null, Value::Null),
            OperationState::Succeeded(_) => ("Succeeded", 100.into(), Value::Null),
            OperationState::Failed(error) => {
                let Failure { code, message, retriable } = error;
                let error = json!({"errorCode": code, "message": message, "isRetriable": retriable});
                ("Failed", Value::Null, error)
            }
        };
        Some(json!({
            "status": status,
            "createdTimeUtc": timestamp(operation.created),
            "lastUpdatedTimeUtc": timestamp(operation.updated),
            "percentComplete": percent,
            "error": error,
        }))
    }
}

/// The requests that may be long-running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Long<'a> {
    Create { kind: &'a str, with_definition: bool },
    GetDefinition { kind: &'a str },
    UpdateDefinition { kind: &'a str },
    GitInitialize,
    GitStatus,
    GitCommit,
    GitUpdate,
    Deploy,
    TestConnection,
    ProvisionIdentity,
    DeprovisionIdentity,
    Publish,
    BulkExport,
    BulkImport,
    CreateShortcuts,
    ResetShortcutCache,
    LoadTable,
    RefreshMetadata,
    CreateRestorePoint,
    Restore,
}

impl Long<'_> {
    /// Seconds after which the service says to look again, where it says `usual` of most operations.
    pub(crate) fn retry_after(self, usual: u32) -> u32 {
        match self {
            Self::ProvisionIdentity | Self::DeprovisionIdentity => usual.min(5),
            // 120 where it is 20 otherwise.
            Self::Publish => usual.saturating_mul(6),
            _ => usual,
        }
    }

    /// Whether the answer has the empty `ETag` that all answers about items have.
    pub(crate) fn has_etag(self) -> bool {
        !matches!(
            self,
            Self::Deploy | Self::TestConnection | Self::ProvisionIdentity | Self::DeprovisionIdentity
        )
    }
}

impl LongRunning {
    /// Whether the request is answered with 202.
    pub(crate) fn applies(self, request: Long<'_>) -> bool {
        match self {
            // The documents have no other answer to these two.
            Self::Always => !matches!(request, Long::Create { kind: "MirroredDatabase", .. }),
            Self::Never => request == Long::LoadTable,
            Self::Table => recorded_as_long(request),
        }
    }
}

/// As recorded from the service, by item type; a type nobody recorded is answered at once. Nobody recorded git,
/// deployments or tests: what compares or moves content is taken to be long, a status not.
fn recorded_as_long(request: Long<'_>) -> bool {
    match request {
        Long::Create { kind, with_definition } => match kind {
            "Notebook" | "Report" | "SemanticModel" | "Eventstream" | "KQLDatabase" | "SQLDatabase"
            | "MLModel" | "MLExperiment" | "CosmosDBDatabase" | "DigitalTwinBuilder" | "Warehouse" => true,
            "Lakehouse" | "Environment" | "Eventhouse" | "Map" | "UserDataFunction" => with_definition,
            _ => false,
        },
        Long::GetDefinition { kind } => matches!(
            kind,
            "Notebook"
                | "Report"
                | "SemanticModel"
                | "Environment"
                | "VariableLibrary"
                | "SQLDatabase"
                | "Eventhouse"
                | "KQLDatabase"
                | "GraphQLApi"
                | "GraphQuerySet"
                | "Map"
                | "UserDataFunction"
                | "CosmosDBDatabase"
                | "DigitalTwinBuilder"
        ),
        Long::UpdateDefinition { kind } => matches!(
            kind,
            "Notebook"
                | "Report"
                | "Lakehouse"
                | "Environment"
                | "Eventhouse"
                | "UserDataFunction"
                | "VariableLibrary"
                | "CosmosDBDatabase"
                | "DigitalTwinBuilderFlow"
        ),
        Long::GitInitialize
        | Long::GitCommit
        | Long::GitUpdate
        | Long::Publish
        | Long::BulkExport
        | Long::BulkImport
        | Long::CreateShortcuts
        | Long::ResetShortcutCache
        | Long::LoadTable
        | Long::CreateRestorePoint
        | Long::Restore
        | Long::Deploy
        | Long::ProvisionIdentity
        | Long::DeprovisionIdentity => true,
        Long::GitStatus | Long::RefreshMetadata | Long::TestConnection => false,
    }
}
