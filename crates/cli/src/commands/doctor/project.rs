//! The files that the Python framework asked for, and whether they say something that can be deployed.

use std::path::PathBuf;

use selvedge_deployment::config::Severity;

use super::Check;
use crate::args::Selection;
use crate::commands::deploy::prepare::{Invalid, config_file_in, load};
use crate::run::App;
use crate::text::counted;

const SECTION: &str = "project";

/// The framework's files: each with what it is for, and what makes one.
const FILES: [(&[&str], &str, &str); 2] = [
    (
        &["project.config.json"],
        "the project's prefix and the pattern of workspace names",
        "run `selvedge init`, or copy project.config.template.json",
    ),
    (
        &["naming_standards.yaml", "config/naming_standards.yaml"],
        "the names that items may have",
        "add one where names are to be checked; without it they are not",
    ),
];

/// Looks for the files, and reads them as a deployment would.
pub(super) async fn look(app: &App, selection: &Selection) -> Vec<Check> {
    let mut checks: Vec<_> = FILES
        .iter()
        .map(|(names, what, help)| match names.iter().find(|name| app.root.join(name).is_file()) {
            Some(found) => Check::ok(found, *what),
            None => Check::warn(names[0], format!("not there: {what}"), *help),
        })
        .collect();
    if let Some(config) = config_file_in(&app.root) {
        checks.push(product(app, selection, config).await);
    }
    checks.into_iter().map(|check| Check { section: SECTION, ..check }).collect()
}

async fn product(app: &App, selection: &Selection, config: PathBuf) -> Check {
    const NAME: &str = "configuration";
    let shown = config.display().to_string();
    match load(app, selection, config).await {
        Ok(loaded) if loaded.warnings.is_empty() => {
            Check::ok(NAME, format!("{shown}: nothing is wrong with it"))
        }
        Ok(loaded) => {
            let first = loaded.warnings.first().map(ToString::to_string).unwrap_or_default();
            let count = counted(loaded.warnings.len(), "warning");
            Check::warn(
                NAME,
                format!("{shown}: {count}, first {first}"),
                format!("see `{}`", app.command("plan")),
            )
        }
        Err(error) => {
            let problems = error.chain().find_map(|cause| cause.downcast_ref::<Invalid>());
            let evidence = match problems.map(|invalid| &invalid.problems) {
                Some(problems) => {
                    let errors: Vec<_> =
                        problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
                    let first = errors.first().map(ToString::to_string).unwrap_or_default();
                    format!("{}, first {first}", counted(errors.len(), "problem"))
                }
                None => format!("{error:#}"),
            };
            Check::fail(NAME, evidence, Some(format!("see `{}`", app.command("plan"))))
        }
    }
}
