//! What the durable records of a journal say, as far as the rules ask.

use serde::Deserialize;
use tokio::time::Instant;

/// Type and step of each record, in order, and when the first was there that ends the transaction.
#[derive(Default)]
pub(super) struct Book(Vec<(String, Option<u32>)>, Option<Instant>);

/// What a line is read for.
#[derive(Deserialize)]
struct Line {
    epoch: u32,
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    r#type: String,
    step: Option<u32>,
}

impl Book {
    /// Takes note of a line that is durable. The epoch of its record, where that means one writer: markers are taken off past the end
    /// by whoever finds them.
    pub(super) fn note(&mut self, line: &[u8]) -> Option<u32> {
        let Line { epoch, body } = serde_json::from_slice(line).ok()?;
        let has_one_writer = !(body.r#type == "unmarked" && self.says("end", None));
        if body.r#type == "end" {
            self.1.get_or_insert_with(Instant::now);
        }
        self.0.push((body.r#type, body.step));
        has_one_writer.then_some(epoch)
    }

    /// When the transaction ended.
    pub(super) fn ended(&self) -> Option<Instant> {
        self.1
    }

    /// Whether there is a record of that type, about that step.
    pub(super) fn says(&self, r#type: &str, step: Option<u32>) -> bool {
        self.0.iter().any(|(said, about)| said == r#type && *about == step)
    }

    /// Whether the last record about the step is of that type.
    pub(super) fn last_says(&self, r#type: &str, step: u32) -> bool {
        let last = self.0.iter().rfind(|(_, about)| *about == Some(step));
        last.is_some_and(|(said, _)| said == r#type)
    }
}
