//! Without a transaction: the plain requests, one after the other, and what was made stays.

use std::time::Duration;

use selvedge_rollback::{Interrupt, Plan, Policy, StepId, plain};
use tokio::time::{Instant, sleep};

use crate::shelf::{Fault, Pace};
use crate::{fault_at, plan, put, quiet, shelf};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn without_a_transaction_nothing_is_read_back_and_what_was_made_stays() {
    let shelf = shelf();
    fault_at(&shelf, 2, Fault::Lost);
    let policy = Policy { resends: 0, ..Policy::default() };
    let unfinished = plain::run(&shelf, &plan(), &policy, &Interrupt::default(), &quiet()).await.unwrap_err();
    assert_eq!(unfinished.made, [StepId::new(1), StepId::new(2)]);
    assert_eq!(unfinished.in_doubt, Some(StepId::new(3)));
    assert_eq!(shelf.names(), ["box", "old", "quick", "slow"]);
    assert!(shelf.inventory().iter().all(|thing| thing.marker.is_none()));
}

#[tokio::test(start_paused = true)]
async fn without_a_transaction_a_lost_answer_makes_one_thing_not_two() {
    for fault in [Fault::LostBusy, Fault::Busy] {
        let shelf = shelf();
        shelf.faults.lock().unwrap().extend([Fault::None, fault]);
        plain::run(&shelf, &plan(), &Policy::default(), &Interrupt::default(), &quiet()).await.unwrap();
        assert_eq!(shelf.names(), ["box", "old", "quick", "slow"], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_transaction_the_first_interrupt_awaits_the_change_under_way_and_the_second_does_not() {
    for (abort, seconds) in [(false, 60), (true, 40)] {
        let shelf = shelf();
        *shelf.pace.lock().unwrap() = Pace::Writes(30 * SECOND);
        // Half a minute until it is accepted, as much until it is done.
        *shelf.work.lock().unwrap() = 30 * SECOND;
        let mut plan = Plan::default();
        plan.push(put("slow", true), []);
        plan.push(put("slow too", true), []);
        plan.push(put("never", false), []);
        let interrupt = Interrupt::default();
        let started = Instant::now();
        let (policy, quiet) = (Policy::default(), quiet());
        let run = plain::run(&shelf, &plan, &policy, &interrupt, &quiet);
        let ask = async {
            sleep(35 * SECOND).await;
            interrupt.raise();
            sleep(5 * SECOND).await;
            if abort {
                interrupt.abort();
            }
        };
        let (ended, ()) = tokio::join!(run, ask);
        let unfinished = ended.unwrap_err();
        let first = StepId::new(1);
        let expected = if abort { (vec![], Some(first)) } else { (vec![first], None) };
        assert_eq!((unfinished.made, unfinished.in_doubt), expected);
        assert_eq!(started.elapsed(), seconds * SECOND);
    }
}
