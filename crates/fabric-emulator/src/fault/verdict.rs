//! What the faults decided for one request.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, header};
use time::OffsetDateTime;

use super::action::{Action, Effect, Ending, Substitute};
use super::edit::Edit;
use crate::wire::{Incoming, Reply};
use crate::wire_fault::Disruption;

/// The actions that hit a request. At most one of them settles what is answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    hits: Vec<Action>,
    names: Vec<String>,
}

/// What a request that is carried out finds different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tweaks {
    /// The end of its operation, and whether the effect takes place by then.
    pub(crate) operation: Option<(bool, Ending)>,
    /// Whether it is an operation, if the settings do not say.
    pub(crate) long_running: Option<bool>,
    /// The age of the world that it sees.
    pub(crate) lag: Option<Duration>,
}

impl Verdict {
    /// `name` is what the log calls it: the action as it was asked for.
    pub(super) fn add(&mut self, name: String, action: Action) {
        self.hits.push(action);
        self.names.push(name);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.hits.iter().any(Action::decides)
    }

    /// The faults as they can be asked for again, in their order.
    pub(crate) fn name(&self) -> Option<String> {
        (!self.names.is_empty()).then(|| self.names.join("; "))
    }

    pub(crate) fn latency(&self) -> Duration {
        let latencies = self.hits.iter().filter_map(|hit| match hit {
            Action::Latency(latency) => Some(*latency),
            _ => None,
        });
        latencies.fold(Duration::ZERO, Duration::saturating_add)
    }

    /// What becomes of the request, and what is answered if it is not the answer to that.
    pub(crate) fn effect(&self) -> (Effect, Option<&Substitute>) {
        let settled = self.hits.iter().find_map(|hit| match hit {
            Action::Instead { effect, answer } => Some((*effect, Some(answer))),
            Action::Operation { effect: Effect::Partial, .. } => Some((Effect::Partial, None)),
            _ => None,
        });
        settled.unwrap_or((Effect::Whole, None))
    }

    pub(crate) fn capacities(&self) -> Option<bool> {
        self.hits.iter().rev().find_map(|hit| match hit {
            Action::Capacities { active } => Some(*active),
            _ => None,
        })
    }

    pub(crate) fn is_twice(&self) -> bool {
        self.hits.contains(&Action::Twice)
    }

    pub(crate) fn tweaks(&self) -> Tweaks {
        let mut tweaks = Tweaks::default();
        for hit in &self.hits {
            match hit {
                Action::Operation { effect, ending } => {
                    tweaks.operation = Some((*effect != Effect::Nothing, ending.clone()));
                }
                Action::AsOperation => tweaks.long_running = Some(true),
                Action::AtOnce => tweaks.long_running = Some(false),
                Action::Lag(lag) => tweaks.lag = tweaks.lag.max(Some(*lag)),
                _ => {}
            }
        }
        tweaks
    }

    /// Changes the answer as the edits say.
    pub(crate) fn edit(&self, request: &Incoming, now: OffsetDateTime, response: &mut Response<Bytes>) {
        for hit in &self.hits {
            if let Action::Edit(edit) = hit {
                edit.apply(request, now, response);
            }
        }
    }

    /// The answer as it goes on its way.
    pub(crate) fn send(&self, response: Response<Bytes>) -> Result<Response<Bytes>, Disruption> {
        let rate = self.hits.iter().rev().find_map(|hit| match hit {
            Action::Bandwidth(rate) => Some(*rate),
            _ => None,
        });
        let cut = self.hits.iter().find_map(|hit| match hit {
            Action::Cut { after, reset } => Some((*after, *reset)),
            _ => None,
        });
        let more = self.hits.iter().find_map(|hit| match hit {
            Action::ContentLength(more) => Some(*more),
            _ => None,
        });
        match (cut, more, rate) {
            (Some((after, reset)), _, rate) => Err(Disruption::cut(response, after, reset).at(rate)),
            (_, Some(more), rate) => Err(Disruption::overstated(response, more).at(rate)),
            (_, _, Some(rate)) => Err(Disruption::whole(response).at(Some(rate))),
            _ => Ok(response),
        }
    }
}

impl Substitute {
    /// What is answered in its place.
    pub(crate) fn answer(
        &self,
        request: &Incoming,
        now: OffsetDateTime,
    ) -> Result<Response<Bytes>, Disruption> {
        match self {
            Self::Error { status, edits } => {
                let mut response = super::injected(request.api, *status);
                edits.iter().for_each(|edit: &Edit| edit.apply(request, now, &mut response));
                Ok(response)
            }
            Self::Redirect(to) => {
                let location = format!("{to}{}", request.target);
                Ok(Reply::empty(307).header(header::LOCATION, location).plain())
            }
            Self::Reset => Err(Disruption::reset()),
            Self::Garbage => Err(Disruption::garbage()),
            Self::Silence => Err(Disruption::silence()),
        }
    }
}
