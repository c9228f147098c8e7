//! A plan carried out without a transaction: no journal, no marker, nothing taken back.

use std::sync::{Mutex, PoisonError};

use tracing::Instrument as _;

use super::in_flight::InFlight;
use super::make::{Accept, Made, Maker, ReadBack};
use super::settle::Floors;
use super::{Interrupt, Policy, describe};
use crate::{Call, Cause, Event, Failure, Observer, Plan, Receipts, StepId, Target, events};

/// A plan that was not carried out to its end. What was made stays.
#[derive(Debug)]
pub struct Unfinished {
    /// What stopped it.
    pub cause: Cause,
    /// The steps that are done.
    pub made: Vec<StepId>,
    /// The step of which it is not known whether it is done.
    pub in_doubt: Option<StepId>,
}

/// Makes each change of `plan`, in order, and stops at the first that fails. An interrupt stops it after the change under way,
/// [`Interrupt::abort`] at once.
///
/// With `policy.resends` of 0 nothing is read back and nothing is sent twice: the requests are the plain ones.
///
/// # Errors
///
/// When a change fails. The error says what was made.
pub async fn run<T: Target, O: Observer<T::Change>>(
    target: &T,
    plan: &Plan<T::Change>,
    policy: &Policy,
    interrupt: &Interrupt,
    observer: &O,
) -> Result<Receipts<T::Receipt>, Unfinished> {
    run_showing(target, plan, policy, interrupt, observer, &Mutex::default()).await
}

/// As [`run`]. What a step gave back is in `shown` before the observer is told that it is done, as [`View`](super::View) has it in a
/// transaction.
///
/// # Errors
///
/// As [`run`].
pub async fn run_showing<T: Target, O: Observer<T::Change>>(
    target: &T,
    plan: &Plan<T::Change>,
    policy: &Policy,
    interrupt: &Interrupt,
    observer: &O,
    shown: &Mutex<Receipts<T::Receipt>>,
) -> Result<Receipts<T::Receipt>, Unfinished> {
    let (floors, in_flight, halt) = (Floors::default(), InFlight::default(), Some(interrupt));
    let maker = Maker {
        target,
        policy,
        observer,
        floors: &floors,
        in_flight: &in_flight,
        read_back: ReadBack::BeforeResending,
        halt,
        leave_open: false,
    };
    let mut receipts = Receipts::new();
    for step in plan.steps() {
        let unfinished = |step, reason, error, in_doubt| Unfinished {
            cause: Cause { step, reason, error },
            made: receipts.keys().copied().collect(),
            in_doubt,
        };
        if interrupt.is_raised() {
            return Err(unfinished(None, "interrupted".to_owned(), None, None));
        }
        observer.on(&Event::Started(step));
        let call = Call {
            step: step.id,
            change: &step.change,
            marker: None,
            recorded: false,
            undo: None,
            receipts: &receipts,
        };
        let span = events::step(step.id, &step.change, "forward");
        let made = tokio::select! {
            biased;
            () = interrupt.aborted() => {
                return Err(unfinished(Some(step.id), "stopped at once".to_owned(), None, Some(step.id)));
            }
            made = maker.make(step, call, &Unlogged).instrument(span.clone()) => made,
        };
        events::step_ended(&span, if matches!(made, Ok(Made::Done { .. })) { "success" } else { "failure" });
        let (failure, in_doubt) = match made {
            Ok(Made::Done { receipt, adopted }) => {
                shown.lock().unwrap_or_else(PoisonError::into_inner).insert(step.id, receipt.clone());
                receipts.insert(step.id, receipt);
                observer.on(&Event::Done { step, adopted });
                continue;
            }
            Ok(Made::NotDone(failure) | Made::Foreign { failure, .. }) => (failure, None),
            Ok(Made::InDoubt(failure)) => (failure, Some(step.id)),
            Ok(Made::LeftOpen) => {
                return Err(unfinished(None, "interrupted".to_owned(), None, Some(step.id)));
            }
            Err(never) => match never {},
        };
        let Failure { error, .. } = failure;
        observer.on(&Event::Failed { step, error: &error });
        return Err(unfinished(Some(step.id), describe(&error), Some(error.into()), in_doubt));
    }
    Ok(receipts)
}

struct Unlogged;

impl Accept for Unlogged {
    type Error = std::convert::Infallible;

    async fn again(&self, _unanswered: bool) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn accepted(&self, _operation: &str) -> Result<(), Self::Error> {
        Ok(())
    }
}
