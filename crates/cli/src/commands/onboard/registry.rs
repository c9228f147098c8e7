//! `data_products/registry.json`: which products there are, and their workspaces.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use selvedge_deployment::config::descriptor::Descriptor;
use selvedge_deployment::desired::GitProvider;
use serde_json::{Value, json};

use super::fabric::Made;
use crate::report::ExitWith;

/// Where it is, from the project's root.
pub(super) const FILE: &str = "data_products/registry.json";

/// What the file says. Members that are not known here stay.
pub(super) struct Registry {
    path: PathBuf,
    value: Value,
}

impl Registry {
    /// # Errors
    ///
    /// When there is one that cannot be read: it is never overwritten.
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let path = root.join(FILE);
        let with = || ExitWith::usage(format!("read {FILE}")).help("mend it, or move it away");
        let value = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str::<Value>(&text).with_context(with)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => json!({ "products": [] }),
            Err(error) => return Err(error).with_context(with),
        };
        if !value["products"].is_array() {
            return Err(anyhow!("it has no list `products`")).with_context(with);
        }
        Ok(Self { path, value })
    }

    /// Writes the product down, at once or not at all. What was known of its other tickets stays.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn write(
        &mut self,
        descriptor: &Descriptor,
        ticket: Option<&str>,
        made: &Made,
    ) -> anyhow::Result<()> {
        self.update(descriptor, ticket, made);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let write = || -> anyhow::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, &self.value)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            }
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("write {FILE}"))
    }

    fn update(&mut self, descriptor: &Descriptor, ticket: Option<&str>, made: &Made) {
        let Some(products) = self.value["products"].as_array_mut() else { return };
        let index = products.iter().position(|product| product["slug"] == *descriptor.slug);
        let index = index.unwrap_or_else(|| {
            products.push(json!({ "product": descriptor.name, "slug": descriptor.slug }));
            products.len() - 1
        });
        let Some(product) = products.get_mut(index) else { return };
        product["product"] = descriptor.name.clone().into();
        product["owner_email"] = json!(descriptor.owner_email);
        product["domain"] = json!(descriptor.domain);
        product["audit_reference"] = json!(descriptor.audit_reference);
        // Where Fabric was left alone, what is known of it stays.
        if let Some(id) = made.dev["id"].as_str() {
            product["dev_workspace_id"] = id.into();
        } else if product.get("dev_workspace_id").is_none() {
            product["dev_workspace_id"] = Value::Null;
        }
        if !product["feature_workspaces"].is_object() {
            product["feature_workspaces"] = json!({});
        }
        if let (Some(ticket), Some(id)) = (ticket, made.feature["id"].as_str()) {
            product["feature_workspaces"][ticket] = id.into();
        }
        if let Some(git) = &descriptor.git {
            let (organization, repository) = match &git.provider {
                GitProvider::GitHub { owner, repository } => (owner, repository),
                GitProvider::AzureDevOps { organization, repository, .. } => (organization, repository),
            };
            product["git"] = json!({
                "repository": repository,
                "organization": organization,
                "directory": git.directory.trim_start_matches('/'),
                "default_branch": git.default_branch,
            });
        }
    }
}
