//! One deployment that is asked to stop, and what it says of itself meanwhile.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use driver::{Emulator, Process};
use serde::Deserialize;

/// The program, and what it deploys where.
pub(super) struct Program<'a> {
    pub(super) path: &'a Path,
    pub(super) folder: &'a Path,
    pub(super) tenant: &'a Emulator,
    /// The most changes at the same time.
    pub(super) concurrency: &'a str,
}

/// What became of a deployment that was asked to stop.
pub(super) struct Stopped {
    /// From the signal to the durable decision, in seconds.
    pub(super) decided: f64,
    /// From the decision to the end, in seconds.
    pub(super) taken_back: f64,
    /// How many changes were taken back.
    pub(super) undone: u32,
}

/// A line of `--output jsonl`.
#[derive(Deserialize)]
struct Line {
    event: String,
    #[serde(default)]
    how: String,
    #[serde(default)]
    verdict: String,
}

/// When what happened.
#[derive(Default)]
struct Clock {
    has_begun: bool,
    done: u32,
    undone: u32,
    signalled: Option<Instant>,
    decided: Option<Instant>,
    verdict: String,
}

impl Program<'_> {
    /// Deploys, and sends `signal` when `after` changes are done; with 0, when the first was begun.
    pub(super) fn stop(&self, signal: &str, after: u32) -> anyhow::Result<Stopped> {
        let mut command = Command::new(self.path);
        command.args(["deploy", "--yes", "--output", "jsonl"]).current_dir(self.folder);
        command.env_clear().envs(&self.tenant.environment).env("FEATURE_USE_ROLLBACK", "true");
        command.env("SELVEDGE_ROLLBACK__CONCURRENCY", self.concurrency);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process::start(&mut command)?;
        let stdout = process.0.stdout.take().context("read the deployment's events")?;
        let mut clock = Clock::default();
        for line in BufReader::new(stdout).lines() {
            let line: Line =
                serde_json::from_str(&line.context("read an event")?).context("read an event")?;
            clock.saw(line);
            if clock.signalled.is_none() && clock.has_begun && clock.done >= after {
                clock.signalled = Some(Instant::now());
                process.signal(signal)?;
            }
        }
        let code = process.0.wait().context("wait for the deployment")?.code();
        clock.stopped(code)
    }
}

impl Clock {
    fn saw(&mut self, line: Line) {
        match line.event.as_str() {
            "started" => self.has_begun = true,
            "done" => self.done += 1,
            "undone" if line.how == "reversed" => self.undone += 1,
            // Written when the decision is durable.
            "rolling_back" => self.decided = Some(Instant::now()),
            "result" => self.verdict = line.verdict,
            _ => {}
        }
    }

    fn stopped(self, code: Option<i32>) -> anyhow::Result<Stopped> {
        ensure!(
            code == Some(130) && self.verdict == "rolled_back",
            "asked to stop, a deployment ended with {code:?} as {:?}",
            self.verdict
        );
        let signalled = self.signalled.context("the signal was never sent")?;
        let decided = self.decided.context("the decision was never told")?;
        Ok(Stopped {
            decided: decided.duration_since(signalled).as_secs_f64(),
            taken_back: decided.elapsed().as_secs_f64(),
            undone: self.undone,
        })
    }
}
