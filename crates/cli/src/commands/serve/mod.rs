//! `selvedge serve`: health endpoints, metrics and a status page over http, until it is told to stop.

mod answer;
mod checks;
mod ledger;
mod server;
mod status;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::net::TcpListener;

use crate::args::ServeArgs;
use crate::exit;
use crate::output::{self, Format};
use crate::report::ExitWith;
use crate::run::{App, runtime};
use crate::signal;
use status::Watch;

/// So long the end waits for what still runs: a file system that hangs must not keep the process.
const END: Duration = Duration::from_millis(500);

/// Serves until SIGINT, SIGTERM or SIGHUP; requests under way are answered.
///
/// # Errors
///
/// The address cannot be listened on, or the listener breaks.
pub(crate) fn run(app: App, args: &ServeArgs) -> anyhow::Result<u8> {
    let app = Arc::new(app);
    let runtime = runtime()?;
    let ended = runtime.block_on(serve(&app, args));
    runtime.shutdown_timeout(END);
    ended
}

async fn serve(app: &Arc<App>, args: &ServeArgs) -> anyhow::Result<u8> {
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        ExitWith::usage(format!("listen on {}", args.listen))
            .help("choose another port; 0 takes any that is free")
    })?;
    let at = listener.local_addr().context("read the address listened on")?;
    // Before the line that says so: whoever waits for it may send a signal at once.
    let stop = signal::stop().context("listen to signals")?;
    let url = format!("http://{at}");
    output::exactly(&match app.output {
        Format::Text => format!("Health and status of this project are at {url} until Ctrl-C."),
        Format::Json | Format::Jsonl => json!({ "ready": true, "url": url }).to_string(),
    })?;
    if !app.flags.health_checks.on {
        tracing::warn!("FEATURE_USE_HEALTH_CHECKS is off: every answer is that nothing is checked");
    }
    let watch = Arc::new(Watch::new(app, args.interval));
    let handler = move |request| answer::answer(Arc::clone(&watch), request);
    server::serve(listener, handler, stop).await.context("serve health")?;
    Ok(exit::DONE)
}
