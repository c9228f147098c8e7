//! `selvedge serve`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;

use crate::settings::duration;

/// `selvedge serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen for http; port 0 is any that is free. Other machines reach it only where an address of this one is given that
    /// they can reach
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// How long what a check has found is taken for true, such as 10s: nothing is asked more often
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration::parse)]
    pub(crate) interval: Duration,
    /// The project's folder, whose settings and journals count; without it, the one that this folder belongs to
    #[arg(long, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

/// Reads an address to listen on. No host name: it may stand for several addresses.
///
/// # Errors
/// It is none, or has no port.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "expected an address and a port such as `127.0.0.1:8080` or `[::1]:8080`; port 0 is any that is free")
}
