//! Folder structures by themselves: the templates of `folders create-structure`, and files that draw one.

use std::path::Path;

use super::cursor::Cursor;
use super::file::whole;
use super::folders::{self, Folders};
use super::reading::Reading;
use super::{Diagnostic, Diagnostics, Severity, Variables};
use crate::desired::FolderPath;

/// A structure that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its folders at the top, each with those in it.
    tree: &'static [(&'static str, &'static [&'static str])],
}

impl Template {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self {
            name: "medallion",
            about: "Data by its quality: raw, cleaned, ready for reports",
            tree: &[
                ("Bronze Layer", &["Raw Data", "Archive"]),
                ("Silver Layer", &["Cleaned", "Transformed"]),
                ("Gold Layer", &["Analytics", "Reports"]),
            ],
        },
        Self {
            name: "data-science",
            about: "From data and features to experiments and models",
            tree: &[
                ("Data", &["Raw", "Features"]),
                ("Experiments", &["Notebooks", "Results"]),
                ("Models", &["Training", "Deployed"]),
                ("Reports", &[]),
            ],
        },
        Self {
            name: "departmental",
            about: "A folder for each department, and one for what they share",
            tree: &[
                ("Finance", &["Data", "Reports"]),
                ("Marketing", &["Data", "Reports"]),
                ("Operations", &["Data", "Reports"]),
                ("Sales", &["Data", "Reports"]),
                ("Shared", &[]),
            ],
        },
        Self {
            name: "basic",
            about: "A folder for each kind of item",
            tree: &[("Data", &[]), ("Notebooks", &[]), ("Pipelines", &[]), ("Reports", &[])],
        },
    ];

    /// Its folders, each once, parents before children.
    #[must_use]
    pub fn folders(&self) -> Vec<FolderPath> {
        let paths = self.tree.iter().flat_map(|(top, below)| {
            std::iter::once((*top).to_owned()).chain(below.iter().map(move |name| format!("{top}/{name}")))
        });
        paths.filter_map(|path| FolderPath::parse(&path).ok()).collect()
    }
}

/// The folders that a file draws, each once, parents before children: under `folder_structure`, as a product's file has it, as a list under
/// `folders`, or at its top. Warnings come with them.
///
/// # Errors
/// All problems found, by file and line.
pub fn folder_structure(
    file: &Path,
    variables: &dyn Variables,
) -> Result<(Vec<FolderPath>, Vec<Diagnostic>), Diagnostics> {
    let mut reading = Reading::new(variables);
    let mut found = Folders::default();
    match reading.document(file) {
        Some(node) => {
            let root = Cursor::root(file, &node);
            folders::draw(&mut reading, &root, &mut found);
        }
        None if !file.exists() => {
            reading.error(
                whole(file),
                "there is no such file",
                "name a YAML or JSON file that lists folders",
            );
        }
        None => {}
    }
    let found = found.into_vec();
    if found.is_empty() && reading.problems.iter().all(|problem| problem.severity == Severity::Warning) {
        reading.error(
            whole(file),
            "names no folder",
            "list them under `folders`, each with its `subfolders`",
        );
    }
    let problems = reading.finish();
    match problems.iter().all(|problem| problem.severity == Severity::Warning) {
        true => Ok((found, problems)),
        false => Err(problems.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(found: &[FolderPath]) -> Vec<String> {
        found.iter().map(ToString::to_string).collect()
    }

    fn drawn(name: &str, text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        match folder_structure(&file, &|_: &str| None) {
            Ok((found, _)) => Ok(paths(&found)),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    #[test]
    fn templates_have_names_of_their_own_and_folders_that_fabric_takes() {
        for template in Template::ALL {
            let count = template.tree.iter().map(|(_, below)| 1 + below.len()).sum::<usize>();
            assert_eq!(template.folders().len(), count, "{}", template.name);
            assert_eq!(Template::ALL.iter().filter(|other| other.name == template.name).count(), 1);
        }
        let medallion = paths(&Template::ALL[0].folders());
        assert_eq!(medallion[..3], ["Bronze Layer", "Bronze Layer/Raw Data", "Bronze Layer/Archive"]);
    }

    #[test]
    fn a_structure_is_drawn_in_several_ways() {
        let expected = Ok(["A", "A/B", "A/B/C", "D"].map(str::to_owned).to_vec());
        for (name, text) in [
            ("a.yaml", "folders:\n- name: A\n  subfolders:\n  - {name: B, subfolders: [C]}\n- D\n"),
            ("b.yaml", "A: {subfolders: [{name: B, subfolders: [C]}]}\nD:\n"),
            ("c.yaml", "folder_structure:\n  A: [{name: B, subfolders: [C]}]\n  D:\n"),
            ("d.json", r#"{"folders": ["A/B/C", "a/b", "D"]}"#),
        ] {
            assert_eq!(drawn(name, text), expected, "{text}");
        }
        assert_eq!(drawn("e.yaml", "folder_structure: {template: medallion}").unwrap().len(), 12);
        for (text, problem) in [
            ("folders: []", "names no folder"),
            ("folders: [\"a*b\"]", "is not a folder name"),
            ("folders: [{subfolders: [A]}]", "name: is missing"),
        ] {
            let problems = drawn("f.yaml", text).unwrap_err();
            assert!(problems.contains(problem), "{problem:?} in {problems}");
        }
    }
}
