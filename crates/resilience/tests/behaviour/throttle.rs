//! A service with a quota, and workers who have more to ask than it allows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge_resilience::Outcome;
use selvedge_resilience::gate::GateConfig;
use selvedge_resilience::retry::{RetryConfig, pause};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::{BoxError, ServiceExt as _};

use crate::quota::Quota;
use crate::wire::{Answer, Layers, Request};

const LATENCY: Duration = Duration::from_millis(50);

/// What happened at the client's end of the wire, in this order.
enum Wire {
    Sent { request: Request, at: Instant },
    Refused { request: Request, at: Instant, wait: Duration },
}

struct Report {
    /// How long all calls took, and how long they would have if the client had known the quota.
    took: Duration,
    ideal: Duration,
    /// Answers of 429.
    refused: usize,
    /// The most of them that were on their way at once: all sent before the first of them came back.
    at_once: usize,
    /// Requests that were sent while anybody's 429 asked to wait.
    in_a_pause: usize,
    /// And those whose own did.
    too_early: usize,
    /// Calls that were given up.
    failed: usize,
}

async fn throttled(layers: &Layers, quota: Quota, workers: u64, calls: u64, give_up: Duration) -> Report {
    let wire = Arc::new(Mutex::new(Vec::new()));
    let used = Arc::new(Mutex::new(quota.full()));
    let log = Arc::clone(&wire);
    let service = tower::service_fn(move |request: Request| {
        let (log, used) = (Arc::clone(&log), Arc::clone(&used));
        async move {
            log.lock().unwrap().push(Wire::Sent { request, at: Instant::now() });
            sleep(LATENCY / 2).await;
            let verdict = quota.ask(&mut used.lock().unwrap(), Instant::now());
            sleep(LATENCY / 2).await;
            Ok::<_, BoxError>(match verdict {
                Ok(()) => Answer::Done,
                Err(wait) => {
                    log.lock().unwrap().push(Wire::Refused { request, at: Instant::now(), wait });
                    Answer::TooMany(wait)
                }
            })
        }
    });
    let (stack, _) = layers.stack(service);
    let start = Instant::now();
    let next = Arc::new(Mutex::new(0..calls));
    let failed = Arc::new(Mutex::new(0));
    let mut set = JoinSet::new();
    for _ in 0..workers {
        let (stack, next, failed) = (stack.clone(), Arc::clone(&next), Arc::clone(&failed));
        set.spawn(async move {
            loop {
                let Some(request) = next.lock().unwrap().next() else { return };
                if !matches!(stack.clone().oneshot(request).await, Ok(Answer::Done)) {
                    *failed.lock().unwrap() += 1;
                }
            }
        });
    }
    drop(tokio::time::timeout(give_up, async { while set.join_next().await.is_some() {} }).await);
    let took = start.elapsed();
    set.shutdown().await;
    let failed = *failed.lock().unwrap();
    let mut report = Report {
        took,
        ideal: quota.ideal(calls, workers, LATENCY),
        refused: 0,
        at_once: 0,
        in_a_pause: 0,
        too_early: 0,
        failed,
    };
    report.read(&wire.lock().unwrap());
    report
}

impl Report {
    fn read(&mut self, wire: &[Wire]) {
        let mut end_of_pause = None;
        let mut own = BTreeMap::new();
        let mut on_their_way = 0;
        for event in wire {
            match event {
                Wire::Sent { request, at } => {
                    self.in_a_pause += usize::from(end_of_pause.is_some_and(|end| *at < end));
                    self.too_early += usize::from(own.get(request).is_some_and(|end| at < end));
                    on_their_way = 0;
                }
                Wire::Refused { request, at, wait } => {
                    own.insert(*request, *at + *wait);
                    end_of_pause = end_of_pause.max(Some(*at + *wait));
                    self.refused += 1;
                    on_their_way += 1;
                    self.at_once = self.at_once.max(on_their_way);
                }
            }
        }
    }

    /// How long it took, in parts of what it had to take.
    fn ratio(&self) -> f64 {
        self.took.as_secs_f64() / self.ideal.as_secs_f64()
    }

    fn show(&self, what: &str) {
        let Self { took, refused, at_once, in_a_pause, failed, .. } = self;
        println!(
            "{what}: {took:.1?}, {:.3} of the ideal; {refused} refused, {at_once} at once, {in_a_pause} sent in a \
             pause; {failed} calls given up",
            self.ratio()
        );
    }
}

const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(start_paused = true)]
async fn a_quota_is_used_up_and_nobody_asks_in_a_pause() {
    let quotas = [
        (Quota::Bucket { burst: 10, per_second: 10 }, 2000),
        (Quota::Bucket { burst: 50, per_second: 50 }, 5000),
        (Quota::Bucket { burst: 100, per_second: 5 }, 1000),
        // As Fabric has it, by its documents and as recorded.
        (Quota::Minute { requests: 200 }, 1000),
        (Quota::Minute { requests: 10 }, 100),
    ];
    for layers in [Layers::guide(), Layers::robust()] {
        for (quota, calls) in quotas {
            for workers in [1, 8, 16, 32] {
                let what = format!("{}, {quota:?}, {workers} workers", layers.name);
                let report = throttled(&layers, quota, workers, calls, FOR_EVER).await;
                report.show(&what);
                assert!(report.ratio() <= 1.15, "{what}: {:.3}", report.ratio());
                assert_eq!((report.in_a_pause, report.too_early), (0, 0), "{what}");
                let limit = GateConfig::default().max_concurrency as usize;
                assert!(report.at_once <= limit, "{what}: {}", report.at_once);
                // A refusal is an attempt, and who comes back from one comes after those who waited at the gate. Three attempts
                // are few where 32 compete for ten places; six are where 16 workers keep step with the pauses.
                let most = if layers.name == "robust" { 0.01 } else { 0.05 };
                assert!(report.failed as f64 <= most * calls as f64, "{what}: {}", report.failed);
            }
        }
    }
}

/// With a gate, so many workers meet a limit as it lets through at once, however many there are.
#[tokio::test(start_paused = true)]
async fn not_every_worker_discovers_the_limit() {
    let (quota, calls) = (Quota::Minute { requests: 200 }, 1000);
    for layers in [Layers::guide(), Layers::robust()] {
        let gate = throttled(&layers, quota, 64, calls, FOR_EVER).await;
        gate.show(&format!("{} with a gate", layers.name));
        // Five windows, four of which are used up before their time.
        assert!(gate.refused <= 4 * 16, "{}", gate.refused);
        let layers = Layers { gate: None, ..layers };
        let none = throttled(&layers, quota, 64, calls, FOR_EVER).await;
        none.show(&format!("{} without one", layers.name));
        assert!(none.refused >= 4 * 60 && none.in_a_pause > 0, "{}", none.refused);
    }
}

/// Each refusal halves what is let through at once, down to one.
#[tokio::test(start_paused = true)]
async fn a_service_that_only_refuses_is_asked_once_a_pause() {
    let minute = Duration::from_secs(60);
    for layers in [Layers::guide(), Layers::robust()] {
        let report = throttled(&layers, Quota::Nothing, 32, u64::MAX, minute).await;
        report.show(layers.name);
        assert_eq!((report.in_a_pause, report.too_early), (0, 0));
        assert!(report.refused <= 16 + 8 + 4 + 2 + 60, "{}", report.refused);
        assert!(report.refused >= 30, "{}", report.refused);
    }
}

#[test]
fn a_server_that_says_when_to_come_back_is_believed_the_first_time() {
    let guide = RetryConfig::guide();
    let (ms, s) = (Duration::from_millis, Duration::from_secs);
    let throttled = |wait| Outcome::Throttled { retry_after: Some(wait) };
    let failed = |wait| Outcome::Transient { retry_after: Some(wait) };
    for (attempts, outcome, least, most) in [
        (1, throttled(s(1)), s(1), ms(1250)),
        (1, throttled(ms(33)), ms(33), ms(42)),
        (2, throttled(s(1)), s(4), s(5)),
        (1, throttled(s(58)), s(58), ms(58_500)),
        // Zero says nothing, and a failure is no quota.
        (1, throttled(s(0)), s(2), ms(2500)),
        (1, failed(s(1)), s(2), ms(2500)),
        (1, Outcome::Throttled { retry_after: None }, s(2), ms(2500)),
    ] {
        let [shortest, longest] = [0.0, 1.0].map(|spread| pause(attempts, &guide, outcome, spread));
        assert_eq!(shortest, least, "{attempts} {outcome:?}");
        assert!(longest > shortest && longest <= most, "{attempts} {outcome:?}: {longest:?}");
    }
}
