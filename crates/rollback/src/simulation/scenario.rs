//! What is drawn before a run: the plan, what stood there before, and how unkind the world is.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::{Plan, StepId};

/// One change of the simulated world.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Change {
    /// Makes a thing, with a marker. Made twice, there are two, unless the world keeps names apart.
    Make {
        /// Its name.
        name: String,
        /// Whether it is accepted first and made later.
        slow: bool,
        /// The step that makes what it is put into.
        inside: Option<StepId>,
    },
    /// Overwrites the text of a thing that was there before.
    Write {
        /// Its name.
        name: String,
        /// The new text.
        text: String,
    },
    /// Gives somebody access. There is no room for a marker.
    Grant {
        /// To whom.
        who: String,
    },
    /// Shows everything to the world, for good.
    Publish,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { name, .. } => write!(f, "make {name}"),
            Self::Write { name, .. } => write!(f, "write {name}"),
            Self::Grant { who } => write!(f, "grant {who}"),
            Self::Publish => f.write_str("publish"),
        }
    }
}

/// What the engine promises to cope with. A world beyond this can hide what it has made.
pub(super) mod limits {
    use std::time::Duration;

    use super::Change;
    use crate::simulation::target::Undo;

    /// How long after an answer that was no success a slow change may be made all the same.
    pub(in super::super) const LATE: Duration = Duration::from_secs(5);
    /// How long after its sender gave it up, or died, a request may be carried out that was not answered.
    pub(in super::super) const UNANSWERED: Duration = Duration::from_secs(2 * 60);
    /// The same, of a slow change.
    pub(in super::super) const SLOW_UNANSWERED: Duration = Duration::from_secs(10 * 60);
    /// How long a new thing may stay off the lists. With [`LATE`] less than the wait between two looks.
    pub(in super::super) const LAG: Duration = Duration::from_secs(4);
    /// How long a slow change takes at the most.
    pub(in super::super) const SLOW: Duration = Duration::from_secs(120);
    /// When a client gives up.
    pub(in super::super) const TIMEOUT: Duration = Duration::from_secs(30);

    /// How long a put to the object store may be on its way after it failed: nothing is built on that.
    pub(in super::super) const UNDER_WAY: Duration = Duration::from_secs(10 * 60);

    /// How long after the end of its sender a request may be carried out that was not answered by then.
    pub(in super::super) fn under_way(change: &Change) -> Duration {
        match change {
            Change::Make { slow: true, .. } => SLOW_UNANSWERED,
            _ => UNANSWERED,
        }
    }

    /// When such a request is seen at the latest.
    pub(in super::super) fn in_flight(change: &Change) -> Duration {
        under_way(change) + LAG
    }

    /// How long after the end of its sender an undo may be carried out that was not answered by then, and do harm.
    pub(in super::super) fn undo_in_flight(undo: &Undo) -> Duration {
        match undo {
            Undo::Restore { .. } | Undo::Revoke => UNANSWERED,
            Undo::Remove | Undo::Impossible => Duration::ZERO,
        }
    }
}

/// The dice of one seed.
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    pub(super) fn pick(&mut self, range: Range<u32>) -> u32 {
        self.0.random_range(range)
    }

    /// Up to `most`, in milliseconds.
    pub(super) fn time(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.0.random_range(0..=most))
    }

    /// How often the engine is polled before something happens to it: as soon as anything does, or long after.
    pub(super) fn polls(&mut self, most: u32) -> u32 {
        if self.chance(0.5) { self.pick(1..most / 6) } else { self.pick(1..most) }
    }
}

/// What is drawn once per seed.
pub(super) struct Scenario {
    pub(super) plan: Plan<Change>,
    /// How many things there are before: `old-0` and on.
    pub(super) old: u32,
    /// The share of calls that go wrong.
    pub(super) rate: f64,
    /// Whether several have it in hand at the same time.
    pub(super) shared: bool,
    /// The share of requests to the object store that go wrong.
    pub(super) store_rate: f64,
    /// Whether the world refuses a second thing of one name.
    pub(super) unique: bool,
    /// How many processes are troubled before one is left in peace.
    pub(super) troubled: u32,
    /// Things of others: when, and under which name.
    pub(super) foreign: Vec<(Duration, String)>,
    /// Things of others that are put into a box of ours: when, and of which step.
    pub(super) guests: Vec<(Duration, u32)>,
}

impl Scenario {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let old = dice.pick(1..4);
        let (mut foreign, mut guests) = (Vec::new(), Vec::new());
        let plan = plan(dice, old);
        for step in plan.steps() {
            if let Change::Make { name, .. } = &step.change {
                if dice.chance(0.06) {
                    foreign.push((dice.time(Duration::from_secs(300)), name.clone()));
                }
                if dice.chance(0.03) {
                    guests.push((dice.time(Duration::from_secs(300)), step.id.number()));
                }
            }
        }
        let rate = [0.0, 0.1, 0.25, 0.6][dice.pick(0..4) as usize];
        let unique = dice.chance(0.5);
        let troubled = dice.pick(1..6);
        let shared = dice.chance(0.5);
        let store_rate = [0.0, 0.02, 0.1, 0.3][dice.pick(0..4) as usize];
        Self { plan, old, rate, shared, store_rate, unique, troubled, foreign, guests }
    }
}

fn plan(dice: &mut Dice, old: u32) -> Plan<Change> {
    let mut plan = Plan::default();
    let mut boxes = Vec::new();
    let mut unwritten: Vec<u32> = (0..old).collect();
    for number in 0..dice.pick(1..9) {
        let inside = boxes.last().copied().filter(|_| dice.chance(0.6));
        match dice.pick(0..6) {
            0..3 => {
                let (name, slow) = (format!("new-{number}"), dice.chance(0.3));
                let step = plan.push(Change::Make { name, slow, inside }, inside);
                if dice.chance(0.5) {
                    boxes.push(step);
                }
            }
            3 => {
                plan.push(Change::Grant { who: format!("who-{number}") }, inside);
            }
            _ => {
                if let Some(old) = unwritten.pop() {
                    let (name, text) = (format!("old-{old}"), format!("text of step {number}"));
                    plan.push(Change::Write { name, text }, []);
                }
            }
        }
    }
    if dice.chance(0.25) {
        plan.push(Change::Publish, []);
    }
    plan
}
