//! What all requests of a client share: places, budgets, pauses.

use super::*;

/// A call is dropped after any number of polls, and everything that it held is there again.
#[tokio::test(start_paused = true)]
async fn pitfall_15_whatever_a_dropped_call_held_is_given_back() {
    let config = RetryConfig {
        max_attempts: 10,
        budget: BudgetConfig { capacity: 3, per_success: 0.0, per_second: 0.0 },
        ..retry()
    };
    let gate = GateConfig { max_concurrency: 2, ..GateConfig::default() };
    for polls in 0..40 {
        let breakers = breakers(2);
        let gates = Gates::new("test", gate.clone()).unwrap();
        let script = Script::new([Act::Late(1, TRANSIENT), Act::Late(1, Outcome::Success)]);
        let service = stack(config.clone(), &breakers, &gates, &script);
        {
            let mut call = pin!(service.clone().oneshot(READ));
            for _ in 0..polls {
                let step = tokio::time::timeout(SECOND / 4, &mut call);
                if step.await.is_ok() {
                    break;
                }
            }
        }
        // ## the gate has both places
        let arrived = script.count();
        script.turn(Act::Late(5, Outcome::Success));
        let two = [service.clone().oneshot(READ), service.clone().oneshot(READ)].map(tokio::spawn);
        tokio::time::sleep(SECOND).await;
        assert_eq!(script.count() - arrived, 2, "after {polls} polls");
        for call in two {
            call.await.unwrap().unwrap();
        }
        // ## the breaker's probes are all there
        script.turn(Act::Answer(TRANSIENT));
        let single = BreakerLayer::new(breakers.clone(), Literal).layer(script.clone());
        for _ in 0..2 {
            single.clone().oneshot(READ).await.unwrap();
        }
        assert!(matches!(breakers.snapshot()[0].status, BreakerStatus::Open { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_15_a_retry_that_was_not_sent_is_not_taken_from_the_budget() {
    let budget = BudgetConfig { capacity: 1, per_success: 0.0, per_second: 0.0 };
    let layer = RetryLayer::new(RetryConfig { budget, ..retry() }, Literal).unwrap();
    let script = Script::answers([TRANSIENT]);
    for _ in 0..5 {
        // Dropped within the pause before the retry.
        let call = layer.layer(script.clone()).oneshot(READ);
        assert!(tokio::time::timeout(SECOND, call).await.is_err());
    }
    assert_eq!(script.count(), 5);
    layer.layer(script.clone()).oneshot(READ).await.unwrap();
    assert_eq!(script.count(), 5 + 2, "the one retry was still there");
}

#[tokio::test(start_paused = true)]
async fn pitfall_15_a_retry_that_was_sent_is_taken_from_the_budget_whoever_leaves() {
    let budget = BudgetConfig { capacity: 1, per_success: 0.0, per_second: 0.0 };
    let layer = RetryLayer::new(RetryConfig { budget, ..retry() }, Literal).unwrap();
    let script = Script::new([Act::Answer(TRANSIENT), Act::Hang]);
    let call = layer.layer(script.clone()).oneshot(READ);
    assert!(tokio::time::timeout(60 * SECOND, call).await.is_err());
    assert_eq!(script.count(), 2, "dropped within the retry");
    script.turn(Act::Answer(TRANSIENT));
    layer.layer(script.clone()).oneshot(READ).await.unwrap();
    assert_eq!(script.count(), 3, "there was no other");
}

/// Sends so many requests of which one attempt in five fails; how many of them fail in the end.
async fn failing(config: RetryConfig, requests: u32) -> (u32, usize) {
    let acts = (0_u32..).map(|n| if n % 5 == 0 { TRANSIENT } else { Outcome::Success });
    let script = Script::answers(acts.take(2 * requests as usize));
    let layer = RetryLayer::new(config, Literal).unwrap();
    let mut failed = 0;
    for _ in 0..requests {
        let answer = layer.layer(script.clone()).oneshot(READ).await.unwrap();
        failed += u32::from(answer.0 != Outcome::Success);
    }
    (failed, script.count())
}

#[tokio::test(start_paused = true)]
async fn pitfall_16_faults_on_a_fifth_of_the_attempts_do_not_starve_the_budget() {
    // Without the help of time: it hardly passes between requests.
    let enough = BudgetConfig { per_second: 0.0, ..BudgetConfig::default() };
    let quick = RetryConfig { base_delay: Duration::ZERO, max_delay: Duration::ZERO, ..retry() };
    let (failed, sent) = failing(RetryConfig { budget: enough.clone(), ..quick.clone() }, 10_000).await;
    assert_eq!(failed, 0);
    assert_eq!(sent, 12_500, "a quarter more");
    // The usual fifth would.
    let fifth = BudgetConfig { per_success: 0.2, ..enough };
    let (failed, _) = failing(RetryConfig { budget: fifth, ..quick }, 10_000).await;
    assert!(failed > 300, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn pitfall_17_clients_that_failed_together_do_not_return_together() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let script = Script::answers([TRANSIENT]);
        let layer = RetryLayer::new(RetryConfig::guide(), Literal).unwrap().seeded(seed);
        let started = Instant::now();
        layer.layer(script.clone()).oneshot(READ).await.unwrap();
        seen.insert((script.arrivals()[1] - started).as_millis());
    }
    assert!(seen.len() > 35, "{} moments of 50", seen.len());
    assert!(seen.iter().all(|pause| (2000..=2501).contains(pause)), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn pitfall_17_of_many_workers_few_discover_that_they_are_throttled() {
    let script = Script::answers([throttled(30)]);
    let gates = Gates::new("test", GateConfig { max_concurrency: 4, ..GateConfig::default() }).unwrap();
    let service = stack(RetryConfig { max_attempts: 1, ..retry() }, &breakers(5), &gates, &script);
    let calls: Vec<_> = (0..32).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    tokio::time::sleep(SECOND).await;
    assert!(script.count() <= 4, "{} of 32", script.count());
    drop(calls);
}
