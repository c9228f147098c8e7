//! The file without the secrets that are in the vault: a comment in the place of each, before its own; every other byte as it was.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_secrets::env_file::{self, Entry};
use tempfile::NamedTempFile;

use super::sort::Place;

/// The text with `places` taken out; `vault` is what the comments name.
///
/// # Errors
/// Another variable would get another value, or get lost.
pub(super) fn without(text: &str, places: &[&Place], vault: &str) -> anyhow::Result<SecretString> {
    let (mark, rest) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    let mut new = String::with_capacity(text.len());
    new.push_str(mark);
    let (mut at, mut begin) = (0, 0);
    for (line, number) in rest.split_inclusive('\n').zip(1..) {
        let before = at;
        at += line.len();
        let Some(place) = places.iter().find(|place| place.lines.contains(&number)) else {
            new.push_str(line);
            continue;
        };
        if number == *place.lines.start() {
            begin = before;
        }
        if number == *place.lines.end() {
            let end =
                if line.ends_with("\r\n") { "\r\n" } else { &line[line.trim_end_matches('\n').len()..] };
            let note = comment(rest[begin..at].trim_end_matches(['\r', '\n'])).unwrap_or_default();
            new.push_str(&format!("# {} is in Key Vault {vault}{note}{end}", place.variable));
        }
    }
    let new = SecretString::from(new);
    check(rest, new.expose_secret(), places)?;
    Ok(new)
}

/// The comment behind an entry, with the space before it: what the reader of the file takes no notice of. `None` also where it repeats
/// the value.
fn comment(entry: &str) -> Option<&str> {
    let value = |text: &str| {
        let [Entry { value, .. }] = env_file::entries(text).ok()?.try_into().ok()?;
        Some(value)
    };
    let whole = value(entry)?;
    let last = entry.rfind('\n').map_or(0, |at| at + 1);
    let kept = |at: usize| entry[..at].trim_end();
    let same = |at: &usize| value(kept(*at)).is_some_and(|it| it.expose_secret() == whole.expose_secret());
    let at = entry[last..].match_indices('#').map(|(at, _)| last + at).find(same)?;
    let told = entry[at..].contains(whole.expose_secret());
    (!told).then(|| &entry[kept(at).len()..])
}

/// What stays must mean what it meant.
fn check(old: &str, new: &str, places: &[&Place]) -> anyhow::Result<()> {
    let new = new.strip_prefix('\u{feff}').unwrap_or(new);
    let told = |entry: Entry| (entry.name, entry.value.expose_secret().to_owned());
    let stays = |entry: &Entry| !places.iter().any(|place| place.lines == entry.lines);
    let before: Vec<_> = env_file::entries(old)?.into_iter().filter(stays).map(told).collect();
    let after: Vec<_> = env_file::entries(new)?.into_iter().map(told).collect();
    if before != after {
        return Err(anyhow!("without these lines, others would mean something else; take them out by hand"));
    }
    Ok(())
}

/// The line of an entry that is not in `places` and refers to `variable`.
pub(super) fn reference(text: &str, entries: &[Place], places: &[&Place], variable: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let stays = entries.iter().filter(|entry| !places.contains(entry));
    let refers = |entry: &&Place| {
        let own = lines.get(entry.lines.start() - 1..*entry.lines.end()).unwrap_or_default();
        // `${NAME}`, and with a default `${NAME:-x}`.
        let open = format!("${{{variable}");
        own.iter().any(|line| {
            line.match_indices(&open).any(|(at, _)| line[at + open.len()..].starts_with(['}', ':', '-']))
        })
    };
    stays.into_iter().find(refers).map(|entry| *entry.lines.start())
}

/// Puts `new` in the place of a file that still holds `old`, whole or not at all. The mode stays; a symbolic link stays one.
///
/// # Errors
/// The file changed meanwhile, or cannot be written; it is as it was.
pub(super) fn replace(path: &Path, old: &str, new: &SecretString) -> anyhow::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().context("a file has a folder")?;
    // For its owner only, from the start.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(new.expose_secret().as_bytes())?;
    let before = fs::metadata(&path)?;
    fs::set_permissions(file.path(), before.permissions())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, chown};
        // Where that is not ours to do, the file of another's stays as it is.
        chown(file.path(), Some(before.uid()), Some(before.gid())).context("keep the file's owner")?;
    }
    file.as_file().sync_all()?;
    let now = env_file::text(&path)?;
    if now.is_none_or(|now| now.expose_secret() != old) {
        return Err(anyhow!("somebody else changed the file; it is as they left it"));
    }
    file.persist(&path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, names: &[&str]) -> Vec<Place> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let entries = env_file::entries(text).unwrap().into_iter();
        let all = entries.map(|it| Place { variable: it.name, lines: it.lines });
        all.filter(|place| names.contains(&place.variable.as_str())).collect()
    }

    fn rewritten(text: &str, names: &[&str]) -> String {
        let places = places(text, names);
        without(text, &places.iter().collect::<Vec<_>>(), "v").unwrap().expose_secret().to_owned()
    }

    #[test]
    fn only_the_lines_of_an_entry_change() {
        for (text, expected) in [
            ("A=1\nB=2\n", "# A is in Key Vault v\nB=2\n"),
            ("B=2\r\n\r\nexport A='1' # note\r\n", "B=2\r\n\r\n# A is in Key Vault v # note\r\n"),
            ("\u{feff}A=1", "\u{feff}# A is in Key Vault v"),
            ("# A=0\n A = 'x\n\n# y' \n\t\nB=2  ", "# A=0\n# A is in Key Vault v\n\t\nB=2  "),
            ("A=1\nB=2\nA=1\n", "# A is in Key Vault v\nB=2\n# A is in Key Vault v\n"),
            ("B=2\n", "B=2\n"),
        ] {
            assert_eq!(rewritten(text, &["A"]), expected, "{text:?}");
        }
    }

    /// What is part of the value goes with it, and so does what repeats it.
    #[test]
    fn a_comment_stays_and_nothing_of_the_value() {
        for (line, expected) in [
            ("A=1  # note # more ", "  # note # more "),
            ("A='1'\t#it's $5 and \"more", "\t#it's $5 and \"more"),
            ("A=x#y", ""),
            ("A=x#y # z", " # z"),
            ("A='x # y'", ""),
            ("A='x # y' # z", " # z"),
            ("A=\"x # y\"#y", ""),
            ("A='x\n# y' # z", " # z"),
            ("A='x\n# y # z'", ""),
            ("A=x\\ y # z", " # z"),
            ("A=x${B} # y", " # y"),
            ("A=old # not old, but new", ""),
            ("A=1\u{a0}# note", "\u{a0}# note"),
        ] {
            let text = format!("B=2\n{line}\nC=3\n");
            assert_eq!(
                rewritten(&text, &["A"]),
                format!("B=2\n# A is in Key Vault v{expected}\nC=3\n"),
                "{line}"
            );
        }
    }

    #[test]
    fn what_others_need_is_not_taken() {
        let text = "SV_TEST_A=1\nB=x${SV_TEST_A}\n";
        let (all, gone) = (places(text, &["SV_TEST_A", "B"]), places(text, &["SV_TEST_A"]));
        let gone: Vec<_> = gone.iter().collect();
        assert!(without(text, &gone, "v").is_err());
        assert_eq!(reference(text, &all, &gone, "SV_TEST_A"), Some(2));
        assert_eq!(reference(text, &all, &all.iter().collect::<Vec<_>>(), "SV_TEST_A"), None);
    }

    #[test]
    fn a_reference_with_a_default_is_one_too() {
        for (line, refers) in [("B=${A}", true), ("B=x${A:-y}", true), ("B=${A-y}", true), ("B=${AA}", false)]
        {
            let text = format!("A=1\n{line}\n");
            let (all, gone) = (places(&text, &["A", "B"]), places(&text, &["A"]));
            let found = reference(&text, &all, &gone.iter().collect::<Vec<_>>(), "A");
            assert_eq!(found, refers.then_some(2), "{line}");
        }
    }

    #[test]
    fn a_file_that_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "A=2\n").unwrap();
        assert!(replace(&path, "A=1\n", &"new".into()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=2\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[cfg(unix)]
    #[test]
    fn mode_and_link_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join(".env"));
        symlink(&real, &link).unwrap();
        for mode in [0o600, 0o640, 0o400] {
            drop(fs::remove_file(&real));
            fs::write(&real, "A=1\n").unwrap();
            fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
            replace(&link, "A=1\n", &"B=2\n".into()).unwrap();
            assert_eq!(fs::read_to_string(&real).unwrap(), "B=2\n");
            assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, mode);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
    }
}
