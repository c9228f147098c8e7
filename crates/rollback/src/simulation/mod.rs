//! Deterministic simulation: the engine and its journal on virtual time, in a world that does everything a service does to
//! its clients. One number decides all that happens; a run that breaks a rule is told by its number.
//!
//! Per call: timeouts, resets before and after the effect, put-offs with a wait, errors, garbage, late landing. Around them:
//! lists that lag, somebody who makes, edits and removes things, a journal that fails and tears, interrupts, and stops and crashes
//! at any point at which the engine waits, recovery included. In one half of the runs one process follows the other. In the other half
//! several on as many machines have the transaction in hand at the same time, with journal and lease in an object store that loses
//! answers and carries puts out late and twice.

mod alone;
mod book;
mod check;
mod cloud;
mod disk;
mod fate;
pub(crate) mod process;
mod request;
mod scenario;
mod shared;
mod target;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloud::{Cloud, Door};
use disk::Disk;
use scenario::Change;
use world::World;

use crate::journal::JournalError;
use crate::lease::Fence;
use crate::record::Begin;
use crate::{Direction, Error, State, TransactionId, Verdict};

/// The world, and the journal that one transaction has in it, as one process sees them.
#[derive(Clone)]
struct Sim {
    world: Arc<Mutex<World>>,
    place: Place,
    process: u32,
    /// What says whether it may still write, where another could.
    fence: Option<Fence>,
}

/// Where the journal is.
#[derive(Clone)]
enum Place {
    /// On the disk of the one machine.
    Disk(Arc<Mutex<Disk>>),
    /// In an object store, with a lease.
    Cloud(Arc<Mutex<Cloud>>),
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
        let world = World::new(seed, logged);
        let place = match world.scenario.shared {
            true => Place::Cloud(Arc::default()),
            false => Place::Disk(Arc::default()),
        };
        let sim = Sim { world: Arc::new(Mutex::new(world)), place, process: 0, fence: None };
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

impl Sim {
    /// How the transaction ended, and how many processes had it in hand.
    async fn live(&self, seed: u64) -> (&'static str, u32) {
        let processes = match &self.place {
            Place::Disk(disk) => alone::live(self, disk, seed).await,
            Place::Cloud(cloud) => shared::live(self, cloud, seed).await,
        };
        if lock(&self.world).broken.is_some() {
            return ("broken", processes);
        }
        (self.end(seed).await, processes)
    }

    /// Whether that was the end of the transaction.
    fn judge(&self, ended: Result<Verdict, Error>) -> bool {
        let mut world = lock(&self.world);
        world.note(|| format!("process {} says {ended:?}", self.process));
        let shared = matches!(self.place, Place::Cloud(_));
        match ended {
            Ok(Verdict::Committed | Verdict::RolledBack { .. }) | Err(Error::Ended) => true,
            Ok(Verdict::Left { direction, .. }) => direction.has_ended(),
            Err(Error::Journal(JournalError::Append { .. })) | Err(Error::PastPivot(_)) => false,
            Err(Error::Journal(JournalError::Fenced)) if shared => {
                world.count("a process has lost its lease");
                false
            }
            Err(Error::Journal(JournalError::Superseded { .. })) if shared => {
                world.count("a process finds another's record");
                false
            }
            Err(Error::Journal(JournalError::Read { .. })) if shared => false,
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
            writer: format!("process {}", self.process),
            subject: "the world".to_owned(),
            context: BTreeMap::new(),
            plan_digest: plan.digest().unwrap_or_default(),
            plan,
        }
    }

    /// Lets everything land that is still on its way, and checks what is there then.
    async fn end(&self, seed: u64) -> &'static str {
        loop {
            tokio::time::sleep(Duration::from_secs(600)).await;
            let mut world = lock(&self.world);
            world.advance();
            let still = match &self.place {
                Place::Disk(_) => true,
                Place::Cloud(cloud) => {
                    let mut cloud = lock(cloud);
                    cloud.advance(&mut world);
                    cloud.is_still()
                }
            };
            if still && world.is_still() {
                break;
            }
        }
        let read = match &self.place {
            Place::Disk(disk) => Disk::load(disk, self)
                .map(|loaded| loaded.map(|loaded| loaded.state))
                .map_err(|bad| bad.to_string()),
            Place::Cloud(cloud) => {
                let (world, cloud) = (Arc::clone(&self.world), Arc::clone(cloud));
                let outside = Door { world, cloud, process: None };
                match outside.journals().peek::<Self>(self.begin(seed).id).await {
                    Ok(state) => Ok(Some(state)),
                    Err(JournalError::NotFound(_)) => Ok(None),
                    Err(error) => Err(crate::describe(&error)),
                }
            }
        };
        let mut world = lock(&self.world);
        let state = match read {
            Ok(state) => state,
            Err(why) => {
                world.breaks("journal", || why);
                None
            }
        };
        let ended = match &self.place {
            Place::Disk(disk) => lock(disk).book.ended(),
            Place::Cloud(cloud) => lock(cloud).book.ended(),
        };
        check::check_late(&mut world, ended);
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
