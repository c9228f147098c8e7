//! `selvedge transactions list`: every transaction, and how it stands.

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::json;

use super::report::Report;
use super::unusable;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::run::App;
use crate::text::one_line;

/// How many leases are looked at at once.
const AT_ONCE: usize = 8;

/// Lists them, oldest first.
///
/// # Errors
///
/// When the place cannot be read. A transaction that cannot be read is listed with the reason.
pub(super) async fn run(app: &App, place: &Place) -> anyhow::Result<u8> {
    let found = place.journals.list::<Target>().await.map_err(unusable)?;
    let reports = futures_util::stream::iter(&found).map(async |found| Report::read(app, place, found).await);
    let reports: Vec<_> = reports.buffered(AT_ONCE).try_collect().await?;
    if app.output != Format::Text {
        render::result(app.output, json!({ "transactions": reports }))?;
        return Ok(exit::DONE);
    }
    if reports.is_empty() {
        output::line("There are no transactions.")?;
    }
    for report in reports {
        let what = report.subject.as_deref().or(report.reason.as_deref()).unwrap_or_default();
        let line = format!("{}  {:<19}  {what}", report.transaction, report.state_words());
        output::line(&one_line(&line))?;
    }
    Ok(exit::DONE)
}
