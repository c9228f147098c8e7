//! A plan in one line: `Plan: 1 workspace, 6 items, 2 roles to create; 1 item to update`.

use std::fmt;

use selvedge_rollback::Plan;

use crate::change::Change;

/// How many things of which kind a plan makes, overwrites, moves and removes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    create: Vec<(Noun, usize)>,
    update: Vec<(Noun, usize)>,
    relocate: Vec<(Noun, usize)>,
    delete: Vec<(Noun, usize)>,
    other: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Noun(&'static str, &'static str);

impl Summary {
    /// Counts the changes of `plan`.
    #[must_use]
    pub fn of(plan: &Plan<Change>) -> Self {
        let mut summary = Self::default();
        for step in plan.steps() {
            let (to, noun) = match &step.change {
                Change::CreateWorkspace { .. } => (&mut summary.create, Noun("workspace", "workspaces")),
                Change::CreateFolder { .. } => (&mut summary.create, Noun("folder", "folders")),
                Change::CreateItem { .. } => (&mut summary.create, Noun("item", "items")),
                Change::AddRole { .. } => (&mut summary.create, Noun("role", "roles")),
                Change::CreateConnection { .. } => (&mut summary.create, Noun("connection", "connections")),
                Change::RenameWorkspace { .. } | Change::RenameItem { .. } => {
                    (&mut summary.update, Noun("name", "names"))
                }
                Change::MoveFolder { .. } => (&mut summary.relocate, Noun("folder", "folders")),
                Change::MoveItem { .. } => (&mut summary.relocate, Noun("item", "items")),
                Change::DeleteFolder { .. } => (&mut summary.delete, Noun("folder", "folders")),
                Change::DeleteItem { .. } => (&mut summary.delete, Noun("item", "items")),
                Change::DeleteWorkspace { .. } => (&mut summary.delete, Noun("workspace", "workspaces")),
                Change::RemoveRole { .. } => (&mut summary.delete, Noun("role", "roles")),
                Change::DescribeWorkspace { .. } => (&mut summary.update, Noun("workspace", "workspaces")),
                Change::DescribeItem { .. } => (&mut summary.update, Noun("description", "descriptions")),
                Change::UpdateDefinition { .. } => (&mut summary.update, Noun("definition", "definitions")),
                Change::ChangeRole { .. } => (&mut summary.update, Noun("role", "roles")),
                Change::AssignCapacity { .. } => {
                    summary.other.push("capacity to assign");
                    continue;
                }
                Change::UnassignCapacity { .. } => {
                    summary.other.push("capacity to be left");
                    continue;
                }
                Change::ConnectGit { .. } => {
                    summary.other.push("Git to connect");
                    continue;
                }
                Change::InitializeGit { .. } => continue,
                Change::UpdateFromGit { .. } => {
                    summary.other.push("everything to update from Git");
                    continue;
                }
                Change::DisconnectGit { .. } => {
                    summary.other.push("Git to disconnect");
                    continue;
                }
                Change::PromoteItems(_) => {
                    summary.other.push("items to promote");
                    continue;
                }
                Change::CommitToGit { .. } => {
                    summary.other.push("everything to commit to Git");
                    continue;
                }
            };
            match to.iter_mut().find(|(known, _)| *known == noun) {
                Some((_, count)) => *count += 1,
                None => to.push((noun, 1)),
            }
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |counts: &[(Noun, usize)], verb: &str| {
            let things: Vec<_> = counts
                .iter()
                .map(|(Noun(one, many), count)| format!("{count} {}", if *count == 1 { one } else { many }))
                .collect();
            (!things.is_empty()).then(|| format!("{} to {verb}", things.join(", ")))
        };
        let counts = [
            (&self.create, "create"),
            (&self.update, "update"),
            (&self.relocate, "move"),
            (&self.delete, "delete"),
        ];
        let mut parts: Vec<_> =
            counts.into_iter().filter_map(|(counts, verb)| counted(counts, verb)).collect();
        parts.extend(self.other.iter().map(|text| (*text).to_owned()));
        if parts.is_empty() {
            f.write_str("Plan: nothing to do")
        } else {
            write!(f, "Plan: {}", parts.join("; "))
        }
    }
}
