//! The reference model: things with ids, who made them, and what happens to them by and by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::request::{Ask, Got};
use super::scenario::{Dice, Scenario, limits};
use crate::StepId;

/// Who made a thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    /// It was there before.
    Before,
    /// Somebody else, in the meantime.
    Other,
    /// A step of the transaction.
    Step(u32),
}

#[derive(Debug)]
pub(super) struct Thing {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) marker: Option<String>,
    pub(super) inside: Option<u32>,
    pub(super) by: By,
    /// Who wrote the text last.
    pub(super) written_by: By,
    /// When lists begin to show it.
    listed: Instant,
}

/// What happens at its time, whoever is looking.
enum Happening {
    Lands { step: u32, ask: Ask, request: u64, sender: u32 },
    Foreign(String),
    Guest(u32),
    Edit(u32),
    Vanish(u32),
}

/// A rule that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Broken {
    pub(super) rule: &'static str,
    pub(super) detail: String,
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) scenario: Scenario,
    pub(super) started: Instant,
    /// Nothing goes wrong any more.
    pub(super) calm: bool,
    /// How many processes there were, where several are at work, which of them are gone or lost their lease alive, and whether one
    /// brought it to its end.
    pub(super) processes: u32,
    pub(super) gone: BTreeSet<u32>,
    pub(super) robbed: BTreeSet<u32>,
    pub(super) ended: bool,
    pub(super) disk_fails: bool,
    pub(super) things: BTreeMap<u32, Thing>,
    pub(super) grants: BTreeSet<String>,
    pub(super) published: u32,
    coming: BTreeMap<(Instant, u64), Happening>,
    number: u64,
    /// What came of the requests that have landed.
    pub(super) got: BTreeMap<u64, Got>,
    /// The things that each step has ever made, and those of them that somebody else took away.
    pub(super) made: BTreeMap<u32, Vec<u32>>,
    pub(super) vanished: BTreeSet<u32>,
    /// The requests whose senders have not heard of them yet.
    unanswered: BTreeSet<u64>,
    /// When the last request was carried out that puts something back, of which step, and of which process.
    pub(super) put_back: Option<(Instant, u32, u32)>,
    /// Before when a call must not be sent, by process, step and purpose. A process knows what was asked of itself.
    pub(super) floors: BTreeMap<(u32, u32, &'static str), Instant>,
    pub(super) broken: Option<Broken>,
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// What happened, where somebody wants to read it.
    pub(super) log: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(seed: u64, logged: bool) -> Self {
        let mut dice = Dice::new(seed);
        let scenario = Scenario::draw(&mut dice);
        let started = Instant::now();
        let mut world = Self {
            disk_fails: dice.chance(0.3),
            dice,
            started,
            calm: false,
            processes: 0,
            gone: BTreeSet::new(),
            robbed: BTreeSet::new(),
            ended: false,
            things: BTreeMap::new(),
            grants: BTreeSet::new(),
            published: 0,
            coming: BTreeMap::new(),
            number: 0,
            got: BTreeMap::new(),
            made: BTreeMap::new(),
            vanished: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            put_back: None,
            floors: BTreeMap::new(),
            broken: None,
            counts: BTreeMap::new(),
            log: logged.then(Vec::new),
            scenario,
        };
        for old in 0..world.scenario.old {
            world.add(By::Before, format!("old-{old}"), "old text", None, None, started);
        }
        for (after, name) in std::mem::take(&mut world.scenario.foreign) {
            world.later(after, Happening::Foreign(name));
        }
        for (after, step) in std::mem::take(&mut world.scenario.guests) {
            world.later(after, Happening::Guest(step));
        }
        world
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(format!("{:9.3} s  {}", self.started.elapsed().as_secs_f64(), what()));
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
        self.note(|| what.to_owned());
    }

    /// A rule is broken. The first counts; what follows may only follow from it.
    pub(super) fn breaks(&mut self, rule: &'static str, detail: impl FnOnce() -> String) {
        if self.broken.is_none() {
            let detail = detail();
            self.note(|| format!("VIOLATION {rule}: {detail}"));
            self.broken = Some(Broken { rule, detail });
        }
    }

    fn later(&mut self, after: Duration, what: Happening) {
        self.number += 1;
        self.coming.insert((Instant::now() + after, self.number), what);
    }

    /// Sends a request that lands after a while, whatever becomes of its sender. Its number.
    pub(super) fn send(&mut self, sender: u32, step: u32, ask: Ask, after: Duration) -> u64 {
        let request = self.number + 1;
        self.later(after, Happening::Lands { step, ask, request, sender });
        self.unanswered.insert(request);
        request
    }

    /// Its sender has heard of a request, the truth or not.
    pub(super) fn answered(&mut self, request: u64) {
        self.unanswered.remove(&request);
    }

    /// A process has ended. What it had under way is on its way as long as it may be.
    pub(super) fn orphan(&mut self, process: u32) {
        self.advance();
        let unanswered = &self.unanswered;
        let is_its = |_: &(Instant, u64), what: &mut Happening| {
            matches!(what, Happening::Lands { request, sender, .. }
                if *sender == process && unanswered.contains(request))
        };
        let under_way: Vec<_> = self.coming.extract_if(.., is_its).collect();
        for ((mut at, number), what) in under_way {
            if let Happening::Lands { step, .. } = &what
                && let Some(step) = self.scenario.plan.get(StepId::new(*step))
            {
                let most = limits::under_way(&step.change);
                at = at.min(Instant::now() + most);
                if self.dice.chance(0.5) {
                    at = Instant::now() + self.dice.time(most);
                    self.count("it lands long after its sender died");
                }
            }
            self.coming.insert((at, number), what);
        }
    }

    /// Lets everything happen that was due. All who look at the world call this first.
    pub(super) fn advance(&mut self) {
        let now = Instant::now();
        while let Some(first) = self.coming.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, _), what) = first.remove_entry();
            match what {
                Happening::Lands { step, ask, request, sender } => {
                    // Who took the lease of one that is alive waits from then on, and not until it has given up or noticed.
                    if ask.puts_back() && !self.robbed.contains(&sender) {
                        self.put_back = Some((at, step, sender));
                    }
                    let got = self.land(at, step, &ask);
                    self.note(|| format!("step {step} lands: {ask:?}: {got:?}"));
                    self.got.insert(request, got);
                }
                Happening::Foreign(name) => {
                    if !(self.scenario.unique && self.named(&name).is_some()) {
                        self.note(|| format!("somebody makes {name}"));
                        self.add(By::Other, name, "theirs", None, None, at);
                    }
                }
                Happening::Guest(step) => {
                    let ours = self.made.get(&step).and_then(|ids| ids.first().copied());
                    if let Some(id) = ours.filter(|id| self.things.contains_key(id)) {
                        self.note(|| format!("somebody puts a guest into {id}"));
                        self.add(By::Other, format!("guest-{step}"), "theirs", None, Some(id), at);
                    }
                }
                Happening::Edit(id) => self.edit(id),
                Happening::Vanish(id) => {
                    if self.things.values().all(|thing| thing.inside != Some(id))
                        && self.things.remove(&id).is_some()
                    {
                        self.count("somebody removed what we made");
                        self.vanished.insert(id);
                    }
                }
            }
        }
    }

    /// Whether nothing more will happen by itself.
    pub(super) fn is_still(&self) -> bool {
        self.coming.is_empty()
    }

    /// Not while a write is on its way: what was sent before the edit overwrites it, and nobody can help that.
    fn edit(&mut self, id: u32) {
        let on_its_way = |name: &str| {
            let writes = |what: &Happening| matches!(what, Happening::Lands { ask: Ask::Write { name: to, .. }, .. } if to == name);
            self.coming.values().any(writes)
        };
        if self.things.get(&id).is_some_and(|thing| on_its_way(&thing.name)) {
            return;
        }
        if let Some(thing) = self.things.get_mut(&id)
            && matches!(thing.written_by, By::Step(_))
        {
            thing.text = "edited by hand".to_owned();
            thing.written_by = By::Other;
            self.count("somebody edited what we wrote");
        }
    }

    fn add(
        &mut self,
        by: By,
        name: String,
        text: &str,
        marker: Option<String>,
        inside: Option<u32>,
        at: Instant,
    ) -> u32 {
        let id = self.things.last_key_value().map_or(1, |(id, _)| id + 1).max(self.number_of_made() + 1);
        let lag = if matches!(by, By::Step(_)) && !self.calm && self.dice.chance(self.scenario.rate) {
            self.dice.time(limits::LAG)
        } else {
            Duration::ZERO
        };
        let listed = at + lag;
        let text = text.to_owned();
        self.things.insert(id, Thing { name, text, marker, inside, by, written_by: by, listed });
        id
    }

    /// The highest id that was ever ours: an id is never given twice.
    fn number_of_made(&self) -> u32 {
        self.made.values().flatten().copied().max().unwrap_or(0)
    }

    fn named(&self, name: &str) -> Option<u32> {
        self.things.iter().find(|(_, thing)| thing.name == name).map(|(id, _)| *id)
    }

    /// Whether the name of what is to be made is taken, or kept for something that is on its way.
    pub(super) fn is_taken(&self, ask: &Ask) -> bool {
        let Ask::Make { name, .. } = ask else { return false };
        let reserved = self.coming.values().any(|coming| {
            matches!(coming, Happening::Lands { ask: Ask::Make { name: coming, .. }, .. } if coming == name)
        });
        self.scenario.unique && (reserved || self.named(name).is_some())
    }

    /// What lists show under a name, in the order of ids.
    pub(super) fn listed<'w>(&'w self, name: &'w str) -> impl Iterator<Item = (u32, &'w Thing)> {
        let now = Instant::now();
        let named = self.things.iter().filter(move |(_, thing)| thing.name == name && thing.listed <= now);
        named.map(|(id, thing)| (*id, thing))
    }

    /// Carries a request out.
    fn land(&mut self, at: Instant, step: u32, ask: &Ask) -> Got {
        match ask {
            Ask::Make { name, marker, inside } => {
                if inside.is_some_and(|inside| !self.things.contains_key(&inside)) {
                    return Got::Refused("there is nothing to put it into");
                }
                if self.scenario.unique && self.named(name).is_some() {
                    return Got::Refused("the name is taken");
                }
                let id = self.add(By::Step(step), name.clone(), "", marker.clone(), *inside, at);
                let made = self.made.entry(step).or_default();
                made.push(id);
                // What somebody else took away may be made again.
                let there: Vec<u32> =
                    made.iter().copied().filter(|id| self.things.contains_key(id)).collect();
                if there.len() > 1 {
                    let made = there;
                    self.breaks("twice", || format!("step {step} made {name} more than once: {made:?}"));
                }
                if self.dice.chance(0.02) {
                    let after = self.dice.time(Duration::from_secs(120));
                    self.later(after, Happening::Vanish(id));
                }
                Got::Id(id)
            }
            Ask::Write { name, text } => {
                let Some(id) = self.named(name) else { return Got::Refused("there is no such thing") };
                self.write(step, id, text);
                if self.dice.chance(0.1) {
                    let after = self.dice.time(Duration::from_secs(60));
                    self.later(after, Happening::Edit(id));
                }
                Got::Id(id)
            }
            Ask::Restore { id, wrote, before } => match self.things.get(id).map(|thing| &thing.text) {
                None => Got::Gone,
                Some(now) if now == before => Got::Gone,
                Some(now) if now != wrote => Got::Kept(format!("it says `{now}`")),
                Some(_) => {
                    self.write(step, *id, before);
                    if let Some(thing) = self.things.get_mut(id) {
                        thing.written_by = By::Before;
                    }
                    Got::Done
                }
            },
            Ask::Grant { who } => {
                self.grants.insert(who.clone());
                Got::Done
            }
            Ask::Revoke { who } => {
                if self.grants.remove(who) {
                    Got::Done
                } else {
                    Got::Gone
                }
            }
            Ask::Publish => {
                self.published += 1;
                if self.published > 1 {
                    self.breaks("twice", || "it was published more than once".to_owned());
                }
                Got::Done
            }
            Ask::Remove { id } => self.remove(step, *id),
            Ask::Unmark { id, marker } => {
                if let Some(thing) = self.things.get_mut(id)
                    && thing.marker.as_ref() == Some(marker)
                {
                    thing.marker = None;
                }
                Got::Done
            }
        }
    }

    fn write(&mut self, step: u32, id: u32, text: &str) {
        let Some(thing) = self.things.get_mut(&id) else { return };
        let theirs = thing.by == By::Other || thing.written_by == By::Other;
        let (was, name) = (std::mem::replace(&mut thing.text, text.to_owned()), thing.name.clone());
        thing.written_by = By::Step(step);
        if theirs {
            self.breaks("others", || format!("step {step} overwrote `{was}` in {name} with `{text}`"));
        }
    }

    fn remove(&mut self, step: u32, id: u32) -> Got {
        if self.things.values().any(|thing| thing.inside == Some(id)) {
            return Got::Kept("something is in it".to_owned());
        }
        let Some(thing) = self.things.remove(&id) else { return Got::Gone };
        if thing.by != By::Step(step) {
            self.breaks("others", || format!("step {step} removed {} of {:?}", thing.name, thing.by));
        }
        Got::Done
    }
}
