//! From a team's configuration files to a plan of changes, and from the plan to Microsoft Fabric.
//!
//! [`config::load`] reads the files and answers with [`desired::Desired`], plain data, or with every problem it
//! found and where. It reads files only: no request is sent and the environment is not read.
//!
//! [`principals::resolve`] and [`read::read`] find out what is there, and [`diff::diff`], a pure function, makes a plan
//! of the two; [`drift::drift`] says what differs, also where no plan would change it. [`target::Fabric`] makes its changes, reads them back and undoes them, for the engine of
//! `selvedge-rollback`.

pub mod change;
pub mod config;
pub mod definition;
pub mod desired;
pub mod diff;
pub mod drift;
pub mod inventory;
pub mod live;
pub mod principals;
pub mod promotion;
pub mod read;
pub mod repository;
pub mod strays;
pub mod summary;
pub mod target;
mod words;
