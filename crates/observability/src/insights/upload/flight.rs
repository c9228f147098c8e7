//! Items on their way, and what is kept of them between two exports.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;
use url::Url;

use super::Uploader;

/// The most items and bytes of one request.
const REQUEST: Size = Size { items: 1000, bytes: 2 << 20 };
/// The most items and bytes that are kept for the next export.
const KEPT: Size = Size { items: 2048, bytes: 4 << 20 };

#[derive(Clone, Copy)]
struct Size {
    items: usize,
    bytes: usize,
}

/// An item on its way.
pub(super) struct Line {
    pub(super) json: String,
    /// It was sent before, in vain: not a third time.
    again: bool,
}

/// What is known between two exports.
pub(super) struct State {
    /// Where ingestion is.
    pub(super) endpoint: Url,
    paused_until: Option<Instant>,
    kept: VecDeque<Line>,
    kept_bytes: usize,
}

/// What an export has in its hands. When it ends, by an answer or because its caller gives up, what has no answer is kept.
pub(super) struct Flight<'u> {
    uploader: &'u Uploader,
    /// Sent, not answered.
    pub(super) sent: Vec<Line>,
    /// Not sent yet.
    pub(super) waiting: VecDeque<Line>,
}

// ===== impl State =====

impl State {
    pub(super) fn new(endpoint: Url) -> Self {
        Self { endpoint, paused_until: None, kept: VecDeque::new(), kept_bytes: 0 }
    }

    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_until.is_some_and(|until| Instant::now() < until)
    }

    /// Lengthens the pause, never shortens it.
    pub(super) fn pause(&mut self, pause: Duration) {
        self.paused_until = self.paused_until.max(Some(Instant::now() + pause));
    }

    /// Takes what was kept, and what is new after it.
    pub(super) fn take(&mut self, new: Vec<String>) -> VecDeque<Line> {
        self.kept_bytes = 0;
        let mut lines = std::mem::take(&mut self.kept);
        lines.extend(new.into_iter().map(|json| Line { json, again: false }));
        lines
    }

    /// Keeps an item, if there is room.
    fn keep(&mut self, line: Line) -> bool {
        let bytes = self.kept_bytes + line.json.len();
        let fits = self.kept.len() < KEPT.items && bytes <= KEPT.bytes;
        if fits {
            self.kept_bytes = bytes;
            self.kept.push_back(line);
        }
        fits
    }
}

// ===== impl Flight =====

impl<'u> Flight<'u> {
    pub(super) fn new(uploader: &'u Uploader, waiting: VecDeque<Line>) -> Self {
        Self { uploader, sent: Vec::new(), waiting }
    }

    /// Takes the next request's items; whether there are any.
    pub(super) fn fill(&mut self) -> bool {
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            bytes += next.json.len() + 1;
            let full = self.sent.len() >= REQUEST.items || bytes > REQUEST.bytes;
            if full && !self.sent.is_empty() {
                break;
            }
            self.sent.extend(self.waiting.pop_front());
        }
        !self.sent.is_empty()
    }

    /// What was sent was in vain: it is kept, but for what was in vain before.
    pub(super) fn keep(&mut self, pause: Option<Duration>) {
        let mut state = self.uploader.state();
        if let Some(pause) = pause {
            state.pause(pause);
        }
        let lost = self.sent.drain(..).filter_map(|line| {
            let kept = !line.again && state.keep(Line { again: true, ..line });
            (!kept).then_some(())
        });
        self.uploader.drop_items(lost.count());
    }

    /// What was sent is lost.
    pub(super) fn lose(&mut self) {
        self.uploader.drop_items(self.sent.drain(..).count());
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.keep(None);
        let mut state = self.uploader.state();
        let lost = self.waiting.drain(..).filter_map(|line| (!state.keep(line)).then_some(()));
        self.uploader.drop_items(lost.count());
    }
}
