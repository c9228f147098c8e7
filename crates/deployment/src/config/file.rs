//! Reading a configuration file: a regular file of UTF-8 text and moderate size, and nothing else.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use super::Diagnostic;
use crate::desired::Location;

/// Bytes a configuration file may have.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// The place that stands for a file as a whole.
pub(super) fn whole(path: &Path) -> Location {
    Location { file: path.to_owned(), line: None, column: None, key: String::new() }
}

/// The text of the file without a byte order mark; `None` if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    let unreadable = |source: io::Error| {
        problem(whole(path), &format!("could not be read: {source}"), "check the permissions of the file")
    };
    // Before it is opened: opening a named pipe waits for its writer.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            let help = "name a regular file, not a folder, pipe or device";
            return Err(problem(whole(path), "is not a file", help));
        }
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(unreadable(source)),
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    text(path, bytes).map(Some)
}

/// The text of these bytes without a byte order mark.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        let message = format!("is larger than {} KiB", MAX_BYTES >> 10);
        return Err(problem(whole(path), &message, "split it, or remove what does not belong in it"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let at = Location { line: Some(line), ..whole(path) };
        problem(at, "is not UTF-8 text", "save the file as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

fn problem(at: Location, message: &str, help: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(at, message).with_help(help))
}
