//! Progress for people: a line per event, and on a terminal one live line for what is running.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use selvedge_deployment::change::Change;
use selvedge_deployment::config::Diagnostic;
use selvedge_observability::redact::Ci;
use selvedge_rollback::{Event, Step, StepId, Undone, describe};

use super::Stage;
use super::order::Order;
use crate::text::one_line;
use crate::{ci, output};

/// Writes to stderr.
pub(crate) struct Text {
    color: bool,
    /// Whether only warnings and failures are printed.
    is_quiet: bool,
    /// Whether the stages of a deployment get titles.
    has_stages: bool,
    /// The CI system that folds the lines of a stage.
    folds: Option<Ci>,
    /// The live line; hidden where stderr is not a terminal.
    live: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Option<Stage>,
    /// Whether lines go into a group that can be folded.
    in_group: bool,
    /// What is under way, since when.
    running: BTreeMap<StepId, (String, Instant)>,
    /// Which of the lines about what has ended are printed when.
    order: Order<Line>,
}

/// A line about a change that has come to its end.
struct Line {
    stage: Stage,
    mark: Mark,
    message: String,
}

/// What stands before a line, and its colour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Fine,
    Note,
    Warning,
    Failure,
    Back,
}

impl Mark {
    fn sign_and_ansi(self) -> (char, &'static str) {
        match self {
            Self::Fine => ('✓', "32"),
            Self::Note => ('ℹ', "36"),
            Self::Warning => ('⚠', "33"),
            Self::Failure => ('✗', "31"),
            Self::Back => ('↶', "33"),
        }
    }
}

impl Text {
    pub(super) fn new(color: bool, is_quiet: bool, is_terminal: bool, folds: Option<Ci>) -> Self {
        let live = if is_terminal && !is_quiet { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} [{elapsed}]") {
            live.set_style(style);
        }
        let folds = folds.filter(|_| !is_quiet);
        Self { color, is_quiet, has_stages: true, folds, live, state: Mutex::default() }
    }

    /// Lines about `steps` are printed in their order, though they may come to their end in another.
    pub(super) fn expect(&self, steps: impl IntoIterator<Item = StepId>) {
        self.state().order.expect(steps);
    }

    pub(super) fn stage(&self, stage: Stage) {
        self.print_held(Order::release);
        self.head(stage);
    }

    /// What is done is no deployment, which has stages.
    pub(super) fn plain(&mut self) {
        self.has_stages = false;
    }

    /// Prints the stage's title, where neither it nor that of a later one was printed.
    fn head(&self, stage: Stage) {
        if !self.has_stages || self.is_quiet {
            return;
        }
        let is_new = {
            let mut state = self.state();
            let is_new = state.stage.is_none_or(|last| last < stage);
            state.stage = state.stage.max(Some(stage));
            is_new
        };
        if is_new {
            let title = format!("[Step {}/{}] {}", stage as u8 + 1, Stage::COUNT, stage.title());
            // What is folded away is not seen: the summary stays in sight.
            self.begin(&title, stage != Stage::Summary);
        }
    }

    /// Prints a title. Where a CI system folds, the lines up to the next title are a group.
    fn begin(&self, title: &str, is_group: bool) {
        self.end_group();
        let line = match self.folds.filter(|_| is_group) {
            Some(system) => {
                self.state().in_group = true;
                ci::group(system, title)
            }
            None if self.color => format!("\x1b[1m{title}\x1b[0m"),
            None => title.to_owned(),
        };
        self.print(&line);
    }

    fn end_group(&self) {
        let was_in_group = std::mem::take(&mut self.state().in_group);
        if let Some(system) = self.folds.filter(|_| was_in_group) {
            self.print(ci::end_group(system));
        }
    }

    pub(super) fn fine(&self, message: &str) {
        self.line(Mark::Fine, message);
    }

    pub(super) fn note(&self, message: &str) {
        self.line(Mark::Note, message);
    }

    pub(super) fn warn(&self, warning: &Diagnostic) {
        self.line(Mark::Warning, &warning.to_string());
        if let Some(help) = &warning.help {
            self.print(&format!("    {}", one_line(help)));
        }
    }

    pub(super) fn on(&self, event: &Event<'_, Change>) {
        match event {
            Event::Started(step) => {
                self.run(step);
                if self.state().order.is_next(step.id) {
                    self.head(Stage::of(&step.change));
                }
            }
            Event::Accepted(step) => {
                let accepted = format!("{}, accepted", step.change);
                if let Some((what, _)) = self.state().running.get_mut(&step.id) {
                    *what = accepted;
                }
                self.show_running();
            }
            Event::InDoubt { step, error } => {
                self.line(Mark::Warning, &format!("{}: {}", step.change, describe(*error)));
                self.line(Mark::Note, "the answer does not prove that nothing was done: reading it back");
            }
            Event::Resending { step, attempt, delay } => {
                let message = format!("{}: attempt {attempt} in {}", step.change, seconds(*delay));
                self.line(Mark::Note, &message);
            }
            Event::InFlight { step, most } => {
                let most = seconds(*most);
                let message =
                    format!("{}: not to be seen, and may still land; looking for up to {most}", step.change);
                self.line(Mark::Note, &message);
            }
            Event::UndoInFlight { step, most } => {
                let (change, most) = (&step.change, seconds(*most));
                let message =
                    format!("{change}: undone; an undo that was not answered may still land, for {most}");
                self.line(Mark::Note, &message);
            }
            Event::KeepsPlace { step, most } => {
                let (change, most) = (&step.change, seconds(*most));
                let message =
                    format!("{change}: was sent before, and that may still land; it is undone in {most}");
                self.line(Mark::Note, &message);
            }
            Event::ReadingAgain { step, attempt, delay, error } => {
                let message = format!(
                    "{}: could not be read back: {}; attempt {attempt} in {}",
                    step.change,
                    describe(*error),
                    seconds(*delay)
                );
                self.line(Mark::Note, &message);
            }
            Event::Done { step, adopted } => {
                let found = if *adopted { ", found done" } else { "" };
                let line = self.end(step, Mark::Fine, format!("{}{found}", step.change));
                self.print_held(|order| order.made(step.id, line));
            }
            Event::Failed { step, error } => {
                let line = self.end(step, Mark::Failure, format!("{}: {}", step.change, describe(*error)));
                let first = !self.state().order.is_back();
                self.print_held(Order::turn);
                if first {
                    self.head(line.stage);
                }
                self.print_line(&line);
            }
            Event::Halted(step) => {
                let message = format!("{}: not waited for, the rollback will see to it", step.change);
                let line = self.end(step, Mark::Note, message);
                self.print_line(&line);
            }
            Event::RollingBack { id, .. } => {
                self.print_held(Order::turn);
                let title = format!("Rolling back transaction {id}");
                match self.folds {
                    Some(_) => self.begin(&title, true),
                    None => self.line(Mark::Back, &title),
                }
            }
            Event::Undoing(step) => self.run(step),
            Event::Undone { step, how } => {
                let (mark, message) = match how {
                    Undone::Reversed => (Mark::Back, format!("undone: {}", step.change)),
                    Undone::Recycled(trace) => (Mark::Back, format!("undone: {}: {trace}", step.change)),
                    Undone::AlreadyGone => (Mark::Back, format!("gone already: {}", step.change)),
                    Undone::Kept(found) => (Mark::Failure, format!("kept: {}: {found}", step.change)),
                };
                let line = self.end(step, mark, message);
                if let Undone::Kept(_) = how {
                    self.print_held(Order::release);
                }
                self.print_held(|order| order.undone(step.id, line));
            }
            Event::UndoFailed { step, reason } => {
                let line = self.end(step, Mark::Failure, format!("not undone: {}: {reason}", step.change));
                self.print_held(Order::release);
                self.print_line(&line);
            }
            Event::StillMarked { step, reason } => {
                self.line(Mark::Warning, &format!("step {step} still carries its marker, which `transactions resume` takes off: {reason}"));
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, step: &Step<Change>) {
        self.state().running.insert(step.id, (step.change.to_string(), Instant::now()));
        self.show_running();
    }

    /// The live line: what has been under way for the longest, and how much else is.
    fn show_running(&self) {
        let state = self.state();
        let Some((what, since)) = state.running.values().min_by_key(|(_, since)| since) else {
            self.live.disable_steady_tick();
            self.live.set_message(String::new());
            return;
        };
        let others = match state.running.len() - 1 {
            0 => String::new(),
            others => format!(", and {others} more"),
        };
        self.live.set_message(format!("{}{others}", one_line(what)));
        self.live.set_elapsed(since.elapsed());
        self.live.enable_steady_tick(Duration::from_millis(100));
    }

    /// A change has come to its end.
    fn end(&self, step: &Step<Change>, mark: Mark, message: String) -> Line {
        let ended = self.state().running.remove(&step.id);
        self.show_running();
        // How long it took matters where it took long; otherwise it is noise.
        let slow = ended.map(|(_, since)| since.elapsed()).filter(|time| *time >= Duration::from_secs(1));
        let message = match slow {
            Some(elapsed) => format!("{message} ({})", seconds(elapsed)),
            None => message,
        };
        Line { stage: Stage::of(&step.change), mark, message }
    }

    /// Prints the lines whose turn has come.
    fn print_held(&self, free: impl FnOnce(&mut Order<Line>) -> Vec<Line>) {
        let (lines, back) = {
            let mut state = self.state();
            (free(&mut state.order), state.order.is_back())
        };
        for line in lines {
            if !back || line.mark == Mark::Fine {
                self.head(line.stage);
            }
            self.print_line(&line);
        }
    }

    fn print_line(&self, line: &Line) {
        self.line(line.mark, &line.message);
    }

    fn line(&self, mark: Mark, message: &str) {
        if self.is_quiet && !matches!(mark, Mark::Warning | Mark::Failure) {
            return;
        }
        if mark == Mark::Failure {
            // Not to be folded away.
            self.end_group();
        }
        let (sign, ansi) = mark.sign_and_ansi();
        let message = one_line(message);
        self.print(&if self.color {
            format!("  \x1b[{ansi}m{sign}\x1b[0m {message}")
        } else {
            format!("  {sign} {message}")
        });
    }

    /// Prints above the live line.
    fn print(&self, line: &str) {
        self.live.suspend(|| {
            // Where stderr is closed nobody watches, and that is no reason to stop a deployment.
            drop(writeln!(output::stderr(), "{line}"));
        });
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.print_held(Order::release);
        self.end_group();
        self.live.finish_and_clear();
    }
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
