//! The journal and what it says, shared by the steps that run at the same time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::{Journal, JournalError, Store};
use crate::record::Body;
use crate::{State, Target};

/// The journal and what it says. Records are written one after the other, whole, in the order in which they took effect.
pub(super) struct Ledger<T: Target, S> {
    /// Held while a record is written. Who waits for it must not keep another from being polled.
    pen: tokio::sync::Mutex<Pen<S>>,
    /// What the records amount to, the one being written included. Held for a moment only, never while something is waited for.
    state: Arc<Mutex<State<T>>>,
}

/// What the journal of a [`Transaction`](super::Transaction) says, while it runs and after it has.
pub struct View<T: Target>(Arc<Mutex<State<T>>>);

impl<T: Target> View<T> {
    /// What `look` makes of it, as things stand. It must not block: no record is written meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&State<T>) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Pen<S> {
    journal: Journal<S>,
    /// A record may have been written in part: nothing may follow it.
    broken: bool,
}

impl<T: Target, S: Store> Ledger<T, S> {
    pub(super) fn new(journal: Journal<S>, state: State<T>) -> Self {
        Self {
            pen: tokio::sync::Mutex::new(Pen { journal, broken: false }),
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn view(&self) -> View<T> {
        View(Arc::clone(&self.state))
    }

    /// What the records amount to. Not to be held while anything is waited for.
    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a record and takes note of it, if `still` says so when its turn comes. `false`: it was not written.
    ///
    /// Checked first: a record that could not be read back is never written.
    pub(super) async fn log_if(
        &self,
        body: Body<T>,
        still: impl FnOnce(&State<T>) -> bool,
    ) -> Result<bool, JournalError> {
        let mut pen = self.pen.lock().await;
        if pen.broken {
            let (line, _) = pen.journal.encode(body)?;
            return Err(pen.journal.refuse(line).await);
        }
        let line = {
            let mut state = self.state();
            if !still(&state) {
                return Ok(false);
            }
            let (line, body) = pen.journal.encode(body)?;
            let skipped = cfg!(selvedge_bug = "skips-intent") && matches!(body, Body::Intent { .. });
            state.apply(body).map_err(|source| JournalError::Illegal { source })?;
            if skipped {
                return Ok(true);
            }
            line
        };
        // Also where this future is dropped halfway.
        pen.broken = true;
        pen.journal.append(line).await?;
        pen.broken = false;
        Ok(true)
    }
}
