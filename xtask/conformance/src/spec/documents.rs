//! The files of a checkout, by their paths.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// JSON documents by their path from the checkout's root, with `/`.
#[derive(Default)]
pub(crate) struct Documents(BTreeMap<String, Value>);

impl Documents {
    /// Reads every JSON file below `folder` but the examples, which are documentation and not rules.
    ///
    /// # Errors
    /// When a file cannot be read or is not JSON, or when no file is called `swagger.json`.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut documents = Self::default();
        documents.add(folder, "")?;
        ensure!(
            documents.swagger().next().is_some(),
            "{} has no swagger.json: name a checkout of fabric-rest-api-specs",
            folder.display()
        );
        Ok(documents)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        let listed = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in listed {
            let entry = entry.with_context(|| format!("list {}", folder.display()))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                if name != "examples" && !name.starts_with('.') {
                    self.add(&path, &format!("{prefix}{name}/"))?;
                }
            } else if name.ends_with(".json") {
                let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
                let document = serde_json::from_str(text.trim_start_matches('\u{feff}'))
                    .with_context(|| format!("read {} as JSON", path.display()))?;
                self.insert(&format!("{prefix}{name}"), document);
            }
        }
        Ok(())
    }

    pub(crate) fn insert(&mut self, path: &str, document: Value) {
        self.0.insert(path.to_owned(), document);
    }

    /// The documents that describe operations.
    pub(super) fn swagger(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.iter().filter(|(path, _)| path.rsplit('/').next() == Some("swagger.json"))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(path, document)| (path.as_str(), document))
    }

    /// The document and the definition that `reference` names when it stands in the file `from`.
    ///
    /// The case of a path is not looked at: Microsoft writes these files where it does not count, and one of them
    /// says `../../Common/` for `../common/`.
    ///
    /// # Errors
    /// When it names no definition, or a file that is not there.
    pub(super) fn resolve<'a>(
        &'a self,
        from: &str,
        reference: &'a str,
    ) -> anyhow::Result<(&'a str, &'a str)> {
        let Some((file, name)) = reference.split_once("#/definitions/") else {
            bail!("{from}: `{reference}` names no definition");
        };
        let wanted = if file.is_empty() { from.to_owned() } else { joined(from, file) };
        let found = self.0.get_key_value(&wanted);
        let found = found.or_else(|| self.0.iter().find(|(path, _)| path.eq_ignore_ascii_case(&wanted)));
        let (path, document) = found.with_context(|| format!("{from}: `{reference}` names no file"))?;
        ensure!(document["definitions"].get(name).is_some(), "{from}: `{reference}` is not defined");
        Ok((path, name))
    }
}

/// `relative`, as it is read in the file `from`.
fn joined(from: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_read_from_their_file_in_any_case() {
        let mut documents = Documents::default();
        documents.insert("common/definitions.json", json!({"definitions": {"Item": {}}}));
        documents.insert("platform/definitions/git.json", json!({"definitions": {"Head": {}}}));
        let from = "platform/definitions/git.json";
        let cases = [
            ("#/definitions/Head", Ok((from, "Head"))),
            ("../../common/definitions.json#/definitions/Item", Ok(("common/definitions.json", "Item"))),
            ("../../Common/definitions.json#/definitions/Item", Ok(("common/definitions.json", "Item"))),
            ("./git.json#/definitions/Head", Ok((from, "Head"))),
            ("./git.json#/definitions/Tail", Err("is not defined")),
            ("./tags.json#/definitions/Head", Err("names no file")),
            ("#/parameters/Head", Err("names no definition")),
        ];
        for (reference, expected) in cases {
            let found = documents.resolve(from, reference).map_err(|error| error.to_string());
            match expected {
                Ok(expected) => assert_eq!(found.unwrap(), expected),
                Err(expected) => assert!(found.unwrap_err().ends_with(expected), "{reference}"),
            }
        }
    }
}
