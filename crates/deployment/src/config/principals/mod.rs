//! Who gets which role: `users`, and the principals file of this product and environment.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cursor::Cursor;
use super::reading::Reading;
use super::{Diagnostic, file};
use crate::desired::{DesiredRole, Location, PrincipalRef, strongest};

pub(super) mod list;
mod users;

const ID_HELP: &str = "find the object id: az ad user show --id USER@DOMAIN --query id -o tsv \
                       (az ad group show --group NAME, az ad sp show --id APP)";

/// Reads both sources; each principal comes out once.
///
/// Only the file named after this product and environment is looked at, never that of another.
pub(super) fn read(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: &Path,
    product: Option<&str>,
    environment: &str,
) -> Vec<DesiredRole> {
    let mut roles = Vec::new();
    let users = reading.list(root, "users");
    for user in &users {
        roles.extend(users::read(reading, user));
    }
    let file = product.map(|product| file_of(project, product, environment));
    match file.as_deref().map(|path| (path, file::read(path))) {
        None => {}
        Some((path, Ok(Some(text)))) => roles.extend(list::parse(path, &text, &mut reading.problems)),
        Some((path, Ok(None))) if users.is_empty() => reading.warn(
            root.missing("users"),
            "nobody but the deploying identity gets access",
            format!("add `users`, or the file {}", path.display()),
        ),
        Some((_, Ok(None))) => {}
        Some((_, Err(problem))) => reading.problems.push(*problem),
    }
    merge(&mut reading.problems, roles)
}

fn file_of(project: &Path, product: &str, environment: &str) -> PathBuf {
    let name = format!("{}_{environment}_principals.txt", product.to_lowercase().replace(' ', "_"));
    project.join("config").join("principals").join(name)
}

/// Each principal once, with the strongest of its roles.
pub(super) fn merge(problems: &mut Vec<Diagnostic>, roles: Vec<DesiredRole>) -> Vec<DesiredRole> {
    let mut merged: Vec<DesiredRole> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for role in roles {
        let index = *seen.entry(key(&role)).or_insert(merged.len());
        let Some(first) = merged.get_mut(index) else {
            merged.push(role);
            continue;
        };
        if first.kind != role.kind {
            let message = format!(
                "{} is a {} here and a {} at {}",
                role.principal,
                role.kind,
                first.kind,
                place(&first.at)
            );
            problems.push(Diagnostic::error(role.at, message).with_help("correct one of the two"));
        } else if first.role != role.role {
            let message = format!(
                "{} is {} here and {} at {}",
                role.principal,
                role.role,
                first.role,
                place(&first.at)
            );
            let role_kept = strongest(first.role, role.role);
            problems.push(
                Diagnostic::warning(role.at, message)
                    .with_help(format!("{role_kept} is used; remove the other")),
            );
            first.role = role_kept;
        }
    }
    merged
}

/// The same for references that are equal as they stand. A group and a service principal may share a name.
fn key(role: &DesiredRole) -> String {
    match &role.principal {
        PrincipalRef::Id(id) => id.to_string(),
        PrincipalRef::Email(address) => address.to_lowercase(),
        PrincipalRef::Name(name) => format!("{} {}", role.kind, name.to_lowercase()),
    }
}

fn place(at: &Location) -> String {
    let file = at.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{file}:{}", at.line.unwrap_or_default())
}

fn unknown_role(at: Location, text: &str) -> Diagnostic {
    let message =
        if text.is_empty() { "the role is empty".to_owned() } else { format!("there is no role {text:?}") };
    Diagnostic::error(at, message).with_help("use one of Admin, Member, Contributor, Viewer")
}

fn unknown_kind(at: Location, text: &str) -> Diagnostic {
    Diagnostic::error(at, format!("there is no principal type {text:?}"))
        .with_help("use one of User, Group, ServicePrincipal")
}
