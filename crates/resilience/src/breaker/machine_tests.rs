//! The machine against a model of it, and its transitions one by one.

use super::{
    state::{Event, Machine, State, Verdict},
    window::Window,
    *,
};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// By the rate alone.
fn rate(ratio: f64, window: u32, min_calls: u32) -> BreakerConfig {
    let trip = Trip::FailureRate { ratio, window, min_calls, failures: u32::MAX };
    BreakerConfig { trip, ..BreakerConfig::robust() }
}

/// A machine and its clock.
struct Run {
    machine: Machine,
    config: BreakerConfig,
    now: Instant,
}

impl Run {
    fn new(config: BreakerConfig) -> Self {
        Self { machine: Machine::new(), config, now: Instant::now() }
    }

    fn on(&mut self, event: Event) {
        self.machine = self.machine.on(event, &self.config, self.now);
    }

    /// Asks; the generation in which it was let through.
    fn ask(&mut self) -> Result<u64, Duration> {
        self.machine.admission(&self.config, self.now)?;
        self.on(Event::Admitted);
        Ok(self.machine.generation)
    }

    fn settle(&mut self, generation: u64, verdict: Verdict) {
        self.on(Event::Settled { generation, verdict });
    }

    fn calls(&mut self, verdict: Verdict, count: u32) {
        for _ in 0..count {
            let generation = self.ask().unwrap();
            self.settle(generation, verdict);
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn a_rate_needs_a_minimum_of_calls() {
    let mut run = Run::new(rate(0.5, 100, 50));
    run.calls(Verdict::Failing, 49);
    assert!(matches!(run.machine.state, State::Closed(_)));
    run.calls(Verdict::Failing, 1);
    assert!(matches!(run.machine.state, State::Open { .. }));
}

#[test]
fn a_rate_looks_back_at_its_window_and_no_further() {
    let mut run = Run::new(rate(0.5, 100, 50));
    run.calls(Verdict::Alive, 1000);
    run.calls(Verdict::Failing, 49);
    assert!(matches!(run.machine.state, State::Closed(_)), "49 of 100");
    run.calls(Verdict::Failing, 1);
    assert!(matches!(run.machine.state, State::Open { .. }), "50 of 100");
}

#[test]
fn ten_failures_in_a_row_open_it_whatever_the_rate() {
    let mut run = Run::new(BreakerConfig::robust());
    run.calls(Verdict::Alive, 1000);
    run.calls(Verdict::Failing, 9);
    assert!(matches!(run.machine.state, State::Closed(_)));
    run.calls(Verdict::Failing, 1);
    assert!(matches!(run.machine.state, State::Open { .. }));
}

#[test]
fn a_rate_opens_at_a_failure_only() {
    // Half of the calls failed, and the last of them did not.
    let mut run = Run::new(rate(0.5, 4, 4));
    run.calls(Verdict::Alive, 1);
    run.calls(Verdict::Failing, 1);
    run.calls(Verdict::Failing, 1);
    run.calls(Verdict::Alive, 1);
    assert!(matches!(run.machine.state, State::Closed(_)));
    run.calls(Verdict::Failing, 1);
    assert!(matches!(run.machine.state, State::Open { .. }));
}

#[test]
fn failures_in_a_row_are_forgotten_by_a_success() {
    let mut run = Run::new(BreakerConfig::guide());
    for _ in 0..10 {
        run.calls(Verdict::Failing, 4);
        run.calls(Verdict::Alive, 1);
    }
    assert!(matches!(run.machine.state, State::Closed(_)));
    run.calls(Verdict::Failing, 4);
    run.calls(Verdict::Silent, 10);
    assert!(matches!(run.machine.state, State::Closed(_)));
    run.calls(Verdict::Failing, 1);
    assert!(matches!(run.machine.state, State::Open { .. }));
}

#[test]
fn each_opening_in_a_row_doubles_the_time_up_to_the_longest() {
    let mut run = Run::new(rate(0.5, 10, 1));
    run.calls(Verdict::Failing, 1);
    for seconds in [30, 60, 120, 240, 300, 300] {
        let until = run.now + Duration::from_secs(seconds);
        assert_eq!(run.machine.state, State::Open { until, open_for: Duration::from_secs(seconds) });
        assert_eq!(run.ask(), Err(Duration::from_secs(seconds)));
        run.wait(Duration::from_secs(seconds));
        run.calls(Verdict::Failing, 1);
    }
    assert_eq!(run.machine.openings, 7);
    run.wait(Duration::from_secs(300));
    run.calls(Verdict::Alive, 2);
    run.calls(Verdict::Failing, 1);
    assert!(
        matches!(run.machine.state, State::Open { open_for, .. } if open_for == 30 * SECOND),
        "closed between"
    );
}

#[test]
fn a_probe_speaks_for_itself() {
    let mut run = Run::new(BreakerConfig::guide());
    run.calls(Verdict::Failing, 5);
    run.wait(60 * SECOND);
    // ## one success, one silence: still probing
    run.calls(Verdict::Alive, 1);
    run.calls(Verdict::Silent, 5);
    assert!(matches!(run.machine.state, State::HalfOpen { in_flight: 0, successes: 1, .. }));
    // ## two under way: the first failure opens, the other one's success comes too late
    let (one, two) = (run.ask().unwrap(), run.ask().unwrap());
    run.settle(one, Verdict::Failing);
    let opened = run.machine;
    assert!(matches!(opened.state, State::Open { .. }));
    run.settle(two, Verdict::Alive);
    assert_eq!(run.machine, opened);
}

#[test]
fn pitfall_07_probes_that_never_end_do_not_hold_it_for_ever() {
    let mut run = Run::new(BreakerConfig::guide());
    run.calls(Verdict::Failing, 5);
    run.wait(60 * SECOND);
    let lost: Vec<u64> = (0..3).map(|_| run.ask().unwrap()).collect();
    assert_eq!(run.ask(), Err(SECOND), "asks again soon, since probes mostly end soon");
    run.wait(149 * SECOND + SECOND / 2);
    assert_eq!(run.ask(), Err(SECOND / 2), "never later than they expire");
    run.wait(SECOND / 2);

    let fresh = run.ask().expect("the lost ones have expired");
    assert!(lost.iter().all(|generation| *generation != fresh));
    assert!(matches!(run.machine.state, State::HalfOpen { in_flight: 1, successes: 0, .. }));
    // What the lost ones say at last is not heard.
    for generation in lost {
        run.settle(generation, Verdict::Failing);
    }
    assert!(matches!(run.machine.state, State::HalfOpen { in_flight: 1, successes: 0, .. }));
    run.settle(fresh, Verdict::Alive);
    run.calls(Verdict::Alive, 1);
    assert!(matches!(run.machine.state, State::Closed(_)));
}

#[test]
fn pitfall_07_who_finds_the_probes_taken_waits_no_longer_than_it_was_open() {
    let open_for = SECOND / 2;
    let mut run = Run::new(BreakerConfig { open_for, half_open_permits: 1, ..BreakerConfig::guide() });
    run.calls(Verdict::Failing, 5);
    run.wait(open_for);
    run.ask().unwrap();
    assert_eq!(run.ask(), Err(open_for));
}

#[test]
fn pitfall_07_probes_after_a_long_rest_have_all_their_time() {
    let mut run = Run::new(BreakerConfig::guide());
    run.calls(Verdict::Failing, 5);
    run.wait(60 * SECOND);
    run.calls(Verdict::Alive, 1);
    run.wait(10_000 * SECOND);
    let passed = (0..20).filter(|_| run.ask().is_ok()).count();
    assert_eq!(passed, 3, "as many as there are permits");
    // The success of before still counts.
    assert!(matches!(run.machine.state, State::HalfOpen { in_flight: 3, successes: 1, .. }));
    run.wait(149 * SECOND);
    assert_eq!(run.ask(), Err(SECOND));
    run.wait(SECOND);
    run.ask().expect("now they are lost");
}

#[test]
fn pitfall_07_who_joins_a_lost_probe_is_not_lost_with_it() {
    let mut run = Run::new(BreakerConfig::guide());
    run.calls(Verdict::Failing, 5);
    run.wait(60 * SECOND);
    let lost = run.ask().unwrap();
    run.wait(149 * SECOND);
    assert_eq!((run.ask(), run.ask()), (Ok(lost), Ok(lost)));
    run.wait(10 * SECOND);
    assert_eq!(run.ask(), Err(SECOND), "two may still answer");
    run.wait(140 * SECOND);
    assert_ne!(run.ask().expect("now they are lost, too"), lost);
}

#[test]
fn an_operator_closes_it_from_any_state() {
    let mut run = Run::new(BreakerConfig::guide());
    run.calls(Verdict::Failing, 4);
    let pending = run.ask().unwrap();
    for _ in 0..3 {
        run.on(Event::Reset);
        assert_eq!(run.machine.state, State::Closed(Window::default()));
        run.settle(pending, Verdict::Failing);
        assert_eq!(run.machine.state, State::Closed(Window::default()), "of an earlier generation");
        run.calls(Verdict::Failing, 5);
        assert!(matches!(run.machine.state, State::Open { .. }));
    }
    run.wait(60 * SECOND);
    run.ask().unwrap();
    run.on(Event::Reset);
    assert_eq!(run.machine.state, State::Closed(Window::default()));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Settle { nth: usize, verdict: Verdict },
    Wait { seconds: u64 },
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        Just(Verdict::Alive),
        Just(Verdict::Failing),
        Just(Verdict::Failing),
        Just(Verdict::Silent),
    ];
    prop_oneof![
        30 => Just(Step::Ask),
        30 => (any::<usize>(), verdict).prop_map(|(nth, verdict)| Step::Settle { nth, verdict }),
        10 => (0_u64..200).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Reset),
    ]
}

proptest! {
    #[test]
    fn a_window_counts_as_a_list_does(
        calls in proptest::collection::vec(any::<bool>(), 0..300),
        window in 1_u32..=128,
        ratio in 0.01..=1.0_f64,
    ) {
        let seen = calls.iter().fold(Window::default(), |seen, failed| seen.push(*failed));
        let last: Vec<bool> = calls.iter().rev().take(window as usize).copied().collect();
        let failures = last.iter().filter(|failed| **failed).count();
        prop_assert_eq!(seen.counts(window), (last.len() as u32, failures as u32));
        let trip = Trip::FailureRate { ratio, window, min_calls: window.min(20), failures: u32::MAX };
        let expected = last.len() >= window.min(20) as usize && failures as f64 >= ratio * last.len() as f64;
        prop_assert_eq!(seen.trips(trip), expected);
        let in_a_row = calls.iter().rev().take_while(|failed| **failed).count() as u32;
        for (failures, expected) in [(in_a_row, true), (in_a_row + 1, false)] {
            prop_assert_eq!(seen.trips(Trip::Consecutive { failures }), expected);
            let either = Trip::FailureRate { ratio, window, min_calls: window.min(20), failures };
            prop_assert_eq!(seen.trips(either), expected || seen.trips(trip));
        }
    }

    /// Whatever the order of events: probes stay within the permits, the count of probes is exact, an open breaker
    /// admits nobody before its time, each failure in half-open opens it at once, and nobody is told to wait for ever.
    #[test]
    fn the_machine_keeps_its_promises(
        robust in any::<bool>(),
        steps in proptest::collection::vec(step(), 0..300),
    ) {
        let config = if robust { rate(0.5, 10, 5) } else { BreakerConfig::guide() };
        let mut run = Run::new(config);
        let mut pending: Vec<u64> = Vec::new();
        for step in steps {
            let before = run.machine;
            match step {
                Step::Wait { seconds } => run.wait(Duration::from_secs(seconds)),
                Step::Reset => run.on(Event::Reset),
                Step::Ask => match run.ask() {
                    Ok(generation) => pending.push(generation),
                    Err(wait) => {
                        prop_assert!(wait > Duration::ZERO && wait <= run.config.max_open_for);
                        prop_assert_eq!(run.machine, before);
                        if let State::Open { until, .. } = run.machine.state {
                            prop_assert_eq!(run.now + wait, until);
                        }
                    }
                },
                Step::Settle { nth, verdict } if !pending.is_empty() => {
                    let generation = pending.swap_remove(nth % pending.len());
                    run.settle(generation, verdict);
                    let current = generation == before.generation;
                    prop_assert!(current || run.machine == before);
                    if current && verdict == Verdict::Failing && matches!(before.state, State::HalfOpen { .. }) {
                        let opened = matches!(run.machine.state, State::Open { until, open_for }
                            if until == run.now + open_for);
                        prop_assert!(opened);
                    }
                }
                Step::Settle { .. } => {}
            }
            prop_assert!(run.machine.generation >= before.generation);
            match run.machine.state {
                State::Closed(window) => {
                    // A success may leave the rate where a failure would have opened.
                    let success = matches!(step, Step::Settle { verdict: Verdict::Alive, .. });
                    prop_assert!(!window.trips(run.config.trip) || run.machine == before || success);
                }
                State::Open { until, open_for } => {
                    prop_assert!(until <= run.now + open_for);
                    prop_assert!((run.config.open_for..=run.config.max_open_for).contains(&open_for));
                }
                State::HalfOpen { in_flight, successes, expires, .. } => {
                    let probes = pending.iter().filter(|&&g| g == run.machine.generation).count();
                    prop_assert_eq!(in_flight as usize, probes);
                    prop_assert!((1..=run.config.half_open_permits).contains(&in_flight.max(1)));
                    prop_assert!(successes < run.config.success_threshold);
                    prop_assert!(expires <= run.now + run.config.probe_expiry);
                }
            }
        }
    }
}
