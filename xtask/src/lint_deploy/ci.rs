//! The scripts of `deploy/github` and `deploy/azure-pipelines`, run as a runner would, against an emulator.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, ensure};
use driver::{Emulator, Options, Process, until};
use serde_json::Value;

use super::{AS_JSON, Tools, rules, write};
use crate::workspace::{File, Workspace};

/// A project of somebody's, and what its jobs are given.
struct Job {
    project: PathBuf,
    variables: BTreeMap<String, String>,
    outputs: PathBuf,
    scripts: PathBuf,
}

/// How a script ended.
struct Ended {
    code: Option<i32>,
    /// What GitHub's runner would take for outputs.
    outputs: String,
    stderr: String,
}

/// Finds what scripts do wrong.
///
/// # Errors
/// When they cannot be run.
pub(super) fn check(
    tools: &Tools,
    workspace: &Workspace,
    files: &[File],
    stages: &Path,
    binary: &Path,
) -> anyhow::Result<Vec<String>> {
    let folder = stages.join("job");
    let emulator = Emulator::start(
        binary,
        Options { folder: &folder.join("emulator"), request_log: None, authority: None },
    )?;
    let job = Job::new(&folder, workspace, files, &emulator)?;
    let mut problems = job.interrupted(binary, &emulator)?;
    // A name that was deleted is kept for a while.
    emulator.reset()?;
    problems.extend(job.github(binary)?);

    let steps = "azure-pipelines/steps.yml";
    let documents: BTreeMap<String, Value> = tools.json(AS_JSON, &workspace.root.join("deploy"), &[steps])?;
    let scripts: Vec<(String, String)> = documents.values().flat_map(rules::scripts).collect();
    let inline = scripts.iter().find(|(place, _)| place.ends_with(".inlineScript"));
    problems.extend(
        job.azure(binary, &inline.context("find the script of deploy/azure-pipelines/steps.yml")?.1)?,
    );
    println!("scripts: run against an emulator, for GitHub and Azure Pipelines");
    Ok(problems)
}

impl Job {
    fn new(
        folder: &Path,
        workspace: &Workspace,
        files: &[File],
        emulator: &Emulator,
    ) -> anyhow::Result<Self> {
        let project = folder.join("project");
        for file in files {
            if let Some(path) = file.path.strip_prefix("examples/sales-analytics/") {
                write(&project.join(path), &file.text)?;
            }
        }
        let mut variables = emulator.environment.clone();
        let own = [("FEATURE_USE_ROLLBACK", "true"), ("GITHUB_TOKEN", "no-token-of-anybody")];
        variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let scripts = workspace.root.join("deploy").join("github");
        Ok(Self { project, variables, outputs: folder.join("outputs"), scripts })
    }

    /// Runs bash with `arguments`, and nobody's variables.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Ended> {
        self.ended(self.bash(arguments, variables)?.output().context("run bash")?)
    }

    fn bash(&self, arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Command> {
        write(&self.outputs, "")?;
        let mut bash = Command::new("bash");
        bash.args(arguments)
            .current_dir(&self.project)
            .env_clear()
            .env("PATH", path())
            .envs(&self.variables)
            .env("GITHUB_OUTPUT", &self.outputs)
            .env("RUNNER_TEMP", &self.project)
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        Ok(bash)
    }

    fn ended(&self, output: Output) -> anyhow::Result<Ended> {
        Ok(Ended {
            code: output.status.code(),
            outputs: fs::read_to_string(&self.outputs).context("read the outputs")?,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    fn script(&self, name: &str) -> String {
        self.scripts.join(name).display().to_string()
    }

    /// A run that is cancelled in the middle of a deployment. A runner signals the one process that it has started.
    fn interrupted(&self, binary: &Path, emulator: &Emulator) -> anyhow::Result<Vec<String>> {
        let hold = emulator.hold("POST */items", 0, "before")?;
        let binary = binary.display().to_string();
        let variables = [
            ("INPUT_PROGRAM", &*binary),
            ("INPUT_COMMAND", "deploy"),
            ("INPUT_ENVIRONMENT", "dev"),
            ("GITHUB_ACTIONS", "true"),
        ];
        let mut bash = self.bash(&["-c", "exec \"$0\"", &self.script("run.sh")], &variables)?;
        let job = Process::start(bash.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        until("the deployment makes an item", || emulator.is_held(hold))?;
        job.signal("INT")?;
        emulator.release(hold)?;
        let ended = self.ended(job.end().context("wait for the job")?)?;
        let is_back = ended.code == Some(130) && ended.outputs.contains("verdict=rolled_back\n");
        let problem = || {
            let Ended { code, outputs, stderr } = &ended;
            format!("deploy/github: a cancelled job ended with {code:?}, {outputs:?}: {stderr}")
        };
        Ok((!is_back).then(problem).into_iter().collect())
    }

    fn github(&self, binary: &Path) -> anyhow::Result<Vec<String>> {
        let (install, run) = (self.script("install.sh"), self.script("run.sh"));
        let binary = binary.display().to_string();
        let mut problems = Vec::new();
        let mut expect = |what: &str, ended: &Ended, code: i32, output: &str| {
            if ended.code != Some(code) || !ended.outputs.contains(output) {
                let Ended { code: ended, outputs, stderr } = ended;
                problems.push(format!(
                    "deploy/github: {what}: ended with {ended:?}, not {code}; {output:?} is not in {outputs:?}; {stderr}"
                ));
            }
        };

        let installed = self.run(&[&install], &[("INPUT_BINARY", &binary)])?;
        expect("install.sh", &installed, 0, &format!("program={binary}\n"));
        let digits = "0".repeat(64);
        for (what, url, sum) in [
            ("an archive by http", "http://127.0.0.1/a.tar.gz", &*digits),
            ("an archive without a checksum", "https://127.0.0.1/a.tar.gz", ""),
            ("an archive that is not there", "https://127.0.0.1:1/a.tar.gz", &*digits),
        ] {
            let ended =
                self.run(&[&install], &[("INPUT_ARCHIVE_URL", url), ("INPUT_ARCHIVE_SHA256", sum)])?;
            expect(what, &ended, 2, "");
            ensure!(ended.outputs.is_empty(), "{what} was installed: {}", ended.outputs);
        }

        let job = [("INPUT_PROGRAM", &*binary), ("GITHUB_ACTIONS", "true"), ("INPUT_ENVIRONMENT", "dev")];
        let of = |command: &'static str, transaction: &'static str| {
            let mut variables = job.to_vec();
            variables.extend([("INPUT_COMMAND", command), ("INPUT_TRANSACTION", transaction)]);
            self.run(&[&run], &variables)
        };
        expect("plan", &of("plan", "")?, 0, "verdict=planned\n");
        expect("deploy", &of("deploy", "")?, 0, "verdict=committed\n");
        // selvedge.yml deploys nothing then.
        expect("plan, after it", &of("plan", "")?, 0, "changes=0\n");
        expect("list", &of("list", "")?, 0, "");
        for (command, transaction) in
            [("rollback", ""), ("resume", "--help"), ("show", "$(exit 7)"), ("serve", ""), ("", "")]
        {
            // The scripts say so themselves: what they hand on is for the program to judge.
            let ended = of(command, transaction)?;
            let refused = ended.stderr.starts_with("::error title=selvedge::");
            expect(command, &Ended { code: ended.code.filter(|_| refused), ..ended }, 2, "");
        }
        Ok(problems)
    }

    fn azure(&self, binary: &Path, script: &str) -> anyhow::Result<Vec<String>> {
        let binary = binary.display().to_string();
        let tenant = self.variables.get("AZURE_TENANT_ID").context("find the tenant")?;
        let client = self.variables.get("AZURE_CLIENT_ID").context("find the application")?;
        let mut problems = Vec::new();
        for (command, transaction, code, said) in [
            ("plan", "", 0, "variable=changes;isOutput=true]0"),
            ("deploy", "", 0, "variable=verdict;isOutput=true]nothing_to_do"),
            ("list", "", 0, ""),
            ("rollback", "$(exit 7)", 2, "##vso[task.logissue type=error]rollback needs"),
            ("serve", "", 2, "##vso[task.logissue type=error]the command must be"),
        ] {
            let variables = [
                ("COMMAND", command),
                ("TRANSACTION", transaction),
                ("TARGET", "dev"),
                ("CONFIG", ""),
                ("FOLDER", "."),
                ("PROGRAM", &binary),
                ("TF_BUILD", "True"),
                ("AZURESUBSCRIPTION_TENANT_ID", tenant),
                ("AZURESUBSCRIPTION_CLIENT_ID", client),
            ];
            // What the script itself says goes to its output, which agents read as well.
            let ended = self.run(&["-c", &format!("exec 1>&2\n{script}")], &variables)?;
            if ended.code != Some(code) || !ended.stderr.contains(said) {
                let Ended { code: ended, stderr, .. } = ended;
                problems.push(format!(
                    "deploy/azure-pipelines/steps.yml: {command}: ended with {ended:?}, not {code}; no {said:?} in {stderr}"
                ));
            }
        }
        Ok(problems)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one variable that is handed on, and nobody's setting")]
fn path() -> OsString {
    std::env::var_os("PATH").unwrap_or_default()
}
