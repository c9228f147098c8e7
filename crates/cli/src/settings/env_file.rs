//! `.env` at the project root, as plain variables.

use std::{collections::BTreeMap, path::Path};

use secrecy::ExposeSecret as _;
use selvedge_secrets::env_file;

/// The variables of `path`; empty where there is no such file. Of a repeated name the last counts.
///
/// # Errors
/// The file cannot be read, or a line is not `NAME=value`. The error names the line and never quotes it: it may
/// hold a secret.
pub(super) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let variables = env_file::read(path)?.into_iter();
    Ok(variables.map(|(name, variable)| (name, variable.value.expose_secret().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_makes_no_sense_is_told_with_its_line_and_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert!(read(&path).unwrap().is_empty());
        std::fs::write(&path, "A=1\nA=2 # two\nTOPSECRET\n").unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(
            error.starts_with(&format!("parse {}: line 3: expected `NAME=value`", path.display())),
            "{error}"
        );
        assert!(!error.contains("TOPSECRET"), "{error}");
        std::fs::write(&path, "\u{feff}A=1\nA=2 # two\n").unwrap();
        assert_eq!(read(&path).unwrap(), BTreeMap::from([("A".to_owned(), "2".to_owned())]));
    }
}
