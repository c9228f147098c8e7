//! Items copied from one stage of a deployment pipeline to the next.
//!
//! <https://learn.microsoft.com/rest/api/fabric/core/deployment-pipelines>

use selvedge_fabric_client::deployment_pipelines::{self as pipelines, Deployment};
use selvedge_fabric_client::{Accepted, ErrorKind, ResultKind, Started};
use selvedge_rollback::{Failure, Found, Progress, Reach};

use super::failure::{conflict, once, operation, read};
use super::{Attempt, Fabric, Secrets, TargetError, operation_text};
use crate::change::Receipt;
use crate::promotion::Promotion;

impl<S: Secrets> Fabric<S> {
    /// What was shown to whoever agreed is what the stages held then: another deployment may have changed that.
    pub(super) async fn promote(&self, promotion: &Promotion) -> Attempt<Progress<Receipt>> {
        if !promotion.since(&self.client).await.map_err(read)?.is_empty() {
            return Err(conflict("somebody has deployed through the pipeline since it was looked at"));
        }
        let call = pipelines::deploy(promotion.pipeline, &promotion.order());
        match self.client.start(call).await.map_err(once)? {
            Started::Done(()) => Ok(Progress::Done(Receipt::Promoted { left_out: Vec::new() })),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    /// Waits for its end. One that has failed may have copied a part: the pipeline knows which.
    pub(super) async fn promoted(&self, promotion: &Promotion, accepted: &Accepted) -> Attempt<Receipt> {
        let Err(error) = self.client.wait::<()>(accepted, ResultKind::None).await else {
            return Ok(Receipt::Promoted { left_out: Vec::new() });
        };
        if !matches!(error.kind(), ErrorKind::OperationFailed(_)) {
            return Err(operation(error));
        }
        let Ok(Some(ended)) = self.ended(promotion).await else {
            // It is read back once more, where somebody must know.
            return Err(operation(error));
        };
        let left_out = promotion.left_out(&ended);
        if left_out.len() < promotion.items.len() {
            return Ok(Receipt::Promoted { left_out });
        }
        let reasons = left_out.iter().filter_map(|left| {
            let item = promotion.item(left.item)?;
            Some(format!("\n{item}: {}", left.reason))
        });
        let error = TargetError::NotPromoted { reasons: reasons.collect(), source: error };
        // It has ended, and was looked up.
        Err(Failure { error, reach: Reach::Unsent, resend_after: None })
    }

    pub(super) async fn find_promoted(&self, promotion: &Promotion) -> Attempt<Found<Receipt>> {
        let Some(ended) = self.ended(promotion).await? else { return Ok(Found::Absent) };
        let left_out = promotion.left_out(&ended);
        Ok(match left_out.len() < promotion.items.len() {
            true => Found::Done(Receipt::Promoted { left_out }),
            false => Found::Absent,
        })
    }

    /// The deployment that is this one, at its end.
    async fn ended(&self, promotion: &Promotion) -> Attempt<Option<Deployment>> {
        let look = async || promotion.find(&self.client).await.map_err(read);
        let is_over = self.until(|| async { Ok(look().await?.is_none_or(|one| one.has_ended())) }).await?;
        match look().await? {
            Some(running) if !is_over && !running.has_ended() => {
                let error = TargetError::Conflict("the deployment is still running".to_owned());
                Err(Failure { error, reach: Reach::Pending, resend_after: None })
            }
            found => Ok(found),
        }
    }
}
