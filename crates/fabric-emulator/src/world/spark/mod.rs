//! Spark in a workspace: its settings and its custom pools. Nothing of it works without a capacity.

mod pool;
mod settings;

use serde_json::{Value, json};
use uuid::Uuid;

use super::inventory::sorted;
use super::{ApiError, Role, World, same_name};
use pool::STARTER_NAME;
pub(crate) use pool::{Pool, PoolInput};
use settings::DefaultPool;
pub(crate) use settings::SparkSettings;

#[derive(Clone, Default)]
pub(crate) struct Spark {
    settings: SparkSettings,
    /// Custom ones.
    pools: Vec<Pool>,
}

impl Spark {
    /// The settings; the default pool under the name that it has now. One that was deleted is the starter pool.
    pub(crate) fn settings(&self) -> SparkSettings {
        let mut settings = self.settings.clone();
        let default = settings.pool.default_pool.id;
        let pool = self.pools.iter().find(|pool| Some(pool.id) == default);
        settings.pool.default_pool = pool.map_or_else(
            || DefaultPool::of(STARTER_NAME, Uuid::nil()),
            |pool| DefaultPool::of(&pool.name, pool.id),
        );
        settings
    }

    /// The pools: first the one that every workspace has.
    pub(crate) fn pools(&self) -> impl Iterator<Item = Pool> {
        let starter = Pool::starter(&self.settings.pool.starter_pool);
        std::iter::once(starter).chain(self.pools.iter().cloned())
    }

    pub(crate) fn pool(&self, id: Uuid) -> Result<Pool, ApiError> {
        let pool = self.pools().find(|pool| pool.id == id);
        pool.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "SparkPool"))
    }

    /// By natural keys; `None` as long as all is as it was made.
    pub(super) fn inventory(&self) -> Option<Value> {
        let mut settings = json!(self.settings());
        if let Some(Value::Object(default)) = settings.pointer_mut("/pool/defaultPool") {
            default.remove("id");
        }
        let pools = self.pools.iter().map(|pool| {
            let mut pool = json!(pool);
            pool["id"] = Value::Null;
            pool
        });
        let untouched = self.pools.is_empty() && self.settings == SparkSettings::default();
        (!untouched).then(|| json!({"settings": settings, "pools": sorted(pools)}))
    }
}

impl World {
    pub(crate) fn spark(&self, caller: Uuid, workspace: Uuid, least: Role) -> Result<&Spark, ApiError> {
        let workspace = self.workspace(caller, workspace, least)?;
        self.check_runs(workspace, || {
            let message = "A workspace with a capacity assigned is required for the operation";
            ApiError::new(400, "WorkspaceHasNoCapacityAssigned", message)
        })?;
        Ok(&workspace.spark)
    }

    fn spark_mut(&mut self, caller: Uuid, workspace: Uuid) -> Result<&mut Spark, ApiError> {
        self.spark(caller, workspace, Role::Admin)?;
        Ok(&mut self.workspace_mut(caller, workspace, Role::Admin)?.spark)
    }

    pub(crate) fn update_spark_settings(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        patch: Value,
    ) -> Result<SparkSettings, ApiError> {
        let spark = self.spark_mut(caller, workspace)?;
        let mut settings = spark.settings().patched(patch)?;
        let DefaultPool { name, id, .. } = &settings.pool.default_pool;
        let is_meant = |pool: &Pool| match (id, name) {
            (Some(id), _) => pool.id == *id,
            (None, name) => name.as_deref().is_some_and(|name| same_name(name, &pool.name)),
        };
        let pool = spark.pools().find(is_meant);
        let pool = pool.ok_or_else(|| ApiError::invalid("defaultPool", "names no pool of the workspace"))?;
        settings.pool.default_pool = DefaultPool::of(&pool.name, pool.id);
        spark.settings = settings;
        Ok(spark.settings())
    }

    pub(crate) fn create_pool(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        new: PoolInput,
    ) -> Result<Pool, ApiError> {
        let spark = self.spark_mut(caller, workspace)?;
        let pool = new.into_pool(None)?;
        spark.check_free(&pool)?;
        spark.pools.push(pool.clone());
        Ok(pool)
    }

    pub(crate) fn update_pool(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        patch: PoolInput,
    ) -> Result<Pool, ApiError> {
        let spark = self.spark_mut(caller, workspace)?;
        let at = spark.custom(id)?;
        let pool = patch.into_pool(spark.pools.get(at).cloned())?;
        spark.check_free(&pool)?;
        if let Some(old) = spark.pools.get_mut(at) {
            old.clone_from(&pool);
        }
        Ok(pool)
    }

    pub(crate) fn delete_pool(&mut self, caller: Uuid, workspace: Uuid, id: Uuid) -> Result<(), ApiError> {
        let spark = self.spark_mut(caller, workspace)?;
        let at = spark.custom(id)?;
        spark.pools.remove(at);
        Ok(())
    }
}

impl Spark {
    /// The place of a pool that can be changed.
    fn custom(&self, id: Uuid) -> Result<usize, ApiError> {
        if id.is_nil() {
            return Err(ApiError::invalid("poolId", "is the starter pool's, which the settings change"));
        }
        let at = self.pools.iter().position(|pool| pool.id == id);
        at.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "SparkPool"))
    }

    /// Whether no other pool has the name. How the service refuses it is a guess.
    fn check_free(&self, pool: &Pool) -> Result<(), ApiError> {
        let taken = self.pools.iter().any(|other| other.id != pool.id && same_name(&other.name, &pool.name));
        match taken {
            true => Err(ApiError::new(409, "EntityConflict", "The name of the pool is already in use")),
            false => Ok(()),
        }
    }
}
