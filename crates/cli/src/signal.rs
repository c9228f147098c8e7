//! The signals that ask the program to stop.

use std::io;

/// Resolves on the first SIGINT, SIGTERM or SIGHUP after this call (Ctrl-C where there are no signals).
///
/// # Errors
/// The handlers cannot be installed.
#[cfg(unix)]
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A terminal that was closed, a connection that was lost.
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Resolves on the first SIGINT or SIGTERM after this call (Ctrl-C where there are no signals).
///
/// # Errors
/// The handlers cannot be installed.
#[cfg(not(unix))]
pub(crate) fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
