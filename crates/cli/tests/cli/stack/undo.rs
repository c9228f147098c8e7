//! The stack as the program composes it, in process and in virtual time.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selvedge::stack::{StackConfig, Stacks, stacks};
use selvedge_deployment::change::{Change, Ref};
use selvedge_deployment::desired::{PrincipalKind, Role};
use selvedge_deployment::target::{Fabric, Patience};
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::{
    BoxService, Client, Error, ErrorKind, Request, Response, WorkspaceId, workspaces,
};
use selvedge_fabric_emulator::{Config, Emulator, demo};
use selvedge_resilience::breaker::BreakerConfig;
use selvedge_resilience::gate::GateConfig;
use selvedge_resilience::retry::{BudgetConfig, RetryConfig};
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Event, Interrupt, Plan, Policy, Transaction, Verdict};
use selvedge_secrets::identity::Identity;
use tokio::time::Instant;
use tower::{BoxError, service_fn};

use super::world::{HOST, begin, secret};

/// As the settings are shipped, with a budget of one retry that nothing earns back.
fn config() -> StackConfig {
    let budget = BudgetConfig { capacity: 1, per_success: 0.0, per_second: 0.0 };
    StackConfig {
        call_deadline: Duration::from_secs(120),
        retry: Some(RetryConfig { budget, ..RetryConfig::guide() }),
        breaker: Some(BreakerConfig::guide()),
        gate: GateConfig::default(),
        attempt_timeout: Duration::from_secs(30),
        spans: false,
    }
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).without_time();
        tracing::subscriber::set_default(lines.with_writer(move || log.clone()).finish())
    }

    fn count(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.0.lock().unwrap()).matches(text).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The two ways to the emulator.
fn tenant(emulator: &Emulator) -> Stacks {
    let transport = BoxService::new(emulator.service());
    let tokens = HttpClient::tokens(transport.clone());
    let credential = Arc::new(Identity::new(secret(), Arc::new(tokens)).unwrap());
    let base = BaseUri::new(&format!("{HOST}/v1")).unwrap();
    let auth = Auth::new(credential, "https://api.fabric.microsoft.com/.default", base.clone());
    stacks("fabric", &config(), Some((auth, base)), transport).unwrap()
}

/// A workspace with a folder and two lakehouses, and a role at the end.
fn plan() -> Plan<Change> {
    let mut plan = Plan::default();
    let workspace = plan.push(Change::CreateWorkspace { name: "orders".into(), description: None }, []);
    let capacity = Change::AssignCapacity {
        workspace: Ref::Step(workspace),
        capacity: demo::CAPACITY_ID.parse().unwrap(),
    };
    let capacity = plan.push(capacity, [workspace]);
    let folder = Change::CreateFolder {
        workspace: Ref::Step(workspace),
        parent: None,
        name: "Raw".into(),
        path: "Raw".into(),
    };
    plan.push(folder, [workspace]);
    for name in ["Bronze", "Silver"] {
        let item = Change::CreateItem {
            workspace: Ref::Step(workspace),
            folder: None,
            item_type: "Lakehouse".into(),
            name: name.into(),
            description: None,
            definition: None,
        };
        plan.push(item, [workspace, capacity]);
    }
    let role = Change::AddRole {
        workspace: Ref::Step(workspace),
        principal: demo::TECH_LEAD_ID.parse().unwrap(),
        principal_kind: PrincipalKind::User,
        role: Role::Member,
        label: "tech lead".into(),
    };
    plan.push(role, [workspace]);
    plan
}

async fn deploy(target: &Fabric<impl selvedge_deployment::target::Secrets>) -> Verdict {
    let begin = begin(plan());
    let (store, policy) = (MemoryStore::default(), Policy { resends: 0, ..Policy::default() });
    let observer = |_: &Event<'_, Change>| {};
    let transaction = Transaction::begin(target, store, begin, policy, Interrupt::default(), observer);
    transaction.await.unwrap().run().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn r20_a_rollback_does_not_fail_for_want_of_a_retry_budget() {
    for has_way_back in [true, false] {
        let emulator = Emulator::new(Config::default()).with_demo_tenant();
        let before = emulator.inventory().hash;
        // The way forward ends with the budget, and then the first removal of an item and of a folder fail twice.
        for fault in
            ["GET */roleAssignments/*=503", "DELETE */items/*=503,times=2", "DELETE */folders/*=503,times=2"]
        {
            emulator.inject(fault.parse().unwrap());
        }
        let Stacks { forward, undo, .. } = tenant(&emulator);
        let target = Fabric::new(Client::new(forward), |_: &str| None, Patience::default());
        let target = if has_way_back { target.back_through(Client::new(undo)) } else { target };
        let log = Log::default();
        let guard = log.listen();
        let verdict = deploy(&target).await;
        drop(guard);

        assert!(log.count("Not retrying request: too many requests are being retried") > 0);
        let Verdict::RolledBack { cause, traces } = verdict else { panic!("{verdict:?}") };
        assert!(cause.reason.contains("gave up after 2 attempts in "), "{}", cause.reason);
        assert!(traces.is_empty(), "{traces:?}");
        assert_eq!(emulator.inventory().hash, before, "{:#}", emulator.inventory().world);
        let counts =
            ["Retrying request beyond the retry budget", "Not retrying request"].map(|text| log.count(text));
        // Without the way back every removal that fails is refused a retry, and the engine has to come back later.
        assert_eq!(counts, if has_way_back { [4, 1] } else { [0, 1 + 4] });
    }
}

/// A transport that answers what it is told, and the two ways to it.
fn scripted(answers: &[(u16, Option<&'static str>)]) -> Stacks {
    let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
    let transport = service_fn(move |_: Request| {
        let (status, retry_after) = answers.lock().unwrap().pop_front().unwrap();
        let mut answer = Response::default();
        *answer.status_mut() = status.try_into().unwrap();
        if let Some(value) = retry_after {
            answer.headers_mut().insert("retry-after", value.parse().unwrap());
        }
        std::future::ready(Ok::<_, BoxError>(answer))
    });
    stacks("fabric", &config(), None, transport).unwrap()
}

async fn delete(way: &BoxService) -> Result<(), Error> {
    Client::new(way.clone()).send(workspaces::delete(WorkspaceId::from(uuid::Uuid::nil()))).await
}

#[tokio::test(start_paused = true)]
async fn both_ways_share_breakers() {
    let Stacks { forward, undo, .. } = scripted(&[(500, None); 5]);
    // Two, for the budget is one; then one each, until five in a row have opened it for a minute.
    for _ in 0..4 {
        assert!(delete(&forward).await.is_err());
    }
    let deadline = Duration::from_secs(30);
    assert!(tokio::time::timeout(deadline, delete(&undo)).await.is_err(), "the open breaker is waited out");
}

#[tokio::test(start_paused = true)]
async fn both_ways_share_gates_and_the_way_back_has_the_time_to_wait() {
    let Stacks { forward, undo, .. } =
        scripted(&[(429, Some("300")), (200, None), (429, Some("3600")), (200, None)]);
    for wait in [300, 600] {
        let started = Instant::now();
        let error = delete(&forward).await.unwrap_err();
        assert!(error.to_string().contains("to be tried again in "), "{error}");
        let error = delete(&forward).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Paused { .. }), "{error:?}");
        assert!(started.elapsed().is_zero(), "nobody waits for what cannot be");
        delete(&undo).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), wait);
    }
}

/// The token that the way back brings is refused, and Entra ID is away just then.
#[tokio::test(start_paused = true)]
async fn r20_a_rollback_outlives_an_entra_that_is_away_for_a_moment() {
    for away in ["503", "reset", "429,retry-after=5"] {
        let emulator = Emulator::new(Config::default()).with_demo_tenant();
        let before = emulator.inventory().hash;
        let away = format!("POST */token={away},skip=1,times=1");
        for fault in ["POST */roleAssignments=403", "DELETE */items/*=token-expired,times=1", &away] {
            emulator.inject(fault.parse().unwrap());
        }
        let Stacks { forward, undo, .. } = tenant(&emulator);
        let target = Fabric::new(Client::new(forward), |_: &str| None, Patience::default());
        let target = target.back_through(Client::new(undo));
        let verdict = deploy(&target).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{away}: {verdict:?}");
        assert_eq!(emulator.inventory().hash, before, "{away}");
        let tokens = emulator.requests().iter().filter(|it| it.path.ends_with("/token")).count();
        assert_eq!(tokens, 3, "{away}: at first, in vain, and again");
    }
}
