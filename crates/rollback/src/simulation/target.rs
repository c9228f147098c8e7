//! The simulated world as a target: how each change is sent, read back and undone over calls that fail.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::fate::Heard;
use super::request::{Ask, Got};
use super::scenario::{Change, limits};
use super::{Sim, lock};
use crate::{Call, Failure, Found, Marker, Progress, Reach, Target, Undone};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) enum Undo {
    Remove,
    Restore { before: String },
    Revoke,
    Impossible,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Receipt {
    pub(super) id: u32,
    pub(super) text: String,
}

/// What a call said when it failed.
#[derive(Debug)]
pub(super) struct Trouble(&'static str);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Trouble {}

type Fail = Failure<Trouble>;

fn fail(text: &'static str, reach: Reach) -> Fail {
    Failure { error: Trouble(text), reach, resend_after: None }
}

/// A name that is taken is refused at once, and not when the change would have been made.
const TAKEN: Heard = Heard { text: "the name is taken", reach: Reach::Sent, resend_after: None };

impl Sim {
    /// Waits for its turn, as behind a throttle. Whoever waits between the engine's word and the sending asks once more.
    async fn turn(&self, step: u32, purpose: &'static str) -> Result<(), Fail> {
        self.check_intent(step, purpose);
        let wait = {
            let mut world = lock(&self.world);
            let waits = !world.calm && world.dice.chance(0.05);
            waits.then(|| world.dice.time(Duration::from_secs(40)))
        };
        let Some(wait) = wait else { return Ok(()) };
        tokio::time::sleep(wait).await;
        match &self.fence {
            Some(fence) if !fence.holds() => Err(fail("the lease is lost", Reach::Unsent)),
            _ => Ok(()),
        }
    }

    /// Sends a request that writes, and waits for what is heard of it.
    async fn write(&self, step: u32, purpose: &'static str, ask: Ask) -> Result<Got, Fail> {
        self.turn(step, purpose).await?;
        let (request, answered, trouble) = {
            let mut world = lock(&self.world);
            world.advance();
            self.check_call(&mut world, step, purpose);
            let fate = world.fate_of_write(&ask);
            world.note(|| format!("step {step} {purpose}: {ask:?}"));
            let request = fate.lands.map(|after| world.send(self.process, step, ask, after));
            (request, fate.answered, fate.trouble)
        };
        tokio::time::sleep(answered).await;
        self.heard(step, purpose, request, trouble)?;
        let mut world = lock(&self.world);
        world.advance();
        let got = request.and_then(|request| world.got.get(&request).cloned());
        match got.ok_or_else(|| fail("nothing came of it", Reach::Sent))? {
            Got::Refused(why) => Err(fail(why, Reach::Sent)),
            got => Ok(got),
        }
    }

    /// Looks at the world, if it can be looked at.
    async fn read<R>(
        &self,
        step: u32,
        purpose: &'static str,
        look: impl FnOnce(&super::world::World) -> R + Send,
    ) -> Result<R, Fail>
    where
        R: Send,
    {
        let fate = {
            let mut world = lock(&self.world);
            world.advance();
            self.check_floor(&mut world, step, purpose);
            world.fate_of_read()
        };
        let there = fate.lands.unwrap_or_default();
        tokio::time::sleep(there).await;
        let seen = {
            let mut world = lock(&self.world);
            world.advance();
            look(&world)
        };
        tokio::time::sleep(fate.answered - there).await;
        self.heard(step, purpose, None, fate.trouble)?;
        Ok(seen)
    }

    fn heard(
        &self,
        step: u32,
        purpose: &'static str,
        request: Option<u64>,
        trouble: Option<Heard>,
    ) -> Result<(), Fail> {
        let mut world = lock(&self.world);
        if let Some(request) = request {
            world.answered(request);
        }
        let Some(Heard { text, reach, resend_after }) = trouble else {
            return Ok(());
        };
        if let Some(wait) = resend_after {
            world.floors.insert((self.process, step, purpose), Instant::now() + wait);
        }
        world.note(|| format!("step {step} {purpose} hears `{text}` ({reach:?}, again {resend_after:?})"));
        Err(Failure { error: Trouble(text), reach, resend_after })
    }

    /// Sends a change that is accepted and made later. Nobody who does not hear of the operation can wait for it.
    async fn start(&self, step: u32, ask: Ask) -> Result<Progress<Receipt>, Fail> {
        self.turn(step, "execute").await?;
        let (answered, trouble, accepted) = {
            let mut world = lock(&self.world);
            world.advance();
            self.check_call(&mut world, step, "execute");
            let mut fate = world.fate_of_write(&ask);
            if world.is_taken(&ask) {
                world.note(|| format!("step {step} is refused: {ask:?}"));
                fate.lands = None;
                fate.trouble = fate.trouble.or(Some(TAKEN));
            }
            let longest = match fate.trouble {
                None => limits::SLOW,
                Some(Heard { reach: Reach::Unanswered, .. }) => limits::SLOW_UNANSWERED,
                Some(_) => limits::LATE,
            };
            let takes = world.dice.time(longest);
            let fails = !world.calm && fate.trouble.is_none() && world.dice.chance(0.1);
            world.note(|| format!("step {step} starts: {ask:?}, takes {takes:?}, fails {fails}"));
            let lands =
                fate.lands.map(|after| if fate.trouble.is_some() { after.max(takes) } else { after + takes });
            let request = lands.filter(|_| !fails).map(|after| world.send(self.process, step, ask, after));
            (fate.answered, fate.trouble, (request, takes))
        };
        tokio::time::sleep(answered).await;
        let (request, takes) = accepted;
        self.heard(step, "execute", request, trouble)?;
        Ok(Progress::Accepted(match request {
            Some(request) => request.to_string(),
            None if takes.as_secs().is_multiple_of(2) => format!("fails for now after {}", takes.as_secs()),
            None => format!("fails after {}", takes.as_secs()),
        }))
    }
}

impl Target for Sim {
    type Change = Change;
    type Undo = Undo;
    type Receipt = Receipt;
    type Error = Trouble;

    fn reversible(&self, change: &Change) -> bool {
        *change != Change::Publish
    }

    fn marks(&self, change: &Change, _marker: &Marker) -> bool {
        matches!(change, Change::Make { .. })
    }

    fn in_flight(&self, change: &Change) -> Duration {
        limits::in_flight(change)
    }

    fn undo_in_flight(&self, _change: &Change, undo: &Undo) -> Duration {
        limits::undo_in_flight(undo)
    }

    async fn invert(&self, call: Call<'_, Self>) -> Result<Undo, Fail> {
        let step = call.step.number();
        match call.change {
            Change::Make { .. } => Ok(Undo::Remove),
            Change::Publish => Ok(Undo::Impossible),
            Change::Write { name, .. } => {
                let before = self.read(step, "invert", |world| {
                    world.listed(name).next().map(|(_, thing)| thing.text.clone())
                });
                let before = before.await?.ok_or_else(|| fail("there is no such thing", Reach::Unsent))?;
                Ok(Undo::Restore { before })
            }
            Change::Grant { who } => {
                match self.read(step, "invert", |world| world.grants.contains(who)).await? {
                    true => Err(fail("it was granted before", Reach::Unsent)),
                    false => Ok(Undo::Revoke),
                }
            }
        }
    }

    async fn execute(&self, call: Call<'_, Self>) -> Result<Progress<Receipt>, Fail> {
        let step = call.step.number();
        let (ask, text) = match call.change {
            Change::Make { name, slow, inside } => {
                let inside = inside.and_then(|inside| call.receipts.get(&inside)).map(|receipt| receipt.id);
                let marker = call.marker.map(|marker| marker.to_string());
                let ask = Ask::Make { name: name.clone(), marker, inside };
                if *slow {
                    return self.start(step, ask).await;
                }
                (ask, "")
            }
            Change::Write { name, text } => {
                (Ask::Write { name: name.clone(), text: text.clone() }, text.as_str())
            }
            Change::Grant { who } => (Ask::Grant { who: who.clone() }, ""),
            Change::Publish => (Ask::Publish, ""),
        };
        let id = match self.write(step, "execute", ask).await? {
            Got::Id(id) => id,
            _ => 0,
        };
        Ok(Progress::Done(Receipt { id, text: text.to_owned() }))
    }

    async fn wait(&self, call: Call<'_, Self>, operation: &str) -> Result<Receipt, Fail> {
        let step = call.step.number();
        let Ok(request) = operation.parse::<u64>() else {
            let resend_after = operation.starts_with("fails for now").then_some(Duration::ZERO);
            return Err(Failure { resend_after, ..fail("the operation failed", Reach::Sent) });
        };
        // Longer than any operation takes.
        for _ in 0..40 {
            // Who waits for an operation waits as it is told, also where an earlier wait was given up.
            let floor = lock(&self.world).floors.get(&(self.process, step, "wait")).copied();
            tokio::time::sleep_until(floor.unwrap_or_else(Instant::now)).await;
            let got = self.read(step, "wait", |world| world.got.get(&request).cloned()).await;
            match got {
                Ok(Some(Got::Id(id))) => return Ok(Receipt { id, text: String::new() }),
                Ok(Some(Got::Refused(why))) => return Err(fail(why, Reach::Sent)),
                Ok(_) => tokio::time::sleep(Duration::from_secs(5)).await,
                Err(Failure { resend_after: Some(wait), .. }) if !wait.is_zero() => {}
                Err(failure) => return Err(Failure { reach: Reach::Pending, resend_after: None, ..failure }),
            }
        }
        Err(fail("the operation does not end", Reach::Pending))
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Result<Found<Receipt>, Fail> {
        let marker = call.marker.map(|marker| marker.to_string());
        let look = |world: &super::world::World| match call.change {
            Change::Make { name, .. } => {
                let mut listed = world.listed(name);
                let first = listed.next();
                match first.into_iter().chain(listed).find(|(_, thing)| thing.marker == marker) {
                    Some((id, _)) => Found::Done(Receipt { id, text: String::new() }),
                    None if first.is_some() => Found::Foreign(format!("another {name}")),
                    None => Found::Absent,
                }
            }
            Change::Write { name, text } => match world.listed(name).next() {
                Some((id, thing)) if thing.text == *text => Found::Done(Receipt { id, text: text.clone() }),
                // Neither ours nor what was there before.
                Some((_, thing)) if matches!(call.undo, Some(Undo::Restore { before }) if thing.text != *before) => {
                    Found::Foreign(format!("it says `{}`", thing.text))
                }
                _ => Found::Absent,
            },
            Change::Grant { who } if world.grants.contains(who) => {
                Found::Done(Receipt { id: 0, text: String::new() })
            }
            Change::Publish if world.published > 0 => Found::Done(Receipt { id: 0, text: String::new() }),
            Change::Grant { .. } | Change::Publish => Found::Absent,
        };
        self.read(call.step.number(), "reconcile", look).await
    }

    async fn undo(&self, call: Call<'_, Self>, undo: &Undo, receipt: &Receipt) -> Result<Undone, Fail> {
        let step = call.step.number();
        let ask = match (undo, call.change) {
            (Undo::Remove, Change::Make { name, .. }) if cfg!(selvedge_bug = "deletes-by-name") => {
                let named = |world: &super::world::World| world.listed(name).next().map(|(id, _)| id);
                match self.read(step, "undo", named).await? {
                    Some(id) => Ask::Remove { id },
                    None => return Ok(Undone::AlreadyGone),
                }
            }
            (Undo::Remove, _) => Ask::Remove { id: receipt.id },
            (Undo::Restore { before }, _) => {
                Ask::Restore { id: receipt.id, wrote: receipt.text.clone(), before: before.clone() }
            }
            (Undo::Revoke, Change::Grant { who }) => Ask::Revoke { who: who.clone() },
            _ => return Err(fail("it cannot be undone", Reach::Unsent)),
        };
        Ok(match self.write(step, "undo", ask).await? {
            Got::Gone => Undone::AlreadyGone,
            Got::Kept(what) => Undone::Kept(what),
            _ => Undone::Reversed,
        })
    }

    async fn unmark(&self, call: Call<'_, Self>, receipt: &Receipt) -> Result<(), Fail> {
        if let Some(marker) = call.marker {
            let ask = Ask::Unmark { id: receipt.id, marker: marker.to_string() };
            self.write(call.step.number(), "unmark", ask).await?;
        }
        Ok(())
    }
}
