//! `cargo xtask codegen`: what the docs take from the code, written into them. It declares nothing itself: each name stands once, in the
//! sources, and a file that says otherwise fails the check.

mod commands;
mod source;
mod telemetry;

use anyhow::Context as _;

use crate::blocks;
use crate::workspace::Workspace;

/// What marks a block that is written here: `<!-- codegen:NAME -->`.
const KIND: &str = "codegen";

/// Writes the generated blocks; with `check`, compares instead of writing and is `false` on a difference.
pub(crate) fn run(workspace: &Workspace, check: bool) -> anyhow::Result<bool> {
    let files = workspace.files()?;
    let telemetry = write(workspace, telemetry::PATH, &telemetry::blocks(&files)?, check)?;
    let commands = write(workspace, commands::PATH, &commands::blocks(&files)?, check)?;
    Ok(telemetry && commands)
}

/// The same for one file.
fn write(workspace: &Workspace, path: &str, written: &[(&str, String)], check: bool) -> anyhow::Result<bool> {
    let full = workspace.root.join(path);
    let old = std::fs::read_to_string(&full).with_context(|| format!("read {path}"))?;
    let new = written
        .iter()
        .try_fold(old.clone(), |text, (name, body)| blocks::replace(path, &text, KIND, name, body))?;
    if new == old {
        println!("codegen: {path} says what the code says");
        return Ok(true);
    }
    if check {
        println!("{}", blocks::difference(path, &old, &new));
        println!("codegen: {path} differs; `cargo xtask codegen` writes it anew");
        return Ok(false);
    }
    std::fs::write(&full, new).with_context(|| format!("write {path}"))?;
    println!("codegen: {path} is written anew");
    Ok(true)
}
