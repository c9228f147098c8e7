//! The linters: which files each looks at, how it is called, and something broken that it has to refuse.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::Tools;

/// A tool that somebody else wrote, and says whether a file is right.
pub(super) struct Linter {
    pub(super) name: &'static str,
    /// Whether it looks at the file of this path, which begins in `deploy/`.
    pub(super) covers: fn(&str) -> bool,
    command: fn(&Tools) -> Command,
    /// Whether it is told the folder of a file instead of the file, and of one at a time.
    by_folder: bool,
    /// What it says of a file that it has let pass without a look.
    doubt: Option<&'static str>,
    /// A linter that lets one of these pass is none.
    pub(super) broken: &'static [Broken],
}

/// A file that is wrong, among those that are right.
pub(super) struct Broken {
    pub(super) path: &'static str,
    pub(super) text: &'static str,
    /// What the refusal has to be about: a linter that cannot run refuses everything.
    pub(super) says: &'static str,
}

/// What a linter has found.
pub(super) struct Verdict {
    pub(super) passed: bool,
    pub(super) said: String,
}

impl Linter {
    /// Looks at `paths`, which begin in `deploy/` and are laid out in `stage`.
    pub(super) fn run(&self, tools: &Tools, stage: &Path, paths: &[&str]) -> anyhow::Result<Verdict> {
        let placed = paths.iter().map(|path| place(path));
        if !self.by_folder {
            return self.look(tools, stage, placed.collect());
        }
        let mut whole = Verdict { passed: true, said: String::new() };
        for path in placed {
            let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            let verdict = self.look(tools, stage, vec![folder])?;
            whole.passed &= verdict.passed;
            whole.said.push_str(&verdict.said);
        }
        Ok(whole)
    }

    fn look(&self, tools: &Tools, stage: &Path, paths: Vec<PathBuf>) -> anyhow::Result<Verdict> {
        let mut command = (self.command)(tools);
        command.args(paths).current_dir(stage).stdin(Stdio::null());
        let output = command.output().with_context(|| format!("run {command:?}"))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let in_doubt = self.doubt.is_some_and(|doubt| said.contains(doubt));
        Ok(Verdict { passed: output.status.success() && !in_doubt, said })
    }
}

/// Where a file of `deploy/` is to be copied to: linters of workflows find actions and other workflows where GitHub does.
pub(super) fn place(path: &str) -> PathBuf {
    let placed = match path.strip_prefix("github/") {
        Some(rest) if rest.starts_with("workflows/") => format!(".github/{rest}"),
        Some(rest) => format!(".github/actions/selvedge/{rest}"),
        None => path.to_owned(),
    };
    placed.into()
}

fn is_dockerfile(path: &str) -> bool {
    path.starts_with("container/") && path.ends_with("Dockerfile")
}

fn is_workflow(path: &str) -> bool {
    path.starts_with("github/workflows/") && path.ends_with(".yml")
}

fn is_action(path: &str) -> bool {
    path == "github/action.yml"
}

fn is_kustomization(path: &str) -> bool {
    path.starts_with("kubernetes/") && path.ends_with("/kustomization.yaml")
}

fn is_manifest(path: &str) -> bool {
    path.starts_with("kubernetes/") && path.ends_with(".yaml") && !is_kustomization(path)
}

/// Checks files by one of the schemas that come with it.
fn schema(tools: &Tools, name: &str) -> Command {
    let mut command = tools.command("check-jsonschema");
    command.args(["--color", "never", "--builtin-schema", name]);
    command
}

/// All of them. Each file of `deploy/` has one at least.
pub(super) const LINTERS: &[Linter] = &[
    Linter {
        name: "hadolint",
        covers: is_dockerfile,
        command: |tools| {
            let mut command = tools.command("hadolint");
            command.arg("--no-color");
            command
        },
        by_folder: false,
        doubt: None,
        broken: &[Broken {
            path: "container/Dockerfile",
            text: "FROM debian:latest\nUSER root\n",
            says: "DL3007",
        }],
    },
    Linter {
        name: "actionlint",
        covers: is_workflow,
        command: |tools| {
            let mut command = tools.command("actionlint");
            command.args(["-no-color", "-pyflakes", "", "-shellcheck"]).arg(&tools.shellcheck);
            command
        },
        by_folder: false,
        doubt: None,
        broken: &[
            Broken {
                path: "github/workflows/fabric.yml",
                text: "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: $/.github/actions/selvedge\n        with:\n          command: plan\n          no-such-input: x\n",
                says: "no-such-input",
            },
            Broken {
                path: "github/workflows/fabric.yml",
                text: "on: push\njobs:\n  a:\n    uses: $/.github/workflows/selvedge.yml\n",
                says: "\"command\" is required",
            },
            Broken {
                path: "github/workflows/fabric.yml",
                text: "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: cd $HOME\n",
                says: "SC2086",
            },
        ],
    },
    Linter {
        name: "zizmor",
        covers: |path| is_workflow(path) || is_action(path),
        command: |tools| {
            let mut command = tools.command("zizmor");
            command.args([
                "--offline",
                "--no-progress",
                "--color",
                "never",
                "--no-config",
                "--strict-collection",
            ]);
            command
        },
        by_folder: false,
        doubt: Some("WARN"),
        broken: &[
            Broken {
                path: "github/workflows/fabric.yml",
                text: "name: a\non: issues\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo '${{ github.event.issue.title }}'\n",
                says: "template-injection",
            },
            Broken {
                path: "github/workflows/fabric.yml",
                text: "name: a\non: push\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: contoso/tool@main\n",
                says: "unpinned-uses",
            },
        ],
    },
    Linter {
        name: "check-jsonschema (GitHub workflows)",
        covers: is_workflow,
        command: |tools| schema(tools, "vendor.github-workflows"),
        by_folder: false,
        doubt: None,
        broken: &[Broken { path: "github/workflows/fabric.yml", text: "on: push\njobs: []\n", says: "jobs" }],
    },
    Linter {
        name: "check-jsonschema (GitHub actions)",
        covers: is_action,
        command: |tools| schema(tools, "vendor.github-actions"),
        by_folder: false,
        doubt: None,
        broken: &[Broken {
            path: "github/action.yml",
            text: "name: a\ndescription: b\nruns:\n  using: nothing\n",
            says: "runs",
        }],
    },
    Linter {
        name: "check-jsonschema (Azure Pipelines)",
        covers: |path| path.starts_with("azure-pipelines/") && path.ends_with(".yml"),
        command: |tools| {
            let mut command = schema(tools, "vendor.azure-pipelines");
            command.args(["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"]);
            command
        },
        by_folder: false,
        doubt: None,
        broken: &[Broken {
            path: "azure-pipelines/stages.yml",
            text: "stagess:\n  - stage: a\n",
            says: "stagess",
        }],
    },
    Linter {
        name: "kubernetes-validate",
        covers: is_manifest,
        command: |tools| {
            let mut command = tools.command("kubernetes-validate");
            command.arg("--strict");
            command
        },
        by_folder: false,
        // It lets pass what it has no schema for.
        doubt: Some("WARN"),
        broken: &[
            Broken {
                path: "kubernetes/serve.yaml",
                text: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\nspec:\n  replica: 1\n  selector: {}\n  template: {}\n",
                says: "replica",
            },
            Broken {
                path: "kubernetes/serve.yaml",
                text: "apiVersion: apps/v9\nkind: Deployment\nmetadata:\n  name: a\n",
                says: "Couldn't find schema",
            },
        ],
    },
    Linter {
        name: "kustomize",
        covers: is_kustomization,
        command: |tools| {
            let mut command = tools.command("kubectl");
            command.arg("kustomize");
            command
        },
        by_folder: true,
        doubt: None,
        broken: &[Broken {
            path: "kubernetes/kustomization.yaml",
            text: "resources:\n  - no-such-file.yaml\n",
            says: "no-such-file.yaml",
        }],
    },
    Linter {
        name: "pycep",
        covers: |path| path.ends_with(".bicep"),
        command: |tools| {
            let mut command = tools.command("python");
            command.args(["-c", PARSE]);
            command
        },
        by_folder: false,
        doubt: None,
        broken: &[Broken { path: "bicep/vault.bicep", text: "resource vault {\n", says: "Unexpected" }],
    },
    Linter {
        name: "shellcheck",
        covers: |path| path.ends_with(".sh"),
        command: |tools| Command::new(&tools.shellcheck),
        by_folder: false,
        doubt: None,
        broken: &[Broken {
            path: "github/run.sh",
            text: "#!/usr/bin/env bash\nexec \"$PROGRAM\" $1\n",
            says: "SC2086",
        }],
    },
];

/// Parses each file, and does nothing with it.
const PARSE: &str =
    "import sys, pycep\nfor path in sys.argv[1:]:\n    pycep.BicepParser().parse(text=open(path).read())";

/// Whether something looks at the file of this path: a linter, or `tidy`, or a rule of `rules.rs`.
pub(super) fn is_covered(path: &str) -> bool {
    path.ends_with(".md") || path.ends_with(".dockerignore") || LINTERS.iter().any(|it| (it.covers)(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_file_is_one_that_its_linter_looks_at() {
        for linter in LINTERS {
            assert!(!linter.broken.is_empty(), "{}", linter.name);
            for broken in linter.broken {
                assert!((linter.covers)(broken.path), "{}: {}", linter.name, broken.path);
            }
        }
    }

    #[test]
    fn a_file_of_another_kind_is_not_covered() {
        for path in ["github/action.yml", "kubernetes/job/job.yaml", "bicep/main.bicep", "README.md"] {
            assert!(is_covered(path), "{path}");
        }
        for path in ["helm/values.yaml", "kubernetes/job.yml", "github/workflows/a.yaml", "container/entry"] {
            assert!(!is_covered(path), "{path}");
        }
    }

    #[test]
    fn files_of_github_go_where_github_looks() {
        for (path, placed) in [
            ("github/action.yml", ".github/actions/selvedge/action.yml"),
            ("github/workflows/fabric.yml", ".github/workflows/fabric.yml"),
            ("kubernetes/serve.yaml", "kubernetes/serve.yaml"),
        ] {
            assert_eq!(place(path), Path::new(placed));
        }
    }
}
