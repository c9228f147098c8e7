//! What a transaction is about: workspaces of one tenant, by name.
//!
//! A subject has a line for each of its workspaces: the address of the service, a space, the name. There is a lease for each line, so that
//! two transactions that share a workspace exclude each other, whatever else they are about.

use crate::run::App;

/// The subject of transactions on these workspaces, however the settings spell the tenant. Fabric tells no names apart by case.
pub(crate) fn of<'a>(app: &App, workspaces: impl IntoIterator<Item = &'a str>) -> String {
    let endpoint = &app.settings.fabric.base_url;
    let lines: Vec<_> = workspaces.into_iter().map(|name| format!("{endpoint} {}", flat(name))).collect();
    canonical(&lines.join("\n"))
}

/// The one spelling of a subject.
pub(crate) fn canonical(subject: &str) -> String {
    let mut lines: Vec<_> = subject.lines().map(canonical_line).collect();
    // Leases are claimed in this order, by everybody: nobody waits for one who waits for them.
    lines.sort();
    lines.dedup();
    lines.join("\n")
}

fn canonical_line(line: &str) -> String {
    let (endpoint, workspace) = line.split_once(' ').unwrap_or((line, ""));
    format!("{} {}", endpoint.trim_end_matches('/'), workspace.trim()).to_lowercase()
}

/// A name that takes no more than a line.
fn flat(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

/// Whether two subjects share a workspace, however they are spelled.
pub(crate) fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (canonical(one), canonical(other));
    one.lines().any(|line| other.lines().any(|there| there == line))
}

/// The names of its workspaces, for people.
pub(crate) fn workspaces(subject: &str) -> String {
    let names: Vec<_> = subject.lines().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r8_a_subject_has_one_spelling() {
        for spelled in [
            "https://a.example/v1 Sales-Dev",
            "https://a.example/v1/ sales-dev",
            "https://A.example/v1 SALES-dev ",
        ] {
            assert_eq!(canonical(spelled), "https://a.example/v1 sales-dev", "{spelled}");
        }
        assert_ne!(canonical("https://a.example/v1 sales dev"), canonical("https://a.example/v1 salesdev"));
    }

    #[test]
    fn a_subject_of_several_workspaces_shares_each_of_them() {
        let set = "https://a.example/v1 X-Test\nhttps://a.example/v1 x-dev\nhttps://a.example/v1 X-TEST";
        assert_eq!(canonical(set), "https://a.example/v1 x-dev\nhttps://a.example/v1 x-test");
        assert_eq!(workspaces(&canonical(set)), "x-dev, x-test");
        for (other, shared) in [
            ("https://a.example/v1/ x-test", true),
            ("https://a.example/v1 x-prod\nhttps://a.example/v1 X-DEV", true),
            ("https://a.example/v1 x-prod", false),
            ("https://b.example/v1 x-dev", false),
        ] {
            assert_eq!(overlap(set, other), shared, "{other}");
            assert_eq!(overlap(other, set), shared, "{other}");
        }
    }
}
