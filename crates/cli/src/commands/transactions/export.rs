//! `selvedge transactions export`: the records of a journal as lines of JSON, for support and for whoever looks into a damaged one.
//!
//! What can be read is written, whether or not the journal can be acted on; what cannot be read is told on stderr.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use selvedge_rollback::TransactionId;
use selvedge_rollback::journal::Corrupt;

use super::unusable;
use crate::args::ExportArgs;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output;
use crate::place::Place;
use crate::report::ExitWith;
use crate::text::one_line;

/// Writes the records.
///
/// # Errors
///
/// When the journal cannot be read, is damaged, or the file cannot be written.
pub(super) async fn run(place: &Place, id: TransactionId, args: &ExportArgs) -> anyhow::Result<u8> {
    let journals = &place.journals;
    let lines = if args.spilled { journals.export_spilled(id).await } else { journals.export(id).await };
    let lines = lines.map_err(unusable)?;
    warn("this holds definitions and what was overwritten: keep it as you keep those");
    let unread = match &args.file {
        Some(path) => {
            let mut file = create(path).with_context(|| {
                ExitWith::usage(format!("write to `{}`", path.display()))
                    .help("name a file that is not there yet")
            })?;
            let unread = each(lines, |line| Ok(file.write_all(line)?))?;
            file.sync_all().context("write the records")?;
            unread
        }
        None => each(lines, |line| {
            let line = str::from_utf8(line).context("read a record as text")?;
            output::exactly(line.trim_end_matches('\n'))
        })?,
    };
    // It says of a whole journal whether its records follow one another.
    let verdict = match args.spilled {
        false => journals.peek::<Target>(id).await.map(drop).map_err(anyhow::Error::from),
        true => unread.map_or(Ok(()), |first| Err(first.into())),
    };
    let damaged = || ExitWith::new(exit::FAILED, format!("read the whole journal of transaction {id}"));
    verdict.with_context(damaged)?;
    Ok(exit::DONE)
}

/// Writes what can be read, tells what cannot, and gives back the first of those.
fn each(
    lines: Vec<Result<Vec<u8>, Corrupt>>,
    mut write: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<Option<Corrupt>> {
    let mut first = None;
    for line in lines {
        match line {
            Ok(line) => write(&line).context("write the records")?,
            Err(unread) => {
                warn(&unread.to_string());
                first.get_or_insert(unread);
            }
        }
    }
    Ok(first)
}

fn warn(text: &str) {
    // Where stderr is gone there is nobody to tell; the exit code still does.
    drop(writeln!(output::stderr(), "warning: {}", one_line(text)));
}

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
