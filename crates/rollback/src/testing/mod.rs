//! Laws for a [`Target`] of your own: tests for every kind of change that it knows, without writing one.
//!
//! Implement [`World`] over something that your tests can make anew: the target, a plan with every kind of change in it, what
//! is there, and how somebody else would put something in a change's place. [`Laws`] then makes each step fail in each way, kills
//! the process at each record and in the middle of each call, and compares what is there with what was there before. A
//! whole target is in `examples/files`.
//!
//! A law that is broken comes back as a [`Breach`], which tells the step, the cut and the way back; `unwrap` it in a test.

mod check;
mod faulty;
mod laws;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

pub use faulty::{Faulty, Trouble};

use crate::{Plan, Policy, Step, Target};

/// What is there: a name and what it says, for everything that the target can reach. Ids and times that differ from one
/// fresh world to the next stay out of it.
pub type Inventory = BTreeMap<String, String>;

/// Something of yours that is changed, made anew for each run.
pub trait World: Sync {
    /// Your target.
    type Target: Target;

    /// The target of this world.
    fn target(&self) -> &Self::Target;

    /// A plan with every kind of change in it that your target knows. It can be made in a fresh world.
    fn plan(&self) -> Plan<<Self::Target as Target>::Change>;

    /// What is there now, markers included.
    fn inventory(&self) -> impl Future<Output = Inventory> + Send;

    /// Puts something of somebody else's where `step` would put its own. `false` where nothing can be: the step is left out.
    fn plant(&self, step: &Step<<Self::Target as Target>::Change>) -> impl Future<Output = bool> + Send;
}

/// The laws, over worlds that `fresh` makes.
pub struct Laws<F> {
    fresh: F,
    policy: Policy,
}

impl<W: World, F: Fn() -> W> Laws<F> {
    /// The laws over worlds that `fresh` makes, each like the other. Nothing waits: what was made can be read at once.
    pub fn new(fresh: F) -> Self {
        let policy = Policy {
            // One after the other, so that what fails is told the same way each time.
            concurrency: 1,
            backoff: Duration::ZERO,
            max_backoff: Duration::ZERO,
            consistency_delay: Duration::ZERO,
            ..Policy::default()
        };
        Self { fresh, policy }
    }

    /// The same, with a policy of yours: where reads lag, on paused time.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// The first that is broken.
    pub async fn hold(&self) -> Result<(), Breach> {
        self.fails_at_each_step().await?;
        self.crashes_at_each_record().await?;
        self.crashes_in_each_call().await?;
        self.undoes_twice().await?;
        self.leaves_what_others_made().await
    }
}

/// A law that is broken.
#[derive(Clone, PartialEq, Eq)]
pub struct Breach {
    /// What was done to the transaction: the step, the cut, the way back.
    pub run: String,
    /// What is wrong with what came of it.
    pub why: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.run, self.why)
    }
}

/// The text, for `unwrap` to print.
impl fmt::Debug for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Breach {}
