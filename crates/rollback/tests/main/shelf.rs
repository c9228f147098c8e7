//! A target outside Fabric: things with a name and a text, on a shelf that drops answers on demand.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Call, Failure, Found, Marker, Progress, Reach, StepId, Target, Undone};

pub(crate) use crate::words::{Change, Fault, Receipt, Undo};
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Thing {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) marker: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Trouble(&'static str);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Trouble {}

/// How long requests take.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) enum Pace {
    /// No time.
    #[default]
    Instant,
    /// Changes and undos take so long, reads no time.
    Writes(Duration),
    /// Each takes a time of its own, up to 100 ms before and after its effect, by a seed.
    Seeded(u64),
}

#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) things: Mutex<BTreeMap<u32, Thing>>,
    pub(crate) published: Mutex<u32>,
    /// Faults of the coming changes, then none.
    pub(crate) faults: Mutex<VecDeque<Fault>>,
    /// Faults of the coming undos, then none.
    pub(crate) undo_faults: Mutex<VecDeque<Fault>>,
    /// Whether reading fails.
    pub(crate) blind: Mutex<bool>,
    /// How many of the coming looks at a change in doubt ask for another try.
    pub(crate) busy_looks: Mutex<u32>,
    /// For how long they ask.
    pub(crate) busy_for: Mutex<Duration>,
    /// How many of the coming looks at a change in doubt do not see what was made.
    pub(crate) hidden_looks: Mutex<u32>,
    /// How many looks at changes in doubt there were.
    pub(crate) looks: Mutex<u32>,
    pub(crate) sent: Mutex<Vec<String>>,
    /// What comes later, with its marker: a slow thing that was accepted, or what was not answered.
    pub(crate) coming: Mutex<Option<Thing>>,
    pub(crate) late: Mutex<bool>,
    /// Whether the end of a late thing is waited for in vain, rather than reported as not seen.
    pub(crate) silent: Mutex<bool>,
    /// How long it takes until a look, which is taken at once, is answered.
    pub(crate) look_takes: Mutex<Duration>,
    /// How many of the next slow things are accepted and then fail, in a way that may pass.
    pub(crate) failing: Mutex<u32>,
    /// How long what was not answered may still land.
    pub(crate) in_flight: Mutex<Duration>,
    pub(crate) pace: Mutex<Pace>,
    /// How long the other side works on a slow thing, from its acceptance on.
    pub(crate) work: Mutex<Duration>,
    ends: Mutex<BTreeMap<u32, Instant>>,
    /// Slow things that were removed while they were still worked on.
    pub(crate) too_early: Mutex<Vec<u32>>,
    /// How many writes are under way, and the most that were.
    under_way: Mutex<(usize, usize)>,
    /// The journal in which the intent of each write must stand by the time that it is sent.
    pub(crate) journal: Mutex<Option<MemoryStore>>,
    /// Whose receipts each step was given.
    pub(crate) told: Mutex<Vec<(StepId, Vec<StepId>)>>,
    /// Things whose removal was asked for, in order.
    pub(crate) removals: Mutex<Vec<String>>,
}

type Fail = Failure<Trouble>;

fn fail(text: &'static str, reach: Reach, again: bool) -> Fail {
    Failure { error: Trouble(text), reach, resend_after: again.then_some(Duration::ZERO) }
}

impl Shelf {
    /// The most writes that were under way at a time.
    pub(crate) fn most_at_a_time(&self) -> usize {
        self.under_way.lock().unwrap().1
    }

    fn assert_intended(&self, record: &str, step: StepId) {
        if let Some(store) = &*self.journal.lock().unwrap() {
            let said = crate::records(store);
            assert!(said.contains(&format!("{record} {step}")), "{record} {step} is not in {said:?}");
        }
    }

    /// The time that a request takes before its effect, and again after it.
    async fn pass(&self, write: bool) {
        let time = match &mut *self.pace.lock().unwrap() {
            Pace::Writes(time) if write => *time / 2,
            Pace::Instant | Pace::Writes(_) => return,
            Pace::Seeded(seed) => {
                // Knuth's MMIX generator.
                *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                Duration::from_millis((*seed >> 33) % 100)
            }
        };
        tokio::time::sleep(time).await;
    }

    /// A write: its effect comes halfway.
    async fn write<R>(&self, faults: &Mutex<VecDeque<Fault>>, effect: impl FnOnce() -> R) -> Result<R, Fail> {
        let counted = Counted::new(&self.under_way);
        self.pass(true).await;
        let answer = Self::request(faults, effect);
        self.pass(true).await;
        drop(counted);
        answer
    }

    pub(crate) fn put(&self, name: &str, text: &str, marker: Option<String>) -> u32 {
        let mut things = self.things.lock().unwrap();
        let id = things.keys().last().map_or(1, |id| id + 1);
        things.insert(id, Thing { name: name.to_owned(), text: text.to_owned(), marker });
        id
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.things.lock().unwrap().values().map(|thing| thing.name.clone()).collect();
        names.sort();
        names
    }

    pub(crate) fn inventory(&self) -> Vec<Thing> {
        let mut things: Vec<_> = self.things.lock().unwrap().values().cloned().collect();
        things.sort();
        things
    }

    fn text(&self, name: &str) -> Result<(u32, String), Fail> {
        if *self.blind.lock().unwrap() {
            return Err(fail("cannot read", Reach::Unsent, false));
        }
        self.things
            .lock()
            .unwrap()
            .iter()
            .find(|(_, thing)| thing.name == name)
            .map(|(id, thing)| (*id, thing.text.clone()))
            .ok_or_else(|| fail("no such thing", Reach::Unsent, false))
    }

    /// Carries out what `effect` does, or does not, and answers as the fault says.
    fn request<R>(faults: &Mutex<VecDeque<Fault>>, effect: impl FnOnce() -> R) -> Result<R, Fail> {
        let fault = faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::None => Ok(effect()),
            Fault::Unsent => Err(fail("no connection", Reach::Unsent, false)),
            Fault::Refused => Err(fail("refused", Reach::Sent, false)),
            Fault::Busy => Err(fail("busy", Reach::Sent, true)),
            Fault::PutOff => Err(fail("too busy", Reach::PutOff, true)),
            Fault::LostPutOff => {
                effect();
                Err(fail("too busy", Reach::PutOff, true))
            }
            Fault::Lost => {
                effect();
                Err(fail("connection reset", Reach::Sent, false))
            }
            Fault::LostBusy => {
                effect();
                Err(fail("throttled", Reach::Sent, true))
            }
            Fault::Unanswered | Fault::UnansweredOnce => {
                effect();
                Err(fail("timed out", Reach::Unanswered, fault == Fault::Unanswered))
            }
            Fault::Pending => {
                effect();
                Err(fail("still running", Reach::Pending, false))
            }
        }
    }
}

impl Target for Shelf {
    type Change = Change;
    type Undo = Undo;
    type Receipt = Receipt;
    type Error = Trouble;

    fn reversible(&self, change: &Change) -> bool {
        *change != Change::Publish
    }

    fn in_flight(&self, _change: &Change) -> Duration {
        *self.in_flight.lock().unwrap()
    }

    fn undo_in_flight(&self, change: &Change, undo: &Undo) -> Duration {
        if matches!(undo, Undo::Restore { .. }) { self.in_flight(change) } else { Duration::ZERO }
    }

    fn marks(&self, change: &Change, _marker: &Marker) -> bool {
        matches!(change, Change::Put { .. })
    }

    async fn invert(&self, call: Call<'_, Self>) -> Result<Undo, Fail> {
        self.pass(false).await;
        Ok(match call.change {
            Change::Put { .. } => Undo::Remove,
            Change::Write { name, .. } => Undo::Restore { name: name.clone(), before: self.text(name)?.1 },
            Change::Publish => Undo::Impossible,
        })
    }

    async fn execute(&self, call: Call<'_, Self>) -> Result<Progress<Receipt>, Fail> {
        self.assert_intended("intent", call.step);
        self.sent.lock().unwrap().push(call.change.to_string());
        self.told.lock().unwrap().push((call.step, call.receipts.keys().copied().collect()));
        let marker = call.marker.map(|marker| marker.to_string());
        if let Change::Put { slow: true, .. } = call.change {
            let mut failing = self.failing.lock().unwrap();
            if let Some(fewer) = failing.checked_sub(1) {
                *failing = fewer;
                return Ok(Progress::Accepted("fails".to_owned()));
            }
        }
        if let (Change::Put { name, slow: true }, true) = (call.change, *self.late.lock().unwrap()) {
            *self.coming.lock().unwrap() = Some(Thing { name: name.clone(), text: String::new(), marker });
            return Ok(Progress::Accepted("late".to_owned()));
        }
        let first = self.faults.lock().unwrap().front().copied();
        if let (
            Change::Put { name, .. },
            Some(fault @ (Fault::Unanswered | Fault::UnansweredOnce | Fault::Pending)),
        ) = (call.change, first)
        {
            self.faults.lock().unwrap().pop_front();
            *self.coming.lock().unwrap() = Some(Thing { name: name.clone(), text: String::new(), marker });
            let reach = if fault == Fault::Pending { Reach::Pending } else { Reach::Unanswered };
            return Err(fail("timed out", reach, fault == Fault::Unanswered));
        }
        let effect = || match call.change {
            Change::Put { name, .. } => self.put(name, "", marker),
            Change::Write { name, text } => {
                let (id, _) = self.text(name).unwrap();
                self.things.lock().unwrap().get_mut(&id).unwrap().text.clone_from(text);
                id
            }
            Change::Publish => {
                *self.published.lock().unwrap() += 1;
                0
            }
        };
        let id = self.write(&self.faults, effect).await?;
        Ok(match call.change {
            Change::Put { slow: true, .. } => {
                let end = Instant::now() + *self.work.lock().unwrap();
                self.ends.lock().unwrap().insert(id, end);
                Progress::Accepted(id.to_string())
            }
            Change::Write { text, .. } => Progress::Done(Receipt { id, text: text.clone() }),
            _ => Progress::Done(Receipt { id, text: String::new() }),
        })
    }

    async fn wait(&self, _call: Call<'_, Self>, operation: &str) -> Result<Receipt, Fail> {
        if operation == "fails" {
            return Err(fail("the operation failed", Reach::Sent, true));
        }
        let Ok(id) = operation.parse() else {
            let silent = *self.silent.lock().unwrap();
            if silent {
                std::future::pending::<()>().await;
            }
            return Err(fail("still running", Reach::Pending, false));
        };
        let end = self.ends.lock().unwrap().get(&id).copied();
        if let Some(end) = end {
            tokio::time::sleep_until(end).await;
        }
        self.pass(false).await;
        Ok(Receipt { id, text: String::new() })
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Result<Found<Receipt>, Fail> {
        self.pass(false).await;
        *self.looks.lock().unwrap() += 1;
        let busy = self.busy_looks.lock().unwrap().checked_sub(1);
        if let Some(fewer) = busy {
            *self.busy_looks.lock().unwrap() = fewer;
            let wait = *self.busy_for.lock().unwrap();
            return Err(Failure { resend_after: Some(wait), ..fail("busy", Reach::Unsent, true) });
        }
        let hidden = self.hidden_looks.lock().unwrap().checked_sub(1);
        if let Some(fewer) = hidden {
            *self.hidden_looks.lock().unwrap() = fewer;
            return Ok(Found::Absent);
        }
        if *self.blind.lock().unwrap() {
            return Err(fail("cannot read", Reach::Unsent, false));
        }
        let found = match call.change {
            Change::Put { name, .. } => {
                let marker = call.marker.map(|marker| marker.to_string());
                let things = self.things.lock().unwrap();
                let mut named = things.iter().filter(|(_, thing)| thing.name == *name);
                match named.clone().find(|(_, thing)| thing.marker == marker) {
                    Some((id, _)) => Found::Done(Receipt { id: *id, text: String::new() }),
                    None if named.next().is_some() => Found::Foreign(format!("another {name}")),
                    None => Found::Absent,
                }
            }
            Change::Write { name, text } => match self.text(name)? {
                (id, now) if now == *text => Found::Done(Receipt { id, text: text.clone() }),
                (_, now) if matches!(call.undo, Some(Undo::Restore { before, .. }) if now != *before) => {
                    Found::Foreign(format!("{name} says `{now}`"))
                }
                _ => Found::Absent,
            },
            Change::Publish if *self.published.lock().unwrap() > 0 => {
                Found::Done(Receipt { id: 0, text: String::new() })
            }
            Change::Publish => Found::Absent,
        };
        let takes = *self.look_takes.lock().unwrap();
        tokio::time::sleep(takes).await;
        Ok(found)
    }

    async fn undo(&self, call: Call<'_, Self>, undo: &Undo, receipt: &Receipt) -> Result<Undone, Fail> {
        self.assert_intended("undo_intent", call.step);
        match undo {
            Undo::Remove => {
                self.removals.lock().unwrap().push(call.change.to_string());
                if self.ends.lock().unwrap().get(&receipt.id).is_some_and(|end| *end > Instant::now()) {
                    self.too_early.lock().unwrap().push(receipt.id);
                }
                let effect = || self.things.lock().unwrap().remove(&receipt.id).is_some();
                let removed = self.write(&self.undo_faults, effect).await?;
                Ok(if removed { Undone::Reversed } else { Undone::AlreadyGone })
            }
            Undo::Restore { name, before } => {
                let (id, now) = self.text(name)?;
                if now == *before {
                    return Ok(Undone::AlreadyGone);
                }
                if now != receipt.text {
                    return Ok(Undone::Kept(format!("{name} says `{now}`")));
                }
                let restore = || self.things.lock().unwrap().get_mut(&id).unwrap().text.clone_from(before);
                self.write(&self.undo_faults, restore).await?;
                Ok(Undone::Reversed)
            }
            Undo::Impossible => Err(fail("published is published", Reach::Unsent, false)),
        }
    }

    async fn unmark(&self, _call: Call<'_, Self>, receipt: &Receipt) -> Result<(), Fail> {
        self.pass(false).await;
        if let Some(thing) = self.things.lock().unwrap().get_mut(&receipt.id) {
            thing.marker = None;
        }
        Ok(())
    }
}

/// A write under way: one less when dropped, however that comes.
struct Counted<'a>(&'a Mutex<(usize, usize)>);

impl<'a> Counted<'a> {
    fn new(under_way: &'a Mutex<(usize, usize)>) -> Self {
        let mut count = under_way.lock().unwrap();
        *count = (count.0 + 1, count.1.max(count.0 + 1));
        drop(count);
        Self(under_way)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}
