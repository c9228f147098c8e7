//! Where a workspace's Git connection leads: compared, shown, and turned into what Fabric's API takes.

use std::fmt;

use selvedge_fabric_client::git::Provider;

use crate::desired::{DesiredGit, GitProvider};

/// Where a connection leads, as people write it: `github.com/contoso/analytics, branch main, /products`.
#[must_use]
pub fn place(provider: &Provider) -> String {
    Place::from(provider).to_string()
}

/// The desired repository, branch and directory as Fabric's API takes them.
pub(crate) fn to_wire(git: &DesiredGit) -> Provider {
    let (branch_name, directory_name) = (git.branch.clone(), git.directory.clone());
    match git.provider.clone() {
        GitProvider::GitHub { owner, repository } => {
            Provider::GitHub { owner_name: owner, repository_name: repository, branch_name, directory_name }
        }
        GitProvider::AzureDevOps { organization, project, repository } => Provider::AzureDevOps {
            organization_name: organization,
            project_name: project,
            repository_name: repository,
            branch_name,
            directory_name,
        },
    }
}

/// A repository, branch and directory. Displays as `github.com/contoso/analytics, branch main, /products`.
#[derive(PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// Without case: the providers take names in any.
    repository: String,
    branch: &'a str,
    directory: &'a str,
}

impl<'a> From<&'a Provider> for Place<'a> {
    fn from(provider: &'a Provider) -> Self {
        let (repository, branch, directory) = match provider {
            Provider::GitHub { owner_name, repository_name, branch_name, directory_name } => {
                (format!("github.com/{owner_name}/{repository_name}"), branch_name, directory_name)
            }
            Provider::AzureDevOps {
                organization_name,
                project_name,
                repository_name,
                branch_name,
                directory_name,
            } => (
                format!("dev.azure.com/{organization_name}/{project_name}/{repository_name}"),
                branch_name,
                directory_name,
            ),
        };
        Self { repository: repository.to_lowercase(), branch, directory: directory.trim_matches('/') }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, branch {}, /{}", self.repository, self.branch, self.directory)
    }
}

/// The address of the repository, as its provider writes it.
pub(crate) fn url(provider: &GitProvider) -> String {
    match provider {
        GitProvider::GitHub { owner, repository } => format!("https://github.com/{owner}/{repository}"),
        GitProvider::AzureDevOps { organization, project, repository } => {
            format!("https://dev.azure.com/{organization}/{project}/_git/{repository}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(owner: &str, branch: &str, directory: &str) -> Provider {
        Provider::GitHub {
            owner_name: owner.to_owned(),
            repository_name: "Analytics".to_owned(),
            branch_name: branch.to_owned(),
            directory_name: directory.to_owned(),
        }
    }

    #[test]
    fn places_are_compared_as_the_providers_do() {
        let one = github("Contoso", "main", "/products/");
        assert!(Place::from(&one) == Place::from(&github("contoso", "main", "products")));
        assert!(
            Place::from(&one) != Place::from(&github("contoso", "Main", "products")),
            "branches have case"
        );
        assert!(Place::from(&one) != Place::from(&github("contoso", "main", "")));
        assert_eq!(Place::from(&one).to_string(), "github.com/contoso/analytics, branch main, /products");
    }
}
