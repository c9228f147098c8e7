//! What is deployed: to a tenant without the workspace, and onto a workspace that is there.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

/// A deployment.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// The project's `product_config.yaml`.
    product: &'static str,
    /// What was deployed before, and what stood there before that.
    pub(super) earlier: Option<Earlier>,
    /// Whether it is there for operations that still run when the deployment is taken up, and nothing else.
    pub(super) only_slow: bool,
}

/// What a scenario starts from.
pub(super) struct Earlier {
    pub(super) product: &'static str,
    pub(super) seed: fn() -> Value,
}

/// Workspace, capacity, folder, five items of which three are long-running, two roles, Git; and a commit at the end, which
/// cannot be undone.
const NEW: &str = r#"product:
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
    - name: "Landing_Lakehouse"
      description: "Orders as they come"
      target_folder: "Orders"
  warehouses:
    - name: "Orders_Warehouse"
      target_folder: "Orders"
  environments:
    - name: "Orders_Environment"
  notebooks:
    - name: "Load_Notebook"
      target_folder: "Orders"
      definition: "load.py"
    - name: "Report_Notebook"
      definition: "report.py"
users:
  - email: "data.owner@contoso.example"
    role: "Admin"
  - email: "tech.lead@contoso.example"
    role: "Member"
"#;

/// What [`EXISTING`] is deployed onto.
const BEFORE: &str = r#"product:
  name: "Orders"
environments:
  dev:
    description: "Orders, before"
items:
  notebooks:
    - name: "Load_Notebook"
      description: "Loads"
      target_folder: "Orders"
      definition: "before.py"
"#;

/// An update with a pre-image, two descriptions, a changed role and a capacity, besides what is new; without a commit, so that
/// markers come off after the end.
const EXISTING: &str = r#"product:
  name: "Orders"
environments:
  dev:
    capacity_id: "11111111-1111-4111-8111-111111111111"
    description: "Orders, development"
git:
  enabled: true
  organization: "contoso"
  repository: "orders"
  auto_commit: false
items:
  warehouses:
    - name: "Orders_Warehouse"
      target_folder: "Orders"
  environments:
    - name: "Orders_Environment"
      target_folder: "Reports"
  notebooks:
    - name: "Load_Notebook"
      description: "Loads orders"
      target_folder: "Orders"
      definition: "load.py"
    - name: "Report_Notebook"
      definition: "report.py"
users:
  - email: "data.owner@contoso.example"
    role: "Admin"
  - email: "tech.lead@contoso.example"
    role: "Member"
"#;

/// A commit to Git in a workspace that a rollback leaves there.
const COMMIT: &str = r#"product:
  name: "Orders"
environments:
  dev:
    description: "Orders, before"
git:
  enabled: true
  organization: "contoso"
  repository: "orders"
  auto_commit: true
items:
  notebooks:
    - name: "Load_Notebook"
      description: "Loads"
      target_folder: "Orders"
      definition: "load.py"
"#;

const PROJECT: &str = r#"{
  "project": { "prefix": "acme" },
  "naming_patterns": { "workspace": "{prefix}-{name}-{environment}" }
}
"#;

const NOTEBOOKS: [(&str, &str); 3] = [
    ("before.py", "# Fabric notebook source\n\n# CELL ********************\n\nprint(\"before\")\n"),
    ("load.py", "# Fabric notebook source\n\n# CELL ********************\n\nprint(\"load\")\n"),
    ("report.py", "# Fabric notebook source\n\n# CELL ********************\n\nprint(\"report\")\n"),
];

pub(super) const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "new", product: NEW, earlier: None, only_slow: false },
    Scenario {
        name: "existing",
        product: EXISTING,
        earlier: Some(Earlier { product: BEFORE, seed: theirs }),
        only_slow: false,
    },
    Scenario {
        name: "commit",
        product: COMMIT,
        earlier: Some(Earlier { product: BEFORE, seed: theirs }),
        only_slow: true,
    },
];

/// A workspace of somebody's, with things in it that no deployment names, and a role that one will change.
fn theirs() -> Value {
    let capacity = "11111111-0000-4000-8000-00000000000a";
    json!({ "capacities": [{
        "id": capacity, "displayName": "Earlier capacity", "sku": "F8", "region": "West Europe", "state": "Active",
    }], "workspaces": [{
        "id": "88888888-0000-4000-8000-00000000000a",
        "displayName": "acme-orders-dev",
        "description": "Orders, before",
        "capacityId": capacity,
        "roleAssignments": [
            { "principalId": "cccccccc-0000-4000-8000-00000000000f", "role": "Admin" },
            { "principalId": "dddddddd-0000-4000-8000-000000000002", "role": "Viewer" },
        ],
        "folders": ["Theirs"],
        "items": [
            { "id": "99999999-0000-4000-8000-00000000000a", "type": "DataPipeline", "displayName": "theirs",
              "description": "kept", "folder": "Theirs" },
        ],
    }] })
}

impl Scenario {
    /// Writes the project into `folder`; the product is the one of `earlier` where that is wanted.
    pub(super) fn lay_out(&self, folder: &Path) -> anyhow::Result<()> {
        write(folder, self.product)
    }
}

impl Earlier {
    /// Writes the project as it was before into `folder`.
    pub(super) fn lay_out(&self, folder: &Path) -> anyhow::Result<()> {
        write(folder, self.product)
    }
}

fn write(folder: &Path, product: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder).context("make the project's folder")?;
    let files = [("project.config.json", PROJECT), ("product_config.yaml", product)];
    for (name, content) in files.into_iter().chain(NOTEBOOKS) {
        fs::write(folder.join(name), content).with_context(|| format!("write {name}"))?;
    }
    Ok(())
}
