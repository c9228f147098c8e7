//! One trial: a deployment killed at a cut, taken up by a fresh process, and judged by what is there afterwards.

use std::fmt;

use anyhow::ensure;

use super::cut::{Cut, Fate, Point, Side};
use super::plant::{MARK, Plant};
use super::reference::Reference;
use super::worker::{Ended, Journal, Listed, Whose, Worker, run};

/// What takes a transaction up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Resume,
    Rollback,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Rollback => "rollback",
        }
    }
}

/// Where a recovery is killed, counted from where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// At so many records after those that there are.
    Record(u64, Side),
    /// At its request after so many others.
    Request(usize, Fate),
}

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(ahead, side) => write!(f, "again-record-{ahead}-{}", side.name()),
            Self::Request(skip, fate) => write!(f, "again-request-{skip}-{}", fate.name()),
        }
    }
}

/// What is tried.
pub(super) struct Trial<'a> {
    pub(super) reference: &'a Reference,
    pub(super) cut: &'a Cut,
    pub(super) way: Way,
    pub(super) journal: Journal,
    /// Where the recovery is killed, if it is.
    pub(super) again: Option<Again>,
}

impl fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, point) = (&self.reference.name, &self.cut.point);
        write!(f, "{name} {point} {} {}", self.way.name(), self.journal.name())?;
        self.again.map_or(Ok(()), |again| write!(f, " {again}"))
    }
}

/// How a trial went.
pub(super) enum Verdict {
    /// The process ended before it came to the cut, or the recovery to the second one.
    NotReached,
    /// As it must; in these words.
    Right(&'static str),
    /// Not as it must, and why.
    Wrong(String),
}

impl Trial<'_> {
    /// Tries it.
    ///
    /// # Errors
    ///
    /// When the harness itself fails.
    pub(super) fn run(&self, worker: &Worker) -> anyhow::Result<Verdict> {
        worker.begin(self.reference)?;
        let deploy = worker.selvedge(Whose::Deployer, self.journal, &["deploy", "--yes"]);
        let faults = self.reference.faults.as_deref();
        if worker.cut(deploy, &self.cut.point, faults)?.is_some() {
            return Ok(Verdict::NotReached);
        }
        // What was not durable when it was relied on is found here, whether or not a recovery can do without it.
        if let Point::Record { seq, side } = self.cut.point {
            let due = seq + u64::from(side == Side::After);
            let durable = worker.journal(self.journal)?.len() as u64;
            if durable != due {
                return Ok(Verdict::Wrong(format!("{durable} records are durable, and {due} are due")));
            }
        }
        if let Some(plant) = &self.cut.plant {
            plant.plant(&worker.tenant)?;
        }
        let mut attempt = Attempt { trial: self, worker, told: String::new() };
        let verdict = match attempt.recover()? {
            Ok(verdict) => attempt.judge(verdict)?,
            Err(Stop::NotReached) => return Ok(Verdict::NotReached),
            Err(Stop::Wrong(why)) => Err(why),
        };
        Ok(match verdict {
            Ok(verdict) => Verdict::Right(verdict),
            Err(why) => Verdict::Wrong(format!("{why}\n{}", attempt.told)),
        })
    }
}

/// Why a recovery is not judged by what is there.
enum Stop {
    NotReached,
    Wrong(String),
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(why.into()))
}

/// A trial that is under way.
struct Attempt<'a> {
    trial: &'a Trial<'a>,
    worker: &'a Worker,
    /// What the processes said.
    told: String,
}

/// The words of a verdict.
const COMMITTED: &str = "Committed";
const ROLLED_BACK: &str = "RolledBack";
const RESUMED_BACK: &str = "RolledBack (could not go on)";
const LEFT: &str = "Left, and reported";
const LEFT_MARKED: &str = "Left, and reported; what is left has its marker";
const PAST_PIVOT: &str = "Committed (past the pivot)";
const NOT_BEGUN: &str = "not begun";

impl Attempt<'_> {
    /// Takes the transaction up until it has ended, and says how it has.
    fn recover(&mut self) -> anyhow::Result<Result<&'static str, Stop>> {
        let listed = self.worker.list(self.trial.journal)?;
        let mut open = match self.only(listed) {
            Ok(Some(open)) => open,
            Ok(None) => return Ok(Ok(NOT_BEGUN)),
            Err(stop) => return Ok(Err(stop)),
        };
        if let Some(again) = self.trial.again {
            if open.has_ended() || !self.kill_recovery(&open, again)? {
                return Ok(Err(Stop::NotReached));
            }
            let listed = self.worker.list(self.trial.journal)?;
            open = match self.only(listed) {
                Ok(Some(open)) => open,
                Ok(None) => return Ok(wrong("the transaction is not listed any more")),
                Err(stop) => return Ok(Err(stop)),
            };
        }
        let ended = self.take_up(&open, self.trial.way)?;
        let listed = self.worker.list(self.trial.journal)?;
        let now = match self.only(listed) {
            Ok(Some(now)) => now,
            Ok(None) => return Ok(wrong("the transaction is not listed any more")),
            Err(stop) => return Ok(Err(stop)),
        };
        let planted = self.trial.cut.plant.is_some();
        Ok(match (open.state.as_str(), self.trial.way, now.state.as_str()) {
            // What holds something of somebody's stays, and the report says so.
            ("interrupted", _, "rolled_back_partial")
                if planted && ended.code == Some(3) && ended.stdout.starts_with("Left: ") =>
            {
                Ok(LEFT)
            }
            ("interrupted", Way::Resume, "rolled_back") if planted && ended.code == Some(1) => {
                Ok(ROLLED_BACK)
            }
            ("interrupted", Way::Resume, "committed") if ended.code == Some(0) => Ok(COMMITTED),
            ("interrupted" | "left", Way::Rollback, "rolled_back") if ended.code == Some(0) => {
                Ok(ROLLED_BACK)
            }
            // An operation of which nobody knows stands in the way: going on failed, and went back.
            ("interrupted", Way::Resume, "rolled_back")
                if ended.code == Some(1) && self.trial.reference.still_running =>
            {
                Ok(RESUMED_BACK)
            }
            // It failed before, and says so.
            ("left", Way::Resume, "rolled_back") if ended.code == Some(1) => Ok(ROLLED_BACK),
            ("interrupted", Way::Rollback, "interrupted")
                if ended.code == Some(3) && ended.stderr.contains("can only go forward") =>
            {
                let on = self.take_up(&open, Way::Resume)?;
                if on.code == Some(0) { Ok(PAST_PIVOT) } else { wrong("past the pivot, and not resumed") }
            }
            ("committed", way, "committed") => {
                let refused = way == Way::Rollback && ended.code == Some(2);
                // The markers that are left come off.
                let resumed = if refused { self.take_up(&open, Way::Resume)? } else { ended };
                if resumed.code == Some(0) { Ok(COMMITTED) } else { wrong("what has ended is not resumed") }
            }
            ("rolled_back", _, "rolled_back") => Ok(ROLLED_BACK),
            (before, way, now) => wrong(format!(
                "a transaction that was {before} is {now} after {}, which ended with {:?}",
                way.name(),
                ended.code
            )),
        })
    }

    /// The transaction, of which there is one at the most.
    fn only(&self, mut listed: Vec<Listed>) -> Result<Option<Listed>, Stop> {
        let begun = self.trial.cut.point != Point::Record { seq: 0, side: Side::Before };
        match (listed.pop(), listed.len()) {
            (None, _) if begun => wrong("no transaction is listed"),
            (found, 0) => Ok(found),
            (_, more) => wrong(format!("{} transactions are listed", more + 1)),
        }
    }

    /// Starts the recovery and kills it; `false` where it ended before that.
    fn kill_recovery(&mut self, open: &Listed, again: Again) -> anyhow::Result<bool> {
        let point = match again {
            Again::Record(ahead, side) => {
                let written = self.worker.journal(self.trial.journal)?.len() as u64;
                Point::Record { seq: written + ahead, side }
            }
            Again::Request(skip, fate) => {
                Point::Request { index: skip, pattern: "* /v1/*".to_owned(), skip, fate }
            }
        };
        // The request that the deployment died in has its fault in the log.
        self.worker.tenant.forget_requests()?;
        let command = self.recovery(open, self.trial.way);
        Ok(self.worker.cut(command, &point, None)?.is_none())
    }

    fn recovery(&self, open: &Listed, way: Way) -> std::process::Command {
        self.worker.selvedge(Whose::Operator, self.trial.journal, &["transactions", way.name(), &open.id])
    }

    fn take_up(&mut self, open: &Listed, way: Way) -> anyhow::Result<Ended> {
        let ended = run(&mut self.recovery(open, way))?;
        self.told += &format!(
            "--- {} of a transaction that was {}, exit code {:?}\n{}{}",
            way.name(),
            open.state,
            ended.code,
            ended.stdout,
            ended.stderr
        );
        Ok(ended)
    }

    /// Compares what is there with what must be.
    fn judge(&mut self, verdict: &'static str) -> anyhow::Result<Result<&'static str, String>> {
        let reference = self.trial.reference;
        if let Some(plant) = &self.trial.cut.plant {
            return self.judge_planted(plant, verdict);
        }
        let expected = match verdict {
            COMMITTED | PAST_PIVOT => &reference.committed,
            _ => &reference.before,
        };
        // What still runs there ends.
        self.worker.tenant.advance("10m")?;
        let (hash, world) = self.worker.tenant.inventory()?;
        if hash != *expected {
            return Ok(Err(format!("{verdict}, but the inventory is another one: {world:#}")));
        }
        for request in self.worker.tenant.requests()? {
            if request.method == "DELETE" && PROTECTED.iter().any(|id| request.path.ends_with(id)) {
                return Ok(Err(format!("what was there before was to be deleted: {}", request.path)));
            }
        }
        if verdict == NOT_BEGUN {
            return self.begin_anew();
        }
        // In all other cases what is listed decided on the verdict.
        if verdict == PAST_PIVOT && self.worker.list(self.trial.journal)?.iter().any(|it| !it.has_ended()) {
            return Ok(Err("a transaction is open".to_owned()));
        }
        Ok(Ok(verdict))
    }

    /// What somebody has planted is there, and nothing of ours besides.
    fn judge_planted(
        &self,
        plant: &Plant,
        verdict: &'static str,
    ) -> anyhow::Result<Result<&'static str, String>> {
        let (hash, world) = self.worker.tenant.inventory()?;
        let found = world.to_string();
        if !found.contains(MARK) {
            return Ok(Err(format!("{verdict}, but what was planted is gone: {world:#}")));
        }
        if found.contains("[selvedge:") {
            return Ok(if verdict == LEFT {
                Ok(LEFT_MARKED)
            } else {
                Err(format!("{verdict}, and a marker: {world:#}"))
            });
        }
        // Of a whole rollback it is known what else is there: what was there before.
        if verdict != ROLLED_BACK {
            return Ok(Ok(verdict));
        }
        self.worker.begin(self.trial.reference)?;
        plant.plant(&self.worker.tenant)?;
        let (expected, _) = self.worker.tenant.inventory()?;
        Ok(if hash == expected {
            Ok(verdict)
        } else {
            Err(format!("{verdict}, but more is there: {world:#}"))
        })
    }

    /// What was never begun must not stop the next deployment.
    fn begin_anew(&mut self) -> anyhow::Result<Result<&'static str, String>> {
        let args = ["deploy", "--yes"];
        let ended = run(&mut self.worker.selvedge(Whose::Deployer, self.trial.journal, &args))?;
        if ended.code != Some(0) {
            return Ok(Err(format!("the next deployment ends with {:?}: {}", ended.code, ended.stderr)));
        }
        let (hash, _) = self.worker.tenant.inventory()?;
        ensure!(hash == self.trial.reference.committed, "the next deployment makes something else");
        Ok(Ok(NOT_BEGUN))
    }
}

/// The ids that the seed of a scenario gives.
const PROTECTED: [&str; 2] = ["88888888-0000-4000-8000-00000000000a", "99999999-0000-4000-8000-00000000000a"];

impl Listed {
    fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "committed" | "rolled_back" | "rolled_back_partial")
    }
}
