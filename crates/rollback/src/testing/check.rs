//! One run of the plan, and whether what is there afterwards is what the verdict says.

use super::faulty::Faulty;
use super::{Breach, Inventory, Laws, World};
use crate::journal::{JournalError, Loaded, MemoryStore};
use crate::record::Begin;
use crate::{Error, Event, Interrupt, Marker, Plan, StepId, Target, Transaction, Verdict};

pub(super) type Ran = Result<Verdict, Error>;

/// How a transaction is taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Recovery {
    Resume,
    RollBack,
}

/// What may be there afterwards.
pub(super) struct Expected {
    before: Inventory,
    committed: Inventory,
}

impl<W: World, F: Fn() -> W> Laws<F> {
    pub(super) fn fresh(&self) -> W {
        (self.fresh)()
    }

    /// What is there before, and after the plan is carried out and nothing goes wrong.
    pub(super) async fn expected(&self) -> Result<Expected, Breach> {
        let world = self.fresh();
        let run = "carried out without a fault";
        let before = world.inventory().await;
        let target = Faulty::new(world.target());
        let verdict = self.run(&target, &world.plan(), MemoryStore::default()).await;
        if !matches!(verdict, Ok(Verdict::Committed)) {
            return Err(breach(run, format!("it ended with {verdict:?}")));
        }
        let committed = world.inventory().await;
        let marked = committed
            .iter()
            .find(|(name, text)| name.contains(Marker::PREFIX) || text.contains(Marker::PREFIX));
        if let Some((name, text)) = marked {
            return Err(breach(run, format!("a marker is left: {name}: {text}")));
        }
        Ok(Expected { before, committed })
    }

    pub(super) async fn run<T: Target>(&self, target: &T, plan: &Plan<T::Change>, store: MemoryStore) -> Ran {
        let begin = Begin::new(plan.clone(), "the laws of a target", "the first process", "the world")
            .map_err(|source| JournalError::Encode { seq: 0, source })?;
        let quiet = |_: &Event<'_, T::Change>| {};
        let (policy, interrupt) = (self.policy.clone(), Interrupt::default());
        Transaction::begin(target, store, begin, policy, interrupt, quiet).await?.run().await
    }

    pub(super) async fn recover<T: Target>(
        &self,
        target: &T,
        loaded: Loaded<T, MemoryStore>,
        way: Recovery,
    ) -> Ran {
        let quiet = |_: &Event<'_, T::Change>| {};
        let (policy, interrupt) = (self.policy.clone(), Interrupt::default());
        let writer = "the second process";
        let taken = Transaction::recover(target, loaded, writer, policy, interrupt, quiet).await?;
        match way {
            Recovery::Resume => taken.run().await,
            Recovery::RollBack => taken.roll_back("the law").await,
        }
    }
}

/// Takes a transaction up whose process is gone. Where there is no way back, it goes on.
pub(super) async fn take_up<W: World, F: Fn() -> W>(
    laws: &Laws<F>,
    target: &Faulty<'_, W::Target>,
    store: &MemoryStore,
    way: Recovery,
    run: &str,
) -> Result<Ran, Breach> {
    let load = || store.load().map_err(|corrupt| breach(run, corrupt.to_string()));
    Ok(match laws.recover(target, load()?, way).await {
        // There is no way back any more, or no way at all: what the journal says holds.
        Err(Error::PastPivot(_) | Error::Ended) => laws.recover(target, load()?, Recovery::Resume).await,
        verdict => verdict,
    })
}

impl Expected {
    /// Nothing may be there that the verdict does not speak of.
    pub(super) fn judge(&self, run: &str, verdict: &Ran, after: &Inventory) -> Result<(), Breach> {
        match verdict {
            Ok(Verdict::Committed) => same(run, "committed", &self.committed, after),
            Ok(Verdict::RolledBack { .. }) => same(run, "rolled back", &self.before, after),
            other => Err(breach(run, format!("it ended with {other:?}"))),
        }
    }

    /// Before there is a journal nothing may happen.
    pub(super) fn untouched(&self, run: &str, after: &Inventory) -> Result<(), Breach> {
        same(run, "never begun", &self.before, after)
    }
}

/// Whether both are the same.
pub(super) fn same(run: &str, verdict: &str, due: &Inventory, is: &Inventory) -> Result<(), Breach> {
    let missing = due.iter().filter(|(name, text)| is.get(*name) != Some(text));
    let extra = is.iter().filter(|(name, text)| due.get(*name) != Some(text));
    let lines = |sign, entries: Vec<(&String, &String)>| -> String {
        entries.iter().map(|(name, text)| format!("\n  {sign} {name}: {text}")).collect()
    };
    let difference = lines('-', missing.collect()) + &lines('+', extra.collect());
    if difference.is_empty() {
        return Ok(());
    }
    Err(breach(run, format!("{verdict}, and what is there is not what is due:{difference}")))
}

pub(super) fn breach(run: &str, why: impl Into<String>) -> Breach {
    Breach { run: run.to_owned(), why: why.into() }
}

/// "step 2 (create a.txt), the answer is lost".
pub(super) fn told<C: std::fmt::Display>(plan: &Plan<C>, step: StepId, what: &str) -> String {
    let change = plan.get(step).map(|step| step.change.to_string()).unwrap_or_default();
    format!("step {step} ({change}), {what}")
}
