//! `selvedge serve` as probes, scrapers and people see it; [`hostile`] has those who mean no good.

mod hostile;
mod telemetry;

use std::{
    net::SocketAddr,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    program::{Background, run, selvedge},
    project::{Project, WORKSPACE},
    tenant::{Tenant, until},
};

/// Within so long every answer has to be there, whatever hangs.
const SOON: Duration = Duration::from_secs(2);

const DRAFT: &str = "application/health+json";
const JSON: &str = "application/json";

/// The flags that the checks follow.
const FLAGS: [(&str, &str); 3] = [
    ("FEATURE_USE_HEALTH_CHECKS", "true"),
    ("FEATURE_USE_ROLLBACK", "true"),
    ("FEATURE_USE_CIRCUIT_BREAKER", "true"),
];

struct Served {
    process: Background,
    address: SocketAddr,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }
}

impl Served {
    #[track_caller]
    fn start(command: &mut Command) -> Self {
        let mut process = Background::start(command.env("LOG_LEVEL", "error"));
        let ready: Value = serde_json::from_str(&process.says("\n")).unwrap();
        let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        Self { process, address }
    }

    /// For this project, with all that there is to check, and looking each time.
    #[track_caller]
    fn of(tenant: &Tenant, project: &Project, variables: &[(&str, &str)]) -> Self {
        let args = ["serve", "--listen", "127.0.0.1:0", "--interval", "0s", "--output", "json"];
        let mut command = tenant.selvedge(project, &args);
        command.envs(FLAGS).envs(variables.iter().copied());
        Self::start(&mut command)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, accept: &str) -> Answer {
        let started = Instant::now();
        let head = format!("Accept: {accept}\r\n");
        let answer = driver::http::exchange(&self.address.to_string(), method, path, &head, "").unwrap();
        assert!(started.elapsed() < SOON, "{method} {path} took {:?}", started.elapsed());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        Answer { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.to_owned() }
    }

    #[track_caller]
    fn get(&self, path: &str, accept: &str) -> Answer {
        self.ask("GET", path, accept)
    }

    /// The status of each component by `/ready`, and its own.
    #[track_caller]
    fn readiness(&self) -> Value {
        let told = self.get("/ready", DRAFT).json();
        let checks = told["checks"].as_object().unwrap();
        let checks = checks.iter().map(|(name, check)| (name.clone(), check[0]["status"].clone()));
        json!({ "status": told["status"], "checks": checks.collect::<serde_json::Map<_, _>>() })
    }

    #[track_caller]
    fn ends(self) {
        self.process.signal("TERM");
        self.process.end().is(0);
    }
}

/// Everything that must not be told to everybody.
#[track_caller]
fn tells_nothing(tenant: &Tenant, answer: &Answer) {
    let secrets =
        ["AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"].map(|name| tenant.variable(name));
    let address = tenant.url.strip_prefix("http://").unwrap();
    for told in secrets.into_iter().chain([address, "127.0.0.1", "error:", "UnknownError"]) {
        assert!(!answer.body.contains(told), "{told} in {}", answer.body);
    }
}

#[test]
fn every_endpoint_answers_in_every_form() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let served = Served::of(&tenant, &project, &[]);
    let live = ["/health", "/healthz", "/livez"].map(|path| (path, &["application", "feature_flags"][..]));
    let components = &[
        "azure_connectivity",
        "fabric",
        "secret_manager",
        "journal",
        "transactions",
        "circuit_breakers",
    ][..];
    let ready = ["/ready", "/readyz", "/readiness", "/"].map(|path| (path, components));
    for (path, components) in live.into_iter().chain(ready) {
        let names = |answer: &Answer| -> Vec<String> {
            answer.json()["checks"].as_object().unwrap().keys().cloned().collect()
        };
        let draft = served.get(path, DRAFT);
        assert!(draft.head.contains("content-type: application/health+json\r\n"), "{}", draft.head);
        assert_eq!(
            (draft.status, draft.json()["status"].as_str()),
            (200, Some("pass")),
            "{path} {}",
            draft.body
        );
        assert_eq!(names(&draft), components, "{path}");
        let plain = served.get(path, JSON);
        assert!(plain.head.contains("content-type: application/json\r\n"), "{}", plain.head);
        assert_eq!((plain.status, plain.json()["status"].as_str()), (200, Some("healthy")), "{path}");
        assert_eq!(names(&plain), components, "{path}");
        let keys: Vec<_> = plain.json().as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["status", "timestamp", "checks", "duration_ms"]);
        let head = served.ask("HEAD", path, DRAFT);
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for answer in [&draft, &plain] {
            tells_nothing(&tenant, answer);
        }
    }
    let metrics = served.get("/metrics", "*/*");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    assert!(metrics.body.contains("\nselvedge_health_check{component=\"fabric\",status=\"pass\"} 1\n"));
    assert!(metrics.body.contains("\nselvedge_open_transactions{state=\"waiting\"} 0\n"), "{}", metrics.body);
    let page = served.get("/", "text/html,*/*;q=0.8");
    assert!(page.head.contains("content-security-policy: default-src 'none'"), "{}", page.head);
    assert!(page.body.contains("<title>selvedge: healthy</title>"), "{}", page.body);
    assert!(page.body.contains("FEATURE_USE_ROLLBACK"), "{}", page.body);
    tells_nothing(&tenant, &metrics);
    tells_nothing(&tenant, &page);

    for (method, path, status) in [
        ("POST", "/health", 405),
        ("DELETE", "/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
    ] {
        assert_eq!(served.ask(method, path, "*/*").status, status, "{method} {path}");
    }
    assert!(served.ask("PUT", "/ready", "*/*").head.contains("allow: get, head"));
    assert!(project.journals().is_empty(), "nothing is left");
    assert!(!project.path().join(".selvedge").exists());
    assert_eq!(tenant.writes(), [""; 0]);
    served.ends();
}

#[test]
fn with_the_flag_off_nothing_is_checked() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let served = Served::of(&tenant, &project, &[("FEATURE_USE_HEALTH_CHECKS", "false")]);
    for path in ["/health", "/ready"] {
        let told = served.get(path, JSON).json();
        assert_eq!(told["status"], "healthy");
        assert_eq!(told["message"], "Health checks disabled by feature flag");
        assert!(told.get("checks").is_none());
    }
    assert!(served.get("/metrics", "*/*").body.contains("\nselvedge_health_enabled 0\n"));
    assert!(served.get("/", "text/html").body.contains("Health checks disabled by feature flag"));
    assert!(tenant.requests().is_empty());
    served.ends();
}

#[test]
fn a_fabric_that_fails_opens_the_breaker_and_both_are_told() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let breaker = [("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "1"), ("SELVEDGE_BREAKER__OPEN_FOR", "10m")];
    let served = Served::of(&tenant, &project, &breaker);
    assert_eq!(served.readiness()["checks"]["circuit_breakers"], "pass");
    tenant.inject("GET /v1/workspaces=503");
    assert_eq!(served.get("/ready", "*/*").status, 503);
    let told = served.readiness();
    assert_eq!(told["status"], "fail");
    assert_eq!(
        told["checks"],
        json!({
            "azure_connectivity": "pass", "fabric": "fail", "secret_manager": "pass", "journal": "pass",
            "transactions": "pass", "circuit_breakers": "warn",
        })
    );
    let plain = served.get("/readiness", JSON);
    assert_eq!((plain.status, plain.json()["status"].as_str()), (503, Some("unhealthy")));
    assert_eq!(plain.json()["checks"]["circuit_breakers"]["open"], 1);
    assert_eq!(plain.json()["checks"]["circuit_breakers"]["status"], "degraded");
    let metrics = served.get("/metrics", "*/*");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("\nselvedge_circuit_breakers{state=\"open\"} 1\n"), "{}", metrics.body);
    let page = served.get("/", "text/html");
    assert!(page.status == 200 && page.body.contains(">open, tries again in "), "{}", page.body);
    for answer in [&plain, &metrics, &page] {
        tells_nothing(&tenant, answer);
    }
    assert_eq!(served.get("/health", "*/*").status, 200, "it lives");
    served.ends();
}

#[test]
fn what_hangs_keeps_nobody_waiting() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    // Entra first: nothing has a token.
    let entra = tenant.hold("POST */token", "before");
    let served = Served::of(&tenant, &project, &[]);
    let told = served.readiness();
    assert_eq!(
        (&told["checks"]["azure_connectivity"], &told["checks"]["fabric"]),
        (&json!("fail"), &json!("fail"))
    );
    assert_eq!(
        served.get("/ready", JSON).json()["checks"]["azure_connectivity"]["message"],
        "No answer in time"
    );
    entra.wait();
    entra.release();
    until("there is a token", || served.readiness()["status"] == "pass");

    let fabric = tenant.hold("GET /v1/workspaces", "before");
    let told = served.readiness();
    assert_eq!(
        (&told["checks"]["azure_connectivity"], &told["checks"]["fabric"]),
        (&json!("pass"), &json!("fail"))
    );
    // However many ask, and whatever they ask for.
    thread::scope(|scope| {
        for path in ["/ready", "/readyz", "/metrics", "/", "/health"].repeat(4) {
            let served = &served;
            scope.spawn(move || served.get(path, "*/*"));
        }
    });
    assert_eq!(served.get("/livez", "*/*").status, 200);
    let lists = tenant.requests().iter().filter(|request| request.path == "/v1/workspaces").count();
    fabric.wait();
    fabric.release();
    until("it is well again", || served.readiness()["status"] == "pass");
    assert!(lists <= 4, "{lists} requests, one at a time");
    served.ends();
}

#[test]
fn what_cannot_be_reached_is_told_by_its_name() {
    let project = Project::orders();
    project.write("journals", "a file, and no folder");
    let args = ["serve", "--listen", "127.0.0.1:0", "--output", "json"];
    let mut command = selvedge(project.path(), &args);
    // Nobody listens there.
    let away = "http://127.0.0.1:9";
    command.envs(FLAGS).envs([
        ("AZURE_LOGIN_BASE_URL", away),
        ("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
        ("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222"),
        ("AZURE_CLIENT_SECRET", "a-secret-0123"),
        ("SELVEDGE_ROLLBACK__JOURNAL_DIR", "journals"),
    ]);
    let served = Served::start(&mut command);
    let told = served.readiness();
    assert_eq!(
        told["checks"],
        json!({
            "azure_connectivity": "fail", "fabric": "fail", "secret_manager": "pass", "journal": "fail",
            "transactions": "fail", "circuit_breakers": "pass",
        })
    );
    let page = served.get("/", "text/html");
    assert!(page.body.contains("Not known.") && !page.body.contains("127.0.0.1"), "{}", page.body);
    served.ends();
}

#[test]
fn an_open_transaction_is_told_with_its_next_command() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    run(tenant.safe(&project, &["deploy", "--yes"]).env("SELVEDGE_ROLLBACK__IN_FLIGHT", "0s")).is(0);
    project.edit("BRONZE_Orders_Lakehouse", "SILVER_Orders_Lakehouse");
    let hold = tenant.hold("POST */items", "before");
    let mut deployment = tenant.safe(&project, &["deploy", "--yes"]);
    let deployment = Background::start(&mut deployment);
    hold.wait();
    let served = Served::of(&tenant, &project, &[]);
    let told = served.get("/ready", JSON).json();
    assert_eq!(
        told["checks"]["transactions"],
        json!({
            "status": "healthy", "message": "A deployment is running", "running": 1, "waiting": 0,
        })
    );
    let page = served.get("/", "text/html");
    assert!(page.body.contains(">running<") && !page.body.contains("transactions rollback"), "{}", page.body);
    deployment.signal("KILL");
    deployment.end();
    hold.release();

    assert_eq!(served.get("/ready", "*/*").status, 200, "a warning");
    let told = served.get("/ready", JSON).json();
    assert_eq!(
        (&told["status"], &told["checks"]["transactions"]["waiting"]),
        (&json!("degraded"), &json!(1))
    );
    let page = served.get("/", "text/html");
    for expected in [
        ">interrupted<",
        ">committed<",
        "<code>selvedge transactions rollback ",
        "transactions resume",
        WORKSPACE,
    ] {
        assert!(page.body.contains(expected), "{expected} in {}", page.body);
    }
    tells_nothing(&tenant, &page);
    assert!(!served.get("/ready", JSON).body.contains("rollback"), "on the page alone");
    assert!(
        served.get("/metrics", "*/*").body.contains("\nselvedge_open_transactions{state=\"waiting\"} 1\n")
    );
    served.ends();
}

#[test]
fn a_vault_is_asked_where_its_flag_is_on() {
    let (tenant, project) = (Tenant::with_https(), Project::orders());
    let args = ["serve", "--listen", "127.0.0.1:0", "--interval", "0s", "--output", "json"];
    let served = Served::start(tenant.with_vault(&project, &args).envs(FLAGS));
    let vault = || served.get("/ready", JSON).json()["checks"]["secret_manager"].clone();
    assert_eq!(vault(), json!({ "status": "healthy", "message": "Secret Manager available" }));
    tenant.inject("GET */secrets/*=403,code=ForbiddenByRbac");
    assert_eq!(vault(), json!({ "status": "unhealthy", "message": "Secret Manager error" }));
    tenant.heal();
    assert_eq!(vault()["status"], "healthy");
    tenant.inject("GET */secrets/*=latency:30s");
    assert_eq!(vault(), json!({ "status": "unhealthy", "message": "No answer in time" }));
    served.ends();
}

#[test]
fn it_listens_to_this_machine_and_says_where() {
    let project = Project::with(&[]);
    let mut process = Background::start(&mut selvedge(project.path(), &["serve", "--listen", "127.0.0.1:0"]));
    let said = process.says("\n");
    assert!(said.contains(" at http://127.0.0.1:"), "{said}");
    let address = said.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    run(&mut selvedge(project.path(), &["serve", "--listen", &address]))
        .ends(2, &["listen on", "choose another port"]);
    for wrong in ["localhost:8080", "127.0.0.1", "8080"] {
        run(&mut selvedge(project.path(), &["serve", "--listen", wrong])).ends(2, &["expected an address"]);
    }
    process.signal("INT");
    process.end().is(0);
}
