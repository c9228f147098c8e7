//! Long-running operations: which requests become one, and their life from 202 to `Succeeded` or `Failed`.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::later;
use crate::config::LongRunning;
use crate::wire::timestamp;
use crate::world::{ApiError, World};

/// What an operation does to the world when its time has come, and the result it then has.
pub(crate) type Effect = Box<dyn FnOnce(&mut World) -> Result<Option<Value>, ApiError> + Send>;

#[derive(Default)]
pub(crate) struct Operations {
    all: HashMap<Uuid, Operation>,
    /// Running ones, in the order they were started.
    running: Vec<Running>,
}

struct Running {
    id: Uuid,
    due: OffsetDateTime,
    /// The workspace whose git connection is busy until this is done.
    git_of: Option<Uuid>,
    effect: Effect,
}

struct Operation {
    created: OffsetDateTime,
    updated: OffsetDateTime,
    state: OperationState,
}

/// Where an operation stands.
pub(crate) enum OperationState {
    Running,
    Succeeded(Option<Value>),
    Failed(ApiError),
}

impl Operations {
    pub(crate) fn start(
        &mut self,
        now: OffsetDateTime,
        takes: Duration,
        git_of: Option<Uuid>,
        effect: Effect,
    ) -> Uuid {
        let id = Uuid::new_v4();
        self.all.insert(id, Operation { created: now, updated: now, state: OperationState::Running });
        self.running.push(Running { id, due: later(now, takes), git_of, effect });
        id
    }

    /// Lets every operation whose time has come take effect as of that time, in the order in which they were due.
    pub(crate) fn settle(&mut self, world: &mut World) {
        let now = world.now;
        while let Some(running) = self.next_due(now) {
            world.now = running.due;
            let state = match (running.effect)(world) {
                Ok(result) => OperationState::Succeeded(result),
                Err(error) => OperationState::Failed(error),
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

    pub(crate) fn git_is_busy(&self, workspace: Uuid) -> bool {
        self.running.iter().any(|running| running.git_of == Some(workspace))
    }

    pub(crate) fn state(&self, id: &str) -> Option<&OperationState> {
        Some(&self.all.get(&id.parse().ok()?)?.state)
    }

    /// The operation as a poll shows it. A failed one is HTTP 200 too, and its error has no request id.
    pub(crate) fn poll(&self, id: &str) -> Option<Value> {
        let operation = self.all.get(&id.parse().ok()?)?;
        let (status, percent, error) = match &operation.state {
            OperationState::Running => ("Running", Value::Null, Value::Null),
            OperationState::Succeeded(_) => ("Succeeded", 100.into(), Value::Null),
            OperationState::Failed(error) => {
                let retriable = error.retriable.unwrap_or(false);
                (
                    "Failed",
                    Value::Null,
                    json!({"errorCode": error.code, "message": error.message, "isRetriable": retriable}),
                )
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
            // 120 where it is 20 otherwise.
            Self::Publish => usual * 6,
            _ => usual,
        }
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

/// As recorded from the service, by item type; a type nobody recorded is answered at once. Nobody recorded git:
/// what compares or moves content is taken to be long, a status not.
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
                | "SemanticModel"
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
        | Long::Restore => true,
        Long::GitStatus | Long::RefreshMetadata => false,
    }
}

/// Whether a request is one of those or runs a job, told by its route alone: faults are decided before anything is
/// parsed.
pub(crate) fn may_be_long_running(method: &str, path: &str) -> bool {
    let path = path.to_lowercase();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    match method {
        "POST" => matches!(
            last,
            "items"
                | "getdefinition"
                | "updatedefinition"
                | "initializeconnection"
                | "committogit"
                | "updatefromgit"
                | "publish"
                | "bulkexportdefinitions"
                | "bulkimportdefinitions"
                | "bulkcreate"
                | "resetshortcutcache"
                | "load"
                | "refreshmetadata"
                | "restorepoints"
                | "restore"
                | "instances"
        ),
        "GET" => path.trim_end_matches('/').ends_with("/git/status"),
        _ => false,
    }
}
