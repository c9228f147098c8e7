//! `selvedge man`: manual pages, from the command line's own description.

use std::{fs, path::Path};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::{
    args::{Cli, ManArgs},
    exit, output,
    report::ExitWith,
};

/// Prints the page of the program, or writes those of all commands.
///
/// # Errors
/// Stdout, or the folder, cannot be written.
pub(crate) fn run(args: &ManArgs) -> anyhow::Result<u8> {
    match &args.out {
        Some(folder) => write(folder)
            .with_context(|| ExitWith::usage(format!("write manual pages into {}", folder.display())))?,
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page).context("write the manual page")?;
            output::exactly(String::from_utf8_lossy(&page).trim_end())?;
        }
    }
    Ok(exit::DONE)
}

fn write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
