//! Drives the emulator in process through every operation that it says it has.

mod scenarios;
mod session;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::Context;
use selvedge_fabric_emulator::{Config, LongRunning};
use tokio::runtime::Builder;

use crate::check::Violation;
use crate::coverage::Coverage;
use crate::overlay::Overlay;
use crate::report::Report;
use crate::spec::Specs;
use session::{Session, Stop};

/// Ends early with the reason in a [`Stop`].
type Step<T = ()> = Result<T, Stop>;

/// A few requests about one thing, in a tenant of their own.
struct Scenario {
    name: String,
    /// What it needs to be otherwise than usual.
    configure: fn(&mut Config),
    run: Box<dyn Fn(&mut Session<'_>) -> Step>,
}

/// What all scenarios go by, and write to.
pub(crate) struct Ledger {
    pub(crate) specs: Specs,
    pub(crate) overlay: Overlay,
    pub(crate) coverage: Coverage,
    pub(crate) report: Report,
}

impl Ledger {
    /// With all that the emulator says it has still to be driven.
    ///
    /// # Errors
    /// When the overlay cannot be read.
    pub(crate) fn new(specs: Specs) -> anyhow::Result<Self> {
        let emulated = selvedge_fabric_emulator::operations();
        let coverage = Coverage::new(&specs, emulated.iter().map(|it| (it.method, it.path.as_str())));
        Ok(Self { specs, overlay: Overlay::load()?, coverage, report: Report::default() })
    }

    /// Counts a check of an exchange with the emulator; what the overlay excuses is no violation.
    fn checked(&mut self, found: Vec<Violation>, place: &str) {
        self.report.checked(found, Some(&mut self.overlay), place);
    }
}

fn scenario(name: impl Into<String>, run: impl Fn(&mut Session<'_>) -> Step + 'static) -> Scenario {
    Scenario { name: name.into(), configure: |_| {}, run: Box::new(run) }
}

impl Scenario {
    fn configured(self, configure: fn(&mut Config)) -> Self {
        Self { configure, ..self }
    }
}

/// The emulator's ways to answer: each scenario runs once in each.
fn modes() -> [(&'static str, Config); 3] {
    let config = |long_running| Config { long_running, ..Config::default() };
    [
        ("at once", config(LongRunning::Never)),
        (
            "long-running, in pages",
            Config {
                operation_duration: Duration::from_secs(3),
                job_duration: Duration::from_secs(60),
                page_size: Some(1),
                foreign_location: false,
                child_delay: Duration::from_secs(18),
                ..config(LongRunning::Always)
            },
        ),
        ("as recorded", config(LongRunning::Table)),
    ]
}

/// Runs every scenario. Returns how many ran to their end, and how many an operation stopped that is not emulated.
///
/// # Errors
/// When there is no runtime to run them in.
pub(crate) fn run(ledger: &mut Ledger) -> anyhow::Result<(usize, usize)> {
    let runtime = Builder::new_current_thread().enable_time().build().context("start a runtime")?;
    let (mut finished, mut stopped) = (0, 0);
    for (mode, config) in modes() {
        for scenario in scenarios::all() {
            let place = format!("{} ({mode})", scenario.name);
            let mut config = config.clone();
            (scenario.configure)(&mut config);
            let outcome = Session::start(&runtime, ledger, &place, config)
                .and_then(|mut session| (scenario.run)(&mut session));
            match outcome {
                Ok(()) => finished += 1,
                Err(Stop::NotEmulated) => stopped += 1,
                Err(Stop::Failed(why)) => ledger.report.problem(format!("{place}: {why}")),
            }
        }
    }
    Ok((finished, stopped))
}
