//! Spark settings of a workspace.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::pool::STARTER_NAME;
use crate::world::ApiError;

/// `WorkspaceSparkSettings` of `spark/definitions.json` in Microsoft's OpenAPI documents, in the order of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SparkSettings {
    automatic_log: AutomaticLog,
    high_concurrency: HighConcurrency,
    pub(super) pool: PoolSettings,
    environment: EnvironmentSettings,
    job: JobSettings,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AutomaticLog {
    enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HighConcurrency {
    notebook_interactive_run_enabled: bool,
    notebook_pipeline_run_enabled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolSettings {
    customize_compute_enabled: bool,
    pub(super) default_pool: DefaultPool,
    pub(super) starter_pool: StarterPool,
}

/// A pool by its id or, where that is not there, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DefaultPool {
    pub(super) name: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) id: Option<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StarterPool {
    pub(super) max_node_count: u32,
    pub(super) max_executors: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnvironmentSettings {
    /// Not there as long as none was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    runtime_version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSettings {
    conservative_job_admission_enabled: bool,
    session_timeout_in_minutes: u32,
}

/// As recorded of a new workspace.
impl Default for SparkSettings {
    fn default() -> Self {
        Self {
            automatic_log: AutomaticLog { enabled: true },
            high_concurrency: HighConcurrency {
                notebook_interactive_run_enabled: true,
                notebook_pipeline_run_enabled: false,
            },
            pool: PoolSettings {
                customize_compute_enabled: true,
                default_pool: DefaultPool::of(STARTER_NAME, Uuid::nil()),
                starter_pool: StarterPool { max_node_count: 10, max_executors: 9 },
            },
            environment: EnvironmentSettings { name: None, runtime_version: "1.3".to_owned() },
            job: JobSettings { conservative_job_admission_enabled: false, session_timeout_in_minutes: 20 },
        }
    }
}

impl DefaultPool {
    pub(super) fn of(name: &str, id: Uuid) -> Self {
        Self { name: Some(name.to_owned()), r#type: Some("Workspace".to_owned()), id: Some(id) }
    }
}

impl SparkSettings {
    /// The settings with what a PATCH names taken over. Types are checked, unknown members are passed over.
    pub(super) fn patched(&self, patch: Value) -> Result<Self, ApiError> {
        let unreadable =
            |error: serde_json::Error| ApiError::invalid("settings", &format!("cannot be read: {error}"));
        let mut json = serde_json::to_value(self).map_err(unreadable)?;
        merge(&mut json, patch);
        let settings = Self::deserialize(json).map_err(unreadable)?;
        let StarterPool { max_node_count, max_executors } = settings.pool.starter_pool;
        match max_node_count.min(max_executors) {
            0 => Err(ApiError::invalid("starterPool", "has counts below 1")),
            _ => Ok(settings),
        }
    }
}

/// Objects are merged member by member, but for the default pool: an id that was there must not outlive a new name.
fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(patch)) => {
            for (key, value) in patch {
                match into.get_mut(&key) {
                    Some(old) if key != "defaultPool" => merge(old, value),
                    _ => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (into, patch) => *into = patch,
    }
}
