//! `project.config.json`: the prefix, the naming patterns and the repository that all products share.

use std::path::Path;

use super::cursor::Cursor;
use super::document::Node;
use super::file::whole;
use super::reading::Reading;
use super::{schema, suggest};
use crate::desired::{Located, Location};

/// The name of the file, in the project's root.
pub(super) const FILE: &str = "project.config.json";

/// The project's settings. Values are resolved when they are asked for: one that nobody needs may stay unset.
pub(super) struct Project<'a> {
    root: Cursor<'a>,
}

impl<'a> Project<'a> {
    pub(super) fn new(reading: &mut Reading<'_>, file: &'a Path, node: Option<&'a Node>) -> Option<Self> {
        let Some(node) = node else {
            // A file that is there has told what is wrong with it.
            if !reading.problems.iter().any(|problem| problem.at.file == file) {
                reading.error(
                    whole(file),
                    "there is no such file",
                    "create it in the root of the project, with project.prefix and naming_patterns.workspace",
                );
            }
            return None;
        };
        let root = Cursor::root(file, node);
        reading.keys(&root, schema::PROJECT_ROOT);
        if let Some(project) = reading.section(&root, "project") {
            reading.keys(&project, schema::PROJECT);
        }
        if let Some(git) = reading.section(&root, "git_integration") {
            reading.keys(&git, schema::GIT_INTEGRATION);
        }
        Some(Self { root })
    }

    /// The text at `section.key`.
    pub(super) fn text(
        &self,
        reading: &mut Reading<'_>,
        section: &str,
        key: &str,
    ) -> Option<Located<String>> {
        let section = reading.section(&self.root, section)?;
        reading.text(&section, key)
    }

    /// The name of the workspace that `base` stands for.
    pub(super) fn name_of(&self, reading: &mut Reading<'_>, base: &str, environment: &str) -> Option<String> {
        let prefix = self.text(reading, "project", "prefix").map(|prefix| prefix.value);
        let is_prefixed = prefix.is_some_and(|prefix| !prefix.is_empty() && base.starts_with(&prefix));
        let suffix = format!("-{environment}");
        match (is_prefixed, base.ends_with(&suffix)) {
            (true, true) => Some(base.to_owned()),
            (true, false) => Some(format!("{base}{suffix}")),
            (false, _) => self.workspace_name(reading, base, environment),
        }
    }

    /// The name of a product's workspace by `naming_patterns.workspace`.
    pub(super) fn workspace_name(
        &self,
        reading: &mut Reading<'_>,
        product: &str,
        environment: &str,
    ) -> Option<String> {
        let Some(pattern) = self.text(reading, "naming_patterns", "workspace") else {
            self.absent(
                reading,
                "naming_patterns",
                "workspace",
                "for example \"{prefix}-{name}-{environment}\"",
            );
            return None;
        };
        let Some(prefix) = self.text(reading, "project", "prefix") else {
            self.absent(reading, "project", "prefix", "the names of all resources begin with it");
            return None;
        };
        let prefix = prefix.value;
        let organization = if pattern.value.contains("{organization}") {
            self.text(reading, "project", "organization")
        } else {
            None
        };
        let title: String = environment
            .chars()
            .enumerate()
            .map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c })
            .collect();
        let mut values = vec![
            ("prefix", prefix.clone()),
            ("prefix_upper", prefix.to_uppercase().replace('-', "_")),
            ("prefix_clean", prefix.replace('-', "")),
            ("name", product.to_lowercase().replace(' ', "-")),
            ("environment", environment.to_owned()),
            ("environment_title", title),
        ];
        values.extend(organization.map(|organization| ("organization", organization.value)));
        self.warn_of_clashes(reading, &pattern);
        fill(reading, &pattern, &values)
    }

    /// Names that do not tell products or environments apart make deployments overwrite one another.
    fn warn_of_clashes(&self, reading: &mut Reading<'_>, pattern: &Located<String>) {
        for (placeholders, what) in
            [(["{name}", "{name}"], "products"), (["{environment}", "{environment_title}"], "environments")]
        {
            if !placeholders.iter().any(|placeholder| pattern.value.contains(placeholder)) {
                reading.warn(
                    pattern.at.clone(),
                    format!("all {what} get the same workspace"),
                    format!("put {} into the pattern", placeholders[0]),
                );
            }
        }
    }

    fn absent(&self, reading: &mut Reading<'_>, section: &str, key: &str, help: &str) {
        let at = match self.root.get(section) {
            Some(section) => section.missing(key),
            None => self.root.missing(&format!("{section}.{key}")),
        };
        // A value that is there, but cannot be resolved, has been told.
        if !reading.problems.iter().any(|problem| problem.at.file == at.file && problem.at.key == at.key) {
            reading.error(at, "is missing", format!("add it to {FILE}: {help}"));
        }
    }
}

/// The pattern with its `{placeholders}` filled in.
fn fill(reading: &mut Reading<'_>, pattern: &Located<String>, values: &[(&str, String)]) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern.value.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            reading.error(pattern.at.clone(), "a `{` is not closed", "close it with `}`");
            return None;
        };
        let Some((_, value)) = values.iter().find(|(key, _)| *key == name) else {
            unknown(reading, &pattern.at, name, values);
            return None;
        };
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

fn unknown(reading: &mut Reading<'_>, at: &Location, name: &str, values: &[(&str, String)]) {
    let names: Vec<_> = values.iter().map(|(key, _)| *key).collect();
    let help = match (name, suggest::nearest(name, names.iter().copied())) {
        ("organization", _) => format!("add project.organization to {FILE}"),
        (_, Some(near)) => format!("did you mean {{{near}}}?"),
        _ => format!(
            "use one of {}",
            names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ")
        ),
    };
    reading.error(at.clone(), format!("the placeholder {{{name}}} stands for nothing"), help);
}
