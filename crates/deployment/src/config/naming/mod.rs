//! The project's naming standards, `naming_standards.yaml`, and the names that break them.

use std::path::Path;

use super::cursor::Cursor;
use super::file::whole;
use super::reading::Reading;
use super::schema;
use crate::desired::DesiredItem;

mod fix;
mod rules;
mod standards;

use standards::Standards;

/// The places of the file, below the project's root, in the order they are tried.
const FILES: [&str; 2] = ["naming_standards.yaml", "config/naming_standards.yaml"];

/// What breaks a rule, and what to do.
#[derive(Debug, Eq, PartialEq)]
struct Violation {
    message: String,
    help: String,
}

/// Reports the items whose names break the project's standards: errors in strict mode, else warnings.
pub(super) fn check(reading: &mut Reading<'_>, root: &Cursor<'_>, project: &Path, items: &[DesiredItem]) {
    let naming = reading.section(root, "naming");
    let mut strict = None;
    if let Some(naming) = &naming {
        reading.keys(naming, schema::NAMING);
        strict = reading.flag(naming, "strict_mode");
        if reading.flag(naming, "validate") == Some(false) {
            return;
        }
    }
    let workspace = root.get("workspace");
    if workspace.is_some_and(|workspace| reading.flag(&workspace, "validate_naming") == Some(false)) {
        return;
    }
    check_items(reading, strict, project, items);
}

/// The same, whatever a product says; `strict` is what decides where it is given.
pub(super) fn check_items(
    reading: &mut Reading<'_>,
    strict: Option<bool>,
    project: &Path,
    items: &[DesiredItem],
) {
    let path = FILES.map(|file| project.join(file)).into_iter().find(|path| path.exists());
    let Some(path) = path else {
        if !items.is_empty() {
            reading.warn(
                whole(&project.join(FILES[0])),
                "there is no such file, so names are not checked",
                "create it, or set naming.validate to false",
            );
        }
        return;
    };
    let Some(node) = reading.document(&path) else { return };
    let file = Cursor::root(&path, &node);
    let Some(standards) = Standards::read(reading, &file) else { return };
    let strict = strict.unwrap_or(standards.strict);
    if !strict && !standards.warn {
        return;
    }
    for item in items {
        for violation in standards.violations(&item.kind, &item.name, strict) {
            let report = if strict { Reading::error } else { Reading::warn };
            report(reading, item.at.clone(), violation.message, violation.help);
        }
    }
}

#[cfg(test)]
mod tests;
