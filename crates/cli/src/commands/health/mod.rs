//! `selvedge health`: how one workspace is, in the report of the predecessor's `health_check_fabric.py`. It changes nothing.
//!
//! Keys and words are the predecessor's, for its readers. What it made up is looked at here, or said not to be known.

mod look;
mod report;
mod text;

use anyhow::Context as _;

use crate::args::{HealthArgs, ReportFormat};
use crate::exit;
use crate::output::{self, Format};
use crate::redaction::redactor;
use crate::report::ExitWith;
use crate::run::App;
use report::Report;

/// Looks, and tells. Where something is critical the exit code is 1, and 4 where nobody let us look; the report is written before.
///
/// # Errors
///
/// The report cannot be written.
pub(crate) async fn run(app: &App, args: &HealthArgs) -> anyhow::Result<u8> {
    let mut report = Report::new(&args.workspace, &args.environment);
    let code = match look::look(app, &args.workspace, &mut report).await {
        _ if !report.is_critical() => exit::DONE,
        Ok(()) => exit::FAILED,
        Err(code) => code,
    };
    output::coded(write(&report, args), code)
}

fn write(report: &Report, args: &HealthArgs) -> anyhow::Result<()> {
    let mut document = report.as_json();
    match (&args.output_file, args.output_format) {
        (None, ReportFormat::Json) => output::document(Format::Json, document),
        (None, ReportFormat::Text) => output::line(&text::of(&document)),
        (Some(path), format) => {
            let text = match format {
                ReportFormat::Json => {
                    redactor().redact_json(&mut document);
                    format!("{document:#}\n")
                }
                ReportFormat::Text => redactor().redact(&format!("{}\n", text::of(&document))).into_owned(),
            };
            std::fs::write(path, text)
                .with_context(|| ExitWith::usage(format!("write the report to {}", path.display())))
        }
    }
}
