//! One deployment to a tenant of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use selvedge::stack::{StackConfig, stacks};
use selvedge_deployment::change::Change;
use selvedge_deployment::config;
use selvedge_deployment::desired::Desired;
use selvedge_deployment::diff::{Means, diff};
use selvedge_deployment::target::{Fabric, Patience};
use selvedge_deployment::{principals, read};
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::{Client, Operation, Request};
use selvedge_fabric_emulator::{Chaos, Config, Emulator};
use selvedge_resilience::breaker::BreakerConfig;
use selvedge_resilience::gate::GateConfig;
use selvedge_resilience::retry::RetryConfig;
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Event, Interrupt, Policy, Transaction, Verdict};
use selvedge_secrets::identity::{Identity, IdentityConfig};
use serde_json::Value;
use tower::{BoxError, ServiceExt as _};

use crate::stack::world::begin;

const HOST: &str = "http://localhost";

/// How often a transaction that left something is taken up again, before that counts as left behind.
const MOST_TAKEN_UP: usize = 10;

/// What hits a request, each as often as the others.
const KINDS: [&str; 16] = [
    "429,retry-after=2",
    "429,retry-after=date+2s",
    "429,retry-after-ms=1500",
    "429,x-ms-retry-after-ms=1500",
    "effect+429,retry-after=2",
    "500",
    "effect+500",
    "502,body=html",
    "503",
    "503,retry-after=2",
    "effect+503",
    "408",
    "reset-before",
    "reset-after",
    // Time out.
    "silence",
    "effect+silence",
];

/// What goes wrong while a deployment is under way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Nothing,
    /// So large a part of all requests, chosen by the seed.
    Some {
        seed: u64,
        rate: f64,
    },
    /// Everything, for a minute from the call of this number on.
    All {
        call: usize,
    },
}

/// How patient the program is.
pub(super) struct Profile {
    pub(super) name: &'static str,
    retry: RetryConfig,
    breaker: BreakerConfig,
}

/// What became of a deployment.
pub(super) struct Run {
    pub(super) trouble: Trouble,
    pub(super) committed: bool,
    pub(super) verdict: String,
    /// The hash of the tenant's inventory before the deployment.
    pub(super) before: String,
    /// And after it.
    pub(super) after: String,
    pub(super) world: Value,
    /// What the inventory has twice.
    pub(super) twice: Vec<String>,
    /// The requests that arrived, with the faults that hit them; without those for tokens.
    pub(super) requests: Vec<String>,
    /// How many of them a fault hit.
    pub(super) hit: usize,
    /// What was asked of the stack, by operation.
    pub(super) calls: BTreeMap<&'static str, usize>,
    /// Changes that the engine had to read back.
    pub(super) in_doubt: usize,
    /// Those of them that it sent again.
    pub(super) resent: usize,
    /// How often somebody had to take the transaction up again, because it left something and said so.
    pub(super) taken_up: usize,
    /// How long it took by the tenant's clock.
    pub(super) took: Duration,
}

/// How often the engine was in doubt, and how often it sent a change again.
#[derive(Default)]
struct Engine {
    in_doubt: usize,
    resent: usize,
    taken_up: usize,
}

impl Profile {
    pub(super) fn robust() -> Self {
        Self { name: "robust", retry: RetryConfig::robust(), breaker: BreakerConfig::robust() }
    }

    pub(super) fn guide() -> Self {
        Self { name: "guide", retry: RetryConfig::guide(), breaker: BreakerConfig::guide() }
    }

    /// As the program's settings have it, but for the jitter: one client alone gains nothing by it, and without it a
    /// seed says all.
    fn stack(&self) -> StackConfig {
        StackConfig {
            call_deadline: Duration::from_secs(10 * 60),
            retry: Some(RetryConfig { jitter: 0.0, ..self.retry.clone() }),
            breaker: Some(self.breaker.clone()),
            gate: GateConfig::default(),
            attempt_timeout: Duration::from_secs(30),
            spans: false,
        }
    }

    /// As `deploy` makes it of the retry settings.
    fn policy(&self) -> Policy {
        Policy { resends: self.retry.max_attempts - 1, backoff: self.retry.base_delay, ..Policy::default() }
    }
}

/// A deployment in trouble.
pub(super) fn run(profile: &Profile, trouble: Trouble) -> Run {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(deployment(profile, trouble))
}

async fn deployment(profile: &Profile, trouble: Trouble) -> Run {
    let emulator = Emulator::new(Config { operation_duration: Duration::from_secs(2), ..Config::default() })
        .with_demo_tenant();
    let before = emulator.inventory().hash;
    let asked = Asked { calls: BTreeMap::new(), trouble, emulator: emulator.clone() };
    let asked = Arc::new(Mutex::new(asked));
    let clients = clients(profile, &emulator, &asked);
    if let Trouble::Some { seed, rate } = trouble {
        emulator.schedule(chaos(seed, rate, &KINDS));
    }
    let started = tokio::time::Instant::now();
    let engine = Mutex::new(Engine::default());
    let (committed, verdict) = match deploy(profile, clients, &engine).await {
        Ok(verdict) => (matches!(verdict, Verdict::Committed), format!("{verdict:?}")),
        Err(error) => (false, format!("before anything was written: {error}")),
    };
    let took = started.elapsed();
    // What is still on its way lands.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let inventory = emulator.inventory();
    let logged = emulator.requests().into_iter().filter(|request| !request.path.contains("/oauth2/"));
    let logged: Vec<_> = logged.collect();
    let Engine { in_doubt, resent, taken_up } = engine.into_inner().unwrap();
    let calls = asked.lock().unwrap().calls.clone();
    Run {
        trouble,
        committed,
        verdict,
        before,
        after: inventory.hash,
        twice: twice(&inventory.world),
        world: inventory.world,
        hit: logged.iter().filter(|request| request.fault.is_some()).count(),
        requests: logged.iter().map(line).collect(),
        calls,
        in_doubt,
        resent,
        taken_up,
        took,
    }
}

/// A schedule of such faults.
fn chaos(seed: u64, rate: f64, kinds: &[&str]) -> Option<Chaos> {
    let actions = kinds.iter().map(|kind| kind.parse().unwrap()).collect();
    Some(Chaos { seed, rate, actions })
}

/// What is asked of the stacks.
struct Asked {
    calls: BTreeMap<&'static str, usize>,
    trouble: Trouble,
    emulator: Emulator,
}

impl Asked {
    fn note(&mut self, request: &Request) {
        let name = request.extensions().get::<Operation>().map_or("?", |operation| operation.name);
        let asked: usize = self.calls.values().sum();
        *self.calls.entry(name).or_default() += 1;
        if matches!(self.trouble, Trouble::All { call } if call == asked) {
            let emulator = self.emulator.clone();
            emulator.schedule(chaos(0, 1.0, &["503", "reset-before"]));
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                emulator.schedule(None);
            });
        }
    }
}

/// The clients of Fabric, of Fabric for what takes back, and of Graph, over stacks as the program has them, which count
/// what is asked of them.
fn clients(profile: &Profile, emulator: &Emulator, asked: &Arc<Mutex<Asked>>) -> [Client; 3] {
    let config = profile.stack();
    let tenant = Config::default();
    let identity = IdentityConfig {
        authority: HOST.to_owned(),
        tenant_id: Some(tenant.tenant),
        client_id: Some(tenant.client_id),
        client_secret: Some(tenant.client_secret.into()),
        ..IdentityConfig::default()
    };
    let entra = stacks("entra", &config.clone().for_tokens(), None, emulator.service()).unwrap().forward;
    let credential = Arc::new(Identity::new(identity, Arc::new(HttpClient::tokens(entra))).unwrap());
    let api = |name: &str, path: &str, audience: &str| {
        let base = BaseUri::new(&format!("{HOST}{path}")).unwrap();
        let auth = Auth::new(credential.clone(), format!("{audience}/.default"), base.clone());
        stacks(name, &config, Some((auth, base)), emulator.service()).unwrap()
    };
    let fabric = api("fabric", "/v1", "https://api.fabric.microsoft.com");
    let graph = api("graph", "/v1.0", "https://graph.microsoft.com");
    [fabric.forward, fabric.undo, graph.forward].map(|stack| {
        let asked = Arc::clone(asked);
        Client::new(stack.map_request(move |request: Request| {
            asked.lock().unwrap().note(&request);
            request
        }))
    })
}

/// What `deploy` does between reading its files and showing its verdict.
async fn deploy(
    profile: &Profile,
    [fabric, fabric_undo, graph]: [Client; 3],
    engine: &Mutex<Engine>,
) -> Result<Verdict, BoxError> {
    let desired = desired();
    let live = read::read(&fabric, &desired).await?;
    let roles = principals::resolve(&graph, &desired.roles).await?.roles;
    let client_id = Config::default().client_id.parse()?;
    principals::refuse_own_demotion(&graph, client_id, &roles).await.map_err(|error| error.to_string())?;
    let planned = diff(&desired, &roles, &live, Means { git_token: Some("GITHUB_TOKEN") })
        .map_err(|error| error.to_string())?;
    let secrets = |name: &str| (name == "GITHUB_TOKEN").then(|| SecretString::from("token"));
    let target = Fabric::new(fabric, secrets, Patience::default()).back_through(fabric_undo);
    let observer = |event: &Event<'_, Change>| match event {
        Event::InDoubt { .. } => engine.lock().unwrap().in_doubt += 1,
        Event::Resending { .. } => engine.lock().unwrap().resent += 1,
        _ => {}
    };
    let (store, policy) = (MemoryStore::default(), profile.policy());
    let begin = begin(planned.plan);
    let run =
        Transaction::begin(&target, store.clone(), begin, policy.clone(), Interrupt::default(), observer);
    let mut verdict = run.await?.run().await?;
    // As `transactions rollback` does, which the verdict names.
    while let Verdict::Left { .. } = verdict {
        let taken_up = {
            let mut engine = engine.lock().unwrap();
            engine.taken_up += 1;
            engine.taken_up
        };
        if taken_up > MOST_TAKEN_UP {
            break;
        }
        let loaded = store.load()?;
        let run =
            Transaction::recover(&target, loaded, "test 2", policy.clone(), Interrupt::default(), observer);
        verdict = run.await?.run().await?;
    }
    Ok(verdict)
}

fn desired() -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sales-analytics");
    let request = config::Request {
        config: root.join("product_config.yaml"),
        root,
        environment: "dev",
        variables: &|_: &str| None,
    };
    config::load(&request).unwrap().desired
}

fn line(request: &selvedge_fabric_emulator::LoggedRequest) -> String {
    let ids = |segment: &str| segment.len() == 36 && segment.contains('-');
    let path: Vec<_> =
        request.path.split('/').map(|segment| if ids(segment) { "*" } else { segment }).collect();
    let fault = request.fault.as_deref().unwrap_or_default();
    format!("{:<6} {:?} {} {fault}", request.method, request.status, path.join("/"))
}

/// What stands twice in one list, by name and type; case does not tell names apart.
pub(super) fn twice(world: &Value) -> Vec<String> {
    match world {
        Value::Array(entries) => {
            let text = |entry: &Value, key: &str| entry[key].as_str().map(str::to_lowercase);
            let name = |entry: &Value| {
                let name = text(entry, "displayName").or_else(|| text(entry, "name"))?;
                Some(format!("{} {name} in {}", entry["type"], entry["folder"]))
            };
            let mut names: Vec<_> = entries.iter().filter_map(name).collect();
            names.sort();
            let double = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone());
            double.chain(entries.iter().flat_map(twice)).collect()
        }
        Value::Object(fields) => fields.values().flat_map(twice).collect(),
        _ => Vec::new(),
    }
}
