//! Which variables of a file are secrets, by their names alone.

use std::ops::RangeInclusive;

use anyhow::anyhow;
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_deployment::config::is_secret;
use selvedge_deployment::config::suggest::nearest;
use selvedge_secrets::SecretName;
use selvedge_secrets::env_file::Entry;

use crate::commands::secrets::set::MOST;
use crate::settings::{SECRET_VARIABLES, is_setting};

/// What a file has.
pub(super) struct Sorted {
    pub(super) secrets: Vec<Found>,
    pub(super) others: Vec<Other>,
}

/// A secret of the file.
pub(super) struct Found {
    pub(super) name: SecretName,
    /// As the file spells it where its value counts.
    pub(super) variable: String,
    /// What counts: the last one.
    pub(super) value: SecretString,
    /// Every place that sets it.
    pub(super) places: Vec<Place>,
    /// Some place has another value, which is nowhere else.
    pub(super) ambiguous: bool,
}

/// Where a file sets a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) variable: String,
    pub(super) lines: RangeInclusive<usize>,
}

/// What stays where it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) variable: String,
    pub(super) line: usize,
    pub(super) why: Why,
}

/// Why something is not migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// This program looks for it in the environment alone.
    Setting,
    /// Nothing says that it is a secret.
    Unknown,
    /// There is nothing to store.
    Empty,
    /// `--only` leaves it out.
    LeftOut,
    /// Key Vault takes no such name.
    NoName,
}

/// Sorts them. With `only`, these are the secrets, whatever they look like.
///
/// # Errors
/// What `only` names is not there, or can be no secret; a value that Key Vault would not take; one name with two values. All of it at
/// once.
pub(super) fn sort(entries: Vec<Entry>, only: &[String]) -> anyhow::Result<Sorted> {
    let mut sorted = Sorted { secrets: Vec::new(), others: Vec::new() };
    let mut problems = Vec::new();
    for wanted in only {
        let names = || entries.iter().map(|entry| entry.name.as_str());
        if !names().any(|name| name == wanted) {
            let meant = nearest(wanted, names()).map(|meant| format!("; did you mean {meant}?"));
            problems.push(format!("{wanted} is not in the file{}", meant.unwrap_or_default()));
        }
    }
    for entry in entries {
        let Entry { name, value, lines, .. } = entry;
        let named = only.contains(&name);
        let why = match name.parse::<SecretName>() {
            _ if is_setting(&name) => Why::Setting,
            _ if !only.is_empty() && !named => Why::LeftOut,
            _ if !named && !SECRET_VARIABLES.contains(&name.as_str()) && !is_secret(&name) => Why::Unknown,
            _ if value.expose_secret().is_empty() => Why::Empty,
            Err(_) => Why::NoName,
            Ok(secret) => {
                if value.expose_secret().len() as u64 > MOST {
                    problems
                        .push(format!("{name} has more than {MOST} bytes, the most that Key Vault takes"));
                }
                let place = Place { variable: name, lines };
                problems.extend(add(&mut sorted.secrets, secret, value, place));
                continue;
            }
        };
        if named {
            problems.push(match why {
                Why::Setting => format!("{name} is a setting, which is read from the environment alone"),
                Why::NoName => {
                    format!("{name} cannot be a name in Key Vault, which has letters, digits and hyphens")
                }
                _ => format!("{name} has no value"),
            });
        }
        sorted.others.push(Other { variable: name, line: *lines.start(), why });
    }
    if problems.is_empty() { Ok(sorted) } else { Err(anyhow!(problems.join("\n"))) }
}

/// Adds a place to what is known of its secret; the problem with it, if there is one.
fn add(secrets: &mut Vec<Found>, name: SecretName, value: SecretString, place: Place) -> Option<String> {
    let variable = place.variable.clone();
    let Some(known) = secrets.iter_mut().find(|known| known.name == name) else {
        secrets.push(Found { name, variable, value, places: vec![place], ambiguous: false });
        return None;
    };
    let same = known.value.expose_secret() == value.expose_secret();
    if !same && known.variable != variable {
        return Some(format!(
            "{} and {variable} are the same name in Key Vault, and have different values",
            known.variable
        ));
    }
    known.ambiguous |= !same;
    known.value = value;
    known.places.push(place);
    None
}

#[cfg(test)]
mod tests {
    use selvedge_secrets::env_file::entries;

    use super::*;

    fn sorted(text: &str, only: &[&str]) -> anyhow::Result<Sorted> {
        let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
        sort(entries(text).unwrap(), &only)
    }

    #[test]
    fn names_decide() {
        let text = "AZURE_CLIENT_SECRET=a\nAZURE_CLIENT_ID=b\nGITHUB_TOKEN=\nAPP_PASSWORD=c\nOWNER=d\nx.y_KEY=e\n\
                    FEATURE_USE_ROLLBACK=true\nSELVEDGE_JOURNAL_KEY=f\nSELVEDGE_RETRY__KEY=g\nSYSTEM_ACCESSTOKEN=h\n";
        let all = sorted(text, &[]).unwrap();
        let names: Vec<_> = all.secrets.iter().map(|it| it.name.vault()).collect();
        assert_eq!(names, ["azure-client-secret", "app-password", "selvedge-journal-key"]);
        let others: Vec<_> = all.others.iter().map(|it| (it.variable.as_str(), it.why)).collect();
        let expected = [
            ("AZURE_CLIENT_ID", Why::Setting),
            ("GITHUB_TOKEN", Why::Empty),
            ("OWNER", Why::Unknown),
            ("x.y_KEY", Why::NoName),
            ("FEATURE_USE_ROLLBACK", Why::Setting),
            ("SELVEDGE_RETRY__KEY", Why::Setting),
            ("SYSTEM_ACCESSTOKEN", Why::Setting),
        ];
        assert_eq!(others, expected);

        let only = sorted(text, &["OWNER"]).unwrap();
        assert_eq!(only.secrets.iter().map(|it| it.name.vault()).collect::<Vec<_>>(), ["owner"]);
        assert!(only.others.iter().any(|it| it.variable == "APP_PASSWORD" && it.why == Why::LeftOut));
    }

    #[test]
    fn all_that_is_wrong_is_told_without_a_value() {
        let long = format!("LONG_KEY={}\n", "canary".repeat(5000));
        let text = format!("A_TOKEN=canary\na_token=canary2\nAZURE_TENANT_ID=canary\nx.y=canary\nE=\n{long}");
        let error = sorted(&text, &["AZURE_TENANT_ID", "x.y", "E", "A_TOKE", "LONG_KEY"]).err().unwrap();
        let expected = "A_TOKE is not in the file; did you mean A_TOKEN?\n\
                        AZURE_TENANT_ID is a setting, which is read from the environment alone\n\
                        x.y cannot be a name in Key Vault, which has letters, digits and hyphens\n\
                        E has no value\n\
                        LONG_KEY has more than 25600 bytes, the most that Key Vault takes";
        assert_eq!(error.to_string(), expected);
        let error = sorted(&text, &["A_TOKEN", "a_token"]).err().unwrap().to_string();
        assert_eq!(error, "A_TOKEN and a_token are the same name in Key Vault, and have different values");
    }

    #[test]
    fn the_last_place_counts_and_another_value_is_remembered() {
        let found = sorted("A_KEY=1\nA_KEY=2\nB_KEY=1\nb_key=1", &[]).unwrap().secrets;
        assert_eq!(found[0].value.expose_secret(), "2");
        assert!(found[0].ambiguous && !found[1].ambiguous);
        assert_eq!(found[1].places.iter().map(|it| it.lines.clone()).collect::<Vec<_>>(), [3..=3, 4..=4]);
    }
}
