//! What a method and a path of a vault come to.

use crate::wire::Incoming;
use crate::world::Deed;

pub(super) enum Route<'a> {
    Read(Read<'a>),
    Write(Write<'a>),
}

/// Leaves everything as it is. Names are those of secrets.
#[derive(Clone, Copy)]
pub(super) enum Read<'a> {
    Get(&'a str, Option<&'a str>),
    List,
    Versions(&'a str),
    Deleted(&'a str),
    ListDeleted,
}

#[derive(Clone, Copy)]
pub(super) enum Write<'a> {
    Set(&'a str),
    Update(&'a str, Option<&'a str>),
    Delete(&'a str),
    Recover(&'a str),
    Purge(&'a str),
}

impl<'a> Route<'a> {
    /// An empty segment, which some clients send where a version could stand, is none.
    pub(super) fn of(request: &'a Incoming) -> Option<Self> {
        let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
        let is = |at: usize, name: &str| segments.get(at).is_some_and(|it| it.eq_ignore_ascii_case(name));
        let deleted = is(0, "deletedsecrets");
        if !deleted && !is(0, "secrets") {
            return None;
        }
        Some(match (request.method.as_str(), deleted, segments.get(1..).unwrap_or_default()) {
            ("GET", false, []) => Self::Read(Read::List),
            ("GET", false, [name]) => Self::Read(Read::Get(name, None)),
            ("GET", false, [name, _]) if is(2, "versions") => Self::Read(Read::Versions(name)),
            ("GET", false, [name, version]) => Self::Read(Read::Get(name, Some(version))),
            ("GET", true, []) => Self::Read(Read::ListDeleted),
            ("GET", true, [name]) => Self::Read(Read::Deleted(name)),
            ("PUT", false, [name]) => Self::Write(Write::Set(name)),
            ("PATCH", false, [name]) => Self::Write(Write::Update(name, None)),
            ("PATCH", false, [name, version]) => Self::Write(Write::Update(name, Some(version))),
            ("DELETE", false, [name]) => Self::Write(Write::Delete(name)),
            ("POST", true, [name, _]) if is(2, "recover") => Self::Write(Write::Recover(name)),
            ("DELETE", true, [name]) => Self::Write(Write::Purge(name)),
            _ => return None,
        })
    }

    /// The secret that is meant.
    pub(super) fn name(&self) -> Option<&'a str> {
        match *self {
            Self::Read(Read::List | Read::ListDeleted) => None,
            Self::Read(Read::Get(name, _) | Read::Versions(name) | Read::Deleted(name)) => Some(name),
            Self::Write(
                Write::Set(name)
                | Write::Update(name, _)
                | Write::Delete(name)
                | Write::Recover(name)
                | Write::Purge(name),
            ) => Some(name),
        }
    }

    /// What somebody has to be allowed for it.
    pub(super) fn deed(&self) -> Deed {
        match self {
            Self::Read(Read::Get(..) | Read::Deleted(_)) => Deed::Get,
            Self::Read(Read::List | Read::Versions(_) | Read::ListDeleted) => Deed::List,
            Self::Write(Write::Set(_)) => Deed::Set,
            Self::Write(Write::Update(..)) => Deed::Update,
            Self::Write(Write::Delete(_)) => Deed::Delete,
            Self::Write(Write::Recover(_)) => Deed::Recover,
            Self::Write(Write::Purge(_)) => Deed::Purge,
        }
    }
}
