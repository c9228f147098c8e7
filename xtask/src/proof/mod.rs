//! What shows that the tests of `crates/resilience` can fail, and that its locks hold: `cargo xtask loom`, `bugs`,
//! `mutants` and `fuzz`.

mod bugs;
mod fuzz;
mod harness;
mod loom;
mod mutants;

pub(crate) use bugs::run as bugs;
pub(crate) use fuzz::{Arguments as FuzzArguments, run as fuzz};
pub(crate) use loom::run as loom;
pub(crate) use mutants::run as mutants;

/// The package whose proofs these are.
const PACKAGE: &str = "selvedge-resilience";

/// Where it is, from the root.
const FOLDER: &str = "crates/resilience";
