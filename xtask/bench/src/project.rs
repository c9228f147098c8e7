//! The product that is deployed: a workspace, a folder and many items.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Writes the project's files into `folder`.
pub(crate) fn write(folder: &Path, items: u32) -> anyhow::Result<()> {
    let items = (0..items).map(|item| {
        format!("    - {{ name: \"{item:03}_Load_Notebook\", description: \"Part {item}\", target_folder: \"Loads\" }}\n")
    });
    let product = HEAD.to_owned() + &items.collect::<String>();
    for (name, content) in [("product_config.yaml", product.as_str()), ("project.config.json", PROJECT)] {
        fs::write(folder.join(name), content).with_context(|| format!("write {name}"))?;
    }
    Ok(())
}

const HEAD: &str = "product: { name: \"Loads\" }
environments: { dev: { capacity_id: \"11111111-1111-4111-8111-111111111111\", description: \"Loads\" } }
items:
  notebooks:
";

const PROJECT: &str = r#"{ "project": { "prefix": "bench" }, "naming_patterns": { "workspace": "{prefix}-{name}-{environment}" } }"#;

/// The program, which lies beside this one.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("find this program")?;
    Ok(here.with_file_name(format!("selvedge{}", std::env::consts::EXE_SUFFIX)))
}
