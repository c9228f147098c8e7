//! `selvedge emulator`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use clap::Args;
use selvedge_fabric_emulator::Chaos;

use crate::settings::duration;

/// Where the emulator listens unless told otherwise.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7333);

/// `selvedge emulator`
#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    /// Where to listen for http, 127.0.0.1:7333 unless --https is given; may be repeated.
    /// This machine's loopback addresses only, for the credentials are public
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Another port than 7333 for http; 0 for any that is free
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    pub(crate) port: Option<u16>,
    /// Where to listen for https, such as 127.0.0.1:7443; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) https: Vec<SocketAddr>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    /// A world to start with, as YAML or JSON
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

/// How the server proves who it is. A new authority for each run unless told otherwise.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// Keep the certificate authority for https in this folder, so that clients have to be told once
    #[arg(long, value_name = "DIR", requires = "https", conflicts_with = "cert")]
    pub(crate) ca_dir: Option<PathBuf>,
    /// Write the authority's certificate to this file, as PEM, for clients to trust
    #[arg(long, value_name = "FILE", requires = "https", conflicts_with = "cert")]
    pub(crate) ca_out: Option<PathBuf>,
    /// Use this certificate for https, as PEM, instead of one of the emulator's own
    #[arg(long, value_name = "FILE", requires_all = ["https", "key"])]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert, as PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

impl EmulatorArgs {
    /// Where to listen for http.
    pub(crate) fn http(&self) -> Vec<SocketAddr> {
        let mut address = DEFAULT_ADDRESS;
        address.set_port(self.port.unwrap_or(address.port()));
        match &self.listen[..] {
            [] if self.port.is_some() || self.https.is_empty() => vec![address],
            given => given.to_vec(),
        }
    }
}
