//! A process that is killed at a point of its life.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use driver::{PATIENCE, Process};

use super::cut::{Fate, Point};
use super::worker::{Ended, Worker};

/// What became of a process that was to be killed.
pub(super) enum Cutoff {
    /// It ended before it came to the point.
    NotReached,
    Killed,
    /// It is killed, and its request is still on its way.
    Late(Late),
}

/// A request whose sender is dead and which is not yet carried out.
#[derive(Clone, Copy)]
pub(super) struct Late {
    hold: u64,
    /// It is carried out after so many answers to the process that comes next.
    after: usize,
}

/// A trap that is set.
enum Armed {
    Record,
    Hold { hold: u64, fate: Fate },
}

impl Worker {
    /// Runs `command` until it is at `point`, and kills it there.
    pub(super) fn cut(
        &self,
        mut command: Command,
        point: &Point,
        faults: Option<&str>,
    ) -> anyhow::Result<Cutoff> {
        let armed = self.arm(&mut command, point)?;
        // After the trap, so that what they answer counts for it.
        if let Some(faults) = faults {
            self.tenant.inject(faults)?;
        }
        let mut process = Process::start(command.stdout(Stdio::null()).stderr(Stdio::piped()))?;
        let stopped = Arc::new(AtomicBool::new(false));
        let reader = process.0.stderr.take().map(|stderr| {
            let stopped = Arc::clone(&stopped);
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    stopped.fetch_or(line.contains(super::FAILPOINT), Ordering::Relaxed);
                }
            })
        });
        let started = Instant::now();
        let reached = loop {
            if self.is_reached(&armed, &stopped)? {
                break true;
            }
            if process.0.try_wait().context("look at the process")?.is_some() {
                break false;
            }
            if started.elapsed() > PATIENCE {
                bail!("it neither ended nor came to {point} within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if reached {
            process.0.kill().context("kill it")?;
        }
        let status = process.0.wait().context("wait for its end")?;
        if let Some(reader) = reader {
            drop(reader.join());
        }
        ensure!(!reached || status.code().is_none(), "it ended by itself when it was to be killed");
        self.let_go(&armed, reached)
    }

    /// Sets the trap.
    fn arm(&self, command: &mut Command, point: &Point) -> anyhow::Result<Armed> {
        match point {
            Point::Record { seq, side } => {
                command.env("FAILPOINT", format!("{}:{seq}", side.failpoint()));
                Ok(Armed::Record)
            }
            Point::Request { pattern, skip, fate, .. } => {
                if *fate == Fate::Lost {
                    // It has no effect, and no answer once it is let go.
                    self.tenant.inject(&format!("{pattern}=silence,skip={skip},times=1"))?;
                }
                let side = if matches!(fate, Fate::Lands | Fate::Late(_)) { "before" } else { "after" };
                Ok(Armed::Hold { hold: self.tenant.hold(pattern, *skip, side)?, fate: *fate })
            }
        }
    }

    /// Whether it is in the trap.
    fn is_reached(&self, armed: &Armed, stopped: &AtomicBool) -> anyhow::Result<bool> {
        match armed {
            Armed::Record => Ok(stopped.load(Ordering::Relaxed)),
            Armed::Hold { hold, .. } => self.tenant.is_held(*hold),
        }
    }

    /// What was held lands, if it is not to be late, and the next process meets no trap.
    fn let_go(&self, armed: &Armed, reached: bool) -> anyhow::Result<Cutoff> {
        if let Armed::Hold { hold, fate } = *armed {
            if let (Fate::Late(after), true) = (fate, reached) {
                self.tenant.heal()?;
                return Ok(Cutoff::Late(Late { hold, after }));
            }
            self.tenant.release(hold)?;
            if reached && fate != Fate::Lost {
                self.tenant.settle()?;
            }
        }
        self.tenant.heal()?;
        Ok(if reached { Cutoff::Killed } else { Cutoff::NotReached })
    }

    /// How many requests have been answered since the last reset, but for tokens.
    fn answered(&self) -> anyhow::Result<usize> {
        Ok(self.requests()?.iter().filter(|request| request.status.is_some()).count())
    }

    /// Runs to the end, and lets a request that is on its way land in between.
    pub(super) fn run_meeting(&self, command: &mut Command, late: Late) -> anyhow::Result<Ended> {
        let before = self.answered()?;
        let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let started = Instant::now();
        while self.answered()? < before + late.after {
            if process.0.try_wait().context("look at the process")?.is_some() {
                break;
            }
            if started.elapsed() > PATIENCE {
                bail!("it neither ended nor asked {} times within {PATIENCE:?}", late.after);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.tenant.release(late.hold)?;
        let ended = process.end().context("wait for its end")?.into();
        self.tenant.settle()?;
        Ok(ended)
    }
}
