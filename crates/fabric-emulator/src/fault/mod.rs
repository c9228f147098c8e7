//! Faults on demand: what goes wrong, for which requests, how often and how long.

mod action;
mod chaos;
mod edit;
mod injected;
mod parse;
mod partial;
mod past;
mod shape;
mod table;
mod verdict;
mod write;

use std::time::Duration;

pub use action::{Action, Effect, Ending, Substitute};
pub use chaos::{Chaos, ParseChaosError};
pub use edit::{Body, Casing, Edit, RetryAfter};
pub(crate) use injected::injected;
pub use parse::ParseFaultError;
pub(crate) use partial::reduced;
pub(crate) use past::Past;
pub(crate) use table::Faults;
pub(crate) use verdict::{Tweaks, Verdict};

use crate::pattern::Pattern;

/// Something that goes wrong with matching requests.
///
/// Written as `PATTERN=ACTION[,option=value]...`; the actions and their options stand in `docs/emulator-faults.md`. `skip`,
/// `times` and `for` go with every action:
///
/// ```
/// use selvedge_fabric_emulator::{Action, Edit, Effect, Fault, RetryAfter, Substitute};
/// let fault: Fault = "POST */items=effect+429,retry-after=2,times=1".parse()?;
/// assert_eq!(fault.times, Some(1));
/// let edits = vec![Edit::RetryAfter(RetryAfter::Seconds(2))];
/// let answer = Substitute::Error { status: 429, edits };
/// assert_eq!(fault.action, Action::Instead { effect: Effect::Whole, answer });
/// assert_eq!(fault.to_string(), "POST */items=effect+429,retry-after=2,times=1");
/// for line in ["POST */roleAssignments=503,for=30s", "GET *=latency:200ms", "POST */items=reset-before,times=1",
///     "POST */items=late:30s+silence", "DELETE */items/*=500,skip=1", "POST */items=operation-fails"] {
///     line.parse::<Fault>()?;
/// }
/// # Ok::<(), selvedge_fabric_emulator::ParseFaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub pattern: Pattern,
    /// How many matching requests pass unharmed first.
    pub skip: u32,
    /// How many requests are hit after that; `None` is all.
    pub times: Option<u32>,
    /// How long it is in force on the tenant's clock, from its injection on; `None` is for ever.
    pub lasts: Option<Duration>,
    /// What happens to them.
    pub action: Action,
}
