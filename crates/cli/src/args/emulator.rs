//! `selvedge emulator`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use selvedge_fabric_emulator::Chaos;

use crate::settings::duration;

/// Where the emulator listens unless told otherwise.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7333);

/// `selvedge emulator`
#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    /// Where to listen; this machine's loopback addresses only, for the credentials are public
    #[arg(long, value_name = "ADDRESS", default_value_t = DEFAULT_ADDRESS)]
    pub(crate) listen: SocketAddr,
    /// Another port than 7333; 0 for any that is free
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    pub(crate) port: Option<u16>,
    /// A world to start with, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Start without the demo tenant
    #[arg(long)]
    pub(crate) empty: bool,
    /// How many entries a page of a list has; all on one page if left out
    #[arg(long, value_name = "N")]
    pub(crate) page_size: Option<NonZeroUsize>,
    /// How long a long-running operation takes, such as 500ms or 2s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    pub(crate) operation_duration: Duration,
    /// Let faults hit a share of all requests, a tenth unless said otherwise; the same seed hits the same ones
    #[arg(long, value_name = "SEED[,rate=R]")]
    pub(crate) chaos: Option<Chaos>,
}
