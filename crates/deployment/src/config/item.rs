//! One item that is named on a command line, checked as those of a product's files are.

use std::path::Path;

use super::kinds::{KINDS, NEED_DEFINITION, NO_DEFINITION};
use super::reading::Reading;
use super::{Diagnostic, Diagnostics, Severity, Variables, checks, items, naming};
use crate::desired::{DesiredItem, Located, Location};

/// An item that is to be made, or named anew. Each text comes with the option that gave it.
#[derive(Clone, Copy, Debug)]
pub struct NewItem<'a> {
    /// Its type, in any case.
    pub kind: (&'a str, &'a str),
    /// Its name.
    pub name: Option<(&'a str, &'a str)>,
    /// Its description.
    pub description: Option<(&'a str, &'a str)>,
    /// The option that gives its content, and whether it is given. `None`: whatever content it has stays.
    pub definition: Option<(&'a str, bool)>,
}

/// The type of that name as Fabric spells it. `None` where we do not know of it.
#[must_use]
pub fn item_type(name: &str) -> Option<&'static str> {
    known().find(|known| known.eq_ignore_ascii_case(name))
}

fn known() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(_, kind)| *kind).chain(NO_DEFINITION)
}

/// Checks an item by Fabric's rules and by the naming standards of the project at `root`. Its type comes back as Fabric spells it, and warnings
/// with it.
///
/// # Errors
/// All problems found.
pub fn check_item(
    root: &Path,
    item: NewItem<'_>,
    variables: &dyn Variables,
) -> Result<(String, Vec<Diagnostic>), Diagnostics> {
    let mut reading = Reading::new(variables);
    let kind = items::named_kind(&mut reading, typed(item.kind));
    if let Some(text) = item.description {
        checks::checked_description(&mut reading, typed(text), checks::Limit::ITEM_DESCRIPTION);
    }
    if let (Some(kind), Some((option, is_given))) = (&kind, item.definition) {
        let at = typed((option, "")).at;
        if is_given && NO_DEFINITION.contains(&kind.as_str()) {
            reading.error(at, format!("a {kind} has no definition in Fabric"), "leave it out");
        } else if !is_given && NEED_DEFINITION.contains(&kind.as_str()) {
            let message = format!("is missing, and Fabric makes no {kind} without one");
            reading.error(at, message, "name the file or folder that holds it");
        }
    }
    if let Some(name) = item.name {
        let name = typed(name);
        if name.value.trim().is_empty() {
            reading.error(name.at, "is empty", "give the item a name");
        } else if let (Some(name), Some(kind)) = (checks::name(&mut reading, Some(name)), &kind) {
            let wanted = DesiredItem {
                kind: kind.clone(),
                name: name.value,
                description: None,
                folder: None,
                definition: None,
                at: name.at,
            };
            naming::check_items(&mut reading, None, root, &[wanted]);
        }
    }
    let problems = reading.finish();
    match kind {
        Some(kind) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok((kind, problems))
        }
        _ => Err(problems.into()),
    }
}

/// What was typed for an option.
fn typed((option, text): (&str, &str)) -> Located<String> {
    let at = Location { file: "the command line".into(), line: None, column: None, key: option.to_owned() };
    Located { value: text.to_owned(), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARDS: &str = "item_types:\n  Notebook: { pattern: \"^\\\\d{2}_[A-Za-z]+_Notebook$\" }\n";

    fn check(item: NewItem<'_>) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("naming_standards.yaml"), STANDARDS).unwrap();
        match check_item(root.path(), item, &|_: &str| None) {
            Ok((kind, _)) => Ok(kind),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    #[test]
    fn an_item_is_checked_as_those_of_a_product_are() {
        let long = "x".repeat(257);
        let fine = NewItem {
            kind: ("--type", "notebook"),
            name: Some(("--name", "01_Load_Notebook")),
            description: Some(("--description", "Loads")),
            definition: Some(("--definition-file", false)),
        };
        assert_eq!(check(fine), Ok("Notebook".to_owned()));
        for (item, problem) in [
            (NewItem { name: Some(("--name", "load")), ..fine }, "--name: Name does not match pattern"),
            (NewItem { name: Some(("--new-name", " ")), ..fine }, "--new-name: is empty"),
            (NewItem { kind: ("--type", "Note book"), ..fine }, "is not the name of an item type"),
            (NewItem { kind: ("--type", "Lakehouse"), ..fine }, "Unknown item type: Lakehouse"),
            (NewItem { kind: ("--type", "Report"), ..fine }, "Fabric makes no Report without one"),
            (
                NewItem {
                    kind: ("--type", "Warehouse"),
                    definition: Some(("--definition-file", true)),
                    ..fine
                },
                "a Warehouse has no definition",
            ),
            (NewItem { description: Some(("--description", &long)), ..fine }, "longer than 256 characters"),
        ] {
            let problems = check(item).unwrap_err();
            assert!(problems.contains(problem), "{problem:?} in {problems}");
        }
    }
}
