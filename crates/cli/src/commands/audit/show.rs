//! `selvedge audit show`: the records, for people and programs.

use anyhow::{Context as _, anyhow};
use selvedge_observability::audit::read;
use serde_json::{Map, Value, json};

use crate::args::ShowArgs;
use crate::audit;
use crate::exit;
use crate::output::{self, Format};
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};

/// Shows them, oldest first.
///
/// # Errors
///
/// When the trail cannot be read.
pub(super) fn run(app: &App, args: &ShowArgs) -> anyhow::Result<u8> {
    const TRIED: &str = "show the audit trail";
    let Some(path) = audit::path(app) else {
        return Err(anyhow!("audit.file is empty: none is written").context(ExitWith::usage(TRIED)));
    };
    let found = read(&path, args.since).context(ExitWith::new(exit::FAILED, TRIED))?;
    if found.unreadable > 0 {
        let (lines, verify) = (counted(found.unreadable, "line"), app.command("audit verify"));
        tracing::warn!("{lines} of the audit trail cannot be read; run `{verify}`");
    }
    let format = if args.json && app.output == Format::Text { Format::Json } else { app.output };
    match format {
        Format::Text if found.records.is_empty() => output::line("There are no records.")?,
        Format::Text => found.records.iter().try_for_each(|record| output::line(&row(record)))?,
        Format::Json => render::result(format, json!({ "records": found.records }))?,
        // Each as it stands in the trail.
        Format::Jsonl => {
            found.records.into_iter().try_for_each(|record| output::document(format, record.into()))?
        }
    }
    Ok(exit::DONE)
}

/// One record on one line: when, what, how it ended, what it was about.
fn row(record: &Map<String, Value>) -> String {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let time = text("timestamp").unwrap_or("-");
    let (event, outcome) = (text("event_type").unwrap_or("-"), text("outcome").unwrap_or("-"));
    let step = record.get("step").and_then(Value::as_u64).map(|step| step.to_string()).unwrap_or_default();
    let about = ["change", "item_name", "workspace_name", "product_id", "reason", "command", "previous_file"];
    let about = about.into_iter().find_map(text).unwrap_or_default();
    let id = ["item_id", "folder_id", "connection_id", "user_id", "workspace_id", "deployment_id"]
        .into_iter()
        .find_map(text);
    let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
    let why = text("error_message").map(|why| format!(": {why}")).unwrap_or_default();
    let line = format!("{time}  {event:<22}  {outcome:<12}  {step:>3}  {about}{id}{why}");
    one_line(line.trim_end())
}
