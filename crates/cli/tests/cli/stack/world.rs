//! A tenant behind the program's stacks, without sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use secrecy::SecretString;
use selvedge::stack::{StackConfig, stacks};
use selvedge_deployment::change::Change;
use selvedge_deployment::diff::{Means, diff};
use selvedge_deployment::target::{Fabric, Patience};
use selvedge_deployment::{config, principals, read};
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::{BoxService, Client, Error, workspaces};
use selvedge_fabric_emulator::{Config, Emulator, LoggedRequest, demo};
use selvedge_resilience::breaker::BreakerConfig;
use selvedge_resilience::gate::GateConfig;
use selvedge_resilience::retry::RetryConfig;
use selvedge_rollback::Plan;
use selvedge_rollback::record::Begin;
use selvedge_secrets::identity::{Identity, IdentityConfig};

/// Where the emulator seems to be.
pub(crate) const HOST: &str = "http://localhost";
/// What a token for Fabric is asked for.
pub(crate) const SCOPE: &str = "https://api.fabric.microsoft.com/.default";

/// The shipped settings with these flags.
pub(crate) fn shipped(retry: bool, breaker: bool) -> StackConfig {
    StackConfig {
        call_deadline: Duration::from_secs(600),
        retry: retry.then(RetryConfig::guide),
        breaker: breaker.then(BreakerConfig::guide),
        gate: GateConfig::default(),
        attempt_timeout: Duration::from_secs(30),
        spans: false,
    }
}

/// A tenant, and clients of it as a run of the program has them.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) credential: Arc<dyn TokenCredential>,
    pub(crate) fabric: Client,
    graph: Client,
}

/// The application, with nothing to show yet.
pub(crate) fn application() -> IdentityConfig {
    IdentityConfig {
        authority: HOST.to_owned(),
        tenant_id: Some(demo::TENANT_ID.to_owned()),
        client_id: Some(demo::CLIENT_ID.to_owned()),
        ..IdentityConfig::default()
    }
}

/// The application with its secret.
pub(crate) fn secret() -> IdentityConfig {
    IdentityConfig { client_secret: Some(demo::CLIENT_SECRET.into()), ..application() }
}

/// The demo tenant, with its requests written where `cargo xtask conformance --log` can look at them.
pub(crate) fn tenant() -> Emulator {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("requests");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("stack-{}.jsonl", uuid::Uuid::new_v4()));
    emulator.write_requests_to(std::fs::File::create(file).unwrap());
    emulator
}

impl World {
    pub(crate) fn new(config: &StackConfig) -> Self {
        Self::of(tenant(), config, secret())
    }

    pub(crate) fn of(emulator: Emulator, config: &StackConfig, identity: IdentityConfig) -> Self {
        let transport = BoxService::new(emulator.service());
        let entra = stacks("entra", &config.clone().for_tokens(), None, transport.clone()).unwrap().forward;
        let credential: Arc<dyn TokenCredential> =
            Arc::new(Identity::new(identity, Arc::new(HttpClient::tokens(entra))).unwrap());
        let client = |name: &str, path: &str, scope: &str| {
            let base = BaseUri::new(&format!("{HOST}{path}")).unwrap();
            let auth = Auth::new(Arc::clone(&credential), scope, base.clone());
            Client::new(stacks(name, config, Some((auth, base)), transport.clone()).unwrap().forward)
        };
        let fabric = client("fabric", "/v1", SCOPE);
        let graph = client("graph", "/v1.0", "https://graph.microsoft.com/.default");
        Self { emulator, credential, fabric, graph }
    }

    /// The same, with another client of Fabric.
    pub(crate) fn with_fabric(mut self, config: &StackConfig) -> Self {
        let base = BaseUri::new(&format!("{HOST}/v1")).unwrap();
        let auth = Auth::new(Arc::clone(&self.credential), SCOPE, base.clone());
        let service = stacks("fabric", config, Some((auth, base)), self.emulator.service()).unwrap().forward;
        self.fabric = Client::new(service);
        self
    }

    pub(crate) fn inject(&self, fault: &str) {
        self.emulator.inject(fault.parse().unwrap());
    }

    /// The simplest request to Fabric.
    pub(crate) async fn list(&self) -> Result<usize, Error> {
        self.fabric.list_all(workspaces::list()).await.map(|all| all.len())
    }

    /// Asks for a token, past those who keep one.
    pub(crate) async fn token(&self) -> azure_core::Result<()> {
        self.credential.get_token(&[SCOPE], None).await.map(drop)
    }

    /// What would make the tenant as the example says.
    pub(crate) async fn plan(&self) -> Plan<Change> {
        let root = example();
        let config = root.join("product_config.yaml");
        let request = config::Request { config, root, environment: "dev", variables: &|_: &str| None };
        let loaded = config::load(&request);
        let desired = loaded.unwrap_or_else(|problems| panic!("{:#?}", problems.iter().collect::<Vec<_>>()));
        let desired = desired.desired;
        let live = read::read(&self.fabric, &desired).await.unwrap();
        let roles = principals::resolve(&self.graph, &desired.roles).await.unwrap().roles;
        diff(&desired, &roles, &live, Means { git_token: Some("GITHUB_TOKEN") }).unwrap().plan
    }

    pub(crate) fn target(&self) -> Fabric<impl Fn(&str) -> Option<SecretString> + Send + Sync + use<>> {
        let secrets = |name: &str| (name == "GITHUB_TOKEN").then(|| SecretString::from("token-canary"));
        Fabric::new(self.fabric.clone(), secrets, Patience::default())
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sales-analytics")
}

/// Requests of this method whose path, without its query, ends so, as they arrived.
pub(crate) fn arrivals(emulator: &Emulator, method: &str, end: &str) -> usize {
    let log = emulator.requests();
    log.iter().filter(|request| request.method == method && path(request).ends_with(end)).count()
}

/// Without the query.
pub(crate) fn path(request: &LoggedRequest) -> &str {
    request.path.split('?').next().unwrap_or_default()
}

/// The first record of a transaction of this plan.
pub(crate) fn begin(plan: Plan<Change>) -> Begin<Change> {
    Begin::new(plan, "test", "test 1", "test").unwrap()
}
