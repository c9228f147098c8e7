//! Deterministic simulation: the engine and its journal on virtual time, in a world that does everything a service does to
//! its clients. One number decides all that happens; a run that breaks a rule is told by its number.
//!
//! Per call: timeouts, resets before and after the effect, put-offs with a wait, errors, garbage, late landing. Around them:
//! lists that lag, somebody who makes, edits and removes things, a journal that fails and tears, interrupts, and crashes at any
//! point at which the engine waits, recovery included.

mod check;
mod disk;
mod fate;
mod scenario;
mod target;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use disk::{Disk, File};
use scenario::Change;
use world::World;

use crate::journal::JournalError;
use crate::record::Begin;
use crate::{Direction, Error, Event, Interrupt, Policy, State, Transaction, TransactionId, Verdict};

/// The world, and the journal that one transaction has in it, as one process sees them.
#[derive(Clone)]
struct Sim {
    world: Arc<Mutex<World>>,
    disk: Arc<Mutex<Disk>>,
    process: u32,
}

/// What happened in a run that broke no rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How the transaction ended: `committed`, `rolled back`, `partly`, `left`, `never began`.
    pub end: &'static str,
    /// How many processes had it in hand.
    pub processes: u32,
    /// How often each thing went wrong.
    pub counts: BTreeMap<&'static str, u64>,
}

/// A rule that a run broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What [`simulate`] has to be told to see it again.
    pub seed: u64,
    /// The rule.
    pub rule: &'static str,
    /// What broke it.
    pub detail: String,
    /// All that happened, a line each.
    pub log: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}: {}", self.seed, self.rule, self.detail)
    }
}

impl std::error::Error for Violation {}

/// Runs one transaction, with all that `seed` does to it, until it has ended or says what it needs.
///
/// # Errors
///
/// When a rule is broken.
pub fn simulate(seed: u64) -> Result<Report, Box<Violation>> {
    match attempt(seed, false) {
        // Nobody reads what happened where nothing is wrong, so it is written down the second time.
        Err(_) => attempt(seed, true),
        report => report,
    }
}

fn attempt(seed: u64, logged: bool) -> Result<Report, Box<Violation>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let violation = |rule, detail, log| Box::new(Violation { seed, rule, detail, log });
    let runtime = runtime.map_err(|error| violation("runtime", error.to_string(), Vec::new()))?;
    runtime.block_on(async {
        let world = Arc::new(Mutex::new(World::new(seed, logged)));
        let sim = Sim { world, disk: Arc::default(), process: 0 };
        let processes = sim.live(seed).await;
        let mut world = lock(&sim.world);
        let log = world.log.take().unwrap_or_default();
        match (world.broken.take(), processes) {
            (Some(broken), _) => Err(violation(broken.rule, broken.detail, log)),
            (None, (end, processes)) => {
                Ok(Report { end, processes, counts: std::mem::take(&mut world.counts) })
            }
        }
    })
}

/// How many processes have their peace, after the troubled ones, before a transaction that has not ended is a violation.
const PEACEFUL: u32 = 3;

impl Sim {
    /// One process after the other takes the transaction up, until it has ended. How it ended, and how many there were.
    async fn live(&self, seed: u64) -> (&'static str, u32) {
        let troubled = lock(&self.world).scenario.troubled;
        let mut process = 0;
        let end = loop {
            {
                let mut world = lock(&self.world);
                world.calm = process >= troubled;
                world.note(|| format!("process {process} begins"));
            }
            let ended = Self { process, ..self.clone() }.process(seed).await;
            lock(&self.world).orphan(process);
            process += 1;
            if lock(&self.world).broken.is_some() {
                return ("broken", process);
            }
            if ended || process >= troubled + PEACEFUL {
                break self.end().await;
            }
            let pause = {
                let dice = &mut lock(&self.world).dice;
                if dice.chance(0.5) { Duration::ZERO } else { dice.time(Duration::from_secs(300)) }
            };
            tokio::time::sleep(pause).await;
        };
        (end, process)
    }

    /// One process: begins the transaction, or takes it up, and dies when its time has come. Whether that was the end.
    async fn process(&self, seed: u64) -> bool {
        let process = self.process;
        let (dies_at, interrupted_at, rolls_back) = {
            let mut world = lock(&self.world);
            let last = world.scenario.troubled + PEACEFUL - 1;
            let dice = &mut world.dice;
            let dies_at = dice.chance(0.7).then(|| dice.polls());
            let interrupted_at = dice.chance(0.15).then(|| dice.polls());
            // Where there is no way back, that is said, and the last to try goes on.
            let rolls_back = process > 0 && dice.chance(0.4) && process < last;
            if world.calm { (None, None, rolls_back) } else { (dies_at, interrupted_at, rolls_back) }
        };
        let interrupt = Interrupt::default();
        let raise = interrupt.clone();
        let mut life = pin!(self.work(seed, interrupt, rolls_back));
        let mut polls = 0;
        let ended = std::future::poll_fn(|context| {
            polls += 1;
            if interrupted_at == Some(polls) {
                lock(&self.world).count("an interrupt");
                raise.raise();
            }
            match life.as_mut().poll(context) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                // What it was waiting for is given up in the middle, as by a kill.
                Poll::Pending if dies_at == Some(polls) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        if ended.is_none() {
            lock(&self.world).count(if process == 0 { "a crash" } else { "a crash in recovery" });
        }
        ended.unwrap_or(false)
    }

    async fn work(&self, seed: u64, interrupt: Interrupt, rolls_back: bool) -> bool {
        let process = self.process;
        let quiet = |_: &Event<'_, Change>| {};
        let policy = Policy::default();
        lock(&self.disk).crash();
        let loaded = match Disk::load(&self.disk, self) {
            Ok(loaded) => loaded,
            Err(corrupt) => {
                lock(&self.world).breaks("journal", || corrupt.to_string());
                return true;
            }
        };
        let verdict = match loaded {
            None => {
                let begin = self.begin(seed);
                let file = File::open(&self.disk, self);
                match Transaction::begin(self, file, begin, policy, interrupt, quiet).await {
                    Ok(transaction) => transaction.run().await,
                    Err(error) => Err(error),
                }
            }
            Some(loaded) => {
                let writer = format!("process {process}");
                match Transaction::recover(self, loaded, &writer, policy, interrupt, quiet).await {
                    Ok(transaction) if rolls_back => transaction.roll_back("operator").await,
                    Ok(transaction) => transaction.run().await,
                    Err(error) => Err(error),
                }
            }
        };
        let mut world = lock(&self.world);
        world.note(|| format!("process {process} says {verdict:?}"));
        match verdict {
            Ok(Verdict::Committed | Verdict::RolledBack { .. }) | Err(Error::Ended) => true,
            Ok(Verdict::Left { direction, .. }) => direction.has_ended(),
            Err(Error::Journal(JournalError::Append { .. })) | Err(Error::PastPivot(_)) => false,
            Err(error) => {
                world.breaks("refused", || crate::describe(&error));
                true
            }
        }
    }

    fn begin(&self, seed: u64) -> Begin<Change> {
        let plan = lock(&self.world).scenario.plan.clone();
        Begin {
            id: TransactionId::from(u128::from(seed)),
            tool: "simulation".to_owned(),
            writer: "process 0".to_owned(),
            subject: "the world".to_owned(),
            context: BTreeMap::new(),
            plan_digest: plan.digest().unwrap_or_default(),
            plan,
        }
    }

    /// Lets everything land that is still on its way, and checks what is there then.
    async fn end(&self) -> &'static str {
        loop {
            tokio::time::sleep(Duration::from_secs(600)).await;
            let mut world = lock(&self.world);
            world.advance();
            if world.is_still() {
                break;
            }
        }
        let loaded = Disk::load(&self.disk, self);
        let mut world = lock(&self.world);
        let state = match loaded {
            Ok(loaded) => loaded.map(|loaded| loaded.state),
            Err(corrupt) => {
                world.breaks("journal", || corrupt.to_string());
                None
            }
        };
        check::check_end(&mut world, state.as_ref());
        match state.as_ref().map(State::direction) {
            None => "never began",
            Some(Direction::Committed) => "committed",
            Some(Direction::RolledBack) => "rolled back",
            Some(Direction::RolledBackPartial) => "partly",
            Some(direction) => {
                let remaining = state.as_ref().map(State::remaining).unwrap_or_default();
                world.breaks("unending", || format!("still goes {direction:?}; left: {remaining:?}"));
                "left"
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
