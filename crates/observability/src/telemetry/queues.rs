//! What waits to be sent, and what became of it.

use crate::redact::Redactor;
use opentelemetry::{KeyValue, StringValue, Value, trace::Status};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchSpanProcessor, SpanData, SpanExporter, SpanProcessor as _},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How many were handed over, and how many of them arrived.
#[derive(Debug, Default)]
pub(super) struct Count {
    given: AtomicU64,
    arrived: AtomicU64,
}

impl Count {
    /// How many did not arrive, or have not yet.
    pub(super) fn missing(&self) -> u64 {
        self.given.load(Ordering::Relaxed).saturating_sub(self.arrived.load(Ordering::Relaxed))
    }
}

/// Spans on their way to each place that wants them. Full, it drops them.
#[derive(Debug, Default)]
pub(super) struct SpanQueue {
    places: Vec<BatchSpanProcessor>,
    count: Arc<Count>,
}

impl SpanQueue {
    /// One more place.
    pub(super) fn add(&mut self, place: BatchSpanProcessor) {
        self.places.push(place);
    }

    pub(super) fn count(&self) -> &Arc<Count> {
        &self.count
    }

    pub(super) fn push(&self, span: SpanData) {
        self.count.given.fetch_add(self.places.len() as u64, Ordering::Relaxed);
        if let Some((last, others)) = self.places.split_last() {
            others.iter().for_each(|place| place.on_end(span.clone()));
            last.on_end(span);
        }
    }

    /// Sends what waits, and takes nothing any more.
    pub(super) fn shut_down(&self, within: Duration) {
        for place in &self.places {
            // Whoever does not answer in time has lost what waited, which is counted.
            drop(place.shutdown_with_timeout(within));
        }
    }
}

/// Takes secrets out of spans, where they are sent: not where somebody works on something else.
#[derive(Debug)]
pub(super) struct Scrubbed<E> {
    pub(super) exporter: E,
    pub(super) redactor: Redactor,
    pub(super) count: Arc<Count>,
}

impl<E: SpanExporter> SpanExporter for Scrubbed<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        for span in &mut batch {
            self.scrub(span);
        }
        self.exporter.export(batch).await?;
        self.count.arrived.fetch_add(spans, Ordering::Relaxed);
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E> Scrubbed<E> {
    fn scrub(&self, span: &mut SpanData) {
        let scrubbed = |text: &str| self.redactor.redact(text).to_string();
        span.name = scrubbed(&span.name).into();
        for KeyValue { value, .. } in &mut span.attributes {
            if let Value::String(text) = value {
                *text = StringValue::from(scrubbed(text.as_str()));
            }
        }
        if let Status::Error { description } = &mut span.status {
            *description = scrubbed(description).into();
        }
    }
}
