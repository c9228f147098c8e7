//! Events and results for programs.

use selvedge_deployment::change::Change;
use selvedge_deployment::config::Diagnostic;
use selvedge_rollback::{Event, Step, Undone, describe};
use serde_json::{Value, json};

use crate::output;

/// Writes one JSON object a line to stdout.
pub(crate) struct Jsonl;

impl Jsonl {
    pub(super) fn warn(&self, warning: &Diagnostic) {
        emit(json!({ "event": "warning", "warning": warning }));
    }

    pub(super) fn on(&self, event: &Event<'_, Change>) {
        emit(match event {
            Event::Started(step) => about("started", step, json!({})),
            Event::Accepted(step) => about("accepted", step, json!({})),
            Event::InDoubt { step, error } => about("in_doubt", step, json!({ "error": describe(*error) })),
            Event::Resending { step, attempt, delay } => {
                about("resending", step, json!({ "attempt": attempt, "delay_seconds": delay.as_secs_f64() }))
            }
            Event::ReadingAgain { step, attempt, delay, error } => {
                let delay = delay.as_secs_f64();
                let more = json!({ "attempt": attempt, "delay_seconds": delay, "error": describe(*error) });
                about("reading_again", step, more)
            }
            Event::InFlight { step, most } => {
                about("in_flight", step, json!({ "most_seconds": most.as_secs_f64() }))
            }
            Event::UndoInFlight { step, most } => {
                about("undo_in_flight", step, json!({ "most_seconds": most.as_secs_f64() }))
            }
            Event::KeepsPlace { step, most } => {
                about("keeps_place", step, json!({ "most_seconds": most.as_secs_f64() }))
            }
            Event::Done { step, adopted } => about("done", step, json!({ "adopted": adopted })),
            Event::Failed { step, error } => about("failed", step, json!({ "error": describe(*error) })),
            Event::Halted(step) => about("halted", step, json!({})),
            Event::RollingBack { id, reason } => {
                json!({ "event": "rolling_back", "transaction": id.to_string(), "reason": reason })
            }
            Event::Undoing(step) => about("undoing", step, json!({})),
            Event::Undone { step, how } => {
                let (how, found) = match how {
                    Undone::Reversed => ("reversed", None),
                    Undone::Recycled(trace) => ("recycled", Some(trace)),
                    Undone::AlreadyGone => ("already_gone", None),
                    Undone::Kept(found) => ("kept", Some(found)),
                };
                about("undone", step, json!({ "how": how, "found": found }))
            }
            Event::UndoFailed { step, reason } => about("undo_failed", step, json!({ "reason": reason })),
            Event::StillMarked { step, reason } => {
                json!({ "event": "still_marked", "step": step.number(), "reason": reason })
            }
            _ => return,
        });
    }
}

fn about(event: &str, step: &Step<Change>, more: Value) -> Value {
    let mut object = json!({ "event": event, "step": step.id.number(), "change": step.change.to_string() });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}

fn emit(event: Value) {
    // A reader that has left does not stop a deployment; the exit code still tells how it ended.
    drop(output::document(output::Format::Jsonl, event));
}

/// The last line of `--output jsonl`, and the whole of `--output json`.
pub(crate) fn result(format: output::Format, mut value: Value) -> anyhow::Result<()> {
    if let (output::Format::Jsonl, Value::Object(object)) = (format, &mut value) {
        object.shift_insert(0, "event".to_owned(), Value::from("result"));
    }
    output::document(format, value)
}
