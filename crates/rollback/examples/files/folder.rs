//! Files in a folder as the target of a transaction: all of them are as the plan says, or as they were before.

use std::io::{self, Write};
use std::path::PathBuf;
use std::{fmt, fs};

use selvedge_rollback::{Call, Failure, Found, Marker, Plan, Progress, Reach, Target, Undone};
use serde::{Deserialize, Serialize};

/// A folder. Its files are written whole or not at all, beside their place and then moved there.
pub(crate) struct Folder {
    pub(crate) root: PathBuf,
}

/// What can be done to it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Change {
    /// Makes a file that is not there.
    Create { name: String, text: String },
    /// Overwrites one that is.
    Overwrite { name: String, text: String },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, .. } => write!(f, "create {name}"),
            Self::Overwrite { name, .. } => write!(f, "overwrite {name}"),
        }
    }
}

/// What reverses it: a file of ours is removed, and one of theirs says again what it said.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Undo {
    Remove,
    Restore { before: String },
}

type Attempt<T> = Result<T, Failure<io::Error>>;

/// A file system that fails may have done what it was told; nobody but the reader can tell.
fn failed(error: io::Error) -> Failure<io::Error> {
    Failure { error, reach: Reach::Sent, resend_after: None }
}

/// What a file of ours says: its last line is the marker, until the transaction commits.
fn marked(text: &str, marker: Option<Marker>) -> String {
    marker.map_or_else(|| text.to_owned(), |marker| format!("{text}\n{marker}\n"))
}

impl Folder {
    fn read(&self, name: &str) -> Attempt<Option<String>> {
        match fs::read_to_string(self.root.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::unsent(error)),
        }
    }

    fn write(&self, name: &str, text: &str, replace: bool) -> Attempt<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.root).map_err(Failure::unsent)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all());
        written.map_err(Failure::unsent)?;
        let path = self.root.join(name);
        let moved = if replace { file.persist(path) } else { file.persist_noclobber(path) };
        moved.map(drop).map_err(|error| failed(error.error))
    }
}

impl Target for Folder {
    type Change = Change;
    type Undo = Undo;
    /// What was written: only a file that still says so is ours to take back.
    type Receipt = String;
    type Error = io::Error;

    fn reversible(&self, _change: &Change) -> bool {
        true
    }

    fn marks(&self, change: &Change, _marker: &Marker) -> bool {
        matches!(change, Change::Create { .. })
    }

    async fn invert(&self, call: Call<'_, Self>) -> Attempt<Undo> {
        let refuse = |kind| Err(Failure::unsent(io::Error::from(kind)));
        match call.change {
            Change::Create { name, .. } => match self.read(name)? {
                Some(_) => refuse(io::ErrorKind::AlreadyExists),
                None => Ok(Undo::Remove),
            },
            Change::Overwrite { name, .. } => match self.read(name)? {
                Some(before) => Ok(Undo::Restore { before }),
                None => refuse(io::ErrorKind::NotFound),
            },
        }
    }

    async fn execute(&self, call: Call<'_, Self>) -> Attempt<Progress<String>> {
        let (name, text, replace) = match call.change {
            Change::Create { name, text } => (name, marked(text, call.marker), false),
            Change::Overwrite { name, text } => (name, text.clone(), true),
        };
        self.write(name, &text, replace)?;
        Ok(Progress::Done(text))
    }

    async fn wait(&self, _call: Call<'_, Self>, _operation: &str) -> Attempt<String> {
        // Nothing here is accepted first and done later.
        Err(Failure::unsent(io::ErrorKind::Unsupported.into()))
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Attempt<Found<String>> {
        let (Change::Create { name, text } | Change::Overwrite { name, text }) = call.change;
        let ours = marked(text, call.marker);
        let before = match call.undo {
            Some(Undo::Restore { before }) => Some(before),
            _ => None,
        };
        Ok(match self.read(name)? {
            Some(now) if now == ours => Found::Done(ours),
            now if now.as_ref() == before => Found::Absent,
            _ => Found::Foreign(format!("{name} is somebody else's")),
        })
    }

    async fn undo(&self, call: Call<'_, Self>, undo: &Undo, wrote: &String) -> Attempt<Undone> {
        let (Change::Create { name, .. } | Change::Overwrite { name, .. }) = call.change;
        match (self.read(name)?, undo) {
            (None, _) => return Ok(Undone::AlreadyGone),
            (Some(now), Undo::Restore { before }) if now == *before => return Ok(Undone::AlreadyGone),
            (Some(now), _) if now != *wrote => return Ok(Undone::Kept(format!("{name} was edited since"))),
            (Some(_), Undo::Remove) => fs::remove_file(self.root.join(name)).map_err(failed)?,
            (Some(_), Undo::Restore { before }) => self.write(name, before, true)?,
        }
        Ok(Undone::Reversed)
    }

    async fn unmark(&self, call: Call<'_, Self>, wrote: &String) -> Attempt<()> {
        let (Change::Create { name, text } | Change::Overwrite { name, text }) = call.change;
        // An edit since then stays.
        if self.read(name)?.as_ref() == Some(wrote) { self.write(name, text, true) } else { Ok(()) }
    }
}

/// A plan for the folder: two new files, and a line in one that is there.
pub(crate) fn plan() -> Plan<Change> {
    let mut plan = Plan::default();
    let text = |text: &str| text.to_owned();
    plan.push(Change::Create { name: text("a.txt"), text: text("first") }, []);
    plan.push(Change::Create { name: text("b.txt"), text: text("second") }, []);
    plan.push(Change::Overwrite { name: text("readme.txt"), text: text("see a.txt and b.txt") }, []);
    plan
}
