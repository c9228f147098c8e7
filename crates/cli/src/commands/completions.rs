//! `selvedge completions`: what a shell needs to complete command lines.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Cli, exit, output};

/// Prints the shell's script.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn run(shell: Shell) -> anyhow::Result<u8> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    // The generators panic where they cannot write, and a buffer can always be written.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::exactly(String::from_utf8_lossy(&script).trim_end())?;
    Ok(exit::DONE)
}
