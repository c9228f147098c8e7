//! Audit settings of what speaks SQL. Nothing is audited.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApiError, Role, World};

/// The settings of one warehouse, SQL endpoint or SQL database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqlAudit {
    pub(crate) state: AuditState,
    /// 0 is for ever.
    pub(crate) retention_days: u32,
    pub(crate) groups: Vec<String>,
    /// Which statements are audited; only SQL databases have it.
    pub(crate) predicate: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AuditState {
    Enabled,
    Disabled,
}

/// What a PATCH says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SqlAuditPatch {
    state: Option<AuditState>,
    retention_days: Option<u32>,
    audit_actions_and_groups: Option<Vec<String>>,
    predicate_expression: Option<String>,
}

/// As long as nobody has said anything else.
impl Default for SqlAudit {
    fn default() -> Self {
        let groups = [
            "BATCH_COMPLETED_GROUP",
            "FAILED_DATABASE_AUTHENTICATION_GROUP",
            "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
        ];
        Self {
            state: AuditState::Disabled,
            retention_days: 0,
            groups: groups.map(str::to_owned).into(),
            predicate: String::new(),
        }
    }
}

impl SqlAudit {
    /// `None` where nobody has changed anything.
    pub(super) fn inventory(&self) -> Option<Value> {
        (*self != Self::default()).then(|| json!(self))
    }
}

impl World {
    /// Changes what the request names; a list of groups is replaced.
    pub(crate) fn update_sql_audit(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        patch: SqlAuditPatch,
    ) -> Result<(), ApiError> {
        // The documents ask for a permission of its own, `audit`: of the roles, an Admin has every permission.
        let item = self.workspace(caller, workspace, Role::Contributor)?.item(id)?;
        let least = if item.kind == "SQLDatabase" { Role::Contributor } else { Role::Admin };
        let item = self.workspace_mut(caller, workspace, least)?.item_mut(id)?;
        let audit = &mut item.contents.sql_audit;
        audit.state = patch.state.unwrap_or(audit.state);
        audit.retention_days = patch.retention_days.unwrap_or(audit.retention_days);
        if let Some(groups) = patch.audit_actions_and_groups {
            audit.groups = groups;
        }
        if let Some(predicate) = patch.predicate_expression {
            audit.predicate = predicate;
        }
        Ok(())
    }
}

impl SqlAuditPatch {
    /// One that replaces the groups and nothing else.
    pub(crate) fn groups(groups: Vec<String>) -> Self {
        Self {
            state: None,
            retention_days: None,
            audit_actions_and_groups: Some(groups),
            predicate_expression: None,
        }
    }

    /// Without what only SQL databases have.
    pub(crate) fn of_a_warehouse(self) -> Self {
        Self { audit_actions_and_groups: None, predicate_expression: None, ..self }
    }
}
