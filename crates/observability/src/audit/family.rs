//! The files of one trail: the one that is written to, and those that it was before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::folder;

/// Where the file `n` of the trail at `path` is: `audit_trail.jsonl` becomes `audit_trail.3.jsonl`.
pub(super) fn rotated(path: &Path, n: u64) -> PathBuf {
    let (stem, extension) = parts(path);
    path.with_file_name(format!("{stem}.{n}{extension}"))
}

/// The numbers of the files that the trail at `path` was before, oldest first.
pub(super) fn numbers(path: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(entry?.file_name().to_str().and_then(|name| number(path, name)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// All files of the trail at `path`, oldest first. Of a file that has a number itself: those up to it.
pub(super) fn members(path: &Path) -> io::Result<Vec<PathBuf>> {
    if let Some((base, last)) = base_of(path) {
        let older = numbers(&base)?.into_iter().filter(|n| *n < last);
        return Ok(older.map(|n| rotated(&base, n)).chain([path.to_owned()]).collect());
    }
    let mut members: Vec<_> = numbers(path)?.into_iter().map(|n| rotated(path, n)).collect();
    members.extend(path.exists().then(|| path.to_owned()));
    Ok(members)
}

/// The number in `name`, where it is that of a file of the trail at `path`, written as we write it.
fn number(path: &Path, name: &str) -> Option<u64> {
    let (stem, extension) = parts(path);
    let digits = name.strip_prefix(&stem)?.strip_prefix('.')?.strip_suffix(&extension)?;
    digits.parse().ok().filter(|n: &u64| n.to_string() == digits)
}

/// The trail that the file at `path` belonged to, and its number in it.
fn base_of(path: &Path) -> Option<(PathBuf, u64)> {
    let (stem, extension) = parts(path);
    let (stem, digits) = stem.rsplit_once('.')?;
    let base = path.with_file_name(format!("{stem}{extension}"));
    Some((base.clone(), number(&base, path.file_name()?.to_str()?)?))
        .filter(|_| digits.parse::<u64>().is_ok())
}

/// The name without its extension, and the extension with its dot.
fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    (text(path.file_stem()), extension.unwrap_or_default())
}

/// A file's name, for messages and records.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_number_are_found_by_its_name() {
        let path = Path::new("a/audit_trail.jsonl");
        assert_eq!(rotated(path, 12), Path::new("a/audit_trail.12.jsonl"));
        for (name, expected) in [
            ("audit_trail.12.jsonl", Some(12)),
            ("audit_trail.jsonl", None),
            ("audit_trail.012.jsonl", None),
            ("audit_trail.x.jsonl", None),
            ("audit_trail.1.jsonl.lock", None),
            ("other.1.jsonl", None),
        ] {
            assert_eq!(number(path, name), expected, "{name}");
        }
        assert_eq!(base_of(&rotated(path, 12)), Some((path.to_owned(), 12)));
        assert_eq!(base_of(path), None);
        assert_eq!(rotated(Path::new("trail"), 1), Path::new("trail.1"));
    }
}
