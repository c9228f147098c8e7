//! Each law can be broken: a toy target with a bug planted, and the law that finds it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::*;
use crate::{Call, Failure, Found, Marker, Progress, Reach, Undone};

#[path = "../../examples/files/folder.rs"]
mod files;

/// The example's folder, made anew.
struct Files {
    _dir: tempfile::TempDir,
    folder: files::Folder,
}

impl Files {
    fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("readme.txt"), "nothing yet").unwrap();
        Self { folder: files::Folder { root: dir.path().to_owned() }, _dir: dir }
    }
}

impl World for Files {
    type Target = files::Folder;

    fn target(&self) -> &files::Folder {
        &self.folder
    }

    fn plan(&self) -> Plan<files::Change> {
        files::plan()
    }

    async fn inventory(&self) -> Inventory {
        let files = std::fs::read_dir(&self.folder.root).unwrap().map(|file| file.unwrap().path());
        let name = |file: &std::path::Path| file.file_name().unwrap().display().to_string();
        files.map(|file| (name(&file), std::fs::read_to_string(&file).unwrap())).collect()
    }

    async fn plant(&self, step: &Step<files::Change>) -> bool {
        let (files::Change::Create { name, .. } | files::Change::Overwrite { name, .. }) = &step.change;
        std::fs::write(self.folder.root.join(name), "theirs").is_ok()
    }
}

#[tokio::test]
async fn the_example_keeps_every_law() {
    Laws::new(Files::fresh).hold().await.unwrap();
}

/// What is wrong with the toy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    None,
    /// A change in doubt reads as absent.
    NeverFinds,
    /// An undo says that it is done.
    NeverUndoes,
    /// An undo of what is gone fails.
    UndoesOnce,
    /// What has the name is ours.
    AdoptsAnything,
    /// An update takes nothing with it that could be put back.
    KeepsNoPreImage,
    /// An update is put back over whatever is there.
    RestoresBlindly,
    /// Markers stay.
    NeverUnmarks,
    /// A bell that was rung cannot be told from one that was not.
    RingsAgain,
}

/// Names with texts. A text ends with the marker, while there is one.
struct Toy {
    bug: Bug,
    texts: Mutex<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    Make(String),
    Write(String),
    Ring,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make(name) => write!(f, "make {name}"),
            Self::Write(name) => write!(f, "write {name}"),
            Self::Ring => f.write_str("ring"),
        }
    }
}

impl Toy {
    fn new(bug: Bug) -> Self {
        let texts = Mutex::new([("old".to_owned(), "old text".to_owned())].into());
        Self { bug, texts }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.texts.lock().unwrap().get(name).cloned()
    }

    fn put(&self, name: &str, text: &str) {
        self.texts.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }
}

type Fail = Failure<fmt::Error>;

fn refused() -> Fail {
    Failure { error: fmt::Error, reach: Reach::Sent, resend_after: None }
}

impl Target for Toy {
    type Change = Change;
    type Undo = Option<String>;
    type Receipt = String;
    type Error = fmt::Error;

    fn reversible(&self, change: &Change) -> bool {
        !matches!(change, Change::Ring)
    }

    fn marks(&self, change: &Change, _marker: &Marker) -> bool {
        matches!(change, Change::Make(_))
    }

    async fn invert(&self, call: Call<'_, Self>) -> Result<Option<String>, Fail> {
        Ok(match call.change {
            Change::Make(name) if self.text(name).is_some() && self.bug != Bug::AdoptsAnything => {
                return Err(Failure::unsent(fmt::Error));
            }
            Change::Write(name) if self.bug != Bug::KeepsNoPreImage => self.text(name),
            _ => None,
        })
    }

    async fn execute(&self, call: Call<'_, Self>) -> Result<Progress<String>, Fail> {
        let marker = call.marker.map(|marker| marker.to_string()).unwrap_or_default();
        let text = match call.change {
            Change::Make(name) if self.text(name).is_some() => return Err(refused()),
            Change::Make(_) => marker,
            Change::Write(_) => "new text".to_owned(),
            Change::Ring => "rung".to_owned(),
        };
        let name = match call.change {
            Change::Make(name) | Change::Write(name) => name,
            Change::Ring => "bell",
        };
        self.put(name, &text);
        Ok(Progress::Accepted(text))
    }

    async fn wait(&self, _call: Call<'_, Self>, operation: &str) -> Result<String, Fail> {
        Ok(operation.to_owned())
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Result<Found<String>, Fail> {
        let marker = call.marker.map(|marker| marker.to_string()).unwrap_or_default();
        Ok(match (call.change, self.bug) {
            (_, Bug::NeverFinds) => Found::Absent,
            (Change::Make(name), bug) => match self.text(name) {
                None => Found::Absent,
                Some(text) if text == marker || bug == Bug::AdoptsAnything => Found::Done(text),
                Some(text) => Found::Foreign(text),
            },
            (Change::Write(name), _) => match self.text(name) {
                Some(text) if text == "new text" => Found::Done(text),
                text if text == *call.undo.unwrap() => Found::Absent,
                _ => Found::Foreign("another text".to_owned()),
            },
            (Change::Ring, Bug::RingsAgain) => Found::Absent,
            (Change::Ring, _) => self.text("bell").map_or(Found::Absent, Found::Done),
        })
    }

    async fn undo(
        &self,
        call: Call<'_, Self>,
        before: &Option<String>,
        wrote: &String,
    ) -> Result<Undone, Fail> {
        match call.change {
            _ if self.bug == Bug::NeverUndoes => Ok(Undone::Reversed),
            Change::Make(name) => match self.texts.lock().unwrap().remove(name) {
                None if self.bug == Bug::UndoesOnce => Err(refused()),
                None => Ok(Undone::AlreadyGone),
                Some(_) => Ok(Undone::Reversed),
            },
            Change::Write(name) => match (self.text(name), before) {
                (now, Some(before)) if now.as_ref() == Some(wrote) || self.bug == Bug::RestoresBlindly => {
                    self.put(name, before);
                    Ok(Undone::Reversed)
                }
                (now, before) if now == *before => Ok(Undone::AlreadyGone),
                _ => Ok(Undone::Kept("another text".to_owned())),
            },
            Change::Ring => Err(refused()),
        }
    }

    async fn unmark(&self, call: Call<'_, Self>, _receipt: &String) -> Result<(), Fail> {
        if let (Change::Make(name), false) = (call.change, self.bug == Bug::NeverUnmarks) {
            self.put(name, "");
        }
        Ok(())
    }
}

impl World for Toy {
    type Target = Self;

    fn target(&self) -> &Self {
        self
    }

    fn plan(&self) -> Plan<Change> {
        let mut plan = Plan::default();
        let made = plan.push(Change::Make("new".to_owned()), []);
        plan.push(Change::Write("old".to_owned()), [made]);
        plan.push(Change::Make("newer".to_owned()), []);
        plan.push(Change::Ring, []);
        plan
    }

    async fn inventory(&self) -> Inventory {
        self.texts.lock().unwrap().clone()
    }

    async fn plant(&self, step: &Step<Change>) -> bool {
        match &step.change {
            Change::Make(name) | Change::Write(name) => self.put(name, "theirs"),
            Change::Ring => return false,
        }
        true
    }
}

#[tokio::test]
async fn a_target_without_a_bug_keeps_every_law() {
    Laws::new(|| Toy::new(Bug::None)).hold().await.unwrap();
}

#[tokio::test]
async fn each_law_finds_its_bug_and_tells_where() {
    let laws = |bug| Laws::new(move || Toy::new(bug));
    let told = [
        laws(Bug::NeverUndoes).fails_at_each_step().await,
        laws(Bug::NeverFinds).fails_at_each_step().await,
        laws(Bug::NeverUnmarks).fails_at_each_step().await,
        laws(Bug::KeepsNoPreImage).crashes_at_each_record().await,
        laws(Bug::NeverFinds).crashes_in_each_call().await,
        laws(Bug::RingsAgain).crashes_in_each_call().await,
        laws(Bug::UndoesOnce).undoes_twice().await,
        laws(Bug::AdoptsAnything).leaves_what_others_made().await,
        laws(Bug::RestoresBlindly).leaves_what_others_made().await,
    ];
    let told: Vec<_> = told.into_iter().map(|law| law.unwrap_err().to_string()).collect();
    let begin = [
        "step 2 (write old), it is not sent: rolled back, and what is there is not what is due:\n  + new: [selvedge:",
        "step 1 (make new), it is done and the answer is lost: rolled back, and what is there is not what is due:",
        "carried out without a fault: a marker is left: new: [selvedge:",
        "a crash after 5 records, then RollBack: it ended with Ok(Left ",
        "step 1 (make new), a crash before it is answered, then Resume: rolled back, and what is there",
        "step 4 (ring), a crash before it is answered, then Resume: step 4 was made 2 times",
        "step 3 (make newer), undone twice: ",
        "step 1 (make new), something of somebody else's is in its place, then Resume: new was `theirs` and is ",
        "step 2 (write old), somebody else changes it once it is done, then RollBack: rolled back",
    ];
    for (told, begin) in told.iter().zip(begin) {
        assert!(told.starts_with(begin), "{told}\n{begin}");
    }
}
