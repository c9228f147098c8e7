//! Spark pools: the one that every workspace has, and custom ones.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::settings::StarterPool;
use crate::world::{ApiError, same_name};

pub(super) const STARTER_NAME: &str = "Starter Pool";
const MAX_NAME: usize = 64;
const NODE_SIZES: [&str; 5] = ["Small", "Medium", "Large", "XLarge", "XXLarge"];
/// The only family there is.
const NODE_FAMILY: &str = "MemoryOptimized";

/// A pool as the service shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pool {
    pub(crate) id: Uuid,
    r#type: &'static str,
    pub(super) name: String,
    node_family: &'static str,
    node_size: &'static str,
    auto_scale: AutoScale,
    dynamic_executor_allocation: Allocation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AutoScale {
    enabled: bool,
    min_node_count: u32,
    max_node_count: u32,
}

/// The bounds are not shown where it is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocation {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_executors: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_executors: Option<u32>,
}

/// What a create or an update of a pool says.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolInput {
    name: Option<String>,
    node_family: Option<String>,
    node_size: Option<String>,
    auto_scale: Option<AutoScale>,
    dynamic_executor_allocation: Option<Allocation>,
}

impl Pool {
    /// The pool that every workspace has, as the settings say.
    pub(super) fn starter(settings: &StarterPool) -> Self {
        Self {
            id: Uuid::nil(),
            r#type: "Workspace",
            name: STARTER_NAME.to_owned(),
            node_family: NODE_FAMILY,
            node_size: "Medium",
            auto_scale: AutoScale {
                enabled: true,
                min_node_count: 1,
                max_node_count: settings.max_node_count,
            },
            dynamic_executor_allocation: Allocation {
                enabled: true,
                min_executors: Some(1),
                max_executors: Some(settings.max_executors),
            },
        }
    }
}

impl PoolInput {
    /// The pool this makes: anew where `old` is none, and then all of it must be there.
    pub(super) fn into_pool(self, old: Option<Pool>) -> Result<Pool, ApiError> {
        let required = |field| ApiError::invalid(field, "is required");
        let read = |field, text: Option<String>, known: &[&'static str]| {
            let found = text.map(|text| known.iter().copied().find(|known| same_name(known, &text)));
            found
                .map(|found| found.ok_or_else(|| ApiError::invalid(field, "has an invalid value")))
                .transpose()
        };
        read("nodeFamily", self.node_family.clone(), &[NODE_FAMILY])?;
        if old.is_none() && self.node_family.is_none() {
            return Err(required("nodeFamily"));
        }
        let size = read("nodeSize", self.node_size, &NODE_SIZES)?;
        let old = old.as_ref();
        let name = self.name.or_else(|| old.map(|old| old.name.clone()));
        let scale = self.auto_scale.or_else(|| old.map(|old| old.auto_scale));
        let allocation =
            self.dynamic_executor_allocation.or_else(|| old.map(|old| old.dynamic_executor_allocation));
        Ok(Pool {
            id: old.map_or_else(Uuid::new_v4, |old| old.id),
            r#type: "Workspace",
            name: checked_name(name.ok_or_else(|| required("name"))?)?,
            node_family: NODE_FAMILY,
            node_size: size.or_else(|| old.map(|old| old.node_size)).ok_or_else(|| required("nodeSize"))?,
            auto_scale: scale.ok_or_else(|| required("autoScale"))?.checked()?,
            dynamic_executor_allocation: allocation
                .ok_or_else(|| required("dynamicExecutorAllocation"))?
                .checked()?,
        })
    }
}

impl AutoScale {
    fn checked(self) -> Result<Self, ApiError> {
        let good = (1..=self.max_node_count).contains(&self.min_node_count);
        if good { Ok(self) } else { Err(ApiError::invalid("autoScale", "has no valid node counts")) }
    }
}

impl Allocation {
    fn checked(self) -> Result<Self, ApiError> {
        match (self.enabled, self.min_executors, self.max_executors) {
            (false, ..) => Ok(Self { enabled: false, min_executors: None, max_executors: None }),
            (true, Some(min), Some(max)) if (1..=max).contains(&min) => Ok(self),
            _ => Err(ApiError::invalid("dynamicExecutorAllocation", "has no valid numbers of executors")),
        }
    }
}

fn checked_name(name: String) -> Result<String, ApiError> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let length = name.chars().count();
    if !(1..=MAX_NAME).contains(&length) || !name.chars().all(good) {
        return Err(ApiError::invalid(
            "name",
            "must be 1 to 64 letters, digits, dashes, underscores and spaces",
        ));
    }
    if same_name(&name, STARTER_NAME) {
        return Err(ApiError::invalid("name", "is reserved"));
    }
    Ok(name)
}
