//! `selvedge audit verify`: whether anything was changed, left out or put in.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use selvedge_observability::audit::{Problem, Report, verify};
use serde_json::{Value, json};

use crate::args::VerifyArgs;
use crate::audit;
use crate::exit;
use crate::output::{self, Format};
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

/// What was to be done.
const TRIED: &str = "verify the audit trail";

/// Checks the trail.
///
/// # Errors
///
/// When it cannot be read, or is not intact; then each line that does not follow is named.
pub(super) fn run(app: &App, args: &VerifyArgs) -> anyhow::Result<u8> {
    let Some(path) = args.file.clone().or_else(|| audit::path(app)) else {
        return Err(anyhow!("audit.file is empty: none is written").context(ExitWith::usage(TRIED)));
    };
    if args.file.is_some() && !path.is_file() {
        let problem = anyhow!("{} is no file", path.display());
        return Err(problem.context(ExitWith::usage(TRIED)));
    }
    let report = verify(&path).context(ExitWith::new(exit::FAILED, TRIED))?;
    match app.output {
        Format::Text => output::line(&text(&report, &path))?,
        format => render::result(format, document(&report, &path))?,
    }
    if report.is_intact() {
        return Ok(exit::DONE);
    }
    let mut told: Vec<_> = report.problems.iter().map(named).collect();
    told.extend((report.more_problems > 0).then(|| format!("and {} more", report.more_problems)));
    let help = "compare with a copy of the trail; what was changed in Fabric stands in the journals, too";
    Err(anyhow!(told.join("\n")).context(ExitWith::new(exit::FAILED, TRIED).help(help)))
}

fn named(problem: &Problem) -> String {
    let Problem { path, line, problem } = problem;
    format!("{}:{line}: {problem}", path.display())
}

fn text(report: &Report, path: &Path) -> String {
    let mut lines = vec![match (report.files.is_empty(), report.is_intact()) {
        (true, _) => format!("There is no audit trail yet: {}", path.display()),
        (_, true) => {
            let files = counted(report.files.len(), "file");
            format!("Intact: {} in {files}", counted(report.records(), "record"))
        }
        (_, false) => {
            let problems = report.problems.len() + report.more_problems;
            format!("Changed: {} of {}", counted(problems, "problem"), counted(report.records(), "record"))
        }
    }];
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(report.last_chain.iter().map(|hash| format!("last hash: {hash}")));
    lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n")
}

fn document(report: &Report, path: &Path) -> Value {
    let shown = |path: &Path| path.display().to_string();
    let files: Vec<_> = report
        .files
        .iter()
        .map(|file| json!({ "file": shown(&file.path), "records": file.records }))
        .collect();
    let problems: Vec<_> = report
        .problems
        .iter()
        .map(|Problem { path, line, problem }| {
            json!({ "file": shown(path), "line": line, "problem": problem })
        })
        .collect();
    json!({
        "file": shown(path),
        "intact": report.is_intact(),
        "records": report.records(),
        "files": files,
        "notes": report.notes,
        "problems": problems,
        "more_problems": report.more_problems,
        "last_chain": report.last_chain,
    })
}
