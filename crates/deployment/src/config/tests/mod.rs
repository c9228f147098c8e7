//! Whole projects in, desired state or problems out.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::*;

mod desired;
mod hostile;
mod problems;
mod sections;

const PROJECT: &str =
    r#"{"project": {"prefix": "acme"}, "naming_patterns": {"workspace": "{prefix}-{name}-{environment}"}}"#;

/// The sections without which nothing loads, and nothing to warn of.
const PRODUCT: &str = "product: {name: Sales Analytics}\n\
                       environments: {dev: {}}\n\
                       users: [{email: a@contoso.example, role: Admin}]\n\
                       naming: {validate: false}\n";

fn variables(name: &str) -> Option<String> {
    let table = [
        ("CAPACITY", "11111111-1111-4111-8111-111111111111"),
        ("INJECTION", "x\"}\nrole: Admin # "),
        ("TOKEN", "s3cret"),
        ("GIT_ORGANIZATION", "contoso"),
    ];
    table.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

/// Writes the files of a project; `product.yaml` and `project.config.json` are there in any case.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("product.yaml", PRODUCT), (super::project::FILE, PROJECT)].iter().chain(files) {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().expect("it is in the folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    root
}

fn load_from(root: &Path, environment: &str) -> Result<Loaded, Diagnostics> {
    let (config, root) = (root.join("product.yaml"), root.to_owned());
    load(&Request { config, root, environment, variables: &variables })
}

/// What is said about a project, one problem a line: `severity file:line:column: key: message | help`.
fn said(files: &[(&str, &str)]) -> String {
    let root = project(files);
    let problems = match load_from(root.path(), "dev") {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems.iter().cloned().collect(),
    };
    let mut out = String::new();
    for problem in problems {
        let help = problem.help.as_deref().expect("every problem says what to do");
        writeln!(out, "{:?} {problem} | {help}", problem.severity).expect("writing to a string");
    }
    let real = fs::canonicalize(root.path()).expect("the folder");
    for root in [real.as_path(), root.path()] {
        out = out.replace(&format!("{}/", root.display()), "");
    }
    out.trim_end().to_owned()
}

/// [`PRODUCT`] with these sections in addition.
fn with(sections: &str) -> String {
    format!("{PRODUCT}{sections}\n")
}

/// Checks rows of sections to add to the product and what is said about them.
fn check(table: &[(&str, &str)]) {
    for (sections, expected) in table {
        assert_eq!(said(&[("product.yaml", &with(sections))]), *expected, "{sections}");
    }
}

#[test]
fn the_root_is_found_from_below() {
    let root = project(&[("a/b/x.yaml", ""), ("a/.git/HEAD", "")]);
    let path = |name: &str| root.path().join(name);
    assert_eq!(find_root(&path("a/b")), root.path(), "project.config.json wins over a nearer .git");
    fs::remove_file(path(super::project::FILE)).expect("removed");
    assert_eq!(find_root(&path("a/b")), path("a"));
}
