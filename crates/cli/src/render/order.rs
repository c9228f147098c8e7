//! The order of the lines about changes that are made, and taken back, at the same time.
//!
//! A reader compares runs: lines stand in the order of the plan, and on the way back in the reverse, whatever came to its end first.
//! What goes wrong is never held back.

use std::collections::{BTreeMap, BTreeSet};

use selvedge_rollback::StepId;

/// Holds what was said about a step until all has been said about those before it.
pub(super) struct Order<L> {
    /// What will be made and has not come to its end.
    expected: BTreeSet<StepId>,
    /// What was made and not taken back.
    made: BTreeSet<StepId>,
    held: BTreeMap<StepId, L>,
    back: bool,
}

impl<L> Default for Order<L> {
    fn default() -> Self {
        Self { expected: BTreeSet::new(), made: BTreeSet::new(), held: BTreeMap::new(), back: false }
    }
}

impl<L> Order<L> {
    /// These will be made, in an order of their own.
    pub(super) fn expect(&mut self, steps: impl IntoIterator<Item = StepId>) {
        self.expected.extend(steps);
    }

    /// Whether nothing is still to be said about what comes before the step.
    pub(super) fn is_next(&self, step: StepId) -> bool {
        !self.back && self.expected.first().is_none_or(|first| *first >= step)
    }

    /// Whether things are taken back.
    pub(super) fn is_back(&self) -> bool {
        self.back
    }

    /// A step was made. Gives what can be said now.
    pub(super) fn made(&mut self, step: StepId, line: L) -> Vec<L> {
        if self.back || !self.expected.contains(&step) {
            return vec![line];
        }
        self.made.insert(step);
        self.held.insert(step, line);
        let mut free = Vec::new();
        while let Some(first) = self.expected.first().copied()
            && let Some(line) = self.held.remove(&first)
        {
            self.expected.remove(&first);
            free.push(line);
        }
        free
    }

    /// From now on things are taken back. Gives everything that was held.
    pub(super) fn turn(&mut self) -> Vec<L> {
        self.back = true;
        self.expected.clear();
        std::mem::take(&mut self.held).into_values().collect()
    }

    /// A step was taken back. Gives what can be said now.
    pub(super) fn undone(&mut self, step: StepId, line: L) -> Vec<L> {
        if !self.made.contains(&step) {
            return vec![line];
        }
        self.held.insert(step, line);
        let mut free = Vec::new();
        while let Some(last) = self.made.last().copied()
            && let Some(line) = self.held.remove(&last)
        {
            self.made.remove(&last);
            free.push(line);
        }
        free
    }

    /// Something went wrong, or it is over: gives everything that was held, and nothing is held any more.
    pub(super) fn release(&mut self) -> Vec<L> {
        self.expected.clear();
        self.made.clear();
        let held = std::mem::take(&mut self.held).into_values();
        if self.back { held.rev().collect() } else { held.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order<u32> {
        let mut order = Order::default();
        order.expect((1..=4).map(StepId::new));
        order
    }

    fn made(order: &mut Order<u32>, step: u32) -> Vec<u32> {
        order.made(StepId::new(step), step)
    }

    fn undone(order: &mut Order<u32>, step: u32) -> Vec<u32> {
        order.undone(StepId::new(step), step)
    }

    #[test]
    fn lines_stand_in_the_order_of_the_plan_and_back_in_the_reverse() {
        let mut order = order();
        assert!(order.is_next(StepId::new(1)) && !order.is_next(StepId::new(2)));
        assert_eq!(made(&mut order, 2), [0; 0]);
        assert_eq!(made(&mut order, 1), [1, 2]);
        assert!(order.is_next(StepId::new(3)));
        assert_eq!(made(&mut order, 4), [0; 0]);
        assert_eq!(order.turn(), [4]);
        assert_eq!(undone(&mut order, 1), [0; 0]);
        assert_eq!(undone(&mut order, 4), [4]);
        assert_eq!(undone(&mut order, 2), [2, 1]);
    }

    #[test]
    fn what_was_made_after_the_turn_and_what_nobody_expected_is_said_at_once() {
        let mut order = order();
        assert_eq!(made(&mut order, 9), [9]);
        order.turn();
        assert_eq!(made(&mut order, 3), [3]);
        assert_eq!(undone(&mut order, 3), [3]);
    }

    #[test]
    fn nothing_is_held_once_something_went_wrong() {
        let mut order = order();
        (1..=4).for_each(|step| drop(made(&mut order, step)));
        order.turn();
        assert_eq!(undone(&mut order, 2), [0; 0]);
        assert_eq!(undone(&mut order, 3), [0; 0]);
        assert_eq!(order.release(), [3, 2]);
        assert_eq!(undone(&mut order, 1), [1]);
    }
}
