//! The undisturbed runs that the cut points are taken from, and that the ends are compared with.

use anyhow::{Context, bail, ensure};
use driver::Request;
use serde_json::{Value, json};

use super::cut::{self, Cut, Point, Side};
use super::journal::Journal;
use super::scenario::Scenario;
use super::worker::{Whose, Worker, run};

/// What a trial begins with and must end in.
#[derive(Clone)]
pub(super) struct Reference {
    pub(super) scenario: &'static Scenario,
    /// `new/forward`, `new/refused-14`.
    pub(super) name: String,
    /// The rows of the table that it counts in.
    pub(super) phase: &'static str,
    /// The tenant before the deployment, where it is not the one after a start.
    pub(super) snapshot: Option<String>,
    /// Steps that are under way at the same time.
    pub(super) concurrency: &'static str,
    /// Whether its cuts are tried by sample, and not each of them.
    pub(super) sampled: bool,
    /// Whether operations that the deployment began are still running when it is taken up.
    pub(super) still_running: bool,
    /// The emulator's rules.
    pub(super) settings: Value,
    /// The faults in force besides the cut: one makes a deployment roll back.
    pub(super) faults: Option<String>,
    /// The inventory's hash before the deployment, which a rollback comes back to.
    pub(super) before: String,
    /// The inventory's hash after it, where nothing fails.
    pub(super) committed: String,
    /// Where a process is killed.
    pub(super) cuts: Vec<Cut>,
}

impl Reference {
    /// One way through, without faults, before anything is known of it.
    pub(super) fn forward(scenario: &'static Scenario) -> Self {
        Self {
            scenario,
            name: format!("{}/forward", scenario.name),
            phase: "forward",
            snapshot: None,
            settings: json!({}),
            concurrency: "1",
            sampled: false,
            still_running: false,
            faults: None,
            before: String::new(),
            committed: String::new(),
            cuts: Vec::new(),
        }
    }
}

/// A run that nothing disturbs, as the emulator and the journal have it.
struct Recorded {
    hash: String,
    requests: Vec<Request>,
    /// The type and the step, or 0, of each record.
    records: Vec<(String, u64)>,
}

/// How many of a deployment's writes are refused in turn, for rollbacks from there, where not all of them are.
const REFUSED: usize = 3;

/// Every reference of a scenario; with `refuse_all` one for each write that may be refused.
pub(super) fn record(
    worker: &Worker,
    scenario: &'static Scenario,
    refuse_all: bool,
) -> anyhow::Result<Vec<Reference>> {
    let snapshot = earlier(worker, scenario)?;
    // Each of the long-running operations is seen running once, whatever the machine's pace: every third of what is asked
    // about operations is a first poll.
    let running: String = (0..8)
        .map(|operation| format!("GET */operations/*=status:Running,skip={},times=1\n", 3 * operation))
        .collect();
    let plain = Reference { snapshot, ..Reference::forward(scenario) };
    worker.begin(&plain)?;
    let (before, _) = worker.inventory()?;
    let forward = Reference { before, faults: Some(running), ..plain };
    let recorded = worker.record(&forward, 0)?;
    let first = recorded.requests.iter().position(Request::is_write).context("nothing was written")?;
    let writes: Vec<usize> = (first..recorded.requests.len())
        .filter(|&index| {
            let request = &recorded.requests[index];
            request.is_write() && request.method != "PATCH"
        })
        .collect();
    let cuts = [cut::at_records(&recorded.records, 0), cut::at_requests(&recorded.requests, first)].concat();
    let forward = Reference { committed: recorded.hash.clone(), cuts, ..forward };

    if scenario.only_slow {
        return Ok(vec![slow(&forward, &recorded)]);
    }
    let mut references = vec![slow(&forward, &recorded), planted(&forward, &recorded, first)];
    let rollbacks = if refuse_all { writes.len() } else { REFUSED };
    for nth in 1..=rollbacks {
        // The last one, and others evenly before it.
        let index = writes[(writes.len() * nth / rollbacks).saturating_sub(1)];
        references.push(refused(worker, &forward, &recorded, index)?);
    }
    references.insert(0, forward);
    let sampled: Vec<_> = references
        .iter()
        .filter(|reference| matches!(reference.phase, "forward" | "rollback") && !reference.still_running)
        .flat_map(sampled)
        .collect();
    references.extend(sampled);
    Ok(references)
}

/// The same run with cuts of which a sample is tried.
fn sampled(reference: &Reference) -> [Reference; 3] {
    let variant = |phase: &'static str, concurrency, cuts| {
        let name = reference.name.replacen('/', &format!("/{phase}-"), 1);
        Reference { name, phase, concurrency, sampled: true, cuts, ..reference.clone() }
    };
    [
        variant(TORN, "1", cut::torn(&reference.cuts)),
        variant(LATE, "1", cut::late(&reference.cuts)),
        variant(ABREAST, "8", cut::abreast(&reference.cuts)),
    ]
}

/// The phases of what is sampled.
pub(super) const TORN: &str = "torn";
pub(super) const LATE: &str = "late";
pub(super) const ABREAST: &str = "abreast";

/// The tenant that the scenario starts from.
fn earlier(worker: &Worker, scenario: &Scenario) -> anyhow::Result<Option<String>> {
    let Some(earlier) = &scenario.earlier else { return Ok(None) };
    worker.tenant.reset()?;
    worker.tenant.admin("POST", "seed", &(earlier.seed)().to_string())?;
    worker.lay_out(scenario)?;
    earlier.lay_out(&worker.project())?;
    let ended = run(&mut worker.selvedge(Whose::Deployer, Journal::Local, &["deploy", "--yes"]))?;
    ensure!(ended.code == Some(0), "the earlier deployment failed: {}", ended.stderr);
    worker.tenant.admin("GET", "snapshot", "").map(Some)
}

/// Operations that still run when the recovery begins: the same run, cut where they have begun.
fn slow(forward: &Reference, recorded: &Recorded) -> Reference {
    let mut cuts = cut::at_records(&recorded.records, 0);
    let accepted = |seq: u64| {
        let record = usize::try_from(seq).ok().and_then(|seq| recorded.records.get(seq));
        record.is_some_and(|(record, _)| record == "accepted")
    };
    cuts.retain(|cut| matches!(cut.point, Point::Record { seq, .. } if accepted(seq)));
    for cut in &mut cuts {
        cut.kind = match cut.point {
            Point::Record { side: Side::Before, .. } => "operation: 202, id not recorded, still running",
            _ => "operation: id durable, still running",
        };
    }
    Reference {
        name: format!("{}/slow", forward.scenario.name),
        settings: json!({ "operationDuration": "300ms" }),
        still_running: true,
        faults: None,
        cuts,
        ..forward.clone()
    }
}

/// Somebody else's doings between the kill and the recovery.
fn planted(forward: &Reference, recorded: &Recorded, first: usize) -> Reference {
    Reference {
        name: format!("{}/planted", forward.scenario.name),
        phase: "planted",
        faults: None,
        cuts: cut::at_planted(&recorded.requests, first),
        ..forward.clone()
    }
}

/// The run in which the write at `index` is refused: the cuts from there on.
fn refused(
    worker: &Worker,
    forward: &Reference,
    recorded: &Recorded,
    index: usize,
) -> anyhow::Result<Reference> {
    let (pattern, skip) = cut::address(&recorded.requests, index);
    let mut reference = Reference {
        name: format!("{}/refused-{index:03}", forward.scenario.name),
        phase: "rollback",
        faults: Some(format!("{pattern}=403,skip={skip},times=1")),
        ..forward.clone()
    };
    let recorded = worker.record(&reference, 1)?;
    ensure!(
        recorded.hash == reference.before,
        "{}: the rollback that nothing disturbs leaves something",
        reference.name
    );
    let hit = recorded.requests.iter().position(|request| request.fault.is_some());
    let hit = hit.with_context(|| format!("{pattern} was not refused"))?;
    let decided = recorded.records.iter().position(|(record, _)| record == "roll_back");
    let decided = decided.context("nothing was rolled back")?;
    // From the record before the decision on: it is the refused step's outcome.
    reference.cuts = [
        cut::at_records(&recorded.records, decided.saturating_sub(1)),
        cut::at_requests(&recorded.requests, hit + 1),
    ]
    .concat();
    Ok(reference)
}

impl Worker {
    /// Everything as it is before the deployment.
    pub(super) fn begin(&self, reference: &Reference) -> anyhow::Result<()> {
        self.lay_out(reference.scenario)?;
        self.tenant.reset()?;
        if let Some(snapshot) = &reference.snapshot {
            self.tenant.admin("PUT", "snapshot", snapshot)?;
        }
        self.tenant.admin("POST", "settings", &reference.settings.to_string()).map(drop)
    }

    /// Runs the deployment to its end, which must have that exit code.
    fn record(&self, reference: &Reference, code: i32) -> anyhow::Result<Recorded> {
        self.begin(reference)?;
        if let Some(faults) = &reference.faults {
            self.tenant.inject(faults)?;
        }
        let ended = run(&mut self.selvedge(Whose::Deployer, Journal::Local, &["deploy", "--yes"]))?;
        ensure!(ended.code == Some(code), "{}: {}{}", reference.name, ended.stdout, ended.stderr);
        let (hash, world) = self.inventory()?;
        if world.to_string().contains("[selvedge:") {
            bail!("{}: a marker is left by a run that nothing disturbs", reference.name);
        }
        let records = self.journal(Journal::Local)?.iter().map(of_record).collect();
        Ok(Recorded { hash, requests: self.requests()?, records })
    }
}

/// The type and the step of a line of the journal; 0 where it is about no step.
fn of_record(line: &Value) -> (String, u64) {
    let body = &line["body"];
    (body["type"].as_str().unwrap_or("?").to_owned(), body["step"].as_u64().unwrap_or_default())
}
