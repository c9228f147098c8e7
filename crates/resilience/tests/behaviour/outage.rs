//! A minute in which everything fails, under workers that do not stop asking.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge_resilience::breaker::{BreakerStatus, Breakers};
use selvedge_resilience::{Class, Unsent};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tower::{BoxError, ServiceExt as _};

use crate::wire::{Answer, Layers};

/// One who works alone.
const ONE: u64 = 1;
/// Fewer than a gate has places, and far more.
const FEW: u64 = 8;
const MANY: u64 = 200;
const LATENCY: Duration = Duration::from_millis(100);
/// How long all is well before the outage, how long that lasts, and how long is looked on afterwards.
const BEFORE: Duration = Duration::from_secs(60);
const OUTAGE: Duration = Duration::from_secs(60);
const AFTER: Duration = Duration::from_secs(120);
/// By when after its end all must be as before.
const RECOVERY: Duration = Duration::from_secs(60);

/// What the service saw, and what the workers did.
#[derive(Default)]
struct Seen {
    /// When requests arrived, those that found the port closed included.
    arrivals: Vec<Instant>,
    under_way: u32,
    /// The most that were under way at once after the outage and before the breaker closed.
    burst: u32,
    /// How many arrived in that time.
    probes: u32,
    /// When the breaker was first seen closed after the outage, by a request that arrived.
    closed: Option<Instant>,
    /// When calls ended, and whether well.
    ends: Vec<(Instant, bool)>,
}

/// What an outage looked like.
struct Report {
    /// Requests that arrived during the outage, in parts of what arrives in that time normally.
    load: f64,
    /// From the end of the outage to the last failed call, and to the breaker's closing.
    recovered: Duration,
    closed: Duration,
    /// The share of the normal throughput that there is from [`RECOVERY`] on.
    throughput: f64,
    burst: u32,
    probes: u32,
    /// Calls that failed.
    failed: usize,
}

async fn outage(layers: &Layers, worker_count: u64) -> Report {
    let start = Instant::now();
    let (down, up) = (start + BEFORE, start + BEFORE + OUTAGE);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let breakers: Arc<Mutex<Option<Breakers>>> = Arc::default();
    let server = (Arc::clone(&seen), Arc::clone(&breakers));
    let service = tower::service_fn(move |request: u64| {
        let (seen, breakers) = server.clone();
        async move {
            let nth = arrived(&seen, &breakers, up);
            let fails = (down..up).contains(&Instant::now());
            // A closed port answers at once, a failing server as fast as a working one.
            if !(fails && nth.is_multiple_of(2)) {
                sleep(LATENCY).await;
            }
            seen.lock().unwrap().under_way -= 1;
            match (fails, nth % 2) {
                (false, _) => Ok(Answer::Done),
                (true, 0) => Err(BoxError::from(Unsent::new(format!("connection of {request} refused")))),
                (true, _) => Ok(Answer::Unavailable),
            }
        }
    });
    let (stack, made) = layers.stack(service);
    *breakers.lock().unwrap() = made;
    let mut workers = JoinSet::new();
    for worker in 0..worker_count {
        let (stack, seen) = (stack.clone(), Arc::clone(&seen));
        workers.spawn(async move {
            loop {
                let well = matches!(stack.clone().oneshot(worker).await, Ok(Answer::Done));
                seen.lock().unwrap().ends.push((Instant::now(), well));
            }
        });
    }
    sleep_until(up + AFTER).await;
    workers.shutdown().await;
    let seen = seen.lock().unwrap();
    report(&seen, down, up)
}

/// Notes an arrival, and which one it is.
fn arrived(seen: &Mutex<Seen>, breakers: &Mutex<Option<Breakers>>, up: Instant) -> usize {
    let now = Instant::now();
    let breaker = breakers.lock().unwrap().as_ref().map(|breakers| breakers.get(&Class::default()).status());
    let mut seen = seen.lock().unwrap();
    seen.arrivals.push(now);
    seen.under_way += 1;
    if now >= up && seen.closed.is_none() {
        if breaker.is_none_or(|status| status == BreakerStatus::Closed) {
            seen.closed = Some(now);
        } else {
            seen.probes += 1;
            seen.burst = seen.burst.max(seen.under_way);
        }
    }
    seen.arrivals.len()
}

fn report(seen: &Seen, down: Instant, up: Instant) -> Report {
    let between =
        |from: Instant, to: Instant| seen.arrivals.iter().filter(|at| (from..to).contains(at)).count() as f64;
    let normal = between(down - OUTAGE, down);
    let last_failure = seen.ends.iter().filter(|(_, well)| !well).map(|(at, _)| *at).max();
    Report {
        load: between(down, up) / normal,
        recovered: last_failure.map_or(Duration::ZERO, |at| at.saturating_duration_since(up)),
        closed: seen.closed.map_or(Duration::MAX, |at| at - up),
        throughput: between(up + RECOVERY, up + RECOVERY + OUTAGE) / normal,
        burst: seen.burst,
        probes: seen.probes,
        failed: seen.ends.iter().filter(|(_, well)| !well).count(),
    }
}

fn show(name: &str, report: &Report) {
    println!(
        "{name}: {:.1} % of the normal load during the outage; {} calls failed, the last {:.1?} after it; the breaker \
         closed {:.1?} after it, after {} probes, {} at once; {:.1} % of the normal throughput then",
        report.load * 100.0,
        report.failed,
        report.recovered,
        report.closed,
        report.probes,
        report.burst,
        report.throughput * 100.0,
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_left_alone_and_survived_without_anybodys_help() {
    for layers in [Layers::guide(), Layers::robust()] {
        let permits = layers.breaker.as_ref().unwrap().half_open_permits;
        for worker_count in [ONE, 2, 4, FEW, FEW, FEW, MANY] {
            let report = outage(&layers, worker_count).await;
            let what = format!("{}, {worker_count} workers", layers.name);
            show(&what, &report);
            assert!(report.load <= 0.02, "{what}: {:.3}", report.load);
            assert!(report.closed <= RECOVERY, "{what}: {:?}", report.closed);
            assert!(report.recovered <= RECOVERY, "{what}: {:?}", report.recovered);
            assert!(report.throughput >= 0.99, "{what}: {:.3}", report.throughput);
            assert!((1..=permits).contains(&report.burst), "{what}: {}", report.burst);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_breaker_an_outage_is_not_left_alone() {
    for layers in [Layers::guide(), Layers::robust()] {
        let report = outage(&Layers { breaker: None, ..layers.clone() }, FEW).await;
        show(&format!("{} without a breaker", layers.name), &report);
        assert!(report.load > 0.02, "{} {:.3}", layers.name, report.load);
        assert!(report.throughput >= 0.99, "{} {:.3}", layers.name, report.throughput);
    }
}
