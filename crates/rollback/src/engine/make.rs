//! One change: sent, and where the answer leaves a doubt, read back until there is none.

use std::future::Future;

use tokio::time::Instant;

use super::in_flight::InFlight;
use super::settle::{Asked, Floors, Reader};
use super::{Interrupt, Policy};
use crate::{Call, Event, Failure, Found, Observer, Progress, Reach, Step, Target};

/// What became of a change.
pub(super) enum Made<T: Target> {
    Done {
        receipt: T::Receipt,
        adopted: bool,
    },
    NotDone(Failure<T::Error>),
    Foreign {
        found: String,
        failure: Failure<T::Error>,
    },
    InDoubt(Failure<T::Error>),
    /// It was asked to come to an end while the other side was working on it.
    LeftOpen,
}

/// Is told what has to be known before anything follows.
pub(super) trait Accept {
    type Error;
    /// Before a change is sent once more, perhaps while an earlier sending of it may still be carried out. `false`: it must not be.
    fn again(&self, unanswered: bool) -> impl Future<Output = Result<bool, Self::Error>> + Send;
    /// Before the end of an accepted operation is waited for.
    fn accepted(&self, operation: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Which failures are read back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadBack {
    /// Every one: an undo must know.
    Always,
    /// Those after which the change may be sent again.
    BeforeResending,
}

pub(super) struct Maker<'a, T, O> {
    pub(super) target: &'a T,
    pub(super) policy: &'a Policy,
    pub(super) observer: &'a O,
    pub(super) floors: &'a Floors,
    pub(super) in_flight: &'a InFlight,
    pub(super) read_back: ReadBack,
    /// What ends the waits between two requests.
    pub(super) halt: Option<&'a Interrupt>,
    /// Whether it also ends the wait for an operation that the other side works on: its end is then seen to by somebody else.
    pub(super) leave_open: bool,
}

impl<T: Target, O: Observer<T::Change>> Maker<'_, T, O> {
    /// Makes the change, sending it again only after it was read back as not done.
    pub(super) async fn make<L: Accept>(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
        log: &L,
    ) -> Result<Made<T>, L::Error> {
        let mut attempt = 1;
        // Whether an earlier sending was put off, and so looked for only once.
        let mut doubtful = false;
        loop {
            let failure = match self.send(step, call, log).await? {
                Some(Ok(receipt)) => return Ok(Made::Done { receipt, adopted: false }),
                Some(Err(failure)) => failure,
                None => return Ok(Made::LeftOpen),
            };
            if failure.reach == Reach::Unsent && !doubtful {
                return Ok(self.not_done(step, failure));
            }
            let floor = failure.resend_after.filter(|_| attempt <= self.policy.resends);
            if self.read_back == ReadBack::BeforeResending && floor.is_none() {
                return Ok(Made::InDoubt(failure));
            }
            self.observer.on(&Event::InDoubt { step, error: &failure.error });
            doubtful = failure.reach == Reach::PutOff && floor.is_some();
            if let (true, Some(floor)) = (doubtful, floor) {
                let delay = self.policy.delay(attempt, floor);
                attempt += 1;
                self.observer.on(&Event::Resending { step, attempt, delay });
                if unless(self.halt, tokio::time::sleep(delay)).await.is_none() {
                    return Ok(Made::InDoubt(failure));
                }
                // One look has to do, so it is taken when it sees the most: right before the next sending.
                let failure = match self.look(step, call, failure, 1).await {
                    Ok(failure) => failure,
                    Err(made) => return Ok(made),
                };
                if self.halt.is_some_and(Interrupt::is_raised) || !self.again(step, log).await? {
                    return Ok(Made::InDoubt(failure));
                }
                continue;
            }
            let failed_at = Instant::now();
            let failure = match self.look(step, call, failure, self.policy.absent_reads).await {
                Ok(failure) => failure,
                Err(made) => return Ok(made),
            };
            let Some(floor) = floor else {
                return Ok(self.not_done(step, failure));
            };
            // Reading back took time, and what was asked for is a time from the answer on.
            let delay = self.policy.delay(attempt, floor).saturating_sub(failed_at.elapsed());
            attempt += 1;
            self.observer.on(&Event::Resending { step, attempt, delay });
            if unless(self.halt, tokio::time::sleep(delay)).await.is_none() || !self.again(step, log).await? {
                return Ok(self.not_done(step, failure));
            }
        }
    }

    async fn again<L: Accept>(&self, step: &Step<T::Change>, log: &L) -> Result<bool, L::Error> {
        self.in_flight.sending_again(step.id);
        log.again(self.may_land(step)).await
    }

    /// What was read back as not done is in doubt where a sending of it may have been carried out since: a look may take long.
    fn not_done(&self, step: &Step<T::Change>, failure: Failure<T::Error>) -> Made<T> {
        if self.may_land(step) { Made::InDoubt(failure) } else { Made::NotDone(failure) }
    }

    fn may_land(&self, step: &Step<T::Change>) -> bool {
        self.in_flight.is_unheard(step.id) && !self.target.in_flight(&step.change).is_zero()
    }

    /// Reads a change in doubt back, so often. Absent, it gives the failure back; all else decides.
    async fn look(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
        failure: Failure<T::Error>,
        reads: u32,
    ) -> Result<Failure<T::Error>, Made<T>> {
        let reader = Reader {
            target: self.target,
            policy: self.policy,
            observer: self.observer,
            floors: self.floors,
            halt: self.halt,
            tries: self.policy.undo_attempts,
        };
        match reader.settle(step, call, reads).await {
            Ok(Some(Found::Done(receipt))) => Err(Made::Done { receipt, adopted: true }),
            // Neither absence nor a thing of somebody else's proves anything about what may still land.
            Ok(Some(Found::Absent | Found::Foreign(_))) if failure.reach == Reach::Pending => {
                Err(Made::InDoubt(failure))
            }
            Ok(Some(Found::Foreign(_))) if self.may_land(step) => Err(Made::InDoubt(failure)),
            Ok(Some(Found::Foreign(found))) => Err(Made::Foreign { found, failure }),
            Ok(Some(Found::Absent)) => Ok(failure),
            Ok(None) | Err(_) => Err(Made::InDoubt(failure)),
        }
    }

    /// `None`: it was accepted, and its end was not waited for.
    async fn send<L: Accept>(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
        log: &L,
    ) -> Result<Option<Result<T::Receipt, Failure<T::Error>>>, L::Error> {
        let sent = self.target.execute(call).await;
        let answered = !matches!(&sent, Err(failure) if failure.reach.may_be_under_way());
        self.in_flight.heard(step.id, answered);
        Ok(match sent {
            Ok(Progress::Done(receipt)) => Some(Ok(receipt)),
            Ok(Progress::Accepted(operation)) => {
                log.accepted(&operation).await?;
                self.observer.on(&Event::Accepted(step));
                let halt = self.halt.filter(|_| self.leave_open);
                let ended = unless(halt, self.target.wait(call, &operation)).await;
                if let Some(Err(failure)) = &ended {
                    self.floors.note(call.step, Asked::Wait, failure);
                }
                ended
            }
            Err(failure) => Some(Err(failure)),
        })
    }
}

/// What `future` gives, or `None` once it is asked to halt.
pub(super) async fn unless<F: Future>(halt: Option<&Interrupt>, future: F) -> Option<F::Output> {
    match halt {
        None => Some(future.await),
        Some(halt) => tokio::select! {
            biased;
            () = halt.raised() => None,
            output = future => Some(output),
        },
    }
}
