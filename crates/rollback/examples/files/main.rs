//! Makes files in a folder, or leaves it as it was: `folder.rs` says how, and this carries a plan out.
#![expect(clippy::print_stdout, reason = "an example talks to the terminal")]

mod folder;

use std::fs;
use std::path::Path;

use folder::{Change, Folder, plan};
use selvedge_rollback::journal::Journals;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{Event, Interrupt, Policy, Transaction};

async fn carry_out(folder: &Path, journals: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (target, plan) = (Folder { root: folder.to_owned() }, plan());
    let process = format!("process {}", std::process::id());
    let begin = Begin::new(plan, "files 1.0", process, folder.display().to_string())?;
    let journal = Journals::folder(journals).create(begin.id).await?;
    let show = |event: &Event<'_, Change>| {
        if let Event::Done { step, .. } = event {
            println!("{} {}", step.id, step.change);
        }
    };
    let (policy, interrupt) = (Policy::default(), Interrupt::default());
    let verdict = Transaction::begin(&target, journal, begin, policy, interrupt, show).await?.run().await?;
    println!("{verdict:?}");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (folder, journals) = (tempfile::tempdir()?, tempfile::tempdir()?);
    fs::write(folder.path().join("readme.txt"), "nothing yet")?;
    carry_out(folder.path(), journals.path()).await
}
