//! The entries of `users`.

use super::{ID_HELP, unknown_kind, unknown_role};
use crate::config::checks::{self, guid};
use crate::config::cursor::Cursor;
use crate::config::reading::Reading;
use crate::config::schema;
use crate::desired::{DesiredRole, PrincipalKind, PrincipalRef, Role};

/// What one entry says; `None` if something is wrong with it.
pub(super) fn read(reading: &mut Reading<'_>, user: &Cursor<'_>) -> Option<DesiredRole> {
    if !user.is_map() {
        reading.error(
            user.at(),
            "must be a mapping with `email` or `name`, and `role`",
            "write `- email: ...`",
        );
        return None;
    }
    reading.keys(user, schema::USER);
    let role = checks::required(reading, user, "role", "use one of Admin, Member, Contributor, Viewer");
    let role = role.and_then(|text| {
        let role = text.value.parse::<Role>().ok();
        if role.is_none() {
            reading.problems.push(unknown_role(text.at, &text.value));
        }
        role
    });
    let kind = reading.text(user, "principal_type");
    let kind_given = user.get("principal_type").is_some();
    let kind = kind.and_then(|text| {
        let kind = PrincipalKind::parse(&text.value);
        if kind.is_none() {
            reading.problems.push(unknown_kind(text.at, &text.value));
        }
        kind
    });
    let given: Vec<&str> =
        ["id", "email", "name"].into_iter().filter(|key| user.get(key).is_some()).collect();
    let Some(key) = given.first() else {
        reading.error(
            user.missing("email"),
            "is missing",
            "give a user an `email`; a group or service principal a `name`",
        );
        return None;
    };
    // A name beside an id or e-mail address is for the reader.
    let who = checks::required(reading, user, key, "say who it is")?;
    let (principal, default) = match *key {
        "id" => {
            let Some(id) = guid(&who.value) else {
                reading.error(who.at, format!("{:?} is not a GUID", who.value), ID_HELP);
                return None;
            };
            (PrincipalRef::Id(id), Some(PrincipalKind::User))
        }
        "email" => {
            if !is_email(&who.value) {
                reading.error(
                    who.at,
                    format!("{:?} is not an e-mail address", who.value),
                    "write it as name@domain",
                );
                return None;
            }
            (PrincipalRef::Email(who.value.clone()), Some(PrincipalKind::User))
        }
        _ => (PrincipalRef::Name(who.value.clone()), None),
    };
    let kind = match (kind, default) {
        (Some(kind), _) => kind,
        (None, _) if kind_given => return None,
        (None, Some(kind)) => kind,
        (None, None) => {
            reading.error(
                user.missing("principal_type"),
                "is missing",
                "use Group or ServicePrincipal; a User is named by `email`",
            );
            return None;
        }
    };
    let matches = match principal {
        PrincipalRef::Id(_) => true,
        PrincipalRef::Email(_) => kind == PrincipalKind::User,
        PrincipalRef::Name(_) => kind != PrincipalKind::User,
    };
    if !matches {
        reading.error(
            who.at,
            format!("a {kind} cannot be named by `{key}`"),
            "use `email` for a User, `name` for a Group or ServicePrincipal, `id` for any",
        );
        return None;
    }
    Some(DesiredRole { principal, kind, role: role?, at: who.at })
}

/// Whether the text has the shape of an address; whether it is someone's is for the directory to say.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let clean = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>(),;:\"\\".contains(c))
    };
    clean(local)
        && clean(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}
