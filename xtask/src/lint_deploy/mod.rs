//! `cargo xtask lint-deploy`: every file of `deploy/` is read by a tool that others wrote, and what the files ask of the program is asked of it.
//!
//! Each linter is first shown something broken, which it has to refuse: one that lets everything pass would not be noticed otherwise.
//! `deploy/monitoring` is not looked at here: `cargo xtask monitoring` does.

mod ci;
mod linter;
mod program;
mod rules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::debian::Program;
use crate::venv;
use crate::workspace::{File, Workspace};
use linter::{LINTERS, Linter, is_covered, place};

/// The folder of xtask that pins the linters, and the one of `target` that they are installed in.
const NAME: &str = "lint-deploy";
const SHELLCHECK: Program = Program { name: "shellcheck", package: "shellcheck" };

/// Writes documents of YAML as JSON, by their file.
const AS_JSON: &str = "import json, sys, yaml\n\
    json.dump({path: list(yaml.safe_load_all(open(path))) for path in sys.argv[1:]}, sys.stdout, default=str)";
/// Writes what a parser of Bicep makes of files, by file.
const AS_TREES: &str = "import json, sys, pycep\n\
    json.dump({path: pycep.BicepParser().parse(text=open(path).read()) for path in sys.argv[1:]}, sys.stdout)";

/// What is installed.
struct Tools {
    /// Where the virtual environment has its programs.
    programs: PathBuf,
    shellcheck: PathBuf,
}

impl Tools {
    fn install(workspace: &Workspace) -> anyhow::Result<Self> {
        let python = venv::python(workspace, NAME)?;
        let programs = python.parent().context("find the folder of Python")?.to_owned();
        Ok(Self { programs, shellcheck: SHELLCHECK.path(workspace)? })
    }

    fn command(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// What a program in Python prints about files, as JSON.
    fn json<T: serde::de::DeserializeOwned>(
        &self,
        program: &str,
        folder: &Path,
        paths: &[&str],
    ) -> anyhow::Result<T> {
        let output = self
            .command("python")
            .args(["-c", program])
            .args(paths)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .context("run Python")?;
        ensure!(output.status.success(), "read {paths:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).with_context(|| format!("read what is in {paths:?}"))
    }
}

/// Lists everything that is wrong; `true` when nothing is.
///
/// # Errors
/// When something does not install, or a linter lets something broken pass: nothing is left out in silence.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let tools = Tools::install(workspace)?;
    let files = workspace.files()?;
    let deploy = of_deploy(&files);
    let mut problems = uncovered(&deploy);

    let stages = workspace.target.join(NAME).join("stages");
    if stages.exists() {
        fs::remove_dir_all(&stages).context("remove the last copies")?;
    }
    let stage = stages.join("right");
    lay_out(&stage, &deploy)?;
    for linter in LINTERS {
        refuses(linter, &tools, &stages, &deploy)?;
        let paths: Vec<&str> = deploy.keys().copied().filter(|path| (linter.covers)(path)).collect();
        ensure!(!paths.is_empty(), "{} has nothing to look at in deploy/", linter.name);
        let verdict = linter.run(&tools, &stage, &paths)?;
        println!(
            "{}: {} files, {}",
            linter.name,
            paths.len(),
            if verdict.passed { "well" } else { "something is wrong" }
        );
        if !verdict.passed {
            problems.push(format!("{}: {}", linter.name, verdict.said));
        }
    }
    problems.extend(ours(workspace, &tools, &files, &deploy)?);

    let binary = workspace.binary()?;
    problems.extend(program::check(&tools, &workspace.root.join("deploy"), &stages, &binary)?);
    problems.extend(ci::check(&tools, workspace, &files, &stages, &binary)?);
    for problem in &problems {
        println!("{problem}");
    }
    println!("lint-deploy: {} files, {} problems", deploy.len(), problems.len());
    Ok(problems.is_empty())
}

/// The files that are looked at here: their paths, from `deploy/`, and their text.
fn of_deploy(files: &[File]) -> BTreeMap<&str, &str> {
    let of_deploy = |file: &'_ File| -> Option<()> {
        let path = file.path.strip_prefix("deploy/")?;
        (!path.starts_with("monitoring/")).then_some(())
    };
    let chosen = files.iter().filter(|file| of_deploy(file).is_some());
    chosen.map(|file| (file.path.trim_start_matches("deploy/"), file.text.as_str())).collect()
}

fn uncovered(deploy: &BTreeMap<&str, &str>) -> Vec<String> {
    let uncovered = deploy.keys().filter(|path| !is_covered(path));
    uncovered
        .map(|path| {
            format!("deploy/{path}: no linter looks at it; name one in xtask/src/lint_deploy/linter.rs")
        })
        .collect()
}

/// Copies the files to where linters look for them.
fn lay_out(stage: &Path, files: &BTreeMap<&str, &str>) -> anyhow::Result<()> {
    // That is how actionlint knows a repository.
    fs::create_dir_all(stage.join(".git")).context("make a folder for copies")?;
    for (path, text) in files {
        write(&stage.join(place(path)), text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// Shows the linter what is broken, among all the other files.
fn refuses(
    linter: &Linter,
    tools: &Tools,
    stages: &Path,
    deploy: &BTreeMap<&str, &str>,
) -> anyhow::Result<()> {
    for broken in linter.broken {
        let stage = tempfile::tempdir_in(stages).context("make a folder for copies")?;
        let mut files = deploy.clone();
        ensure!(files.insert(broken.path, broken.text).is_some(), "there is no deploy/{}", broken.path);
        lay_out(stage.path(), &files)?;
        let verdict = linter.run(tools, stage.path(), &[broken.path])?;
        ensure!(
            !verdict.passed && verdict.said.contains(broken.says),
            "{} has to refuse {:?} for {:?}, and says: {}",
            linter.name,
            broken.text,
            broken.says,
            verdict.said
        );
    }
    Ok(())
}

/// What our own rules find.
fn ours(
    workspace: &Workspace,
    tools: &Tools,
    files: &[File],
    deploy: &BTreeMap<&str, &str>,
) -> anyhow::Result<Vec<String>> {
    let root = workspace.root.join("deploy");
    let mut problems = Vec::new();

    let yaml: Vec<&str> = deploy.keys().copied().filter(|path| path.ends_with(".yml")).collect();
    let documents: BTreeMap<String, Value> = tools.json(AS_JSON, &root, &yaml)?;
    let mut scripts = 0;
    for (path, document) in &documents {
        problems.extend(rules::injected(document).into_iter().map(|it| format!("deploy/{path}{it}")));
        for (place, text) in rules::scripts(document) {
            scripts += 1;
            let said = shellcheck(tools, &text)?;
            problems.extend(said.map(|said| format!("deploy/{path}{place}: {said}")));
        }
    }
    ensure!(scripts > 0, "no script was found in {yaml:?}");
    ensure!(shellcheck(tools, "cd $1\n")?.is_some(), "shellcheck has to refuse what is wrong");
    println!("shellcheck: {scripts} scripts in YAML");

    let bicep = files.iter().map(|file| file.path.as_str());
    let bicep: Vec<&str> =
        bicep.filter(|path| path.starts_with("deploy/") && path.ends_with(".bicep")).collect();
    problems.extend(rules::modules(&tools.json(AS_TREES, &workspace.root, &bicep)?));

    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str()).with_context(|| format!("find {path}"))
    };
    for path in [".dockerignore", "deploy/container/project.Dockerfile.dockerignore"] {
        problems
            .extend(rules::let_in(text(path)?).iter().map(|it| format!("{path}: does not keep out {it}")));
    }
    if !rules::is_same_toolchain(text("deploy/container/Dockerfile")?, text("rust-toolchain.toml")?) {
        problems.push(
            "deploy/container/Dockerfile: RUST_IMAGE is not the version of rust-toolchain.toml".to_owned(),
        );
    }
    Ok(problems)
}

/// What shellcheck has against a script that is no file; `None` where that is nothing.
fn shellcheck(tools: &Tools, script: &str) -> anyhow::Result<Option<String>> {
    let mut file = tempfile::NamedTempFile::new().context("make a file for a script")?;
    std::io::Write::write_all(&mut file, script.as_bytes()).context("write a script")?;
    let mut command = Command::new(&tools.shellcheck);
    let output =
        command.args(["--color=never", "--shell=bash"]).arg(file.path()).stdin(Stdio::null()).output();
    let output = output.context("run shellcheck")?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_looks_at_is_told() {
        let file = |path: &str| File { path: path.to_owned(), text: String::new() };
        let files = ["README.md", "deploy/README.md", "deploy/monitoring/x.json", "deploy/helm/values.yaml"]
            .map(file);
        let deploy = of_deploy(&files);
        assert_eq!(deploy.keys().copied().collect::<Vec<_>>(), ["README.md", "helm/values.yaml"]);
        assert_eq!(
            uncovered(&deploy),
            ["deploy/helm/values.yaml: no linter looks at it; name one in xtask/src/lint_deploy/linter.rs"]
        );
    }
}
