//! What the tests of all layers share: a protocol without a wire, and services that follow a script.

use crate::{Class, Classify, Effect, Outcome, outcome_of, retry::Attempts};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;
use tower::{BoxError, Service};

pub(crate) const THROTTLED: Outcome = Outcome::Throttled { retry_after: None };
pub(crate) const TRANSIENT: Outcome = Outcome::Transient { retry_after: None };

pub(crate) fn throttled(seconds: u64) -> Outcome {
    Outcome::Throttled { retry_after: Some(Duration::from_secs(seconds)) }
}

pub(crate) fn transient(seconds: u64) -> Outcome {
    Outcome::Transient { retry_after: Some(Duration::from_secs(seconds)) }
}

/// A request that says what it does, and to which class it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask(pub(crate) Effect, pub(crate) &'static str);

pub(crate) const READ: Ask = Ask(Effect::Read, "");

/// An answer that says what it means, and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer(pub(crate) Outcome, pub(crate) Option<Attempts>);

/// Takes requests and answers at their word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Literal;

impl Classify<Ask, Answer> for Literal {
    fn effect(&self, request: &Ask) -> Effect {
        request.0
    }

    fn outcome(&self, result: Result<&Answer, &BoxError>) -> Outcome {
        match result {
            Ok(answer) => answer.0,
            Err(error) => outcome_of(&**error),
        }
    }

    fn class(&self, request: &Ask) -> Class {
        Class::Borrowed(request.1)
    }

    fn name<'a>(&self, _: &'a Ask) -> &'a str {
        "ask"
    }

    fn annotate(&self, response: &mut Answer, attempts: Attempts) {
        response.1 = Some(attempts);
    }
}

/// Takes answers at their word, and says this of every error, whatever stands in its chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge(pub(crate) Outcome);

impl Classify<Ask, Answer> for Judge {
    fn effect(&self, request: &Ask) -> Effect {
        request.0
    }

    fn outcome(&self, result: Result<&Answer, &BoxError>) -> Outcome {
        result.map_or(self.0, |answer| answer.0)
    }
}

/// How an attempt goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Answer(Outcome),
    /// After so many seconds.
    Late(u64, Outcome),
    Error(&'static str),
    /// Provably not sent.
    Refused,
    Hang,
}

/// Answers by a script, the last act for ever, and notes when it was asked.
///
/// It panics when it is called without having been made ready, as tower's contract allows.
#[derive(Debug)]
pub(crate) struct Script {
    shared: Arc<Mutex<Shared>>,
    ready: bool,
}

#[derive(Debug)]
struct Shared {
    acts: VecDeque<Act>,
    arrivals: Vec<Instant>,
}

impl Script {
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let shared = Shared { acts: acts.into_iter().collect(), arrivals: Vec::new() };
        Self { shared: Arc::new(Mutex::new(shared)), ready: false }
    }

    pub(crate) fn answers(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        Self::new(outcomes.into_iter().map(Act::Answer))
    }

    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.shared.lock().unwrap().arrivals.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.arrivals().len()
    }

    /// From now on this act for ever.
    pub(crate) fn turn(&self, act: Act) {
        self.shared.lock().unwrap().acts = [act].into();
    }
}

impl Clone for Script {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), ready: false }
    }
}

impl Service<Ask> for Script {
    type Response = Answer;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Ask) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been made ready");
        let act = {
            let mut shared = self.shared.lock().unwrap();
            shared.arrivals.push(Instant::now());
            if shared.acts.len() > 1 { shared.acts.pop_front() } else { shared.acts.front().copied() }
        };
        Box::pin(async move {
            match act.expect("a script of one act at least") {
                Act::Answer(outcome) => Ok(Answer(outcome, None)),
                Act::Late(seconds, outcome) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    Ok(Answer(outcome, None))
                }
                Act::Error(text) => Err(text.into()),
                Act::Refused => Err(crate::Unsent::new("refused").into()),
                Act::Hang => std::future::pending().await,
            }
        })
    }
}

/// Keeps the level and the message of every event.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// The lines so far.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                line = format!("{line} {value:?}");
            }
        });
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
