//! What [`tokio::sync::Semaphore`] promises, on a lock that loom knows, so that loom explores how the gate uses it.
//!
//! The promises are: first come, first served; a permit given back goes to the longest waiting, even before that one is
//! polled; only permits that nobody has or was handed can be forgotten; who stops waiting gives back what it was handed.
//! Tokio proves its own semaphore by models of its own.

use super::Mutex;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

#[derive(Debug)]
pub(crate) struct Semaphore(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    free: usize,
    /// Who waits, longest first.
    queue: VecDeque<(usize, Waker)>,
    /// Who was handed a permit and has not taken it yet.
    handed: Vec<usize>,
    next: usize,
}

#[derive(Debug)]
pub(crate) struct OwnedSemaphorePermit(Option<Arc<Semaphore>>);

/// The place in the queue of one who waits.
struct Acquire {
    semaphore: Arc<Semaphore>,
    ticket: Option<usize>,
}

impl Semaphore {
    pub(crate) fn new(permits: usize) -> Self {
        Self(Mutex::new(Inner { free: permits, queue: VecDeque::new(), handed: Vec::new(), next: 0 }))
    }

    pub(crate) fn available_permits(&self) -> usize {
        self.0.lock().free
    }

    /// An error is what closing leads to; this one is never closed.
    pub(crate) async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, ()> {
        Ok(Acquire { semaphore: self, ticket: None }.await)
    }

    /// An error is that none is free.
    pub(crate) fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, ()> {
        let mut inner = self.0.lock();
        inner.free = inner.free.checked_sub(1).ok_or(())?;
        drop(inner);
        Ok(OwnedSemaphorePermit(Some(self)))
    }

    pub(crate) fn add_permits(&self, permits: usize) {
        let mut inner = self.0.lock();
        let mut woken = Vec::new();
        for _ in 0..permits {
            match inner.queue.pop_front() {
                Some((ticket, waker)) => {
                    inner.handed.push(ticket);
                    woken.push(waker);
                }
                None => inner.free += 1,
            }
        }
        drop(inner);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn forget_permits(&self, permits: usize) -> usize {
        let mut inner = self.0.lock();
        let forgotten = inner.free.min(permits);
        inner.free -= forgotten;
        forgotten
    }
}

impl OwnedSemaphorePermit {
    pub(crate) fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        if let Some(semaphore) = &self.0 {
            semaphore.add_permits(1);
        }
    }
}

impl Future for Acquire {
    type Output = OwnedSemaphorePermit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OwnedSemaphorePermit> {
        let semaphore = Arc::clone(&self.semaphore);
        let mut inner = semaphore.0.lock();
        let has_one = match self.ticket {
            None if inner.free > 0 => {
                inner.free -= 1;
                true
            }
            None => {
                self.ticket = Some(inner.next);
                let ticket = inner.next;
                inner.queue.push_back((ticket, cx.waker().clone()));
                inner.next += 1;
                false
            }
            Some(ticket) => {
                for (_, waker) in inner.queue.iter_mut().filter(|(waiting, _)| *waiting == ticket) {
                    waker.clone_from(cx.waker());
                }
                let handed = inner.handed.iter().position(|handed| *handed == ticket);
                handed.map(|at| inner.handed.swap_remove(at)).is_some()
            }
        };
        drop(inner);
        if has_one {
            self.ticket = None;
            Poll::Ready(OwnedSemaphorePermit(Some(semaphore)))
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut inner = self.semaphore.0.lock();
        inner.queue.retain(|(waiting, _)| *waiting != ticket);
        let handed = inner.handed.iter().position(|handed| *handed == ticket);
        let handed = handed.map(|at| inner.handed.swap_remove(at));
        drop(inner);
        if handed.is_some() {
            self.semaphore.add_permits(1);
        }
    }
}
