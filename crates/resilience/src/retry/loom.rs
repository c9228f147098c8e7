//! The budget among three threads, in every interleaving.

use super::{BudgetConfig, budget::Budget};
use crate::sync::together;

/// So many retries; time earns none, so that the clock decides nothing.
fn budget(retries: u32) -> Budget {
    let budget = Budget::new(BudgetConfig { capacity: 10, per_success: 1.0, per_second: 0.0 });
    for _ in retries..10 {
        budget.withdraw().unwrap().spend();
    }
    budget
}

/// Takes a retry and carries it out; how many that were.
fn retry(budget: &Budget) -> u32 {
    budget.withdraw().map_or(0, |token| {
        token.spend();
        1
    })
}

#[test]
fn no_more_retries_are_handed_out_than_there_are() {
    ::loom::model(|| {
        let budget = budget(2);
        let (first, second) = (budget.clone(), budget.clone());
        let (a, b, c) = together(move || retry(&first), move || retry(&second), || retry(&budget));
        assert_eq!((a + b + c, budget.retries()), (2, 0.0));
    });
}

#[test]
fn a_dropped_token_comes_back_once() {
    ::loom::model(|| {
        let budget = budget(1);
        let (first, second) = (budget.clone(), budget.clone());
        let (a, b, ()) = together(move || retry(&first), move || retry(&second), || drop(budget.withdraw()));
        // Both find none where the one who leaves has it just then.
        assert!(a + b <= 1, "{a} and {b} out of one");
        assert_eq!(budget.retries(), f64::from(1 - a - b));
    });
}

#[test]
fn no_deposit_is_lost() {
    ::loom::model(|| {
        let budget = budget(0);
        let (first, second) = (budget.clone(), budget.clone());
        let ((), (), retries) =
            together(move || first.deposit(), move || second.deposit(), || retry(&budget));
        assert_eq!(budget.retries(), f64::from(2 - retries));
    });
}

#[test]
fn a_full_budget_stays_full_and_no_fuller() {
    ::loom::model(|| {
        let budget = budget(10);
        let (first, second) = (budget.clone(), budget.clone());
        together(move || first.deposit(), move || second.deposit(), || drop(budget.withdraw()));
        assert_eq!(budget.retries(), 10.0);
    });
}
