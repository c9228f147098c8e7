//! One trial: a deployment killed at a cut, taken up by a fresh process, and judged by what is there afterwards.

use std::fmt;
use std::process::Command;

use super::cut::{Cut, Fate, Point, Side};
use super::journal::Journal;
use super::kill::{Cutoff, Late};
use super::reference::Reference;
use super::worker::{Ended, Listed, Whose, Worker, run};

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
        if self.journal != Journal::Local {
            worker.renew_container()?;
        }
        let deploy = self.command(worker, Whose::Deployer, &["deploy", "--yes"]);
        let late = match worker.cut(deploy, &self.cut.point, self.reference.faults.as_deref())? {
            Cutoff::NotReached => return Ok(Verdict::NotReached),
            Cutoff::Killed => None,
            Cutoff::Late(late) => Some(late),
        };
        // What was not durable when it was relied on is found here, whether or not a recovery can do without it.
        if let Point::Record { seq, side } = self.cut.point {
            let due = seq + u64::from(side != Side::Before);
            let durable = worker.written(self.journal)?;
            if durable != due {
                return Ok(Verdict::Wrong(format!("{durable} records are durable, and {due} are due")));
            }
            if side == Side::Torn {
                worker.tear(self.journal)?;
            }
        }
        if let Some(plant) = &self.cut.plant {
            plant.plant(&worker.tenant)?;
        }
        let mut attempt = Attempt { trial: self, worker, late, told: String::new() };
        let judged = attempt.recover().and_then(|verdict| attempt.judge(verdict));
        Ok(match judged {
            Ok(verdict) => Verdict::Right(verdict),
            Err(Stop::NotReached) => Verdict::NotReached,
            Err(Stop::Wrong(why)) => Verdict::Wrong(format!("{why}\n{}", attempt.told)),
            Err(Stop::Failed(error)) => return Err(error),
        })
    }

    pub(super) fn command(&self, worker: &Worker, whose: Whose, args: &[&str]) -> Command {
        let mut command = worker.selvedge(whose, self.journal, args);
        command.env("SELVEDGE_ROLLBACK__CONCURRENCY", self.reference.concurrency);
        if let Point::Request { fate: Fate::Late(_), .. } = self.cut.point {
            // What is late must be found because it was looked for, and not because the machine was fast.
            command.env("SELVEDGE_ROLLBACK__IN_FLIGHT", "30s");
        }
        command
    }
}

/// Why a trial does not come to its end.
pub(super) enum Stop {
    NotReached,
    Wrong(String),
    /// The harness failed.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn wrong<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(why.into()))
}

/// A trial that is under way.
pub(super) struct Attempt<'a> {
    pub(super) trial: &'a Trial<'a>,
    pub(super) worker: &'a Worker,
    /// What the deployment sent and is not yet carried out.
    late: Option<Late>,
    /// What the processes said.
    told: String,
}

/// The words of a verdict.
pub(super) const COMMITTED: &str = "Committed";
pub(super) const ROLLED_BACK: &str = "RolledBack";
const RESUMED_BACK: &str = "RolledBack (could not go on)";
pub(super) const LEFT: &str = "Left, and reported";
pub(super) const LEFT_MARKED: &str = "Left, and reported; what is left has its marker";
pub(super) const PAST_PIVOT: &str = "Committed (past the pivot)";
pub(super) const NOT_BEGUN: &str = "not begun";

impl Attempt<'_> {
    /// Takes the transaction up until it has ended, and says how it has.
    fn recover(&mut self) -> Result<&'static str, Stop> {
        let Some(mut open) = self.left()? else { return Ok(NOT_BEGUN) };
        if let Some(again) = self.trial.again {
            if open.has_ended() || !self.kill_recovery(&open, again)? {
                return Err(Stop::NotReached);
            }
            open = self.left()?.ok_or_else(vanished)?;
        }
        let ended = self.take_up(&open, self.trial.way)?;
        let now = self.only()?.ok_or_else(vanished)?;
        let planted = self.trial.cut.plant.is_some();
        match (open.state.as_str(), self.trial.way, now.state.as_str()) {
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
        }
    }

    /// What the dead has left.
    fn left(&self) -> Result<Option<Listed>, Stop> {
        self.worker.break_lease(self.trial.journal)?;
        let mut left = self.only()?;
        if let Some(open) = left.as_mut().filter(|open| open.state == "running") {
            // Its lease has not run out, and it had not decided to roll back: of those nobody waits for one.
            if self.trial.journal != Journal::BlobWaiting {
                return wrong("it is listed as running when its process is dead");
            }
            open.state = "interrupted".to_owned();
        }
        Ok(left)
    }

    /// The transaction, of which there is one at the most.
    fn only(&self) -> Result<Option<Listed>, Stop> {
        let mut listed = self.worker.list(self.trial.journal)?;
        let begun =
            !matches!(self.trial.cut.point, Point::Record { seq: 0, side: Side::Before | Side::Torn });
        match (listed.pop(), listed.len()) {
            (None, _) if begun => wrong("no transaction is listed"),
            (found, 0) => Ok(found),
            (_, more) => wrong(format!("{} transactions are listed", more + 1)),
        }
    }

    /// Starts the recovery and kills it; `false` where it ended before that.
    fn kill_recovery(&self, open: &Listed, again: Again) -> anyhow::Result<bool> {
        let point = match again {
            Again::Record(ahead, side) => {
                let written = self.worker.written(self.trial.journal)?;
                Point::Record { seq: written + ahead, side }
            }
            Again::Request(skip, fate) => {
                Point::Request { index: skip, pattern: "* /v1/*".to_owned(), skip, fate }
            }
        };
        // The request that the deployment died in has its fault in the log.
        self.worker.tenant.admin("DELETE", "requests", "")?;
        let command = self.recovery(open, self.trial.way);
        let reached = !matches!(self.worker.cut(command, &point, None)?, Cutoff::NotReached);
        if reached && matches!(again, Again::Record(_, Side::Torn)) {
            self.worker.tear(self.trial.journal)?;
        }
        Ok(reached)
    }

    fn recovery(&self, open: &Listed, way: Way) -> Command {
        self.trial.command(self.worker, Whose::Operator, &["transactions", way.name(), &open.id])
    }

    fn take_up(&mut self, open: &Listed, way: Way) -> anyhow::Result<Ended> {
        let mut recovery = self.recovery(open, way);
        let ended = match self.late.take() {
            Some(late) => self.worker.run_meeting(&mut recovery, late)?,
            None => run(&mut recovery)?,
        };
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
}

fn vanished() -> Stop {
    Stop::Wrong("the transaction is not listed any more".to_owned())
}

impl Listed {
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "committed" | "rolled_back" | "rolled_back_partial")
    }
}
