//! A data product's descriptor: what `selvedge onboard` makes of it.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::checks::{self, Limit, guid};
use super::cursor::Cursor;
use super::project::{self, Project};
use super::reading::Reading;
use super::{Diagnostic, Diagnostics, Severity, Variables, file, git, schema};
use crate::desired::{DesiredGit, GitProvider, Located, Location};

/// What a descriptor says, with the defaults of what it leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// The product's name.
    pub name: String,
    /// The name of its folder, and the first part of its branches.
    pub slug: String,
    /// Whose it is.
    pub owner_email: Option<String>,
    /// The domain that it belongs to.
    pub domain: Option<String>,
    /// What its audit records refer to.
    pub audit_reference: Option<String>,
    /// The capacity of its workspaces.
    pub capacity: Option<Uuid>,
    /// The description of its workspace.
    pub description: String,
    /// Its repository; `None` where Git is turned off.
    pub git: Option<DescribedGit>,
}

/// The repository of a data product.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGit {
    /// The repository.
    pub provider: GitProvider,
    /// The branch that others begin at.
    pub default_branch: String,
    /// The middle part of the names of feature branches.
    pub feature_prefix: String,
    /// The product's directory, with a leading `/`.
    pub directory: String,
    /// The Fabric connection that holds the credentials, where one is named.
    pub connection: Option<Uuid>,
    /// Where it is declared.
    pub at: Location,
}

/// What was read, and what was odd.
#[derive(Debug)]
pub struct Described {
    /// What the descriptor says.
    pub descriptor: Descriptor,
    /// What is odd but does not stand in the way.
    pub warnings: Vec<Diagnostic>,
}

impl DescribedGit {
    /// The branch of a ticket.
    #[must_use]
    pub fn branch(&self, slug: &str, ticket: &str) -> String {
        format!("{slug}/{}/{ticket}", self.feature_prefix)
    }

    /// What a workspace of this branch is connected to, `below` the product's directory.
    #[must_use]
    pub fn desired(&self, branch: &str, below: &str) -> DesiredGit {
        let directory = format!("{}/{below}", self.directory.trim_end_matches('/'));
        DesiredGit {
            provider: self.provider.clone(),
            branch: branch.to_owned(),
            directory: directory.trim_end_matches('/').to_owned(),
            connection: self.connection,
            commit: false,
            commit_message: String::new(),
            at: self.at.clone(),
        }
    }
}

/// Reads a descriptor.
///
/// # Errors
/// All problems found, by file and line.
pub fn load(root: &Path, path: &Path, variables: &dyn Variables) -> Result<Described, Diagnostics> {
    let mut reading = Reading::new(variables);
    let project_file = root.join(project::FILE);
    // A descriptor may say everything itself.
    let project_node = if project_file.exists() { reading.document(&project_file) } else { None };
    let project = match &project_node {
        Some(node) => Project::new(&mut reading, &project_file, Some(node)),
        None => None,
    };
    let node = reading.document(path);
    let descriptor = match &node {
        Some(node) => read(&mut reading, &Cursor::root(path, node), project.as_ref()),
        None => {
            if !path.exists() {
                let help = "name a descriptor, for example data_products/onboarding/sales.yaml";
                reading.error(file::whole(path), "there is no such file", help);
            }
            None
        }
    };
    let problems = reading.finish();
    match descriptor {
        Some(descriptor) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Described { descriptor, warnings: problems })
        }
        _ => Err(problems.into()),
    }
}

fn read(reading: &mut Reading<'_>, root: &Cursor<'_>, project: Option<&Project<'_>>) -> Option<Descriptor> {
    reading.keys(root, schema::DESCRIPTOR);
    let Some(product) = reading.section(root, "product") else {
        reading.error(root.missing("product"), "is missing", "add `product:` with the `name` of the product");
        return None;
    };
    reading.keys(&product, schema::PRODUCT);
    let name = checks::required(reading, &product, "name", "name the product");
    let name = checks::name(reading, name);
    let slug = slug(reading, &product, name.as_ref());
    let mut text = |key| reading.text(&product, key).map(|text| text.value);
    let (owner_email, domain) = (text("owner_email"), text("domain"));
    let dev = reading.section(root, "environments").and_then(|all| reading.section(&all, "dev"));
    if let Some(dev) = &dev {
        reading.keys(dev, schema::DESCRIBED_ENVIRONMENT);
        if reading.flag(dev, "enabled") == Some(false) {
            reading.error(dev.at(), "is turned off, and is what is onboarded", "set enabled to true");
        }
    }
    let capacity = dev.as_ref().and_then(|dev| capacity(reading, dev));
    let described = dev.as_ref().and_then(|dev| reading.text(dev, "description"));
    let described =
        described.and_then(|text| checks::checked_description(reading, text, Limit::WORKSPACE_DESCRIPTION));
    let automation = reading.section(root, "automation");
    if let Some(automation) = &automation {
        reading.keys(automation, schema::AUTOMATION);
    }
    let reference = automation.and_then(|automation| reading.text(&automation, "audit_reference"));
    let (name, slug) = (name?.value, slug?);
    Some(Descriptor {
        description: described
            .unwrap_or_else(|| format!("Development workspace for {}", name.to_lowercase())),
        git: described_git(reading, root, project, &slug),
        name,
        slug,
        owner_email,
        domain,
        audit_reference: reference.map(|text| text.value),
        capacity,
    })
}

/// The predecessor read `capacity`, and its own descriptors said `capacity_id`.
fn capacity(reading: &mut Reading<'_>, dev: &Cursor<'_>) -> Option<Uuid> {
    let text = reading.text(dev, "capacity_id").or_else(|| reading.text(dev, "capacity"))?;
    let id = guid(&text.value);
    if id.is_none() {
        let help = "copy the id of the capacity from the Fabric admin portal; leave the key empty for none";
        reading.error(text.at, format!("{:?} is not a GUID", text.value), help);
    }
    id
}

fn slug(reading: &mut Reading<'_>, product: &Cursor<'_>, name: Option<&Located<String>>) -> Option<String> {
    let given = reading.text(product, "slug");
    let (text, at) = match (given, name) {
        (Some(given), _) => (given.value, given.at),
        (None, Some(name)) => (slugify(&name.value), name.at.clone()),
        (None, None) => return None,
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if text.is_empty() || !text.chars().all(is_plain) {
        let help = "give the product a `slug` of a-z, 0-9 and `_`";
        reading.error(at, format!("makes {text:?}, which cannot be the name of a folder and a branch"), help);
        return None;
    }
    Some(text)
}

/// `Customer Analytics` becomes `customer_analytics`.
#[must_use]
pub fn slugify(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let kept: String =
        lower.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect();
    let words = kept.split([' ', '-']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn described_git(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: Option<&Project<'_>>,
    slug: &str,
) -> Option<DescribedGit> {
    let git = reading.section(root, "git")?;
    reading.keys(&git, schema::DESCRIBED_GIT);
    if reading.flag(&git, "enabled") == Some(false) {
        return None;
    }
    let provider = git::provider(reading, &git, project);
    let mut or = |key: &str, otherwise: &str| {
        reading.text(&git, key).map_or_else(|| otherwise.to_owned(), |text| text.value)
    };
    let (default_branch, feature_prefix) = (or("default_branch", "main"), or("feature_prefix", "feature"));
    let directory = match git.get("directory") {
        Some(_) => git::directory(reading, &git),
        None => Some(format!("/data_products/{slug}")),
    };
    let connection = git::connection(reading, &git);
    Some(DescribedGit {
        provider: provider?,
        default_branch,
        feature_prefix,
        directory: directory?,
        connection,
        at: git.at(),
    })
}

/// The folder of a product, from the project's root.
#[must_use]
pub fn folder(slug: &str) -> PathBuf {
    Path::new("data_products").join(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_folders_as_the_predecessor_had_it() {
        for (name, slug) in [
            ("Data Product 123", "data_product_123"),
            ("  Mixed-Case---Name  ", "mixed_case_name"),
            ("Name! With @Symbols", "name_with_symbols"),
            ("already_there", "already_there"),
            ("数据", ""),
        ] {
            assert_eq!(slugify(name), slug, "{name:?}");
        }
    }
}
