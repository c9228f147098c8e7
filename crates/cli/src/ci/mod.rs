//! What a CI system is told of a run: problems beside the lines they are about, groups, a summary, outputs.
//!
//! Commands go to stderr: stdout is the result, which scripts catch in variables and files, and the runners of both systems read either.
//! `docs/operations/ci.md` says what is written where.

mod commands;
mod summary;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf, absolute},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Error};
use clap::ValueEnum;
use selvedge_deployment::config::{Diagnostic, Severity};
use selvedge_observability::redact::Ci;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    args::{Command, TransactionsAction},
    commands::deploy::prepare::Invalid,
    events, exit,
    output::{self, ReaderGone},
    report,
    settings::of_the_process,
    text,
};

use commands::Issue;

pub(crate) use commands::{end_group, group};

/// The verdict where an error came before any other.
const NOT_BEGUN: &str = "error";

/// Which CI system is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Choice {
    /// The one that runs this, where there is one
    #[default]
    Auto,
    /// GitHub Actions
    Github,
    /// Azure Pipelines
    Azure,
    /// None; secrets are still masked where one runs this
    None,
}

impl Choice {
    /// As in the settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Github => "github",
            Self::Azure => "azure",
            Self::None => "none",
        }
    }

    fn system(self) -> Option<Ci> {
        match self {
            // It concerns the job: the project's `.env` has no say.
            Self::Auto => {
                let names = ["GITHUB_ACTIONS", "TF_BUILD"];
                let values = names.map(|name| (name, of_the_process(name)));
                let find = |name: &str| values.iter().find(|(known, _)| *known == name)?.1.as_deref();
                Ci::detect(find)
            }
            Self::Github => Some(Ci::GitHub),
            Self::Azure => Some(Ci::AzurePipelines),
            Self::None => None,
        }
    }
}

/// How a command ended, for whoever looks at the job's page.
pub(crate) struct Told {
    /// As in `--output json`.
    pub(crate) verdict: &'static str,
    /// The first line of the text.
    pub(crate) headline: String,
    /// What is deployed where: an object.
    pub(crate) about: Value,
    pub(crate) transaction: Option<String>,
    pub(crate) changes: Vec<Row>,
    /// What is left, and why.
    pub(crate) left: Vec<(String, String)>,
    /// What brings it to its end.
    pub(crate) commands: Vec<String>,
}

/// A change of a plan.
pub(crate) struct Row {
    pub(crate) step: u32,
    pub(crate) change: String,
    /// One word for how it stands.
    pub(crate) state: &'static str,
}

/// This run, as a step of a job.
#[derive(Default)]
pub(crate) struct Job(Mutex<State>);

#[derive(Default)]
struct State {
    system: Option<Ci>,
    /// The command whose end is told on the job's page.
    command: Option<&'static str>,
    told: Option<Told>,
}

impl Job {
    /// Of one command line. The settings may still [choose](Self::choose) otherwise.
    pub(crate) fn new(choice: Option<Choice>, command: &Command) -> Self {
        let system = choice.unwrap_or_default().system();
        Self(Mutex::new(State { system, command: whose_end_is_told(command), told: None }))
    }

    /// What the settings say, the command line above them.
    pub(crate) fn choose(&self, choice: Choice) {
        self.state().system = choice.system();
    }

    /// The system that is told, where one is.
    pub(crate) fn system(&self) -> Option<Ci> {
        self.state().system
    }

    /// Notes how the command ended, for [`Self::finish`].
    pub(crate) fn tell(&self, told: Told) {
        self.state().told = Some(told);
    }

    /// Puts a problem of a configuration on the list, beside its line.
    pub(crate) fn problem(&self, problem: &Diagnostic) {
        if let Some(system) = self.system() {
            tell_problem(system, problem);
        }
    }

    /// Says how the run ended: the error, the summary, the outputs.
    pub(crate) fn finish(&self, error: Option<&Error>, code: u8) {
        let State { system, command, told } = std::mem::take(&mut *self.state());
        let Some(system) = system else { return };
        let error = error.filter(|error| !error.is::<ReaderGone>());
        if let Some(error) = error {
            tell_error(system, error, code);
        }
        let Some(command) = command.filter(|_| told.is_some() || error.is_some()) else { return };
        let why = error.map(report::causes);
        let help = error.and_then(report::help);
        let page = summary::markdown(command, told.as_ref(), why.as_deref(), help, code);
        let written = tell_summary(system, command, &page);
        if let Err(error) = written.and_then(|()| tell_outputs(system, told.as_ref(), code)) {
            events::ci_untold(&error);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a command that ends with a verdict. What only shows something has nothing to say there.
fn whose_end_is_told(command: &Command) -> Option<&'static str> {
    match command {
        Command::Deploy(_) => Some("deploy"),
        Command::Plan(_) => Some("plan"),
        Command::Transactions(args) => match args.action {
            TransactionsAction::Rollback(_) => Some("transactions rollback"),
            TransactionsAction::Resume(_) => Some("transactions resume"),
            TransactionsAction::Abandon(_) => Some("transactions abandon"),
            _ => None,
        },
        _ => None,
    }
}

fn tell_problem(system: Ci, problem: &Diagnostic) {
    let Diagnostic { severity, at, message, help } = problem;
    let file = text::one_line(&told_path(system, &at.file));
    let key = if at.key.is_empty() { String::new() } else { format!("{}: ", at.key) };
    let help = help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let is_error = *severity == Severity::Error;
    let issue = Issue {
        is_error,
        title: "selvedge: configuration",
        file: Some(&file),
        line: at.line,
        column: at.column,
        code: is_error.then_some(exit::USAGE),
        message: &text::lines(&format!("{key}{message}{help}")),
    };
    write(&commands::issue(system, &issue));
}

/// Of a configuration each problem by itself; the error as a whole says nothing more.
fn tell_error(system: Ci, error: &Error, code: u8) {
    if let Some(invalid) = error.chain().find_map(|cause| cause.downcast_ref::<Invalid>()) {
        invalid.problems.iter().for_each(|problem| tell_problem(system, problem));
        return;
    }
    let mut message = report::causes(error);
    if let Some(help) = report::help(error) {
        message.push_str(&format!("\n{}", text::lines(help)));
    }
    let issue = Issue {
        is_error: true,
        title: "selvedge",
        file: None,
        line: None,
        column: None,
        code: Some(code),
        message: &message,
    };
    write(&commands::issue(system, &issue));
}

/// A command, alone on its line.
fn write(command: &str) {
    // Where stderr is closed there is nobody to tell; the exit code still says how it ended.
    drop(output::stderr().write_all(format!("{command}\n").as_bytes()));
}

/// GitHub looks for files from the root of the repository, Azure Pipelines takes whole paths.
fn told_path(system: Ci, file: &Path) -> String {
    let whole = absolute(file).unwrap_or_else(|_| file.to_owned());
    let root = of_the_process("GITHUB_WORKSPACE").filter(|_| system == Ci::GitHub).map(PathBuf::from);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let within = root.and_then(|root| Some(real(&whole).strip_prefix(real(&root)).ok()?.to_owned()));
    within.unwrap_or(whole).display().to_string()
}

fn tell_summary(system: Ci, command: &str, page: &str) -> anyhow::Result<()> {
    let variable = match system {
        Ci::GitHub => "GITHUB_STEP_SUMMARY",
        Ci::AzurePipelines => "AGENT_TEMPDIRECTORY",
    };
    let Some(place) = of_the_process(variable) else {
        tracing::debug!("There is no {variable}, and so no summary");
        return Ok(());
    };
    match system {
        Ci::GitHub => append(&place, page),
        Ci::AzurePipelines => {
            // The agent reads it when it has read the command, and empties the folder after the job.
            let name = format!("selvedge-{}-{}.md", command.replace(' ', "-"), uuid::Uuid::now_v7());
            let path = Path::new(&place).join(name);
            fs::write(&path, page).with_context(|| format!("write {}", path.display()))?;
            write(&commands::upload_summary(&path.display().to_string()));
            Ok(())
        }
    }
}

fn tell_outputs(system: Ci, told: Option<&Told>, code: u8) -> anyhow::Result<()> {
    let known = |value: Option<String>| value.unwrap_or_default();
    let values = [
        ("verdict", told.map_or(NOT_BEGUN, |told| told.verdict).to_owned()),
        ("transaction", known(told.and_then(|told| told.transaction.clone()))),
        ("exit-code", code.to_string()),
        ("changes", known(told.map(|told| told.changes.len().to_string()))),
    ];
    let values = values.map(|(name, value)| (name, text::one_line(&value)));
    match system {
        Ci::GitHub => {
            let Some(path) = of_the_process("GITHUB_OUTPUT") else {
                tracing::debug!("There is no GITHUB_OUTPUT, and so no outputs");
                return Ok(());
            };
            append(&path, &values.map(|(name, value)| commands::output_line(name, &value)).concat())
        }
        Ci::AzurePipelines => {
            values.iter().for_each(|(name, value)| write(&commands::output_variable(name, value)));
            Ok(())
        }
    }
}

fn append(path: &str, what: &str) -> anyhow::Result<()> {
    let file = fs::OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(what.as_bytes())).with_context(|| format!("write {path}"))
}
