//! `cargo xtask clients`: clients of Fabric that nobody here wrote, against the emulator.
//!
//! The drivers are unit tests in Python, in `xtask/clients`. They run twice: by this machine's own address, and by the
//! real host names in a network namespace, where each client believes that it talks to Microsoft. `fab` cannot be told
//! another host, so it runs only there.

mod namespace;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::{venv, workspace::Workspace};

/// The folder of xtask that has the drivers, and pins what they need.
pub(crate) const NAME: &str = "clients";
/// Drivers that can be told where the services are.
const ANYWHERE: &[&str] = &[
    "test_azure_identity",
    "test_certificate",
    "test_collector",
    "test_fabric_cicd",
    "test_key_vault",
    "test_managed_identity",
];
/// Drivers of clients that know the host names only.
const REAL_NAMES_ONLY: &[&str] = &["test_fab"];

/// Runs every driver; `true` when all pass. What it prints is counted as Python's `unittest` counts.
///
/// # Errors
/// When the clients do not install, or the namespace cannot be made: nothing is left out in silence.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let python = venv::python(workspace, NAME)?;
    let binary = workspace.binary()?;
    let namespace = namespace::Namespace::new(&workspace.target.join(NAME).join("hosts"))?;
    let drivers = workspace.root.join("xtask").join(NAME);

    println!("==> clients, told where the emulator is");
    let mut told = Command::new(&python);
    told.env_clear().args(["-m", "unittest", "--verbose"]).args(ANYWHERE);
    let told = passes(&mut told, &drivers, &binary)?;

    println!("==> clients, by the real host names");
    let mut real = namespace.command(&python);
    real.env_clear().args(["-m", "unittest", "--verbose"]).args(ANYWHERE).args(REAL_NAMES_ONLY);
    let real = passes(real.env("REAL_NAMES", "1"), &drivers, &binary)?;
    Ok(told && real)
}

#[expect(clippy::disallowed_methods, reason = "the one variable that is handed on, and nobody's setting")]
fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// Runs unit tests without anybody's variables: each client reads some, and a proxy would come in between.
fn passes(command: &mut Command, drivers: &Path, binary: &Path) -> anyhow::Result<bool> {
    command
        .current_dir(drivers)
        .env("PATH", path())
        .env("EMULATOR", binary)
        // The drivers' folder is part of the source.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    let status = command.status().with_context(|| format!("run {command:?}"))?;
    Ok(status.success())
}
