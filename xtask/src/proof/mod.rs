//! What shows that the tests can fail, and what tries more than a test can: `cargo xtask bugs`, `simulate`, `loom`, `mutants` and
//! `fuzz`.

mod bugs;
mod fuzz;
mod harness;
mod loom;
mod mutants;
mod simulate;

pub(crate) use bugs::run as bugs;
pub(crate) use fuzz::{Arguments as FuzzArguments, run as fuzz};
pub(crate) use loom::run as loom;
pub(crate) use mutants::run as mutants;
pub(crate) use simulate::{Arguments as SimulateArguments, run as simulate};

/// The package whose locks are modelled, and whose decisions are mutated and fuzzed.
const PACKAGE: &str = "selvedge-resilience";

/// Where it is, from the root.
const FOLDER: &str = "crates/resilience";
