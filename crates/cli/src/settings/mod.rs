//! What was configured, resolved. The only place that reads the environment and configuration files.
//!
//! Commands take [`Settings`], plain data; how it comes about is in `layers`. The keys, their defaults and their
//! meaning stand in `default.toml`, which is read first and therefore cannot be wrong. What the profile `robust` changes of
//! it stands in `robust.toml`.

mod check;
pub(crate) mod duration;
mod environment;
#[cfg(feature = "failpoints")]
pub(crate) mod failpoint;
mod file;
mod hosts;
mod layers;
mod size;
mod telemetry;
mod workspaces;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use selvedge_deployment::config::is_secret;
use selvedge_secrets::env_file::FileState;
use serde::Deserialize;

use crate::ci;

pub(crate) use environment::{Environment, Origin, of_the_process};
pub(crate) use hosts::{TRUSTED_HOSTS, Trusted, is_loopback};
pub(crate) use layers::{CommandLine, left_out, load, set_by};
pub(crate) use telemetry::{Exporter, OtlpCompression, OtlpProtocol, Telemetry};
pub(crate) use workspaces::Workspaces;

/// Names of variables that hold secrets. They are read by [`Environment::secret`] and are never settings.
pub(crate) const SECRET_VARIABLES: [&str; 4] =
    [CLIENT_SECRET, "AZURE_STORAGE_KEY", "GITHUB_TOKEN", JOURNAL_KEY];

/// The variable of the application's secret.
pub(crate) const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";

/// The variable of the key that journals are sealed with.
pub(crate) const JOURNAL_KEY: &str = "SELVEDGE_JOURNAL_KEY";

/// The variable of what a collector of telemetry knows us by.
pub(crate) const OTLP_HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// The variable of where Application Insights are; with its key in it, which lets everybody write to them.
pub(crate) const INSIGHTS_CONNECTION: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING";

/// The same by the key alone, as the predecessor had it.
pub(crate) const INSIGHTS_KEY: &str = "APPINSIGHTS_INSTRUMENTATION_KEY";

/// Secrets that are never looked for in a vault: by the first two CI systems let their jobs ask for tokens, and telemetry begins before there
/// is a vault.
const OTHER_SECRETS: [&str; 5] =
    ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN", OTLP_HEADERS, INSIGHTS_CONNECTION, INSIGHTS_KEY];

/// Variables that are read from the environment, and from nowhere else: switches, proxies, and what CI systems hand to their jobs.
const OTHER_VARIABLES: [&str; 10] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
    "DEBUG",
    "FABRIC_GIT_CONNECTION_ID",
    "HARDENING_STAGE",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SYSTEM_ACCESSTOKEN",
    "TRACEPARENT",
];

/// Whether the variable may hold a secret: by its name, or because this program or a CI system keeps one there. What is made of it is shown
/// and sent by nobody. A proxy's address may have a password in it.
pub(crate) fn may_be_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let of_job = upper.starts_with("ENDPOINT_AUTH_") || upper.starts_with("VSS_");
    let of_client = upper == "IDENTITY_HEADER" || upper.ends_with("_HEADERS");
    let is_proxy = upper.ends_with("_PROXY") && upper != "NO_PROXY";
    let is_own = SECRET_VARIABLES.contains(&name) || OTHER_SECRETS.contains(&name);
    is_secret(name) || of_job || of_client || is_proxy || is_own
}

/// Whether this program reads the variable, and not as a secret: it is looked for in the environment alone.
pub(crate) fn is_setting(name: &str) -> bool {
    let known =
        layers::is_setting(name) || OTHER_VARIABLES.contains(&name) || name.starts_with("FEATURE_USE_");
    known && !SECRET_VARIABLES.contains(&name)
}

/// The variable of <https://no-color.org>. It concerns the terminal, not the project, so `.env` has no say.
pub(crate) fn no_color() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the settings read the environment for everybody")]
    let variable = |name| std::env::var(name).ok();
    // A terminal that says it is dumb has no colours either.
    variable("NO_COLOR").or_else(|| variable("TERM").filter(|term| term == "dumb"))
}

/// What the user should know about `.env` in `root`.
pub(crate) fn file_warnings(root: &Path, environment: &Environment) -> Vec<String> {
    let path = root.join(".env");
    let holds_secret = environment.only(Origin::EnvFile).any(|(name, _)| SECRET_VARIABLES.contains(&name));
    // Where there is no file mode, access is not ours to judge.
    let mode = FileState::of(&path).ok().flatten().and_then(|state| state.mode);
    if holds_secret && mode.is_some_and(|mode| mode & 0o044 != 0) {
        let path = path.display();
        return vec![format!("{path} holds a secret and others can read it; run `chmod 600 {path}`")];
    }
    Vec::new()
}

/// All settings. `default.toml` documents each key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What this installation calls itself; no choice of what is deployed.
    pub(crate) environment: String,
    pub(crate) fabric: Service,
    pub(crate) graph: Service,
    pub(crate) entra: Entra,
    pub(crate) secrets: Secrets,
    pub(crate) http: Http,
    pub(crate) resilience: Resilience,
    pub(crate) retry: Retry,
    pub(crate) breaker: Breaker,
    pub(crate) throttle: Throttle,
    pub(crate) polling: Polling,
    pub(crate) workspaces: Workspaces,
    pub(crate) rollback: Rollback,
    pub(crate) telemetry: Telemetry,
    pub(crate) audit: Audit,
    pub(crate) log: Log,
}

/// A service that is called with a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Service {
    /// https, or http to this machine; without user, query or fragment; a host of the service's, or a trusted one.
    pub(crate) base_url: String,
    /// What a token is asked for, `<audience>/.default`; the service's, unless the host is a trusted one.
    pub(crate) scope: String,
}

/// Who we are to Entra ID. The client secret is not here: [`SECRET_VARIABLES`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entra {
    /// As [`Service::base_url`].
    pub(crate) authority: String,
    pub(crate) tenant_id: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) credential: CredentialChoice,
    /// A PEM file with a certificate and its key.
    pub(crate) certificate: Option<PathBuf>,
    #[serde(deserialize_with = "figment::util::bool_from_str_or_int")]
    pub(crate) send_certificate_chain: bool,
    pub(crate) federated_token_file: Option<PathBuf>,
}

/// Where secrets come from with FEATURE_USE_KEY_VAULT.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secrets {
    /// `https://NAME.vault.azure.net`.
    pub(crate) vault_url: Option<String>,
    /// What a token for it is for; it follows from an address of Azure's.
    pub(crate) audience: Option<String>,
    /// The user-assigned managed identity that opens it.
    pub(crate) client_id: Option<String>,
    pub(crate) policy: SecretPolicy,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) cache_ttl: Duration,
    /// The variables that configuration files may take from the vault.
    pub(crate) variables: Vec<String>,
}

/// Which stores are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SecretPolicy {
    KeyVaultThenEnv,
    KeyVaultOnly,
    EnvOnly,
}

/// How to prove who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CredentialChoice {
    /// What there is something for, of several the first: [`selvedge_secrets::identity::Choice::Auto`].
    Auto,
    ClientSecret,
    Certificate,
    WorkloadIdentity,
    GithubActions,
    AzureDevops,
    ManagedIdentity,
    AzureCli,
}

/// Time limits of one request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) connect_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) attempt_timeout: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) call_deadline: Duration,
}

/// Where the defaults of [`Retry`] and [`Breaker`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resilience {
    /// Once loaded never [`Profile::Auto`].
    pub(crate) profile: Profile,
}

/// A set of defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Profile {
    /// What suits the stage.
    Auto,
    /// As the hardening guide says.
    Guide,
    /// For services that fail often.
    Robust,
}

impl Profile {
    /// As written in the settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Auto => "auto",
            Profile::Guide => "guide",
            Profile::Robust => "robust",
        }
    }
}

/// The retry layer, where its flag is on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// The first attempt included; at least 1.
    pub(crate) max_attempts: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) base_delay: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) max_delay: Duration,
    /// 0 to 1.
    pub(crate) jitter: f64,
    /// At least 1.
    pub(crate) budget_capacity: u32,
    /// 0 to 1000.
    pub(crate) budget_per_success: f64,
    /// 0 to 1,000,000.
    pub(crate) budget_per_second: f64,
}

/// The circuit breaker, where its flag is on. All counts are at least 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Breaker {
    pub(crate) trip: TripKind,
    pub(crate) failure_threshold: u32,
    /// More than 0, at most 1.
    pub(crate) failure_ratio: f64,
    /// At most 128.
    pub(crate) window: u32,
    /// At most `window`.
    pub(crate) min_calls: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) open_for: Duration,
    /// `None`: as `open_for`.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    pub(crate) max_open_for: Option<Duration>,
    pub(crate) success_threshold: u32,
    pub(crate) half_open_permits: u32,
    /// `None`: longer than any attempt.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    pub(crate) probe_expiry: Option<Duration>,
}

/// What opens the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TripKind {
    /// Failures in a row.
    Consecutive,
    /// A part of the last requests.
    FailureRate,
}

/// The pace of requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throttle {
    /// 1 to 10,000.
    pub(crate) max_concurrency: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) pause: Duration,
}

/// How long-running operations are watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Polling {
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) first_poll: Duration,
    pub(crate) mode: PollingMode,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) deadline: Duration,
}

/// What the server's Retry-After on an accepted operation means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PollingMode {
    /// An upper bound.
    Adaptive,
    /// The pause.
    RetryAfter,
}

/// Transactions, where their flag is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// Relative to the project root.
    pub(crate) journal_dir: PathBuf,
    /// A folder, relative to the project root, or a URL; `None`: `journal_dir`.
    pub(crate) journal: Option<String>,
    /// Relative to the project root; `None`: the folder `spill` in `journal_dir`.
    pub(crate) spill_dir: Option<PathBuf>,
    /// Whether there is no journal without a key.
    #[serde(deserialize_with = "figment::util::bool_from_str_or_int")]
    pub(crate) require_seal: bool,
    /// Longer than a request and the time to spare, at least.
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) lease_ttl: Duration,
    /// At least 1.
    pub(crate) concurrency: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) in_flight: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) consistency_delay: Duration,
    /// At least 1.
    pub(crate) absent_reads: u32,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) retention: Duration,
}

/// The audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Audit {
    /// Relative to the project root; empty: none is written.
    pub(crate) file: PathBuf,
    /// In bytes; at least 4 KiB.
    #[serde(deserialize_with = "size::deserialize")]
    pub(crate) max_size: u64,
}

/// Diagnostics on stderr.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// A level or filter directives; `None`: what suits the format.
    pub(crate) level: Option<String>,
    pub(crate) format: LogFormat,
    pub(crate) ci: ci::Choice,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests;
