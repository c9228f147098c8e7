//! The Git connection: `git` of the product, with what the project says for all products.

use uuid::Uuid;

use super::checks::{Limit, guid};
use super::cursor::Cursor;
use super::project::Project;
use super::reading::Reading;
use super::schema;
use super::variables;
use crate::desired::{DesiredGit, GitProvider, Located};

/// The variable that names the Fabric connection which holds the Git credentials.
const CONNECTION: &str = "FABRIC_GIT_CONNECTION_ID";

/// The connection to make; `None` if there is to be none, or something is wrong with it.
pub(super) fn read(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: Option<&Project<'_>>,
    product: &str,
    environment: &str,
) -> Option<DesiredGit> {
    let git = reading.section(root, "git")?;
    reading.keys(&git, schema::GIT);
    let enabled = reading.flag(&git, "enabled");
    if enabled.is_none() && git.get("enabled").is_none() {
        reading.warn(
            git.missing("enabled"),
            "is missing, so there will be no Git connection",
            "add `enabled: true` or `enabled: false`",
        );
    }
    let connect = reading.flag(&git, "auto_connect").unwrap_or(true);
    if enabled != Some(true) || !connect {
        return None;
    }
    let commit = reading.flag(&git, "auto_commit").unwrap_or(false);
    let at = git.at();
    let provider = provider(reading, &git, project);
    let branch = reading
        .text(&git, "branch")
        .or_else(|| project?.text(reading, "git_integration", "default_branch"))
        .map_or_else(|| "main".to_owned(), |branch| branch.value);
    // Environments that share a branch and a directory would overwrite each other's commits.
    let of_environment = |text: String| text.replace("{environment}", environment);
    let branch = of_environment(branch);
    let directory = directory(reading, &git).map(of_environment);
    let connection = connection(reading, &git);
    let commit_message: String = format!("Automated deployment: {product} [{}]", environment.to_uppercase())
        .chars()
        .take(Limit::COMMIT_MESSAGE)
        .collect();
    Some(DesiredGit {
        provider: provider?,
        branch,
        directory: directory?,
        connection,
        commit,
        commit_message,
        at,
    })
}

fn provider(
    reading: &mut Reading<'_>,
    git: &Cursor<'_>,
    project: Option<&Project<'_>>,
) -> Option<GitProvider> {
    let provider = find(reading, git, project, "provider");
    let azure = match &provider {
        None => false,
        Some(name) if name.value.eq_ignore_ascii_case("GitHub") => false,
        Some(name) if name.value.eq_ignore_ascii_case("AzureDevOps") => true,
        Some(name) => {
            reading.error(
                name.at.clone(),
                format!("there is no Git provider {:?}", name.value),
                "use GitHub or AzureDevOps",
            );
            return None;
        }
    };
    let mut need = |key: &str| {
        let before = reading.problems.len();
        let found = find(reading, git, project, key);
        if found.is_none() && reading.problems.len() == before {
            reading.error(
                git.missing(key),
                "is missing",
                "add it, here or in git_integration of project.config.json, or set git.enabled to false",
            );
        }
        found.map(|found| found.value)
    };
    let (organization, repository) = (need("organization"), need("repository"));
    if azure {
        let project = need("project");
        return Some(GitProvider::AzureDevOps {
            organization: organization?,
            project: project?,
            repository: repository?,
        });
    }
    Some(GitProvider::GitHub { owner: organization?, repository: repository? })
}

/// What the product says, or else the project's `git_integration`, or else its `github`.
fn find(
    reading: &mut Reading<'_>,
    git: &Cursor<'_>,
    project: Option<&Project<'_>>,
    key: &str,
) -> Option<Located<String>> {
    if git.get(key).is_some() {
        return reading.text(git, key);
    }
    let project = project?;
    let before = reading.problems.len();
    let found = project.text(reading, "git_integration", key);
    if found.is_some() || !matches!(key, "organization" | "repository") {
        return found;
    }
    let other = project.text(reading, "github", key);
    if other.is_some() {
        // The first place failed only because its variable is not set; the second will do.
        reading.problems.truncate(before);
    }
    other
}

/// The directory as Fabric wants it: from the root of the repository.
fn directory(reading: &mut Reading<'_>, git: &Cursor<'_>) -> Option<String> {
    let Some(directory) = reading.text(git, "directory") else {
        return git.get("directory").is_none().then(|| "/".to_owned());
    };
    let path = DesiredGit::directory_of(&directory.value);
    if path.is_none() {
        reading.error(
            directory.at,
            format!("{:?} is not a directory of the repository", directory.value),
            "write it from the root of the repository, with `/` and without `..`",
        );
    }
    path
}

fn connection(reading: &mut Reading<'_>, git: &Cursor<'_>) -> Option<Uuid> {
    let text = variables::lookup(CONNECTION, reading.variables)?;
    let text = text.trim();
    let id = guid(text);
    if id.is_none() && !text.is_empty() {
        reading.error(
            git.at(),
            format!("the variable {CONNECTION} is not a GUID"),
            "set it to the id of a Fabric connection, or to nothing",
        );
    }
    id
}
