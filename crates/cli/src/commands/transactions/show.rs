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
    let found = place.journals.look::<Target>(id).await;
    let running = place.running(&found).await?;
    let report = Report::of(app, &found.state.map_err(unusable)?, running);
    match app.output {
        Format::Text => output::line(&report.text(app))?,
        format => render::result(format, report.as_json())?,
    }
    Ok(exit::DONE)
}
