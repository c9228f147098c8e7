//! Deployments that nothing disturbs: what is sent, what is said.

use crate::{
    program::{Ended, run, selvedge},
    project::{Project, WORKSPACE},
    tenant::{Request, Tenant},
};

/// What a deployment of the example sends where every flag is off; the same list holds in process.
const PLAIN: &str = include_str!("../../../deployment/tests/main/plain_requests.txt");

#[test]
fn the_example_deploys_locally_however_it_is_named() {
    let project = Project::example();
    let sub_folder = project.path().join("notebooks");
    let named = "product_config.yaml";
    let (elsewhere, absolute) = (Project::with(&[]), project.path().join(named));
    for (folder, args) in [
        (project.path(), &["deploy", "--local", named][..]),
        (project.path(), &["deploy", "--local", "--config", named]),
        (project.path(), &["deploy", "--local"]),
        (&sub_folder, &["deploy", "--local"]),
        (&sub_folder, &["deploy", "--local", named]),
        (elsewhere.path(), &["deploy", "--local", absolute.to_str().unwrap()]),
    ] {
        let ended = run(&mut selvedge(folder, args)).is(0);
        let line = ended.stdout.strip_suffix('\n').unwrap();
        assert!(line.starts_with("Committed: 27 changes in ") && !line.contains('\n'), "{line}");
        assert!(ended.stderr.contains("[Step 8/8] Deployment Summary"), "{}", ended.stderr);
        assert!(project.journals().is_empty(), "the tenant is gone, and so is its journal");
    }
}

#[test]
fn a_local_deployment_asks_no_vault() {
    let (project, vault) = (Project::example(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let mut command = selvedge(project.path(), &["deploy", "--local"]);
    command
        .env("FEATURE_USE_KEY_VAULT", "true")
        .env("KEY_VAULT_URL", format!("https://{}", vault.local_addr().unwrap()));
    run(&mut command).is(0);
    vault.set_nonblocking(true).unwrap();
    assert_eq!(vault.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody has called");
}

#[test]
fn a_second_deployment_writes_nothing() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    let before = tenant.hash();
    tenant.forget_requests();
    let again = tenant.safely(&project, &["deploy"]).is(0);
    assert_eq!(again.stdout, "Nothing to do: the workspace is as the files say.\n");
    assert_eq!(tenant.writes(), [""; 0]);
    assert!(!tenant.requests().is_empty());
    assert_eq!(tenant.hash(), before);
    assert_eq!(project.journals().len(), 1, "what has nothing to do is no transaction");
}

#[test]
fn with_every_flag_off_the_requests_are_the_plain_ones() {
    let (tenant, project) = (Tenant::start(), Project::example());
    let ended = tenant.plainly(&project, &["deploy"]).is(0);
    assert!(ended.stdout.starts_with("Deployed: 27 changes in "), "{}", ended.stdout);
    let requests = tenant.requests();
    let sent: Vec<_> = requests.iter().map(Request::shape).collect();
    assert_eq!(sent.join("\n"), PLAIN.trim_end());
    assert!(requests.iter().all(|request| !request.body.contains("[selvedge:")), "a marker was sent");
    assert!(!project.path().join(".selvedge").exists());
    assert_eq!(tenant.inventory()["unknownRoutes"], 0);
}

#[test]
fn with_every_flag_off_what_was_made_stays_and_is_told() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */roleAssignments=403");
    let ended = tenant.plainly(&project, &["deploy"]).ends(3, &["error: give data.owner@contoso.example"]);
    let told: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(
        told,
        [
            "Failed: 7 changes of 11 stay, because FEATURE_USE_ROLLBACK is off",
            "  create workspace acme-orders-dev: made",
            "  assign capacity 11111111-1111-4111-8111-111111111111: made",
            "  create folder Landing: made",
            "  create folder Landing/Raw: made",
            "  create Lakehouse BRONZE_Orders_Lakehouse: made",
            "  create Notebook 01_LoadOrders_Notebook: made",
            "  give data.owner@contoso.example the role Admin: it is not known whether it was made",
        ]
    );
    let writes = tenant.writes();
    assert!(writes.iter().all(|write| !write.starts_with("DELETE")), "{writes:?}");
    assert_eq!(writes.iter().filter(|write| write.ends_with("/roleAssignments")).count(), 1, "{writes:?}");
    let world = tenant.inventory()["world"].to_string();
    assert!(world.contains(WORKSPACE) && world.contains("01_LoadOrders_Notebook"), "{world}");
    assert!(!project.path().join(".selvedge").exists());

    tenant.heal();
    tenant.plainly(&project, &["deploy"]).is(0);
    tenant.has_all_of(&project);
}

#[test]
fn planning_sends_reads_only() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let summary = "Plan: 1 workspace, 2 folders, 2 items, 1 role, 1 connection to create; ";
    for (args, code) in [
        (&["plan"][..], 0),
        (&["plan", "--detailed-exitcode"], 6),
        (&["deploy", "--dry-run"], 0),
        (&["deploy", "--dry-run", "--output", "json"], 0),
    ] {
        let ended = tenant.safely(&project, args).is(code);
        assert!(ended.stdout.contains(summary), "{args:?}: {}", ended.stdout);
        assert_eq!(tenant.writes(), [""; 0], "{args:?}");
    }
    assert!(!tenant.requests().is_empty());
    assert!(!project.path().join(".selvedge").exists());

    let planned = tenant.plainly(&project, &["plan", "--output", "json"]).is(0).json();
    assert_eq!(planned["verdict"], "planned");
    assert_eq!(planned["compared_with"], "live");
    tenant.plainly(&project, &["deploy"]).is(0);
    tenant.has_all_of(&project);
}

#[test]
fn without_credentials_a_dry_run_plans_against_an_empty_workspace() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let without = |args: &[&str]| -> Ended {
        let mut command = tenant.selvedge(&project, args);
        for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "GITHUB_TOKEN"] {
            command.env_remove(name);
        }
        run(&mut command)
    };
    let said = "no credentials: planned against an empty workspace";
    let shown = without(&["deploy", "--dry-run"]).ends(0, &[said]);
    assert!(shown.stdout.contains("  + create workspace acme-orders-dev\n"), "{}", shown.stdout);
    assert_eq!(without(&["deploy", "--dry-run", "--output", "json"]).is(0).json()["compared_with"], "empty");
    let sent = tenant.requests().len();
    assert_eq!(sent, 0);

    // Without a word about where Fabric is, as on a laptop that is not online.
    run(&mut selvedge(project.path(), &["deploy", "--dry-run"])).ends(0, &[said]);
}
