//! Whether this program, and what it needs, is well: checks, their rules, and the forms in which they are told.
//!
//! A [`Check`] says `pass`, `warn` or `fail` of one component, with words that are fixed when the program is built: what an error says never
//! gets here, so no address, no tenant and no version of anything can get out by a health endpoint. [`Prober`] runs checks, each at most once
//! in an interval, and has an answer in time whatever hangs behind them. [`Health`] is told as [`json`], for [`prometheus`] and as a
//! [`page`]; [`negotiate`] chooses.

pub mod json;
pub mod negotiate;
pub mod page;
mod prober;
pub mod prometheus;

use std::time::Duration;

pub use prober::{BUDGET, PATIENCE, Prober};

/// What is said where `FEATURE_USE_HEALTH_CHECKS` is off.
pub const DISABLED: &str = "Health checks disabled by feature flag";

/// How something is, best first: the worst of several is their greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Well.
    Pass,
    /// Works, and somebody should look.
    Warn,
    /// Does not work.
    Fail,
}

impl Status {
    /// All of them, best first.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Warn, Self::Fail];

    /// The word of `application/health+json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// The word of the Python framework before this program.
    #[must_use]
    pub fn predecessors_word(self) -> &'static str {
        match self {
            Self::Pass => "healthy",
            Self::Warn => "degraded",
            Self::Fail => "unhealthy",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How the component is.
    pub status: Status,
    /// What there is to say to everybody.
    pub message: &'static str,
    /// Numbers that go with it, each under its name.
    pub counts: Vec<(&'static str, u64)>,
}

impl Finding {
    /// It is well.
    #[must_use]
    pub fn pass(message: &'static str) -> Self {
        Self { status: Status::Pass, message, counts: Vec::new() }
    }

    /// It works, and somebody should look.
    #[must_use]
    pub fn warn(message: &'static str) -> Self {
        Self { status: Status::Warn, ..Self::pass(message) }
    }

    /// It does not work.
    #[must_use]
    pub fn fail(message: &'static str) -> Self {
        Self { status: Status::Fail, ..Self::pass(message) }
    }

    /// With these numbers.
    #[must_use]
    pub fn with(self, counts: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        Self { counts: counts.into_iter().collect(), ..self }
    }
}

/// How one component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub component: &'static str,
    /// How it is.
    pub status: Status,
    /// What there is to say to everybody.
    pub message: &'static str,
    /// Numbers that go with it, each under its name.
    pub counts: Vec<(&'static str, u64)>,
    /// How long it took to find out.
    pub took: Duration,
}

impl Check {
    /// A check that took no time.
    #[must_use]
    pub fn of(component: &'static str, Finding { status, message, counts }: Finding) -> Self {
        Self { component, status, message, counts, took: Duration::ZERO }
    }
}

/// How everything is that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Each component, or none where nothing was looked at: then its flag is off.
    pub checks: Option<Vec<Check>>,
    /// How long it took to find out.
    pub took: Duration,
}

impl Health {
    /// Nothing is looked at: the flag is off.
    #[must_use]
    pub fn disabled() -> Self {
        Self { checks: None, took: Duration::ZERO }
    }

    /// Of these checks.
    #[must_use]
    pub fn of(checks: Vec<Check>, took: Duration) -> Self {
        Self { checks: Some(checks), took }
    }

    /// The checks; none where nothing was looked at.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        self.checks.as_deref().unwrap_or_default()
    }

    /// The worst of the checks. Nothing to look at is nothing wrong.
    #[must_use]
    pub fn status(&self) -> Status {
        self.checks().iter().map(|check| check.status).max().unwrap_or(Status::Pass)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A check of this status, a millisecond and a half long.
    pub(crate) fn check(component: &'static str, status: Status) -> Check {
        let finding = Finding { status, message: "said", counts: Vec::new() };
        Check { took: Duration::from_micros(1_500), ..Check::of(component, finding) }
    }

    pub(crate) fn health(statuses: &[Status]) -> Health {
        const NAMES: [&str; 3] = ["a", "b", "c"];
        let checks = NAMES.iter().zip(statuses).map(|(name, status)| check(name, *status)).collect();
        Health::of(checks, Duration::from_micros(12_345))
    }

    #[test]
    fn the_worst_check_decides() {
        use Status::{Fail, Pass, Warn};
        for (statuses, status) in [
            (&[][..], Pass),
            (&[Pass, Pass], Pass),
            (&[Pass, Warn, Pass], Warn),
            (&[Fail, Warn, Pass], Fail),
            (&[Warn, Pass, Fail], Fail),
        ] {
            assert_eq!(health(statuses).status(), status, "{statuses:?}");
        }
        assert_eq!(Health::disabled().status(), Pass);
    }
}
