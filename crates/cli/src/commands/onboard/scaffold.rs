//! A product's folder, from the project's template.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use selvedge_deployment::config::descriptor;

use crate::report::ExitWith;

/// Where the template is, from the project's root.
const TEMPLATE: &str = "data_products/templates/base_product";
/// How deep a template may be: a loop of links has no end.
const DEEPEST: usize = 16;

/// What a product's folder is to hold.
pub(super) struct Scaffold {
    target: PathBuf,
    /// Folders that are not there, each before those in it.
    folders: Vec<PathBuf>,
    /// Files that are not there: from, to.
    files: Vec<(PathBuf, PathBuf)>,
}

impl Scaffold {
    /// Looks what is missing. Files that are there are never overwritten.
    ///
    /// # Errors
    ///
    /// When the template cannot be read, or leads out of itself.
    pub(super) fn look(root: &Path, slug: &str) -> anyhow::Result<Self> {
        let target = root.join(descriptor::folder(slug));
        let mut found = Self { folders: Vec::new(), files: Vec::new(), target: target.clone() };
        let products = root.join("data_products");
        found.folders.extend([products, target.clone()].into_iter().filter(|folder| !folder.is_dir()));
        let template = root.join(TEMPLATE);
        if template.is_dir() {
            found
                .merge(&template, &target, DEEPEST)
                .with_context(|| ExitWith::usage(format!("read {TEMPLATE}")))?;
        }
        Ok(found)
    }

    fn merge(&mut self, from: &Path, to: &Path, depth: usize) -> anyhow::Result<()> {
        if depth == 0 {
            return Err(anyhow!("{} is too deep", from.display()));
        }
        let mut entries = fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                return Err(anyhow!("{} is a link, and links are not followed", source.display()));
            } else if kind.is_dir() {
                if !target.is_dir() {
                    self.folders.push(target.clone());
                }
                self.merge(&source, &target, depth - 1)?;
            } else if !target.exists() {
                self.files.push((source, target));
            }
        }
        Ok(())
    }

    pub(super) fn missing(&self) -> usize {
        self.files.len()
    }

    pub(super) fn shown(&self) -> String {
        self.target.display().to_string()
    }

    /// Makes what is missing. What was made comes back, folders before what is in them.
    ///
    /// # Errors
    ///
    /// When something cannot be made. What was made before it is gone then.
    pub(super) fn make(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut made = Vec::new();
        match self.make_all(&mut made) {
            Ok(()) => Ok(made),
            Err(error) => {
                for path in made.iter().rev() {
                    // The error that is told is the one that mattered; an empty folder may stay.
                    drop(if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) });
                }
                Err(error.context(format!("make {}", self.target.display())))
            }
        }
    }

    fn make_all(&self, made: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        for folder in &self.folders {
            fs::create_dir(folder).with_context(|| folder.display().to_string())?;
            made.push(folder.clone());
        }
        for (from, to) in &self.files {
            // Whoever made one meanwhile keeps it.
            let mut file = match fs::File::create_new(to) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                file => file.with_context(|| to.display().to_string())?,
            };
            made.push(to.clone());
            let mut source = fs::File::open(from).with_context(|| from.display().to_string())?;
            std::io::copy(&mut source, &mut file).with_context(|| to.display().to_string())?;
        }
        Ok(())
    }
}
