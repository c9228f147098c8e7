//! The client over the stack it is made for, against a Fabric that shares no type with it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not know for such"
)]

mod pace;
mod tokens;

use azure_core::credentials::TokenCredential;
use futures_util::TryStreamExt;
use secrecy::SecretString;
use selvedge_fabric_client::{
    BoxService, CapacityId, Client, ConnectionId, ErrorCode, ErrorKind, FabricClassify, FolderId, PollConfig,
    PrincipalId, Started, WorkspaceId,
    azure::HttpClient,
    capacities, connections, folders, git, graph, items,
    layer::{Auth, BaseUri},
    roles,
    transport::{HttpTransport, TransportConfig},
    workspaces,
};
use selvedge_fabric_emulator::{Config, Emulator, demo};
use selvedge_resilience::{
    breaker::{BreakerConfig, BreakerLayer, Breakers},
    deadline::{AttemptTimeoutLayer, DeadlineLayer},
    gate::{GateConfig, GateLayer, Gates},
    retry::{RetryConfig, RetryLayer},
};
use selvedge_secrets::identity::{Identity, IdentityConfig};
use std::{collections::HashSet, str::FromStr, sync::Arc, time::Duration};
use tokio::time::Instant;
use tower::{ServiceBuilder, util::option_layer};

/// Clients of Fabric and of Graph.
struct Clients {
    fabric: Client,
    graph: Client,
}

/// Which of the switchable layers are in the stack.
#[derive(Clone, Copy)]
struct Layers {
    resilient: bool,
}

fn clients(origin: &str, transport: &BoxService, layers: Layers) -> Clients {
    let config = IdentityConfig {
        authority: origin.to_owned(),
        tenant_id: Some(demo::TENANT_ID.to_owned()),
        client_id: Some(demo::CLIENT_ID.to_owned()),
        client_secret: Some(demo::CLIENT_SECRET.into()),
        ..IdentityConfig::default()
    };
    let tokens = HttpClient::tokens(transport.clone());
    let credential: Arc<dyn TokenCredential> = Arc::new(Identity::new(config, Arc::new(tokens)).unwrap());
    let client = |path: &str, audience: &str| {
        let base = BaseUri::new(&format!("{origin}{path}")).unwrap();
        let retry = || RetryLayer::new(RetryConfig::default(), FabricClassify).unwrap();
        let breaker = layers.resilient.then(|| {
            let breaker = Breakers::new(audience, BreakerConfig::default()).unwrap();
            BreakerLayer::new(breaker, FabricClassify)
        });
        let gate = layers.resilient.then(|| {
            let gates = Gates::new(audience, GateConfig::default()).unwrap();
            GateLayer::new(gates, FabricClassify)
        });
        let deadline = || DeadlineLayer::new(Duration::from_secs(120)).unwrap();
        let stack = ServiceBuilder::new()
            .layer(option_layer(layers.resilient.then(deadline)))
            .layer(option_layer(layers.resilient.then(retry)))
            .layer(Auth::new(credential.clone(), format!("{audience}/.default"), base.clone()))
            .layer(option_layer(gate))
            .layer(option_layer(breaker))
            .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
            .layer(base)
            .service(transport.clone());
        Client::new(stack)
    };
    Clients {
        fabric: client("/v1", "https://api.fabric.microsoft.com"),
        graph: client("/v1.0", "https://graph.microsoft.com"),
    }
}

/// The demo tenant, with its requests written where `cargo xtask conformance --log` can look at them.
fn tenant(config: Config) -> Emulator {
    let emulator = Emulator::new(config).with_demo_tenant();
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/requests");
    std::fs::create_dir_all(folder).unwrap();
    let file = format!("{folder}/fabric-client-{}.jsonl", uuid::Uuid::new_v4());
    emulator.write_requests_to(std::fs::File::create(file).unwrap());
    emulator
}

fn in_process(config: Config, layers: Layers) -> (Emulator, Clients) {
    let emulator = tenant(config);
    let transport = BoxService::new(emulator.service());
    let clients = clients("http://127.0.0.1:7070", &transport, layers);
    (emulator, clients)
}

const PLAIN: Layers = Layers { resilient: false };
const RESILIENT: Layers = Layers { resilient: true };

fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

async fn workspace(client: &Client, name: &str) -> WorkspaceId {
    let new = workspaces::New { capacity_id: Some(id(demo::CAPACITY_ID)), ..workspaces::New::named(name) };
    client.send(workspaces::create(&new)).await.unwrap().id
}

fn notebook(name: &str, folder: Option<FolderId>) -> items::New {
    let part = items::Part::base64("notebook-content.py", "cHJpbnQoMSkK");
    items::New {
        folder_id: folder,
        definition: Some(items::Definition { format: None, parts: vec![part] }),
        ..items::New::named(items::ItemType::NOTEBOOK, name)
    }
}

/// Every resource once, forth and back. Returns when nothing is left.
async fn tour(Clients { fabric, graph }: &Clients) {
    let capacities = fabric.list_all(capacities::list()).await.unwrap();
    let active: Vec<_> = capacities.iter().filter(|capacity| capacity.is_active()).collect();
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].id, id::<CapacityId>(demo::CAPACITY_ID));

    let workspace = workspace(fabric, "Sales").await;
    let update =
        workspaces::Update { description: Some("of the house".into()), ..workspaces::Update::default() };
    fabric.send(workspaces::update(workspace, &update)).await.unwrap();
    let read = fabric.send(workspaces::get(workspace)).await.unwrap();
    assert_eq!(read.description.as_deref(), Some("of the house"));
    let read = fabric.list_all(workspaces::list()).await.unwrap();
    assert!(read.iter().any(|listed| listed.id == workspace));
    fabric.send(workspaces::unassign_from_capacity(workspace)).await.unwrap();
    fabric.send(workspaces::assign_to_capacity(workspace, active[0].id)).await.unwrap();

    let found = graph.list_all(graph::users_by_address("tech.lead@contoso.example")).await.unwrap();
    let [user] = &found[..] else { panic!("{found:?}") };
    assert_eq!(user.id, id::<PrincipalId>(demo::TECH_LEAD_ID));
    assert_eq!(graph.send(graph::user(user.id)).await.unwrap(), *user);
    let twins = graph.list_all(graph::users_by_address("twins@contoso.example")).await.unwrap();
    assert_eq!(twins.len(), 2);
    let nobody = graph.list_all(graph::users_by_address("o'nobody@contoso.example")).await.unwrap();
    assert_eq!(nobody, []);
    let group = graph.list_all(graph::groups_by_name("Data Engineering Team")).await.unwrap();
    assert_eq!(group[0].id, id::<PrincipalId>(demo::DATA_ENGINEERING_ID));

    let principal = roles::Principal::new(user.id, roles::PrincipalType::USER);
    let added = fabric.send(roles::add(workspace, &principal, roles::Role::Contributor)).await.unwrap();
    assert_eq!((added.id, added.role), (user.id, roles::Role::Contributor));
    let again = fabric.send(roles::add(workspace, &principal, roles::Role::Viewer)).await.unwrap_err();
    assert_eq!(again.code(), Some(&ErrorCode::PRINCIPAL_ALREADY_HAS_ROLE));
    fabric.send(roles::update(workspace, user.id, roles::Role::Member)).await.unwrap();
    let read = fabric.send(roles::get(workspace, user.id)).await.unwrap();
    assert_eq!(read.role, roles::Role::Member);
    fabric.send(roles::delete(workspace, user.id)).await.unwrap();
    let left = fabric.list_all(roles::list(workspace)).await.unwrap();
    assert_eq!(left.len(), 1, "the caller: {left:?}");

    let mut folder = folders::New { display_name: "Bronze".into(), parent_folder_id: None };
    let parent = fabric.send(folders::create(workspace, &folder)).await.unwrap();
    folder.parent_folder_id = Some(parent.id);
    let child = fabric.send(folders::create(workspace, &folder)).await.unwrap();
    assert_eq!(fabric.send(folders::get(workspace, child.id)).await.unwrap(), child);
    assert_eq!(fabric.list_all(folders::list(workspace)).await.unwrap().len(), 2);

    let lakehouse = items::New::named(items::ItemType::LAKEHOUSE, "Raw");
    let lakehouse = fabric.run(items::create(workspace, &lakehouse)).await.unwrap();
    let notebook = fabric.run(items::create(workspace, &notebook("Load", Some(child.id)))).await.unwrap();
    assert_eq!(notebook.folder_id, Some(child.id));
    let definition = fabric.run(items::get_definition(workspace, notebook.id, None)).await.unwrap();
    assert_eq!(definition.parts[0].path, "notebook-content.py");
    assert_eq!(definition.parts.last().unwrap().path, ".platform");
    let mut changed = definition.clone();
    changed.parts[0].payload = "cHJpbnQoMikK".into();
    changed.parts.pop();
    fabric.run(items::update_definition(workspace, notebook.id, &changed, false)).await.unwrap();
    let read = fabric.run(items::get_definition(workspace, notebook.id, None)).await.unwrap();
    assert_eq!(read.parts[0].payload, "cHJpbnQoMikK");
    let update = items::Update { description: Some("loads".into()), ..items::Update::default() };
    let read = fabric.send(items::update(workspace, notebook.id, &update)).await.unwrap();
    assert_eq!(fabric.send(items::get(workspace, notebook.id)).await.unwrap(), read);
    let listed = fabric.list_all(items::list(workspace)).await.unwrap();
    let kinds: HashSet<_> = listed.iter().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, HashSet::from(["Lakehouse", "SQLEndpoint", "Notebook"]));

    let connect = git::Connect {
        git_provider_details: git::Provider::GitHub {
            owner_name: "contoso".into(),
            repository_name: "sales".into(),
            branch_name: "main".into(),
            directory_name: "/".into(),
        },
        my_git_credentials: Some(git::Credentials::ConfiguredConnection {
            connection_id: id(demo::GITHUB_CONNECTION_ID),
        }),
    };
    let before = fabric.send(git::connection(workspace)).await.unwrap();
    assert_eq!(before.git_connection_state, git::ConnectionState::NOT_CONNECTED);
    fabric.send(git::connect(workspace, &connect)).await.unwrap();
    let found = fabric.run(git::initialize(workspace, None)).await.unwrap();
    assert_eq!(found.required_action, git::RequiredAction::COMMIT_TO_GIT);
    let status = fabric.run(git::status(workspace)).await.unwrap();
    assert!(!status.changes.is_empty());
    let commit = git::Commit {
        mode: git::CommitMode::All,
        workspace_head: status.workspace_head,
        comment: Some("first".into()),
        items: Vec::new(),
    };
    fabric.run(git::commit(workspace, &commit)).await.unwrap();
    assert_eq!(fabric.run(git::status(workspace)).await.unwrap().changes, []);
    let after = fabric.send(git::connection(workspace)).await.unwrap();
    assert_eq!(after.git_connection_state, git::ConnectionState::INITIALIZED);
    assert_eq!(after.git_provider_details, Some(connect.git_provider_details));
    fabric.send(git::disconnect(workspace)).await.unwrap();

    for item in [lakehouse.id, notebook.id] {
        fabric.send(items::delete(workspace, item, true)).await.unwrap();
    }
    for folder in [child.id, parent.id] {
        fabric.send(folders::delete(workspace, folder)).await.unwrap();
    }
    let gone = fabric.send(items::get(workspace, notebook.id)).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone:?}");
    fabric.send(workspaces::delete(workspace)).await.unwrap();

    let new = connections::New {
        display_name: "ours".into(),
        kind: "GitHubSourceControl".into(),
        creation_method: "GitHubSourceControl.Contents".into(),
        parameters: vec![connections::Parameter {
            name: "url".into(),
            value: "https://github.com/contoso/sales".into(),
        }],
        credentials: connections::Credentials::Key { key: SecretString::from("canary-4711") },
    };
    let ours: ConnectionId = fabric.send(connections::create(&new)).await.unwrap().id;
    let listed = fabric.list_all(connections::list()).await.unwrap();
    assert!(listed.iter().any(|connection| connection.id == ours));
    fabric.send(connections::delete(ours)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_resource_in_process_whatever_the_layers() {
    for layers in [PLAIN, RESILIENT] {
        let slow = Config { operation_duration: Duration::from_secs(3), ..Config::default() };
        let (emulator, clients) = in_process(Config { page_size: Some(1), ..slow }, layers);
        tour(&clients).await;
        let log = emulator.requests();
        assert!(log.iter().all(|request| request.path.starts_with('/')), "{log:?}");
        let tokens = log.iter().filter(|request| request.path.ends_with("/token"));
        assert_eq!(tokens.count(), 2, "one for each audience");
        assert!(!format!("{log:?}").contains("canary"));
    }
}

#[tokio::test]
async fn every_resource_over_a_socket() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let emulator = tenant(Config::default());
    let server = tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
    let transport = BoxService::new(HttpTransport::new(&TransportConfig::default()).unwrap());
    let clients = clients(&origin, &transport, RESILIENT);
    // Operations are done at once; nothing is gained by waiting for them in real time.
    let polling = PollConfig { first_poll: Duration::from_millis(1), ..PollConfig::default() };
    let fabric = clients.fabric.with_polling(polling);
    tour(&Clients { fabric, ..clients }).await;

    // A connection that is closed after the request has arrived.
    emulator.inject("DELETE */workspaces/*=reset-before,times=1".parse().unwrap());
    let nowhere = WorkspaceId::from(uuid::Uuid::nil());
    let clients = self::clients(&origin, &transport, PLAIN);
    let error = clients.fabric.send(workspaces::delete(nowhere)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Transport(_)), "{error:?}");
    assert!(error.may_have_been_sent());
    server.abort();
}

/// Requests of this method whose path ends so, as they arrived.
fn arrivals(emulator: &Emulator, method: &str, end: &str) -> usize {
    let log = emulator.requests();
    log.iter().filter(|request| request.method == method && request.path.ends_with(end)).count()
}

#[tokio::test(start_paused = true)]
async fn what_is_safe_is_sent_again_and_what_is_not_is_handed_back() {
    for (fault, reads, made) in [
        ("* */workspaces=503,times=2", 3, 0),
        ("* */workspaces=429,retry-after=7,times=2", 3, 0),
        ("* */workspaces=reset-before,times=2", 3, 0),
        ("* */workspaces=403,times=1", 1, 0),
        ("* */workspaces=effect+429,times=1", 2, 1),
        ("* */workspaces=reset-after,times=1", 2, 1),
    ] {
        let (emulator, clients) = in_process(Config::default(), RESILIENT);
        emulator.inject(fault.parse().unwrap());
        let listed = clients.fabric.list_all(workspaces::list()).await;
        assert_eq!(listed.is_ok(), reads > 1, "{fault}: {listed:?}");
        assert_eq!(arrivals(&emulator, "GET", "/workspaces"), reads, "{fault}");

        let (emulator, clients) = in_process(Config::default(), RESILIENT);
        emulator.inject(fault.parse().unwrap());
        let new = workspaces::New::named("Sales");
        let error = clients.fabric.send(workspaces::create(&new)).await.unwrap_err();
        assert!(error.may_have_been_sent(), "{fault}");
        assert_eq!(arrivals(&emulator, "POST", "/workspaces"), 1, "{fault}");
        // Whether it had an effect cannot be told from the error: it is for the caller to look.
        let there = loop {
            match clients.fabric.list_all(workspaces::list()).await {
                Ok(there) => break there,
                Err(error) => assert!(matches!(error.kind(), ErrorKind::Api(_)), "{error:?}"),
            }
        };
        assert_eq!(there.len(), made, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_operation_is_waited_for_and_a_failing_one_is_an_error() {
    let config = Config { operation_duration: Duration::from_secs(90), ..Config::default() };
    let (emulator, clients) = in_process(config, PLAIN);
    let workspace = workspace(&clients.fabric, "Sales").await;
    let started = Instant::now();
    let create = items::create(workspace, &notebook("Load", None));
    let accepted = match clients.fabric.start(create).await.unwrap() {
        Started::Accepted(accepted) => accepted,
        Started::Done(item) => panic!("{item:?}"),
    };
    // What another process does after a crash: all it has is what was stored.
    let stored = serde_json::to_string(&accepted).unwrap();
    let accepted = serde_json::from_str(&stored).unwrap();
    let result = items::create(workspace, &notebook("Load", None)).result();
    let item: items::Item = clients.fabric.wait(&accepted, result).await.unwrap();
    assert_eq!(item.display_name, "Load");
    assert!((90..=110).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    // 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 and then every 20 s.
    let polls = emulator.requests().iter().filter(|request| request.path.contains("/operations/")).count();
    assert!(polls <= 11, "{polls}");

    emulator.inject("POST */items=operation-fails".parse().unwrap());
    let error = clients.fabric.run(items::create(workspace, &notebook("Other", None))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OperationFailed(_)), "{error:?}");
    assert_eq!(error.operation(), "items.create");
}

#[tokio::test(start_paused = true)]
async fn pages_come_as_a_stream() {
    let config = Config { page_size: Some(2), ..Config::default() };
    let (emulator, clients) = in_process(config, PLAIN);
    for n in 0..5 {
        workspace(&clients.fabric, &format!("w{n}")).await;
    }
    let names: Vec<_> = clients
        .fabric
        .list(workspaces::list())
        .map_ok(|workspace| workspace.display_name)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(names.len(), 5);
    let pages = emulator.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(pages, 3);
}
