//! What must hold: before each call, and once everything has ended.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::book::Book;
use super::scenario::Change;
use super::world::{By, World};
use super::{Place, Sim, lock};
use crate::{Direction, State};

impl Sim {
    /// When the engine hands a call that writes to the target: its intent is durable, and the end is not.
    pub(super) fn check_intent(&self, step: u32, purpose: &'static str) {
        let mut world = lock(&self.world);
        match &self.place {
            Place::Disk(disk) => check_book(&mut world, &lock(disk).book, step, purpose),
            Place::Cloud(cloud) => {
                let mut cloud = lock(cloud);
                cloud.advance(&mut world);
                // Before what was intended when another took over, an undo that is tried again and a marker that is taken off, the lease
                // stands alone.
                if !cloud.has_not_noticed(self.process) {
                    check_book(&mut world, &cloud.book, step, purpose);
                } else if purpose == "execute" && !cloud.book.last_says("intent", step) {
                    world.breaks("intent", || {
                        format!("step {step}: sent again by one whose lease was broken")
                    });
                }
            }
        }
    }

    /// When such a call leaves: it is not too early, and the lease is its sender's.
    pub(super) fn check_call(&self, world: &mut World, step: u32, purpose: &'static str) {
        self.check_floor(world, step, purpose);
        if let Place::Cloud(cloud) = &self.place {
            let mut cloud = lock(cloud);
            cloud.advance(world);
            // What was sent while the lease was its sender's may land later.
            let (process, holder) = (self.process, cloud.holder);
            if holder != Some(process) && !cloud.has_not_noticed(process) {
                world.breaks("fence", || {
                    format!("step {step} {purpose}: sent by process {process}, and the lease is {holder:?}'s")
                });
            }
        }
    }

    /// Before any call: nobody has asked for a wait that is not over.
    pub(super) fn check_floor(&self, world: &mut World, step: u32, purpose: &'static str) {
        let now = Instant::now();
        if let Some(floor) =
            world.floors.get(&(self.process, step, purpose)).copied().filter(|floor| now < *floor)
        {
            world.breaks("early", || format!("step {step} {purpose}: {:?} too early", floor - now));
        }
    }
}

fn check_book(world: &mut World, book: &Book, step: u32, purpose: &'static str) {
    let allowed = match purpose {
        "execute" => book.last_says("intent", step) && !book.says("roll_back", None),
        "undo" => book.last_says("undo_intent", step),
        _ => book.last_says("outcome", step) || book.last_says("unmarked", step),
    };
    if !allowed {
        world.breaks("intent", || format!("step {step} {purpose}: no intent is durable"));
    }
    if purpose != "unmark" && book.says("end", None) {
        world.breaks("end", || format!("step {step} {purpose}: sent after the end"));
    }
}

/// Once nothing is on its way any more: nothing was put back after the end, when the next transaction may have written there.
pub(super) fn check_late(world: &mut World, ended: Option<Instant>) {
    if let (Some(ended), Some((at, step, process))) = (ended, world.put_back)
        && ended < at
    {
        world.breaks("late", || {
            format!("step {step}: put back for process {process} {:?} after the end", at - ended)
        });
    }
}

/// Once everything has ended: created is contained in committed, undone and reported, and nothing else has changed.
pub(super) fn check_end(world: &mut World, state: Option<&State<Sim>>) {
    let direction = state.map(State::direction);
    let committed = direction == Some(Direction::Committed);
    let reported: BTreeSet<u32> = match (state, direction) {
        (Some(_), Some(Direction::RolledBack)) | (None, _) => BTreeSet::new(),
        (Some(state), _) => state.remaining().iter().map(|left| left.step.number()).collect(),
    };
    let receipt = |step: u32| {
        let receipts = state.map(State::receipts).into_iter().flatten();
        receipts.filter(|(id, _)| id.number() == step).map(|(_, receipt)| receipt.id).next()
    };
    let mut broken = Vec::new();
    for (id, thing) in &world.things {
        if let By::Step(step) = thing.by
            && !(committed && receipt(step) == Some(*id))
            && (committed || !reported.contains(&step))
        {
            broken.push(("orphan", format!("{} of step {step} is there, with {direction:?}", thing.name)));
        }
        // A text that was never ours to write, or was to be taken back.
        if let (By::Before | By::Other, By::Step(step)) = (thing.by, thing.written_by)
            && !committed
            && !reported.contains(&step)
        {
            broken.push(("changed", format!("{} says `{}`, with {direction:?}", thing.name, thing.text)));
        }
    }
    let old = world.things.values().filter(|thing| thing.by == By::Before).count();
    if old != world.scenario.old as usize {
        broken.push(("protected", format!("{old} of {} old things are there", world.scenario.old)));
    }
    for step in world.scenario.plan.steps() {
        let (number, change) = (step.id.number(), &step.change);
        let is_made = match change {
            Change::Make { .. } => receipt(number)
                .is_some_and(|id| world.things.contains_key(&id) || world.vanished.contains(&id)),
            Change::Write { name, .. } => world.things.values().any(|thing| {
                thing.name == *name && (thing.written_by == By::Step(number) || thing.written_by == By::Other)
            }),
            Change::Grant { who } => world.grants.contains(who),
            Change::Publish => world.published == 1,
        };
        if committed && !is_made {
            broken.push(("missing", format!("step {number} ({change}) is committed and not there")));
        }
        let left_over = match change {
            Change::Grant { who } => world.grants.contains(who),
            Change::Publish => world.published > 0,
            Change::Make { .. } | Change::Write { .. } => false,
        };
        if left_over && !committed && !reported.contains(&number) {
            broken.push(("orphan", format!("step {number} ({change}) is there, with {direction:?}")));
        }
    }
    for (rule, detail) in broken {
        world.breaks(rule, || detail);
    }
}
