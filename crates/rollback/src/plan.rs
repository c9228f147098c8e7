//! The ordered changes of a transaction, as data.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The number of a step in its plan, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(u32);

impl StepId {
    /// The step of that number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    fn index(self) -> Option<usize> {
        usize::try_from(self.0).ok()?.checked_sub(1)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One change of a plan and the steps it builds on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step<C> {
    /// Its number.
    pub id: StepId,
    /// What is to be changed.
    pub change: C,
    /// The earlier steps whose results it uses. What they made is not taken away while what this step made is left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    /// The earlier steps that have to be done before it, though it uses nothing of theirs: it is made after them and taken back before
    /// them, but if it cannot be taken back, they are all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<StepId>,
}

impl<C> Step<C> {
    /// The steps that have to be done before it is begun.
    pub fn waits_for(&self) -> impl Iterator<Item = StepId> {
        self.after.iter().chain(&self.follows).copied()
    }
}

/// The ordered changes that turn the live state into the desired one.
///
/// Steps are numbered in the order they were pushed, and a step can only build on earlier ones, so the order of a plan is
/// always a possible order of execution.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Step<C>>", into = "Vec<Step<C>>", bound(serialize = "C: Serialize + Clone"))]
pub struct Plan<C>(Vec<Step<C>>);

impl<C> Default for Plan<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C> Plan<C> {
    /// Appends a change that builds on `after`, and returns its number.
    ///
    /// Steps of `after` that are not in the plan are left out: nothing can wait for them.
    pub fn push(&mut self, change: C, after: impl IntoIterator<Item = StepId>) -> StepId {
        self.push_following(change, after, [])
    }

    /// The same for a change that also [follows](Step::follows) steps that it does not build on.
    pub fn push_following(
        &mut self,
        change: C,
        after: impl IntoIterator<Item = StepId>,
        follows: impl IntoIterator<Item = StepId>,
    ) -> StepId {
        let known = self.0.len();
        let id = StepId(u32::try_from(known + 1).unwrap_or(u32::MAX));
        let in_plan = |step: &StepId| step.index().is_some_and(|index| index < known);
        let after: Vec<_> = after.into_iter().filter(in_plan).collect();
        let follows = follows.into_iter().filter(in_plan).filter(|step| !after.contains(step)).collect();
        self.0.push(Step { id, change, after, follows });
        id
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step<C>] {
        &self.0
    }

    /// The step of that number.
    #[must_use]
    pub fn get(&self, id: StepId) -> Option<&Step<C>> {
        self.0.get(id.index()?)
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<C: Serialize> Plan<C> {
    /// SHA-256 over the plan's JSON, in hexadecimal: the same for the same changes in the same order.
    ///
    /// # Errors
    ///
    /// Where a change cannot be written as JSON.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        Ok(hex(&Sha256::digest(serde_json::to_vec(&self.0)?)))
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<C> From<Plan<C>> for Vec<Step<C>> {
    fn from(plan: Plan<C>) -> Self {
        plan.0
    }
}

/// A list of steps that is not a plan: wrong numbers, or a step that builds on a later one.
#[derive(Debug, thiserror::Error)]
#[error("step {0} is out of order or builds on a step that does not come before it")]
pub struct NotAPlan(StepId);

impl<C> TryFrom<Vec<Step<C>>> for Plan<C> {
    type Error = NotAPlan;

    fn try_from(steps: Vec<Step<C>>) -> Result<Self, Self::Error> {
        for (index, step) in steps.iter().enumerate() {
            let in_order = step.id.index() == Some(index);
            let after_is_earlier = step.waits_for().all(|id| id < step.id && id.0 > 0);
            if !in_order || !after_is_earlier {
                return Err(NotAPlan(step.id));
            }
        }
        Ok(Self(steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_and_build_on_earlier_ones_only() {
        let mut plan = Plan::default();
        let one = plan.push("a", []);
        let two = plan.push("b", [one, StepId::new(9), StepId::new(0)]);
        assert_eq!((one.number(), two.number()), (1, 2));
        assert_eq!(plan.get(two).unwrap().after, [one]);
        assert_eq!(plan.get(StepId::new(3)), None);
        assert_eq!(plan.get(StepId::new(0)), None);
    }

    #[test]
    fn a_plan_is_read_back_and_a_disordered_one_is_refused() {
        let mut plan = Plan::default();
        let one = plan.push("a".to_owned(), []);
        plan.push("b".to_owned(), [one]);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan<String>>(&json).unwrap(), plan);
        for disordered in [
            r#"[{"id":2,"change":"a"}]"#,
            r#"[{"id":1,"change":"a","after":[1]}]"#,
            r#"[{"id":1,"change":"a","after":[0]}]"#,
            r#"[{"id":1,"change":"a"},{"id":1,"change":"b"}]"#,
            r#"[{"id":1,"change":"a","follows":[1]}]"#,
        ] {
            assert!(serde_json::from_str::<Plan<String>>(disordered).is_err(), "{disordered}");
        }
    }

    #[test]
    fn the_digest_tells_plans_apart() {
        let plan = |changes: &[&str]| {
            let mut plan = Plan::default();
            for change in changes {
                plan.push((*change).to_owned(), []);
            }
            plan.digest().unwrap()
        };
        assert_eq!(plan(&["a", "b"]), plan(&["a", "b"]));
        assert_ne!(plan(&["a", "b"]), plan(&["b", "a"]));
    }
}
