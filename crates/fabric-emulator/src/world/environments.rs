//! Environments: what is staged, what is published, and the publish in between.
//!
//! Libraries are the parts of the definition under `Libraries/`, so that both ways to set them agree. The Spark compute
//! is kept apart from `Setting/Sparkcompute.yml`: how the service brings the two together is not documented.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, Definition, Details, Item, Part, Role, World};

const CUSTOM: &str = "Libraries/CustomLibraries/";
const EXTERNAL: &str = "Libraries/PublicLibraries/environment.yml";

/// The state of an environment besides its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) staged: Map<String, Value>,
    pub(crate) published: Published,
    pub(crate) publish: Publish,
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
