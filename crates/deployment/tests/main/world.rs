//! A tenant to deploy to: the emulator behind the real client, without sockets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use selvedge_deployment::change::Change;
use selvedge_deployment::config::{self, Loaded};
use selvedge_deployment::diff::{Means, Planned, diff};
use selvedge_deployment::principals;
use selvedge_deployment::read;
use selvedge_deployment::target::{Fabric, Patience};
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::{BoxService, Call, Client, FabricClassify, items};
use selvedge_fabric_emulator::{Config, Emulator, LoggedRequest};
use selvedge_resilience::Effect;
use selvedge_resilience::retry::{RetryConfig, RetryLayer};
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{Error, Event, Interrupt, Plan, Policy, Transaction, Verdict};
use selvedge_secrets::identity::{Identity, IdentityConfig};
use serde_json::Value;
use tower::ServiceBuilder;

const HOST: &str = "http://localhost";

pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) fabric: Client,
    graph: Client,
}

/// A tenant as the demo has it, with pages of three.
pub(crate) fn world() -> World {
    of(Config { page_size: Some(3), operation_duration: Duration::from_secs(2), ..Config::default() })
}

/// The same, behind a layer that sends again what may be sent again.
pub(crate) fn retrying() -> World {
    let config = Config { operation_duration: Duration::from_secs(2), ..Config::default() };
    behind(config, Some(RetryConfig::default()))
}

/// The demo tenant, with its requests written where `cargo xtask conformance --log` can look at them.
fn tenant(config: Config) -> Emulator {
    let emulator = Emulator::new(config).with_demo_tenant();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("requests");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("deployment-{}.jsonl", uuid::Uuid::new_v4()));
    emulator.write_requests_to(std::fs::File::create(file).unwrap());
    emulator
}

pub(crate) fn of(config: Config) -> World {
    behind(config, None)
}

/// The same, behind a layer that sends again what may be sent again.
fn behind(config: Config, retries: Option<RetryConfig>) -> World {
    let identity = IdentityConfig {
        authority: HOST.to_owned(),
        tenant_id: Some(config.tenant.clone()),
        client_id: Some(config.client_id.clone()),
        client_secret: Some(config.client_secret.clone().into()),
        ..IdentityConfig::default()
    };
    let emulator = tenant(config);
    let service = BoxService::new(emulator.service());
    let tokens = HttpClient::tokens(service.clone());
    let credential = Arc::new(Identity::new(identity, Arc::new(tokens)).unwrap());
    let client = |path: &str, scope: &str| {
        let base = BaseUri::new(&format!("{HOST}{path}")).unwrap();
        let stack = ServiceBuilder::new()
            .option_layer(retries.clone().map(|config| RetryLayer::new(config, FabricClassify).unwrap()))
            .layer(Auth::new(credential.clone(), scope, base.clone()))
            .layer(base)
            .service(service.clone());
        Client::new(BoxService::new(stack))
    };
    let fabric = client("/v1", "https://api.fabric.microsoft.com/.default");
    let graph = client("/v1.0", "https://graph.microsoft.com/.default");
    World { emulator, fabric, graph }
}

pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sales-analytics")
}

pub(crate) fn desired() -> Loaded {
    let request = config::Request {
        config: example().join("product_config.yaml"),
        root: example(),
        environment: "dev",
        variables: &|_: &str| None,
    };
    config::load(&request).unwrap_or_else(|problems| panic!("{:#?}", problems.iter().collect::<Vec<_>>()))
}

impl World {
    pub(crate) async fn plan(&self) -> Planned {
        let desired = desired().desired;
        let live = read::read(&self.fabric, &desired).await.unwrap();
        let roles = principals::resolve(&self.graph, &desired.roles).await.unwrap().roles;
        diff(&desired, &roles, &live, Means { git_token: Some("GITHUB_TOKEN") }).unwrap()
    }

    pub(crate) fn graph(&self) -> &Client {
        &self.graph
    }

    pub(crate) fn target(&self) -> Fabric<impl Fn(&str) -> Option<SecretString> + Send + Sync + use<>> {
        let secrets = |name: &str| (name == "GITHUB_TOKEN").then(|| SecretString::from("token-canary"));
        Fabric::new(self.fabric.clone(), secrets, Patience::default())
    }

    pub(crate) async fn deploy(&self, store: MemoryStore, policy: Policy) -> Verdict {
        self.carry_out(self.plan().await.plan, store, policy).await
    }

    pub(crate) async fn carry_out(&self, plan: Plan<Change>, store: MemoryStore, policy: Policy) -> Verdict {
        self.try_carry_out(plan, store, policy).await.unwrap()
    }

    pub(crate) async fn try_deploy(&self, store: MemoryStore) -> Result<Verdict, Error> {
        let policy = Policy { resends: 0, ..Policy::default() };
        self.try_carry_out(self.plan().await.plan, store, policy).await
    }

    async fn try_carry_out(
        &self,
        plan: Plan<Change>,
        store: MemoryStore,
        policy: Policy,
    ) -> Result<Verdict, Error> {
        let begin = Begin::new(plan, "test", "test 1", "test").unwrap();
        let observer = |_: &Event<'_, Change>| {};
        let target = self.target();
        let begun = Transaction::begin(&target, store, begin, policy, Interrupt::default(), observer);
        begun.await?.run().await
    }

    /// Sends a request of somebody else, past the client.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let call =
            Call::<Value>::new("test", Effect::Once, method.parse().unwrap(), path.trim_start_matches("/v1"));
        let call = if body.is_null() { call } else { call.json(&body) };
        // What has no answer, such as a deletion, cannot be read as one; what was refused must not go unseen.
        match self.fabric.send(call).await {
            Ok(answer) => answer,
            Err(error) if error.status().is_none() => Value::Null,
            Err(error) => panic!("{method} {path}: {error:?}"),
        }
    }

    /// The id of the one thing of that name in a list.
    pub(crate) async fn find(&self, path: &str, name: &str) -> String {
        let mut token = String::new();
        loop {
            let page = self.send("GET", &format!("{path}{token}"), Value::Null).await;
            let found = page["value"].as_array().unwrap().iter().find(|thing| thing["displayName"] == name);
            if let Some(thing) = found {
                return thing["id"].as_str().unwrap().to_owned();
            }
            token = format!("?continuationToken={}", page["continuationToken"].as_str().unwrap());
        }
    }

    /// The names of the items in the example's workspace.
    pub(crate) async fn items(&self) -> Vec<String> {
        let workspace = self.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
        let all = self.fabric.list_all(items::list(workspace.parse().unwrap())).await.unwrap();
        all.into_iter().map(|item| item.display_name).collect()
    }

    /// Lets the operations that somebody started come to their end.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }

    pub(crate) fn hash(&self) -> String {
        self.emulator.inventory().hash
    }
}

/// Whether a request changes something.
pub(crate) fn is_write(request: &LoggedRequest) -> bool {
    request.method != "GET" && !request.path.contains("getDefinition") && !request.path.contains("oauth2")
}

/// The request without what differs from run to run: ids and query.
pub(crate) fn shape(request: &LoggedRequest) -> String {
    let path = request.path.split('?').next().unwrap_or_default();
    let segments: Vec<_> = path
        .split('/')
        .map(|segment| if segment.len() == 36 && segment.contains('-') { "*" } else { segment })
        .collect();
    format!("{} {}", request.method, segments.join("/"))
}

pub(crate) fn inject(world: &World, fault: &str) {
    world.emulator.inject(fault.parse().unwrap());
}
