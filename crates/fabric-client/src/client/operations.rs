//! Long-running operations: started, waited for, and read.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/articles/long-running-operation>.

use super::{Client, decode};
use crate::{
    Error, ErrorKind, Lro, OperationId, Response, ResultKind, events,
    operations::{self, State},
};
use http::{StatusCode, header::LOCATION};
use selvedge_resilience::{Outcome, http::retry_after as read_retry_after};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// Polls that may fail one after another before the wait is given up. One that was too early is none of them.
const MOST_FAILED_POLLS: u32 = 5;

/// The name of waiting in errors, where the request that began it is not known.
const WAIT: &str = "operations.wait";

/// How an operation is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollConfig {
    /// The pause before the first poll, doubled after each further one. Default 500 ms.
    pub first_poll: Duration,
    /// The longest pause between two polls where the service names none. Default 20 s.
    pub max_interval: Duration,
    /// How long an operation is waited for in all. Default 30 min.
    pub deadline: Duration,
    /// What the service's `Retry-After` counts. Default [`PollMode::Adaptive`].
    pub mode: PollMode,
}

/// What the `Retry-After` of an accepted or running operation counts. On 429 and 503 it is a floor in either mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PollMode {
    /// The longest pause: most operations are done long before the 20 s that the service names.
    #[default]
    Adaptive,
    /// The pause.
    RetryAfter,
}

/// An operation that the service has accepted and not finished. It can be stored and waited for by another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The operation.
    pub operation: OperationId,
    /// What the service named as the time to wait before the first poll.
    pub retry_after: Option<Duration>,
}

/// What became of a request that may be long-running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started<T> {
    /// The service answered at once.
    Done(T),
    /// The service works on it.
    Accepted(Accepted),
}

/// An answer of 202 that names no operation, so that nobody can wait for it.
#[derive(Debug, thiserror::Error)]
#[error("the request was accepted, and no operation id was given")]
struct NoOperationId;

impl Default for PollConfig {
    fn default() -> Self {
        Self {
            first_poll: Duration::from_millis(500),
            max_interval: Duration::from_secs(20),
            deadline: Duration::from_secs(30 * 60),
            mode: PollMode::default(),
        }
    }
}

impl Client {
    /// Sends a request that may be long-running, and returns as soon as the service has accepted it.
    ///
    /// # Errors
    ///
    /// As [`Client::send`]; also when the service accepts without naming the operation.
    pub async fn start<T: DeserializeOwned>(&self, lro: Lro<T>) -> Result<Started<T>, Error> {
        let call = lro.call;
        let response = self.exchange(&call.message).await?;
        if response.status() != StatusCode::ACCEPTED {
            return decode(call.message.name, call.result, &response).map(Started::Done);
        }
        let operation = operation_id(&response)
            .ok_or_else(|| Error::new(call.message.name, ErrorKind::Body(NoOperationId.into())))?;
        Ok(Started::Accepted(Accepted { operation, retry_after: read_retry_after(response.headers()) }))
    }

    /// Waits for an accepted operation to end, and reads its result where `result` says that it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OperationFailed`] when the operation failed, [`ErrorKind::OperationTimeout`] when it has not
    /// ended in time, and any error of reading its state or result. Since the request was accepted,
    /// [`Error::may_have_been_sent`] holds for each of them.
    pub async fn wait<T: DeserializeOwned>(
        &self,
        accepted: &Accepted,
        result: ResultKind,
    ) -> Result<T, Error> {
        let answer = async {
            self.ended(accepted).await?;
            if result == ResultKind::None {
                return decode(WAIT, result, &Response::default());
            }
            let call = operations::result(accepted.operation);
            let response = self.exchange(&call.message).await?;
            decode(WAIT, result, &response)
        };
        answer.await.map_err(Error::after_acceptance)
    }

    /// Sends a request that may be long-running, and waits for its result.
    ///
    /// # Errors
    ///
    /// As [`Client::start`] and [`Client::wait`].
    pub async fn run<T: DeserializeOwned>(&self, lro: Lro<T>) -> Result<T, Error> {
        let (name, result) = (lro.call.message.name, lro.call.result);
        match self.start(lro).await? {
            Started::Done(answer) => Ok(answer),
            Started::Accepted(accepted) => {
                self.wait(&accepted, result).await.map_err(|error| error.within(name))
            }
        }
    }

    /// Returns when the operation has succeeded.
    async fn ended(&self, accepted: &Accepted) -> Result<(), Error> {
        let PollConfig { deadline, .. } = self.polling;
        let operation = accepted.operation;
        let started = Instant::now();
        let mut pace = Pace::new(&self.polling, accepted.retry_after);
        let (mut failed_polls, mut is_known) = (0, false);
        loop {
            let pause = pace.next();
            // Not even a last poll earlier than the service asked for.
            if started.elapsed() + pause > deadline {
                let after = deadline;
                return Err(Error::new(WAIT, ErrorKind::OperationTimeout { operation, after }));
            }
            tokio::time::sleep(pause).await;
            match self.poll(operation).await {
                Ok((State::Succeeded, _)) => return Ok(()),
                Ok((State::Failed(error), _)) => {
                    return Err(Error::new(WAIT, ErrorKind::OperationFailed(error)));
                }
                Ok((State::Running, hint)) => {
                    (failed_polls, is_known) = (0, true);
                    pace.hint = hint.or(pace.hint);
                }
                // A state that could not be read says nothing about the operation, which goes on meanwhile.
                Err(error) => {
                    match (error.kind(), error.outcome()) {
                        (ErrorKind::Paused { .. }, _) => {}
                        // Reads lag behind writes: one that was accepted a moment ago may not be known yet.
                        _ if error.is_not_found() && !is_known => failed_polls += 1,
                        (_, Outcome::Throttled { .. } | Outcome::Busy { .. }) => {}
                        (_, Outcome::Transient { .. } | Outcome::Unsent) | (ErrorKind::Body(_), _) => {
                            failed_polls += 1
                        }
                        _ => return Err(error),
                    }
                    if failed_polls >= MOST_FAILED_POLLS {
                        return Err(error);
                    }
                    events::poll_failed(operation, &error);
                    pace.floor = error.retry_after();
                }
            }
        }
    }

    async fn poll(&self, operation: OperationId) -> Result<(State, Option<Duration>), Error> {
        let call = operations::get(operation);
        let response = self.exchange(&call.message).await?;
        let operation: Map<String, Value> = decode(call.message.name, call.result, &response)?;
        let state = State::read(operation.into());
        Ok((state, read_retry_after(response.headers())))
    }
}

/// The pauses between polls.
struct Pace<'a> {
    config: &'a PollConfig,
    interval: Duration,
    /// What the service named last.
    hint: Option<Duration>,
    /// What the service asked for when it refused the last poll; for one pause.
    floor: Option<Duration>,
}

impl<'a> Pace<'a> {
    fn new(config: &'a PollConfig, hint: Option<Duration>) -> Self {
        Self { config, interval: config.first_poll, hint, floor: None }
    }

    fn next(&mut self) -> Duration {
        let longest = self.hint.unwrap_or(self.config.max_interval);
        let pause = match self.config.mode {
            PollMode::Adaptive => self.interval.min(longest),
            PollMode::RetryAfter => longest,
        };
        self.interval = self.interval.saturating_mul(2).min(longest);
        // A hint of zero must not become a busy loop.
        pause.max(self.floor.take().unwrap_or_default()).max(self.config.first_poll)
    }
}

/// The operation's id: from its own header, or else the last part of `Location`, whose host is another one and is
/// never called.
fn operation_id(response: &Response) -> Option<OperationId> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    if let Some(id) = header("x-ms-operation-id").and_then(|id| id.trim().parse().ok()) {
        return Some(id);
    }
    let location = header(LOCATION.as_str())?;
    let path = location.split(['?', '#']).next()?.trim_end_matches('/');
    let path = path.strip_suffix("/result").unwrap_or(path);
    path.rsplit('/').next()?.parse().ok()
}
