//! Progress for people: a line per event, and on a terminal one live line for what is running.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use selvedge_deployment::change::Change;
use selvedge_deployment::config::Diagnostic;
use selvedge_rollback::{Event, Step, Undone, describe};

use super::Stage;
use crate::text::one_line;

/// Writes to stderr.
pub(crate) struct Text {
    color: bool,
    /// The live line; hidden where stderr is not a terminal.
    live: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Option<Stage>,
    started: Option<Instant>,
}

/// What stands before a line, and its colour.
#[derive(Clone, Copy)]
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
    pub(super) fn new(color: bool, is_terminal: bool) -> Self {
        let live = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} [{elapsed}]") {
            live.set_style(style);
        }
        Self { color, live, state: Mutex::default() }
    }

    pub(super) fn stage(&self, stage: Stage) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stage.replace(stage) != Some(stage) {
            let title = format!("[Step {}/{}] {}", stage as u8 + 1, Stage::COUNT, stage.title());
            self.print(&if self.color { format!("\x1b[1m{title}\x1b[0m") } else { title });
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
                self.stage(Stage::of(&step.change));
                self.run(step);
            }
            Event::Accepted(step) => {
                self.live.set_message(format!("{}, accepted", one_line(&step.change.to_string())))
            }
            Event::InDoubt { step, error } => {
                self.line(Mark::Warning, &format!("{}: {}", step.change, describe(*error)));
                self.line(Mark::Note, "the answer does not prove that nothing was done: reading it back");
            }
            Event::Resending { step, attempt, delay } => {
                let message = format!("{}: attempt {attempt} in {}", step.change, seconds(*delay));
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
                self.end(Mark::Fine, &format!("{}{found}", step.change));
            }
            Event::Failed { step, error } => {
                self.end(Mark::Failure, &format!("{}: {}", step.change, describe(*error)));
            }
            Event::RollingBack { id, .. } => self.line(Mark::Back, &format!("Rolling back transaction {id}")),
            Event::Undoing(step) => self.run(step),
            Event::Undone { step, how } => match how {
                Undone::Reversed => self.end(Mark::Back, &format!("undone: {}", step.change)),
                Undone::Recycled(trace) => self.end(Mark::Back, &format!("undone: {}: {trace}", step.change)),
                Undone::AlreadyGone => self.end(Mark::Back, &format!("gone already: {}", step.change)),
                Undone::Kept(found) => self.end(Mark::Failure, &format!("kept: {}: {found}", step.change)),
            },
            Event::UndoFailed { step, reason } => {
                self.end(Mark::Failure, &format!("not undone: {}: {reason}", step.change));
            }
            Event::StillMarked { step, reason } => {
                self.line(Mark::Warning, &format!("step {step} still carries its marker, which `transactions resume` takes off: {reason}"));
            }
            _ => {}
        }
    }

    fn run(&self, step: &Step<Change>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).started = Some(Instant::now());
        self.live.reset_elapsed();
        self.live.set_message(one_line(&step.change.to_string()));
        self.live.enable_steady_tick(Duration::from_millis(100));
    }

    /// A change has come to its end.
    fn end(&self, mark: Mark, message: &str) {
        let started = self.state.lock().unwrap_or_else(PoisonError::into_inner).started.take();
        // How long it took matters where it took long; otherwise it is noise.
        let slow =
            started.map(|started| started.elapsed()).filter(|elapsed| *elapsed >= Duration::from_secs(1));
        match slow {
            Some(elapsed) => self.line(mark, &format!("{message} ({})", seconds(elapsed))),
            None => self.line(mark, message),
        }
    }

    fn line(&self, mark: Mark, message: &str) {
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
            drop(writeln!(std::io::stderr().lock(), "{line}"));
        });
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.live.finish_and_clear();
    }
}

pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
