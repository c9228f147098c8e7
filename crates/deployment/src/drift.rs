//! Desired and live state in, what differs out: a pure function.
//!
//! A plan has what a deployment would change. Beside that, this finds what a deployment leaves alone: what is in the workspace and not in
//! the files, what is in another folder, who has a role that no file gives.

use selvedge_fabric_client::PrincipalId;
use serde::Serialize;

use crate::definition::Definition;
use crate::desired::{Desired, DesiredItem, Location};
use crate::inventory::Held;
use crate::live::{Live, LiveItem, LiveRole, ResolvedRole};
use crate::repository::{self, Place};

/// One thing that differs between the files and Fabric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// How.
    pub kind: Kind,
    /// What it is: `workspace`, `folder`, `git`, `role`, or the type of an item.
    pub what: String,
    /// Its name.
    pub name: String,
    /// What of it differs: `description`, `definition`, `folder`, ...; `None` where it is there, or not, as a whole.
    pub field: Option<&'static str>,
    /// As the files have it.
    pub wanted: Option<String>,
    /// As Fabric has it.
    pub live: Option<String>,
    /// Whether a deployment makes it as the files say. It removes nothing, and moves no item.
    pub deployed: bool,
    /// Where the files say it.
    pub at: Option<Location>,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The files have it, Fabric does not.
    Missing,
    /// Both have it, differently.
    Changed,
    /// Fabric has it, the files do not.
    Extra,
}

/// What differs. Who has a role as `own` is whoever looks: that it is there says nothing.
#[must_use]
pub fn drift(
    desired: &Desired,
    roles: &[ResolvedRole],
    live: &Live,
    own: Option<PrincipalId>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    workspace(desired, live, &mut found);
    folders(desired, live, &mut found);
    for want in &desired.items {
        match live.items.iter().find(|live| is_of(live, want)) {
            Some(there) => item(want, there, live, &mut found),
            None => found.push(Difference {
                at: Some(want.at.clone()),
                ..Difference::new(Kind::Missing, &want.kind, &want.name)
            }),
        }
    }
    let held = |item: &LiveItem| Held { kind: item.item_type.clone(), name: item.name.clone() };
    for extra in live.items.iter().filter(|live| !desired.items.iter().any(|want| is_of(live, want))) {
        // What the service makes beside an item goes with that item.
        if !held(extra).is_brought(live.items.iter().map(held)) {
            found.push(Difference {
                deployed: false,
                ..Difference::new(Kind::Extra, &extra.item_type, &extra.name)
            });
        }
    }
    who(roles, live, own, &mut found);
    git(desired, live, &mut found);
    found
}

fn workspace(desired: &Desired, live: &Live, found: &mut Vec<Difference>) {
    let want = &desired.workspace;
    let Some(there) = &live.workspace else {
        found.push(Difference {
            at: Some(want.at.clone()),
            ..Difference::new(Kind::Missing, "workspace", &want.name)
        });
        return;
    };
    let changed =
        Difference { at: Some(want.at.clone()), ..Difference::new(Kind::Changed, "workspace", &want.name) };
    if let Some(description) = want.description.as_ref().filter(|text| **text != there.description) {
        found.push(changed.clone().with("description", description, &there.description));
    }
    if let Some(capacity) = &want.capacity {
        let (wanted, has) = (capacity.value.to_string(), there.capacity.map(|id| id.to_string()));
        if has.as_ref() != Some(&wanted) {
            let at = Some(capacity.at.clone());
            found.push(Difference {
                at,
                live: has,
                wanted: Some(wanted),
                field: Some("capacity"),
                ..changed
            });
        }
    }
}

fn folders(desired: &Desired, live: &Live, found: &mut Vec<Difference>) {
    let lower = |text: &str| text.to_lowercase();
    for want in desired.folders.iter().map(ToString::to_string) {
        if !live.folders.iter().any(|there| lower(&there.path) == lower(&want)) {
            found.push(Difference::new(Kind::Missing, "folder", &want));
        }
    }
    for there in &live.folders {
        if !desired.folders.iter().any(|want| lower(&want.to_string()) == lower(&there.path)) {
            found.push(Difference { deployed: false, ..Difference::new(Kind::Extra, "folder", &there.path) });
        }
    }
}

fn is_of(live: &LiveItem, want: &DesiredItem) -> bool {
    live.item_type == want.kind && live.name.to_lowercase() == want.name.to_lowercase()
}

fn item(want: &DesiredItem, there: &LiveItem, live: &Live, found: &mut Vec<Difference>) {
    let changed =
        Difference { at: Some(want.at.clone()), ..Difference::new(Kind::Changed, &want.kind, &want.name) };
    if want.name != there.name {
        found.push(Difference { deployed: false, ..changed.clone().with("name", &want.name, &there.name) });
    }
    if let Some(description) = want.description.as_ref().filter(|text| **text != there.description) {
        found.push(changed.clone().with("description", description, &there.description));
    }
    if let Some(folder) = &want.folder {
        let path = |id| live.folders.iter().find(|folder| folder.id == id).map(|folder| folder.path.clone());
        let is_in = there.folder.map(|id| path(id).unwrap_or_else(|| id.to_string())).unwrap_or_default();
        let wanted = folder.to_string();
        if is_in.to_lowercase() != wanted.to_lowercase() {
            found.push(Difference { deployed: false, ..changed.clone().with("folder", &wanted, &is_in) });
        }
    }
    if let Some(definition) = &want.definition
        && !there.definition.as_ref().is_some_and(|there| there.same_meaning(definition))
    {
        let has = there.definition.as_ref().map(Definition::digest).unwrap_or_default();
        found.push(changed.with("definition", &definition.digest(), &has));
    }
}

fn who(roles: &[ResolvedRole], live: &Live, own: Option<PrincipalId>, found: &mut Vec<Difference>) {
    for want in roles {
        let difference = match live.roles.iter().find(|there| there.principal == want.principal) {
            None => Difference {
                wanted: Some(want.role.to_string()),
                ..Difference::new(Kind::Missing, "role", &want.label)
            },
            Some(there) if there.role != want.role => Difference::new(Kind::Changed, "role", &want.label)
                .with("role", &want.role.to_string(), &there.role.to_string()),
            Some(_) => continue,
        };
        found.push(Difference { at: Some(want.at.clone()), ..difference });
    }
    let is_extra = |there: &&LiveRole| {
        Some(there.principal) != own && !roles.iter().any(|want| want.principal == there.principal)
    };
    for extra in live.roles.iter().filter(is_extra) {
        let name = extra.name.clone().unwrap_or_else(|| extra.principal.to_string());
        found.push(Difference {
            live: Some(extra.role.to_string()),
            deployed: false,
            ..Difference::new(Kind::Extra, "role", &name)
        });
    }
}

fn git(desired: &Desired, live: &Live, found: &mut Vec<Difference>) {
    let Some(want) = &desired.git else { return };
    let wanted = repository::to_wire(want);
    let place = Place::from(&wanted).to_string();
    let at = Some(want.at.clone());
    match &live.git.provider {
        None => found.push(Difference { at, ..Difference::new(Kind::Missing, "git", &place) }),
        Some(there) if Place::from(there) != Place::from(&wanted) => {
            let there = Place::from(there).to_string();
            let changed = Difference::new(Kind::Changed, "git", &desired.workspace.name);
            // It is refused: what is not committed there would be lost.
            found.push(Difference { at, deployed: false, ..changed.with("connection", &place, &there) });
        }
        Some(_) if !live.git.initialized => {
            let changed = Difference::new(Kind::Changed, "git", &place);
            found.push(Difference { at, ..changed.with("state", "initialized", "connected") });
        }
        Some(_) if live.git.uncommitted && want.commit => {
            let changed = Difference::new(Kind::Changed, "git", &place);
            found.push(Difference { at, ..changed.with("state", "committed", "uncommitted") });
        }
        Some(_) => {}
    }
}

impl Difference {
    fn new(kind: Kind, what: &str, name: &str) -> Self {
        let (what, name) = (what.to_owned(), name.to_owned());
        Self { kind, what, name, field: None, wanted: None, live: None, deployed: true, at: None }
    }

    fn with(self, field: &'static str, wanted: &str, live: &str) -> Self {
        Self { field: Some(field), wanted: Some(wanted.to_owned()), live: Some(live.to_owned()), ..self }
    }
}
