//! `selvedge emulator`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    time::Duration,
};

use clap::{ArgAction, Args, ValueEnum};
use selvedge_fabric_emulator::{Chaos, Config, LongRunning, Quotas};

use crate::settings::duration;

/// Where the emulator listens unless told otherwise.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7333);

/// Where it listens for https when nobody says where.
const HTTPS_ADDRESS: &str = "127.0.0.1:7443";

/// `selvedge emulator`
#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    /// Where to listen for http, 127.0.0.1:7333 unless --https is given; may be repeated.
    /// This machine's loopback addresses only, for the credentials are public
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) listen: Vec<SocketAddr>,
    /// Another port than 7333 for http; 0 for any that is free
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    pub(crate) port: Option<u16>,
    /// Where to listen for https, 127.0.0.1:7443 without a value; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = address, num_args = 0..=1, default_missing_value = HTTPS_ADDRESS)]
    pub(crate) https: Vec<SocketAddr>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    /// A world to start with, as YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Start without the demo tenant
    #[arg(long)]
    pub(crate) empty: bool,
    /// Keep the tenant in this file: it is what the emulator starts with once there is one, whatever --seed and --empty
    /// say, and is written when the emulator stops. It has the tenant's secrets in it
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    /// Write each request that is over to this file, as a line of JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) request_log: Option<PathBuf>,
    /// Stop when standard input ends, as it does when whoever started the emulator and holds the other end of the pipe
    /// is gone, however it ended
    #[arg(long)]
    pub(crate) exit_on_stdin_eof: bool,
}

/// Reads an address to listen on. No host name: it may stand for several addresses.
///
/// # Errors
/// It is none, or has no port.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "expected an address and a port such as `127.0.0.1:8080` or `[::1]:8080`; port 0 is any that is free")
}

/// How the emulated services behave where the real one differs from time to time, or takes its time.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// How many entries a page of a list has; all on one page if left out
    #[arg(long, value_name = "N")]
    page_size: Option<NonZeroUsize>,
    /// How long a long-running operation takes, such as 500ms or 2s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    operation_duration: Duration,
    /// How long a run of a job takes
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    job_duration: Duration,
    /// Which requests that may be long-running are
    #[arg(long, value_name = "WHICH", default_value = "recorded")]
    long_running: Which,
    /// Seconds that a client is told to wait before it looks at an operation
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    retry_after: u32,
    /// Whether the address of an operation names another host, as the service's does
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    foreign_location: bool,
    /// How long the name of a deleted item stays taken
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    name_reservation: Duration,
    /// How long after a lakehouse its SQL endpoint comes
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    child_delay: Duration,
    /// How long a workspace takes to get its capacity
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration::parse)]
    capacity_assignment: Duration,
    /// How many items a workspace can hold, deleted ones included
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_items: usize,
    /// Enforce quotas as far as they are known: 200 calls of each kind a minute and identity, 25 under
    /// /v1/admin/, 4000 in ten seconds to a vault
    #[arg(long)]
    quotas: bool,
    /// Let faults hit a share of all requests, a tenth unless said otherwise; the same seed hits the same ones
    #[arg(long, value_name = "SEED[,rate=R]")]
    chaos: Option<Chaos>,
}

/// Which of the requests that may be long-running are.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// As recorded from the service
    Recorded,
    /// All
    All,
    /// None
    None,
}

impl RulesArgs {
    pub(crate) fn config(&self) -> Config {
        Config {
            page_size: self.page_size.map(Into::into),
            operation_duration: self.operation_duration,
            job_duration: self.job_duration,
            long_running: match self.long_running {
                Which::Recorded => LongRunning::Table,
                Which::All => LongRunning::Always,
                Which::None => LongRunning::Never,
            },
            retry_after: self.retry_after,
            foreign_location: self.foreign_location,
            name_reservation: self.name_reservation,
            child_delay: self.child_delay,
            capacity_assignment: self.capacity_assignment,
            max_items: self.max_items,
            quotas: if self.quotas { Quotas::SERVICE } else { Quotas::default() },
            chaos: self.chaos.clone(),
            ..Config::default()
        }
    }
}

/// How the server proves who it is. A new authority for each run unless told otherwise.
#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// Keep the certificate authority for https in this folder, so that clients have to be told once
    #[arg(long, value_name = "DIR", requires = "https", conflicts_with = "cert")]
    pub(crate) ca_dir: Option<PathBuf>,
    /// Write the authority's certificate to this file, as PEM, for clients to trust
    #[arg(
        long,
        visible_alias = "export-ca",
        value_name = "FILE",
        requires = "https",
        conflicts_with = "cert"
    )]
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
