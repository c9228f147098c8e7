//! `cargo xtask bench throttle`: how long calls take that a server throttles, over the time that its allowance bids.

mod probe;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use selvedge::stack::{StackConfig, stacks};
use selvedge_fabric_client::{
    BoxService, Request, Response,
    transport::{HttpTransport, TransportConfig},
};
use selvedge_resilience::{Effect, gate::GateConfig, retry::RetryConfig};
use serde::Serialize;
use tokio::{runtime::Runtime, task::JoinSet};
use tower::{BoxError, ServiceExt};

use crate::{
    child::Server,
    report::{self, Arguments},
    server::{Allowance, CALL_ID, TALLY, Tally},
};
use probe::Probe;

/// Fifty tokens a second, and as many saved up: what drips while everybody waits out the shortest `Retry-After` there is, 1 s, fits.
const BUCKET: (Allowance, u32) = (Allowance::Bucket { rate: 50.0, burst: 50.0 }, 600);

/// Fabric's quota of 200 requests in a minute, a tenth of both.
const WINDOW: (Allowance, u32) = (Allowance::Window { calls: 20.0, length: Duration::from_secs(6) }, 100);

/// How long the server takes for a request that it takes, in milliseconds.
const DELAY: u32 = 3;

const WORKERS: [u32; 3] = [1, 8, 32];

/// The most of the ideal time that may be needed.
const MOST: f64 = 1.15;

/// What is run: so many calls, by so many workers, to one server.
#[derive(Clone, Copy, Debug)]
struct Case {
    allowance: Allowance,
    calls: u32,
    workers: u32,
    profile: Profile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Profile {
    Robust,
    Guide,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
struct Figures {
    allowance: String,
    retry: Profile,
    workers: u32,
    calls: u32,
    seconds: f64,
    ideal_seconds: f64,
    ratio: f64,
    throttled: u64,
    failed: u32,
    /// Arrivals of a call before the time it was told, by the server's clock.
    early_by_server: u64,
    /// Attempts of any call during the pause that any answer asked for, by ours.
    early_by_client: u64,
}

/// Measures, and prints what came out; whether the goals were met.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut all = Vec::new();
    for (allowance, calls) in [BUCKET, WINDOW] {
        let calls = if arguments.quick { calls / 4 } else { calls };
        for workers in WORKERS {
            // At the same time: each has a server of its own, and both mostly wait.
            let case = |profile| Case { allowance, calls, workers, profile }.run();
            let both = async { tokio::try_join!(case(Profile::Robust), case(Profile::Guide)) };
            let (robust, guide) = runtime.block_on(both)?;
            all.extend([robust, guide]);
        }
    }
    println!("\n{}", table(&all));
    arguments.write(&all)?;
    if arguments.quick {
        return Ok(true);
    }
    let missed: Vec<&Figures> = all.iter().filter(|it| !it.meets_goal()).collect();
    for it in &missed {
        println!(
            "goal missed: {} by {} workers, {:?}: to be at most {MOST}, none failed, none early",
            it.allowance, it.workers, it.retry
        );
    }
    Ok(missed.is_empty())
}

impl Figures {
    /// `guide` gives up after three attempts, as it is meant to: its times and failures are told, not judged.
    fn meets_goal(&self) -> bool {
        let on_time = self.ratio <= MOST && self.failed == 0;
        self.early_by_server + self.early_by_client == 0 && (on_time || self.retry == Profile::Guide)
    }
}

impl Case {
    async fn run(self) -> anyhow::Result<Figures> {
        let arguments = ["--delay-ms", &DELAY.to_string(), "--allowance", &self.allowance.argument()];
        let server = Server::start(&arguments.map(str::to_owned))?;
        let transport = HttpTransport::new(&TransportConfig::default()).context("build the transport")?;
        let probe = Probe::new(transport.clone());
        let config = StackConfig {
            call_deadline: Duration::from_secs(600),
            retry: Some(match self.profile {
                Profile::Robust => RetryConfig::robust(),
                Profile::Guide => RetryConfig::guide(),
            }),
            breaker: None,
            gate: GateConfig::default(),
            attempt_timeout: Duration::from_secs(30),
            spans: false,
        };
        let stack = stacks("bench", &config, None, probe.clone()).context("build the stack")?.forward;
        let started = Instant::now();
        let failed = self.calls(&stack, &server.address).await?;
        let seconds = started.elapsed().as_secs_f64();
        let ideal = self.allowance.ideal(self.calls.into()).as_secs_f64();

        let tally = transport.oneshot(get(&format!("{}{TALLY}", server.address), 0)?).await;
        let tally: Tally = serde_json::from_slice(tally.map_err(error)?.body()).context("read the tally")?;
        Ok(Figures {
            allowance: self.allowance.argument(),
            retry: self.profile,
            workers: self.workers,
            calls: self.calls,
            seconds,
            ideal_seconds: ideal,
            ratio: seconds / ideal,
            throttled: tally.throttled,
            failed,
            early_by_server: tally.early,
            early_by_client: probe.seen().early,
        })
    }

    /// Makes all calls; how many failed.
    async fn calls(self, stack: &BoxService, address: &str) -> anyhow::Result<u32> {
        let next = Arc::new(AtomicU32::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..self.workers {
            let (next, stack, address) = (Arc::clone(&next), stack.clone(), address.to_owned());
            workers.spawn(async move {
                let mut failed = 0;
                loop {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    if id >= self.calls {
                        return anyhow::Ok(failed);
                    }
                    let answer = stack.clone().oneshot(get(&address, id)?).await;
                    failed += u32::from(!answer.is_ok_and(|answer: Response| answer.status().is_success()));
                }
            });
        }
        let mut failed = 0;
        while let Some(ended) = workers.join_next().await {
            failed += ended.context("make calls")??;
        }
        Ok(failed)
    }
}

fn get(uri: &str, id: u32) -> anyhow::Result<Request> {
    let request = http::Request::get(uri).header(CALL_ID, id).extension(Effect::Read);
    Ok(request.body(Bytes::new())?)
}

fn error(error: BoxError) -> anyhow::Error {
    anyhow!(error)
}

fn table(all: &[Figures]) -> String {
    let head = [
        "server",
        "retry",
        "workers",
        "calls",
        "s",
        "ideal s",
        "/ ideal",
        "429s",
        "failed",
        "early (server)",
        "early (client)",
    ];
    let row = |it: &Figures| {
        vec![
            it.allowance.clone(),
            format!("{:?}", it.retry).to_lowercase(),
            it.workers.to_string(),
            it.calls.to_string(),
            format!("{:.2}", it.seconds),
            format!("{:.2}", it.ideal_seconds),
            format!("{:.3}", it.ratio),
            it.throttled.to_string(),
            it.failed.to_string(),
            it.early_by_server.to_string(),
            it.early_by_client.to_string(),
        ]
    };
    report::table(&head, &all.iter().map(row).collect::<Vec<_>>())
}
