//! The laws, one function each.

use super::check::{Recovery, breach, same, take_up, told};
use super::faulty::{Fault, Faulty};
use super::{Breach, Laws, World};
use crate::journal::MemoryStore;
use crate::{
    Call, Error, Marker, Progress, Receipts, Step, StepId, StepState, Target, TransactionId, Verdict,
};

const FAILS: [(Fault, &str); 3] = [
    (Fault::Unsent, "it is not sent"),
    (Fault::Refused, "it is sent and refused"),
    (Fault::Lost, "it is done and the answer is lost"),
];

const WAYS: [Recovery; 2] = [Recovery::Resume, Recovery::RollBack];

/// When somebody else puts something into a step's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    UnderWay,
    Since,
}

impl Moment {
    fn told(self) -> &'static str {
        match self {
            Self::Before => "something of somebody else's is in its place",
            Self::UnderWay => "something of somebody else's comes into its place when its process has died",
            Self::Since => "somebody else changes it once it is done",
        }
    }
}

/// A step as a transaction would hand it over.
fn call<'c, T: Target>(
    target: &T,
    transaction: TransactionId,
    step: &'c Step<T::Change>,
    undo: Option<&'c T::Undo>,
    receipts: &'c Receipts<T::Receipt>,
) -> Call<'c, T> {
    let marker = Marker { transaction, step: step.id };
    let marker = target.marks(&step.change, &marker).then_some(marker);
    Call { step: step.id, change: &step.change, marker, recorded: true, undo, receipts }
}

impl<W: World, F: Fn() -> W> Laws<F> {
    /// A step that fails, whether it was done or not, leaves the whole change or no trace of it.
    ///
    /// # Errors
    ///
    /// The first step and failure after which that is not so.
    pub async fn fails_at_each_step(&self) -> Result<(), Breach> {
        let expected = self.expected().await?;
        for step in self.steps() {
            for (fault, what) in FAILS {
                let world = self.fresh();
                let plan = world.plan();
                let run = told(&plan, step, what);
                let target = Faulty::new(world.target()).failing(step, fault);
                let verdict = self.run(&target, &plan, MemoryStore::default()).await;
                expected.judge(&run, &verdict, &world.inventory().await)?;
            }
        }
        Ok(())
    }

    /// A process that dies at any record, on the way forward or back, is taken up to the whole change or to no trace of it.
    ///
    /// # Errors
    ///
    /// The first record and way of recovery after which that is not so.
    pub async fn crashes_at_each_record(&self) -> Result<(), Breach> {
        let expected = self.expected().await?;
        let last = self.steps().next_back();
        for fault in [None, last] {
            for way in WAYS {
                for room in 0_usize.. {
                    let world = self.fresh();
                    let mut target = Faulty::new(world.target());
                    if let Some(step) = fault {
                        target = target.failing(step, Fault::Refused);
                    }
                    let store = MemoryStore::default();
                    let ran = self.run(&target, &world.plan(), store.clone().with_room_for(room)).await;
                    let back = if fault.is_some() { ", its last step refused" } else { "" };
                    let run = format!("a crash after {room} records{back}, then {way:?}");
                    let Err(Error::Journal(_)) = ran else {
                        // Everything was recorded: there was no crash.
                        expected.judge(&run, &ran, &world.inventory().await)?;
                        break;
                    };
                    if store.bytes().is_empty() {
                        expected.untouched(&run, &world.inventory().await)?;
                        continue;
                    }
                    let verdict = take_up(self, &target, &store, way, &run).await?;
                    expected.judge(&run, &verdict, &world.inventory().await)?;
                    self.once(&target, &run)?;
                }
            }
        }
        Ok(())
    }

    /// A process that dies before or after a change is made, and before it can say so, is taken up likewise; a change that was
    /// made is not made again.
    ///
    /// # Errors
    ///
    /// The first step, moment and way of recovery after which that is not so.
    pub async fn crashes_in_each_call(&self) -> Result<(), Breach> {
        let expected = self.expected().await?;
        let moments = [
            (Fault::DiesBefore, "a crash before it is sent"),
            (Fault::DiesAfter, "a crash before it is answered"),
        ];
        for step in self.steps() {
            for (fault, what) in moments {
                for way in WAYS {
                    let world = self.fresh();
                    let plan = world.plan();
                    let run = format!("{}, then {way:?}", told(&plan, step, what));
                    let target = Faulty::new(world.target()).failing(step, fault);
                    let store = MemoryStore::default();
                    let ran = target.until_it_dies(self.run(&target, &plan, store.clone())).await;
                    if let Some(ran) = ran {
                        return Err(breach(&run, format!("it was never sent: {ran:?}")));
                    }
                    let verdict = take_up(self, &target, &store, way, &run).await?;
                    expected.judge(&run, &verdict, &world.inventory().await)?;
                    self.once(&target, &run)?;
                }
            }
        }
        Ok(())
    }

    /// Undone twice is undone once, and every undo together leaves what was there before.
    ///
    /// # Errors
    ///
    /// The first step whose second undo fails or changes something.
    pub async fn undoes_twice(&self) -> Result<(), Breach> {
        let world = self.fresh();
        let (target, plan, before) = (world.target(), world.plan(), world.inventory().await);
        let transaction = TransactionId::generate();
        let (mut receipts, mut undos) = (Receipts::new(), Vec::new());
        let reversible = || plan.steps().iter().filter(|step| target.reversible(&step.change));
        for step in reversible() {
            let run = told(&plan, step.id, "made without a fault");
            let failed = |failure: crate::Failure<_>| breach(&run, crate::describe(&failure.error));
            let undo =
                target.invert(call(target, transaction, step, None, &receipts)).await.map_err(failed)?;
            let sent = call(target, transaction, step, Some(&undo), &receipts);
            let receipt = match target.execute(sent).await.map_err(failed)? {
                Progress::Done(receipt) => receipt,
                Progress::Accepted(operation) => target.wait(sent, &operation).await.map_err(failed)?,
            };
            receipts.insert(step.id, receipt);
            undos.push((step, undo));
        }
        for (step, undo) in undos.iter().rev() {
            let Some(receipt) = receipts.get(&step.id) else { continue };
            let mut first = None;
            for what in ["undone once", "undone twice"] {
                let run = told(&plan, step.id, what);
                let sent = call(target, transaction, step, Some(undo), &receipts);
                let undone = target.undo(sent, undo, receipt).await;
                undone.map_err(|failure| breach(&run, crate::describe(&failure.error)))?;
                let now = world.inventory().await;
                same(&run, "done", first.as_ref().unwrap_or(&now), &now)?;
                first = Some(now);
            }
        }
        same("every step undone twice", "done", &before, &world.inventory().await)
    }

    /// What somebody else put in a step's place is neither adopted, nor overwritten, nor removed: not where it was there
    /// before, not where it came when the step was under way, and not where it replaced what an update had written.
    ///
    /// # Errors
    ///
    /// The first step that touches what is not its own.
    pub async fn leaves_what_others_made(&self) -> Result<(), Breach> {
        for step in self.steps() {
            for moment in [Moment::Before, Moment::UnderWay, Moment::Since] {
                for way in WAYS {
                    self.leaves(step, moment, way).await?;
                }
            }
        }
        Ok(())
    }

    async fn leaves(&self, step: StepId, moment: Moment, way: Recovery) -> Result<(), Breach> {
        let world = self.fresh();
        let (plan, store) = (world.plan(), MemoryStore::default());
        let Some(change) = plan.get(step) else { return Ok(()) };
        let run = format!("{}, then {way:?}", told(&plan, step, moment.told()));
        let fresh = world.inventory().await;
        let mut target = Faulty::new(world.target());
        match moment {
            Moment::Before => {}
            Moment::UnderWay => {
                target = target.failing(step, Fault::DiesBefore);
                target.until_it_dies(self.run(&target, &plan, store.clone())).await;
            }
            Moment::Since => {
                let Some(room) = self.records_until_done(step).await else { return Ok(()) };
                // It dies when it wants to write on.
                drop(self.run(&target, &plan, store.clone().with_room_for(room)).await);
            }
        }
        let mine = world.inventory().await;
        if !world.plant(change).await {
            return Ok(());
        }
        let planted = world.inventory().await;
        let verdict = match moment {
            Moment::Before => self.run(&target, &plan, store).await,
            _ => take_up(self, &target, &store, way, &run).await?,
        };
        let committed = matches!(verdict, Ok(Verdict::Committed));
        let is_theirs = |name: &str| match moment {
            // An update may be made of what was there before it, whoever wrote it.
            Moment::Before => !(committed && fresh.contains_key(name)),
            Moment::UnderWay => true,
            // What we made is ours, whoever wrote into it; what is committed is not compared any more.
            Moment::Since => !committed && fresh.contains_key(name),
        };
        let mut theirs = planted;
        theirs.retain(|name, text| mine.get(name) != Some(text) && is_theirs(name));
        let after = world.inventory().await;
        match verdict {
            Ok(Verdict::RolledBack { .. }) => {
                let mut due = fresh;
                due.extend(theirs);
                same(&run, "rolled back", &due, &after)
            }
            Ok(Verdict::Left { .. } | Verdict::Committed) => {
                match theirs.iter().find(|(name, text)| after.get(*name) != Some(text)) {
                    None => Ok(()),
                    Some((name, text)) => {
                        let now = after.get(name);
                        Err(breach(&run, format!("{name} was `{text}` and is {now:?}")))
                    }
                }
            }
            Err(error) => Err(breach(&run, crate::describe(&error))),
        }
    }

    /// How many records there are when the step is done.
    async fn records_until_done(&self, step: StepId) -> Option<usize> {
        for room in 1_usize.. {
            let (world, store) = (self.fresh(), MemoryStore::default());
            let target = Faulty::new(world.target());
            let ran = self.run(&target, &world.plan(), store.clone().with_room_for(room)).await;
            let state = store.load::<Faulty<'_, W::Target>>().ok()?.state;
            if state.step(step) == Some(&StepState::Done) {
                return Some(room);
            }
            if ran.is_ok() {
                break;
            }
        }
        None
    }

    fn steps(&self) -> std::vec::IntoIter<StepId> {
        let plan = self.fresh().plan();
        plan.steps().iter().map(|step| step.id).collect::<Vec<_>>().into_iter()
    }

    /// No step arrives twice.
    fn once(&self, target: &Faulty<'_, W::Target>, run: &str) -> Result<(), Breach> {
        match self.steps().find(|step| target.arrivals(*step) > 1) {
            None => Ok(()),
            Some(step) => Err(breach(run, format!("step {step} was made {} times", target.arrivals(step)))),
        }
    }
}
