//! `cargo xtask bench telemetry`: what telemetry costs, however its sink behaves: the pace of requests, the end of a run, and memory.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    time::{Duration, Instant},
};

use anyhow::Context;
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use selvedge_observability::{
    redact::Redactor,
    telemetry::{OtlpConfig, Protocol, Telemetry, TelemetryConfig, Untold},
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tracing::{Dispatch, Instrument as _, instrument::WithSubscriber as _};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    child::Server,
    overhead::{Client, Variant},
    report::{self, Arguments, median},
};

/// What the pace with telemetry must reach of that without.
const PACE: f64 = 0.95;
/// What the end of a run may be delayed by.
const END: Duration = Duration::from_secs(2);
/// What memory may grow by, in MiB, over so many calls with a sink that is dead.
const GROWTH: f64 = 8.0;
const MANY: u32 = 200_000;
/// How long one side is measured before the other has its turn.
const TURN: Duration = Duration::from_millis(1000);

/// How a sink behaves.
#[derive(Clone, Copy, Debug)]
enum Sink {
    /// Takes as long as the service.
    Equal,
    /// Takes a connection, and never answers.
    Silent,
    Answers(u16),
    /// Nobody is there.
    Refuses,
}

const SINKS: [Sink; 5] = [Sink::Equal, Sink::Silent, Sink::Answers(429), Sink::Answers(500), Sink::Refuses];

impl Sink {
    fn label(self) -> String {
        match self {
            Self::Equal => "as fast as the service".to_owned(),
            Self::Silent => "never answers".to_owned(),
            Self::Answers(status) => format!("answers {status}"),
            Self::Refuses => "refuses connections".to_owned(),
        }
    }

    /// Where it is, and what has to live as long.
    fn start(self, delay_ms: u64) -> anyhow::Result<(String, Option<Server>)> {
        let arguments = match self {
            Self::Refuses => {
                let listener = TcpListener::bind("127.0.0.1:0").context("find a free port")?;
                return Ok((format!("http://{}", listener.local_addr().context("find a free port")?), None));
            }
            Self::Equal => vec!["--delay-ms".to_owned(), delay_ms.to_string()],
            Self::Silent => vec!["--delay-ms".to_owned(), (3_600_000).to_string()],
            Self::Answers(status) => vec!["--status".to_owned(), status.to_string()],
        };
        let server = Server::start(&arguments)?;
        Ok((server.address.clone(), Some(server)))
    }
}

/// What came out with one sink.
struct Row {
    sink: Sink,
    ratio: f64,
    pace: f64,
    untold: Untold,
    end: Duration,
}

/// Measures, and prints what came out; whether the goals were met.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut passed = true;
    let mut runs = BTreeMap::new();
    for delay in [0, 1, 20] {
        // Where the server takes no time, what else the machine does is felt the most.
        let rounds = match delay {
            _ if arguments.quick => 1,
            0 => 24,
            _ => 6,
        };
        let mut rows = Vec::new();
        for sink in SINKS {
            rows.push(runtime.block_on(measure(sink, delay, rounds))?);
        }
        println!("\nServer takes {delay} ms, one task, {rounds} rounds of {TURN:?} each\n");
        println!("{}", table(&rows));
        if !arguments.quick {
            for row in &rows {
                passed &= goal(&row.sink.label(), row.ratio, PACE, row.ratio >= PACE);
                let end = row.end.as_secs_f64();
                // The clock has a grain, and threads have to be woken.
                passed &= goal("seconds to the end", end, END.as_secs_f64(), row.end <= END + END / 20);
            }
        }
        runs.insert(delay.to_string(), rows.iter().map(as_json).collect::<Vec<_>>());
    }
    let calls = if arguments.quick { MANY / 20 } else { MANY };
    let growth = runtime.block_on(memory(calls))?;
    println!("\nMemory after {calls} calls with a sink that never answers: {growth:+.1} MiB");
    if !arguments.quick {
        passed &= goal("MiB more", growth, GROWTH, growth <= GROWTH);
    }
    arguments.write(&json!({ "runs": runs, "memory": { "calls": calls, "growth_mib": growth } }))?;
    Ok(passed)
}

async fn measure(sink: Sink, delay_ms: u64, rounds: u32) -> anyhow::Result<Row> {
    let service = Server::start(&["--delay-ms".to_owned(), delay_ms.to_string()])?;
    let (address, _sink) = sink.start(delay_ms)?;
    let (telemetry, told) = start(&address)?;
    let (off, on) =
        (Client::new(Variant::All, &service.address)?, Client::new(Variant::Told, &service.address)?);
    // Connections, the token, and what is made once.
    turn(&off, Duration::from_millis(200)).await?;
    turn(&on, Duration::from_millis(200)).with_subscriber(told.clone()).await?;
    let (mut ratios, mut paces) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (with, without) = if round % 2 == 0 {
            let with = turn(&on, TURN).with_subscriber(told.clone()).await?;
            (with, turn(&off, TURN).await?)
        } else {
            let without = turn(&off, TURN).await?;
            (turn(&on, TURN).with_subscriber(told.clone()).await?, without)
        };
        ratios.push(with / without);
        paces.push(with);
    }
    drop(told);
    let began = Instant::now();
    let untold = telemetry.shut_down(END);
    Ok(Row { sink, ratio: median(ratios), pace: median(paces), untold, end: began.elapsed() })
}

/// Requests a second, for so long.
async fn turn(client: &Client, length: Duration) -> anyhow::Result<f64> {
    let (began, mut calls) = (Instant::now(), 0);
    while began.elapsed() < length {
        // As in a deployment, where a step is round them.
        let span = tracing::info_span!(target: "selvedge_bench", "step");
        client.calls(10).instrument(span).await?;
        calls += 10;
    }
    Ok(f64::from(calls) / began.elapsed().as_secs_f64())
}

fn start(address: &str) -> anyhow::Result<(Telemetry, Dispatch)> {
    let of = |path: &str| Some(format!("{address}/v1/{path}"));
    let config = TelemetryConfig {
        resource: vec![("service.name".to_owned(), "bench".to_owned())],
        otlp: Some(OtlpConfig {
            authorities: None,
            protocol: Protocol::HttpProtobuf,
            traces: of("traces"),
            metrics: of("metrics"),
            logs: of("logs"),
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: true,
        }),
        // So that some are sent in the time of a turn.
        metric_interval: Duration::from_secs(1),
        ..TelemetryConfig::default()
    };
    let transport = HttpTransport::new(&TransportConfig::default()).context("build the transport")?;
    let (telemetry, layer) = Telemetry::start(&config, &Redactor::default(), transport)?;
    let subscriber = tracing_subscriber::registry().with(layer.filtered());
    Ok((telemetry, Dispatch::new(subscriber)))
}

/// What memory grows by, in MiB, once everything that grows at first has grown.
async fn memory(calls: u32) -> anyhow::Result<f64> {
    let service = Server::start(&[])?;
    let (address, _sink) = Sink::Silent.start(0)?;
    let (telemetry, told) = start(&address)?;
    let client = Client::new(Variant::Told, &service.address)?;
    let work = async {
        client.calls(calls / 10).await?;
        let before = resident()?;
        client.calls(calls).await?;
        anyhow::Ok(resident()? - before)
    };
    let growth = work.with_subscriber(told).await?;
    // What is untold is what this is about.
    let _untold: Untold = telemetry.shut_down(Duration::ZERO);
    Ok(growth)
}

/// In MiB.
fn resident() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("read how much memory is used")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("find how much")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().context("read how much")?;
    Ok(kib / 1024.0)
}

fn table(rows: &[Row]) -> String {
    let row = |row: &Row| {
        vec![
            row.sink.label(),
            format!("{:.0}", row.pace),
            format!("{:.3}", row.ratio),
            row.untold.calls.to_string(),
            row.untold.spans.to_string(),
            format!("{:.2}", row.end.as_secs_f64()),
        ]
    };
    let head = ["sink", "requests/s", "/ off", "calls beyond the pace", "spans lost", "end, s"];
    report::table(&head, &rows.iter().map(row).collect::<Vec<_>>())
}

fn as_json(row: &Row) -> Value {
    json!({
        "sink": row.sink.label(), "requests_per_second": row.pace, "ratio": row.ratio,
        "calls_beyond_the_pace": row.untold.calls, "spans_lost": row.untold.spans, "end_s": row.end.as_secs_f64(),
    })
}

fn goal(what: &str, figure: f64, goal: f64, met: bool) -> bool {
    println!("goal {}: {what}: {figure:.3}, to be {goal}", if met { "met" } else { "missed" });
    met
}
