//! Environments: what is staged, what is published, and the publish in between.
//!
//! Libraries are the parts of the definition under `Libraries/`, so that both ways to set them agree. A definition's
//! `Setting/Sparkcompute.yml` replaces what was staged of the Spark compute; the part is not rewritten when that is
//! changed otherwise, for what the service does then is not documented.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, Definition, Details, Item, Part, Role, World};

const COMPUTE: &str = "Setting/Sparkcompute.yml";
const CUSTOM: &str = "Libraries/CustomLibraries/";
const EXTERNAL: &str = "Libraries/PublicLibraries/environment.yml";

/// The state of an environment besides its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) staged: Map<String, Value>,
    pub(crate) published: Published,
    pub(crate) publish: Publish,
}

/// A definition's Spark compute:
/// <https://learn.microsoft.com/rest/api/fabric/articles/item-management/definitions/environment-definition>.
#[derive(Deserialize)]
struct SparkCompute {
    driver_cores: Option<u32>,
    driver_memory: Option<String>,
    executor_cores: Option<u32>,
    executor_memory: Option<String>,
    dynamic_executor_allocation: Option<Allocation>,
    /// Pairs, or a list of pairs: both are in use.
    spark_conf: Option<Value>,
    runtime_version: Option<String>,
}

#[derive(Deserialize)]
struct Allocation {
    enabled: bool,
    min_executors: u32,
    max_executors: u32,
}

/// What sessions get that use the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) compute: Map<String, Value>,
    pub(crate) libraries: Vec<Part>,
}

/// The latest publish: over when its time has come, unless it was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) version: Uuid,
    pub(crate) started: OffsetDateTime,
    pub(crate) ends: OffsetDateTime,
    cancelled: bool,
    /// What will be published.
    content: Published,
}

/// A library that is installed by name, as `environment.yml` lists it.
pub(crate) struct ExternalLibrary<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

impl Environment {
    /// Nothing is staged, and that is published.
    pub(super) fn new(now: OffsetDateTime) -> Self {
        let content = Published::default();
        let publish = Publish { version: Uuid::new_v4(), started: now, ends: now, cancelled: false, content };
        Self { staged: Map::new(), published: Published::default(), publish }
    }

    /// `Running`, `Success` or `Cancelled`.
    pub(crate) fn state(&self, now: OffsetDateTime) -> &'static str {
        match &self.publish {
            Publish { cancelled: true, .. } => "Cancelled",
            Publish { ends, .. } if *ends > now => "Running",
            _ => "Success",
        }
    }

    /// What is in force.
    pub(crate) fn published(&self, now: OffsetDateTime) -> &Published {
        if self.state(now) == "Success" { &self.publish.content } else { &self.published }
    }
}

impl Definition {
    /// The Spark compute that an environment's definition stages, if it says anything of it.
    ///
    /// # Errors
    /// The part cannot be read.
    pub(super) fn spark_compute(parts: &[Part]) -> Result<Option<Map<String, Value>>, ApiError> {
        let Some(part) = parts.iter().find(|part| part.path == COMPUTE) else { return Ok(None) };
        let read: SparkCompute = serde_saphyr::from_slice(&part.content).map_err(|error| {
            ApiError::new(400, "InvalidDefinitionParts", "The definition parts are invalid")
                .because("InvalidDefinitionParts", format!("`{COMPUTE}` cannot be read: {error}"))
        })?;
        let said = [
            ("driverCores", read.driver_cores.map(Value::from)),
            ("driverMemory", read.driver_memory.map(Value::from)),
            ("executorCores", read.executor_cores.map(Value::from)),
            ("executorMemory", read.executor_memory.map(Value::from)),
            ("dynamicExecutorAllocation", read.dynamic_executor_allocation.map(|it| {
                json!({"enabled": it.enabled, "minExecutors": it.min_executors, "maxExecutors": it.max_executors})
            })),
            ("sparkProperties", read.spark_conf.map(|conf| spark_properties(&conf))),
            ("runtimeVersion", read.runtime_version.map(Value::from)),
        ];
        Ok(Some(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()))
    }

    /// Names of the custom libraries.
    pub(crate) fn custom_libraries(parts: &[Part]) -> impl Iterator<Item = &str> {
        parts.iter().filter_map(|part| part.path.strip_prefix(CUSTOM))
    }

    /// The `environment.yml` of the external libraries.
    pub(crate) fn external_libraries(parts: &[Part]) -> Option<&[u8]> {
        parts.iter().find(|part| part.path == EXTERNAL).map(|part| part.content.as_slice())
    }

    fn libraries(&self) -> Vec<Part> {
        self.parts.iter().filter(|part| part.path.starts_with("Libraries/")).cloned().collect()
    }

    fn set_part(&mut self, path: String, content: Option<Vec<u8>>) {
        self.parts.retain(|part| part.path != path);
        self.parts.extend(content.map(|content| Part { path, content }));
    }
}

fn spark_properties(conf: &Value) -> Value {
    let maps = conf.as_array().map_or(std::slice::from_ref(conf), Vec::as_slice).iter();
    let pairs = maps.filter_map(Value::as_object).flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    pairs.map(|(key, value)| json!({"key": key, "value": text(value)})).collect()
}

/// The lines `- name==version` of an `environment.yml`; other forms of naming a library are not understood.
pub(crate) fn listed(yml: &str) -> impl Iterator<Item = ExternalLibrary<'_>> {
    yml.lines().filter_map(|line| {
        let (name, version) = line.trim().strip_prefix("- ")?.split_once("==")?;
        Some(ExternalLibrary { name: name.trim(), version: version.trim() })
    })
}

impl World {
    /// The environment with that id, if the caller may do that much.
    pub(crate) fn environment(
        &self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        least: Role,
    ) -> Result<(&Item, &Environment), ApiError> {
        let item = self.workspace(caller, workspace, least)?.item(id)?;
        match &item.details {
            Details::Environment(environment) => Ok((item, environment)),
            _ => Err(ApiError::not_found("ItemNotFound", id, "Item")),
        }
    }

    fn environment_mut(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
    ) -> Result<(&mut Definition, &mut Environment), ApiError> {
        self.environment(caller, workspace, id, Role::Contributor)?;
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(id)?;
        match &mut item.details {
            Details::Environment(environment) => Ok((&mut item.definition, environment)),
            _ => Err(ApiError::not_found("ItemNotFound", id, "Item")),
        }
    }

    /// Starts to publish what is staged. Returns whether there is anything to do: without, it is done at once.
    pub(crate) fn publish_environment(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        takes: std::time::Duration,
    ) -> Result<bool, ApiError> {
        let now = self.now;
        let (definition, environment) = self.environment_mut(caller, workspace, id)?;
        if environment.state(now) == "Running" {
            let message = "The environment cannot be published";
            let why = "Another publish of the environment is under way";
            return Err(ApiError::new(400, "InvalidEnvironmentPublish", message)
                .because("EnvironmentAnotherOngoingPublishProcess", why));
        }
        let published = environment.published(now).clone();
        let content = Published { compute: environment.staged.clone(), libraries: definition.libraries() };
        let differs = content != published;
        environment.published = published;
        environment.publish = Publish {
            version: Uuid::new_v4(),
            started: now,
            ends: if differs { crate::clock::later(now, takes) } else { now },
            cancelled: false,
            content,
        };
        Ok(differs)
    }

    pub(crate) fn cancel_publish(&mut self, caller: Uuid, workspace: Uuid, id: Uuid) -> Result<(), ApiError> {
        let now = self.now;
        let (_, environment) = self.environment_mut(caller, workspace, id)?;
        if environment.state(now) != "Running" {
            // The service's own spelling.
            let (code, why) = ("EnvironmentUpsupportedStateForCancel", "No publish is under way");
            let message = "The publish of the environment cannot be cancelled";
            return Err(ApiError::new(400, "InvalidEnvironmentCancel", message).because(code, why));
        }
        environment.publish.cancelled = true;
        environment.publish.ends = now;
        Ok(())
    }

    /// Changes what the request names of the staged Spark compute.
    pub(crate) fn stage_compute(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        change: Map<String, Value>,
    ) -> Result<(), ApiError> {
        let (_, environment) = self.environment_mut(caller, workspace, id)?;
        environment.staged.extend(change);
        Ok(())
    }

    /// Puts a custom library into staging, or takes it out.
    pub(crate) fn stage_library(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        name: &str,
        content: Option<Vec<u8>>,
    ) -> Result<(), ApiError> {
        let (definition, _) = self.environment_mut(caller, workspace, id)?;
        if ![".whl", ".py", ".jar", ".tar.gz"].iter().any(|ending| name.ends_with(ending)) {
            let why = format!("`{name}` is no wheel, Python, jar or tar.gz file");
            return Err(validation_failed(&why));
        }
        if content.is_none() && !Definition::custom_libraries(&definition.parts).any(|known| known == name) {
            return Err(validation_failed(&format!("no library `{name}` is staged")));
        }
        definition.set_part(format!("{CUSTOM}{name}"), content);
        Ok(())
    }

    /// Replaces the list of external libraries.
    pub(crate) fn stage_external(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        yml: Vec<u8>,
    ) -> Result<(), ApiError> {
        let (definition, _) = self.environment_mut(caller, workspace, id)?;
        if std::str::from_utf8(&yml).is_err() {
            return Err(validation_failed("the list of libraries is not UTF-8"));
        }
        definition.set_part(EXTERNAL.to_owned(), Some(yml));
        Ok(())
    }

    /// Takes one library out of the list of external ones.
    pub(crate) fn unstage_external(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        gone: &ExternalLibrary<'_>,
    ) -> Result<(), ApiError> {
        let (definition, _) = self.environment_mut(caller, workspace, id)?;
        let missing = || validation_failed(&format!("no external library `{}` is staged", gone.name));
        let yml = Definition::external_libraries(&definition.parts).ok_or_else(missing)?;
        let yml = String::from_utf8_lossy(yml).into_owned();
        let is_gone = |line: &&str| {
            listed(line).any(|library| library.name == gone.name && library.version == gone.version)
        };
        let kept: Vec<&str> = yml.lines().filter(|line| !is_gone(line)).collect();
        if kept.len() == yml.lines().count() {
            return Err(missing());
        }
        definition.set_part(EXTERNAL.to_owned(), Some((kept.join("\n") + "\n").into_bytes()));
        Ok(())
    }
}

pub(crate) fn no_libraries() -> ApiError {
    let message = "This environment does not have any published libraries. Please publish libraries.";
    ApiError::new(404, "EnvironmentLibrariesNotFound", message).retriable(false)
}

fn validation_failed(why: &str) -> ApiError {
    ApiError::new(400, "EnvironmentValidationFailed", "The environment is invalid")
        .because("EnvironmentValidationFailed", why)
}

/// What the compute of an environment is where nothing else was staged.
pub(crate) fn default_compute() -> Map<String, Value> {
    let compute = json!({
        "instancePool": {"name": "Starter Pool", "type": "Workspace"},
        "driverCores": 8,
        "driverMemory": "56g",
        "executorCores": 8,
        "executorMemory": "56g",
        "dynamicExecutorAllocation": {"enabled": true, "minExecutors": 1, "maxExecutors": 9},
        "sparkProperties": [],
        "runtimeVersion": "1.3",
    });
    compute.as_object().cloned().unwrap_or_default()
}
