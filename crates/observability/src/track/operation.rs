//! What takes time and may fail.

use std::{error::Error, future::Future};

use tracing::{Instrument as _, Span};

use super::{Causes, Properties, Property, kind};
use crate::events;

/// An operation that is under way. Its time is that from [`track_operation`] until it has ended; where it is dropped before anything was
/// said of how it ended, as by `?` or by a future that nobody waits for any more, it counts as broken off, and as failed.
#[derive(Debug)]
#[must_use = "an operation that is dropped is told as one that was broken off"]
pub struct Operation {
    span: Span,
    is_over: bool,
}

/// Begins an operation called `name`, in the one that this happens in.
pub fn track_operation(name: &'static str) -> Operation {
    Operation { span: events::operation(name), is_over: false }
}

impl Operation {
    /// With these properties, which are told once.
    pub fn with(self, properties: &[(&'static str, Property<'_>)]) -> Self {
        if !properties.is_empty() {
            events::operation_has(&self.span, Properties(properties));
        }
        self
    }

    /// The operation is what `work` does, and ends as it does: an error is told as an exception and handed on.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub fn scope<T, E: Error>(self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let ended = self.span.in_scope(work);
        self.end(ended)
    }

    /// The same for a future.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub async fn run<T, E: Error>(self, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let ended = work.instrument(self.span.clone()).await;
        self.end(ended)
    }

    /// The span, for what is no function and no future: what happens [within it](Span::enter) is part of the operation.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// It has ended well.
    pub fn succeed(mut self) {
        self.is_over = true;
    }

    /// It has failed, which is told as an exception as [`track_exception`](super::track_exception) does.
    pub fn fail<E: Error + ?Sized>(mut self, error: &E) {
        self.is_over = true;
        events::operation_failed(&self.span, kind::<E>());
        self.span.in_scope(|| events::raised(kind::<E>(), &Causes(error), Properties(&[])));
    }

    fn end<T, E: Error>(self, ended: Result<T, E>) -> Result<T, E> {
        match &ended {
            Ok(_) => self.succeed(),
            Err(error) => self.fail(error),
        }
        ended
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.is_over {
            events::operation_failed(&self.span, "broken_off");
        }
    }
}
