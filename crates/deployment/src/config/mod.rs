//! Configuration files in, [`Desired`] out, or every problem found and where.
//!
//! Read are the product's file (YAML), `project.config.json`, `naming_standards.yaml` and the product's principals
//! file. Nothing is sent, and no variable is read but through [`Variables`].

use std::path::{Path, PathBuf};

use crate::desired::{Desired, DesiredRole};

mod checks;
mod cursor;
pub mod descriptor;
mod diagnostic;
mod document;
mod file;
mod folders;
mod git;
mod item;
mod items;
mod kinds;
mod naming;
mod principals;
mod product;
mod project;
mod reading;
mod schema;
pub mod schemas;
mod structure;
pub mod suggest;
mod variables;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use item::{NewItem, check_item, item_type};
pub use structure::{Template, folder_structure};
pub use variables::is_secret;

use cursor::Cursor;
use project::Project;
use reading::Reading;

/// What to load.
pub struct Request<'a> {
    /// The product's configuration file.
    pub config: PathBuf,
    /// The project's root, where `project.config.json` and `naming_standards.yaml` stand; see [`find_root`].
    pub root: PathBuf,
    /// Which of the file's environments.
    pub environment: &'a str,
    /// Where `${NAME}` is looked up.
    pub variables: &'a dyn Variables,
}

/// Where `${NAME}` is looked up. Any `Fn(&str) -> Option<String>` is one.
pub trait Variables {
    /// The value of the variable of this name; `None` if it is not set.
    fn get(&self, name: &str) -> Option<String>;

    /// Whether it may hold a secret, and thus not be part of what is shown and sent as it is. By default as [`is_secret`] takes its name.
    fn is_secret(&self, name: &str) -> bool {
        is_secret(name)
    }
}

impl<F: Fn(&str) -> Option<String>> Variables for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// What the files say.
#[derive(Debug)]
pub struct Loaded {
    /// The state they ask for.
    pub desired: Desired,
    /// What is odd but does not stand in the way, by file and line.
    pub warnings: Vec<Diagnostic>,
    /// The predecessor's `deployment.rollback_on_error`, where it is given. `FEATURE_USE_ROLLBACK` decides.
    pub rollback_on_error: Option<bool>,
}

/// Reads, resolves and checks everything a deployment needs, before anything is sent.
///
/// # Errors
/// All problems found, not only the first, by file and line.
pub fn load(request: &Request<'_>) -> Result<Loaded, Diagnostics> {
    let mut reading = Reading::new(request.variables);
    if !is_plain(request.environment) {
        let message = format!("{:?} is not the name of an environment", request.environment);
        reading.error(
            file::whole(&request.config),
            message,
            "use letters, digits, `-` and `_`, for example dev",
        );
        return Err(reading.finish().into());
    }
    let project_file = request.root.join(project::FILE);
    let project_node = reading.document(&project_file);
    let project = Project::new(&mut reading, &project_file, project_node.as_ref());
    let node = reading.document(&request.config);
    let loaded = match &node {
        Some(node) => {
            let root = Cursor::root(&request.config, node);
            product::read(&mut reading, &root, project.as_ref(), request)
        }
        None => {
            if !request.config.exists() {
                let help = "name the product's file, for example product_config.yaml";
                reading.error(file::whole(&request.config), "there is no such file", help);
            }
            None
        }
    };
    let problems = reading.finish();
    match loaded {
        Some(loaded) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Loaded { warnings: problems, ..loaded })
        }
        _ => Err(problems.into()),
    }
}

/// The name that the project's files give a workspace called `base` in an environment: one that begins with the prefix and ends with the
/// environment stands as it is, one that begins with the prefix gets the environment, any other goes through `naming_patterns.workspace`.
///
/// Warnings come with it.
///
/// # Errors
/// All problems found, by file and line.
pub fn workspace_name(
    root: &Path,
    base: &str,
    environment: &str,
    variables: &dyn Variables,
) -> Result<(String, Vec<Diagnostic>), Diagnostics> {
    let mut reading = Reading::new(variables);
    let file = root.join(project::FILE);
    let node = reading.document(&file);
    let project = Project::new(&mut reading, &file, node.as_ref());
    let name = project.and_then(|project| project.name_of(&mut reading, base, environment));
    let problems = reading.finish();
    match name {
        Some(name) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok((name, problems))
        }
        _ => Err(problems.into()),
    }
}

/// What a principals file says, each principal once: `object id,role,description,type` on each line. Warnings come with it.
///
/// # Errors
/// All problems found, by line.
pub fn principals_file(path: &Path) -> Result<(Vec<DesiredRole>, Vec<Diagnostic>), Diagnostics> {
    let mut problems = Vec::new();
    let roles = match file::read(path) {
        Ok(Some(text)) => principals::list::parse(path, &text, &mut problems),
        Ok(None) => {
            let help = "name a file with `object id,role,description,type` on each line";
            problems.push(Diagnostic::error(file::whole(path), "there is no such file").with_help(help));
            Vec::new()
        }
        Err(problem) => {
            problems.push(*problem);
            Vec::new()
        }
    };
    let roles = principals::merge(&mut problems, roles);
    if problems.iter().all(|problem| problem.severity == Severity::Warning) {
        Ok((roles, problems))
    } else {
        Err(problems.into())
    }
}

/// The root of the project that `start`, a folder, belongs to: the nearest folder at or above it that holds
/// `project.config.json`, else `.git`, else `start` itself.
pub fn find_root(start: &Path) -> PathBuf {
    let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    let holds = |name: &str| start.ancestors().find(|folder| folder.join(name).exists()).map(Path::to_owned);
    holds(project::FILE).or_else(|| holds(".git")).unwrap_or(start)
}

/// Whether this can be part of a file's and a workspace's name.
fn is_plain(environment: &str) -> bool {
    !environment.is_empty()
        && environment.len() <= 64
        && environment.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests;
