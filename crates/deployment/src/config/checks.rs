//! What every name, description and id must be.

use uuid::Uuid;

use super::cursor::Cursor;
use super::reading::Reading;
use crate::desired::Located;

/// How much text Fabric takes, in characters.
pub(super) struct Limit;

impl Limit {
    /// <https://learn.microsoft.com/rest/api/fabric/core/items/create-item>
    pub(super) const ITEM_DESCRIPTION: usize = 256;
    /// <https://learn.microsoft.com/rest/api/fabric/core/workspaces/create-workspace>
    pub(super) const WORKSPACE_DESCRIPTION: usize = 4000;
    /// Display names of workspaces and items alike.
    pub(super) const NAME: usize = 256;
    /// <https://learn.microsoft.com/rest/api/fabric/core/git/commit-to-git>
    pub(super) const COMMIT_MESSAGE: usize = 300;
}

/// The text under `name`, which must be there.
pub(super) fn required(
    reading: &mut Reading<'_>,
    parent: &Cursor<'_>,
    name: &str,
    help: &str,
) -> Option<Located<String>> {
    let before = reading.problems.len();
    let text = reading.text(parent, name);
    if text.is_none() && reading.problems.len() == before {
        let at = parent.get(name).map_or_else(|| parent.missing(name), |cursor| cursor.at());
        let what = if parent.get(name).is_some() { "is empty" } else { "is missing" };
        reading.error(at, what, help);
    }
    text
}

/// A display name that Fabric can take.
pub(super) fn name(reading: &mut Reading<'_>, name: Option<Located<String>>) -> Option<Located<String>> {
    let name = name?;
    if name.value.chars().count() > Limit::NAME {
        reading.error(name.at, format!("is longer than {} characters", Limit::NAME), "shorten the name");
        return None;
    }
    if name.value.contains(char::is_control) {
        reading.error(name.at, "holds a control character", "remove line breaks and tabs from the name");
        return None;
    }
    Some(name)
}

/// The description under `key`. Line breaks are allowed in it.
pub(super) fn description(
    reading: &mut Reading<'_>,
    parent: &Cursor<'_>,
    key: &str,
    limit: usize,
) -> Option<String> {
    let text = reading.text(parent, key)?;
    checked_description(reading, text, limit)
}

/// The description, if Fabric can take it.
pub(super) fn checked_description(
    reading: &mut Reading<'_>,
    text: Located<String>,
    limit: usize,
) -> Option<String> {
    if text.value.chars().count() > limit {
        reading.error(text.at, format!("is longer than {limit} characters"), "shorten the description");
        return None;
    }
    if text.value.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        reading.error(text.at, "holds a control character", "remove it from the description");
        return None;
    }
    Some(text.value)
}

/// A GUID as Fabric writes them, with hyphens and without braces.
pub(super) fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
