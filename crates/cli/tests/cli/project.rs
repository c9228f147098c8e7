//! Projects in temporary folders.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A project folder; gone when dropped.
pub(crate) struct Project(TempDir);

/// A small product that needs every kind of call.
const PRODUCT: &str = r#"product:
  name: "Orders"
environments:
  dev:
    capacity_id: "11111111-1111-4111-8111-111111111111"
    description: "Orders, development"
git:
  enabled: true
  organization: "contoso"
  repository: "orders"
  auto_commit: true
items:
  lakehouses:
    - name: "BRONZE_Orders_Lakehouse"
      description: "Orders as they come"
      target_folder: "Landing/Raw"
  notebooks:
    - name: "01_LoadOrders_Notebook"
      target_folder: "Landing"
      definition: "load.py"
users:
  - email: "data.owner@contoso.example"
    role: "Admin"
"#;

const PROJECT: &str = r#"{
  "project": { "prefix": "acme" },
  "naming_patterns": { "workspace": "{prefix}-{name}-{environment}" }
}
"#;

const STANDARDS: &str = r#"item_types:
  Lakehouse: { pattern: "^(BRONZE|SILVER|GOLD)(_[A-Za-z0-9]+)+_Lakehouse$" }
  Notebook: { pattern: "^\\d{2}(_[A-Za-z0-9]+)+_Notebook$" }
validation: { strict_mode: true, auto_fix_suggestions: true }
"#;

const NOTEBOOK: &str =
    "# Fabric notebook source\n\n# CELL ********************\n\norders = spark.read.json(\"Files/orders\")\n";

/// The workspace that [`Project::orders`] deploys to.
pub(crate) const WORKSPACE: &str = "acme-orders-dev";

impl Project {
    /// A folder with these files and nothing to deploy.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("project.config.json", "{}");
        for (name, content) in files {
            project.write(name, content);
        }
        project
    }

    /// The small product.
    pub(crate) fn orders() -> Self {
        Self::with(&[
            ("project.config.json", PROJECT),
            ("naming_standards.yaml", STANDARDS),
            ("product_config.yaml", PRODUCT),
            ("load.py", NOTEBOOK),
        ])
    }

    /// A copy of the example that the documentation uses.
    pub(crate) fn example() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sales-analytics");
        copy(&example, project.path());
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Puts `to` in the place of `from`, which must be there, in product_config.yaml.
    #[track_caller]
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("product_config.yaml");
        let content = fs::read_to_string(&path).unwrap();
        assert!(content.contains(from), "{from:?} in {content}");
        fs::write(path, content.replacen(from, to, 1)).unwrap();
    }

    /// The journals of its transactions.
    pub(crate) fn journals(&self) -> Vec<PathBuf> {
        match fs::read_dir(self.path().join(".selvedge/transactions")) {
            Ok(entries) => entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
                .collect(),
            Err(_) => Vec::new(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
