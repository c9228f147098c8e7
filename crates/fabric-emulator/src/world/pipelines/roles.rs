//! Who may use a deployment pipeline: its Admins, and nobody else.

use uuid::Uuid;

use super::super::{ApiError, World};

impl World {
    /// Gives a principal the role, once: giving it again changes nothing, as with Power BI's pipelines before these.
    pub(crate) fn add_pipeline_admin(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        principal: Uuid,
    ) -> Result<(), ApiError> {
        self.pipeline(caller, pipeline)?;
        self.check_principal(principal).map_err(|error| error.about(pipeline, "DeploymentPipeline"))?;
        let admins = &mut self.pipeline_mut(caller, pipeline)?.admins;
        if !admins.contains(&principal) {
            admins.push(principal);
        }
        Ok(())
    }

    pub(crate) fn remove_pipeline_admin(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        principal: Uuid,
    ) -> Result<(), ApiError> {
        let known = self.pipeline(caller, pipeline)?;
        if !known.admins.contains(&principal) {
            return Err(ApiError::not_found("EntityNotFound", principal, "RoleAssignment"));
        }
        if known.admins.len() == 1 {
            let message = "The last admin of a deployment pipeline cannot be removed";
            return Err(ApiError::new(400, "BadRequest", message).about(pipeline, "DeploymentPipeline"));
        }
        self.pipeline_mut(caller, pipeline)?.admins.retain(|admin| *admin != principal);
        Ok(())
    }
}
