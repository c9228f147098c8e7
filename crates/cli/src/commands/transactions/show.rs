//! `selvedge transactions show`: one transaction, change by change.

use selvedge_rollback::TransactionId;

use super::report::Report;
use super::unusable;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::run::App;

/// Shows it.
///
/// # Errors
///
/// When it cannot be read.
pub(super) async fn run(app: &App, place: &Place, id: TransactionId) -> anyhow::Result<u8> {
    let found = place.journals.summary::<Target>(id).await;
    let report = Report::read(app, place, &found).await?;
    // What a list tells among others is a failure here.
    found.state.map_err(unusable)?;
    match app.output {
        Format::Text => output::line(&report.text(app))?,
        format => render::result(format, report.as_json())?,
    }
    Ok(exit::DONE)
}
