//! The principals file.

use std::path::Path;

use super::{ID_HELP, unknown_kind, unknown_role};
use crate::config::Diagnostic;
use crate::config::checks::guid;
use crate::desired::{DesiredRole, Location, PrincipalKind, PrincipalRef, Role};

/// Reads a principals file: `id,role,description,type` in each line, `#` for comments.
pub(in crate::config) fn parse(path: &Path, text: &str, problems: &mut Vec<Diagnostic>) -> Vec<DesiredRole> {
    let mut roles = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |key: &str| Location {
            file: path.to_owned(),
            line: Some(index as u64 + 1),
            column: None,
            key: key.to_owned(),
        };
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [id, role, rest @ ..] = fields.as_slice() else {
            problems.push(
                Diagnostic::error(at(""), "needs at least an id and a role")
                    .with_help("write principal_id,role,description,type"),
            );
            continue;
        };
        let parsed_id = guid(id);
        if parsed_id.is_none() {
            problems.push(
                Diagnostic::error(at("principal_id"), format!("{id:?} is not a GUID")).with_help(ID_HELP),
            );
        }
        let parsed_role = role.parse::<Role>().ok();
        if parsed_role.is_none() {
            problems.push(unknown_role(at("role"), role));
        }
        // A description may hold commas, so the type is the last field, and the fourth must be one.
        let last = rest.last().copied().unwrap_or_default();
        let kind = match PrincipalKind::parse(last) {
            Some(kind) => Some(kind),
            None if rest.len() < 2 || last.is_empty() => Some(PrincipalKind::User),
            None => {
                problems.push(unknown_kind(at("type"), last));
                None
            }
        };
        if let (Some(id), Some(role), Some(kind)) = (parsed_id, parsed_role, kind) {
            roles.push(DesiredRole { principal: PrincipalRef::Id(id), kind, role, at: at("principal_id") });
        }
    }
    roles
}
