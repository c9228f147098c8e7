//! A data product is taken in: folder, branch, workspaces, registry.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::{program::Ended, project::Project, tenant::Tenant};

const DESCRIPTOR: &str = r#"product: { name: "Customer Analytics", owner_email: "data.owner@contoso.example", domain: "Insights" }
environments:
  dev: { enabled: true, capacity_type: "trial", capacity_id: "11111111-1111-4111-8111-111111111111" }
git: { organization: "contoso", repository: "analytics", feature_prefix: "feature" }
automation: { audit_reference: "JIRA-1" }
"#;

fn git(folder: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Jo Doe", "-c", "user.email=jo@contoso.example"])
        .args(args);
    let output = git.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A project in a repository, with a template and a descriptor.
fn project() -> Project {
    let project = Project::orders();
    project.write("onboarding.yaml", DESCRIPTOR);
    let template = project.path().join("data_products/templates/base_product");
    fs::create_dir_all(template.join("notebooks")).unwrap();
    fs::write(template.join("README.md"), "# Product\n").unwrap();
    fs::write(template.join("notebooks/load.py"), "x = 1\n").unwrap();
    let folder = project.path();
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(folder, &["config", "user.name", "Jo Doe"]);
    git(folder, &["config", "user.email", "jo@contoso.example"]);
    git(folder, &["config", "commit.gpgsign", "false"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "begin"]);
    project
}

fn onboard(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.safely(project, &[&["onboard", "onboarding.yaml"], args].concat())
}

fn registry(project: &Project) -> Value {
    serde_json::from_str(&fs::read_to_string(project.path().join("data_products/registry.json")).unwrap())
        .unwrap()
}

#[test]
fn a_product_has_its_folder_workspaces_branch_and_place() {
    let (tenant, project) = (Tenant::start(), project());
    let dry = onboard(&tenant, &project, &["--feature", "T-1", "--dry-run"]).is(0).stdout;
    for line in [
        "make 2 files in",
        "create branch customer_analytics/feature/T-1",
        "ensure workspace Customer Analytics [DEV]",
    ] {
        assert!(dry.contains(&format!("DRY-RUN: Would {line}")), "{line}\n{dry}");
    }
    assert!(!project.path().join("data_products/customer_analytics").exists());

    let made = onboard(&tenant, &project, &["--json"]).is(0).json();
    assert_eq!(made["product"], json!({ "name": "Customer Analytics", "slug": "customer_analytics" }));
    assert_eq!(made["dev_workspace"]["displayName"], "Customer Analytics [DEV]");
    let own = project.path().join("data_products/customer_analytics");
    fs::write(own.join("README.md"), "ours\n").unwrap();

    for ticket in ["T-1", "T-2"] {
        let made = onboard(&tenant, &project, &["--feature", ticket, "--json"]).is(0).json();
        assert_eq!(
            made["feature_workspace"]["displayName"],
            format!("Customer Analytics [Feature {ticket}]")
        );
        let branch = format!("customer_analytics/feature/{ticket}");
        assert_eq!((&made["git_branch"], &made["git_branch_created"]), (&json!(branch), &json!(true)));
        // The checkout stays where it is, and so does what somebody wrote.
        assert_eq!(git(project.path(), &["branch", "--show-current"]), "main");
        assert_eq!(
            git(project.path(), &["log", "-1", "--format=%s", &branch]),
            format!("chore(onboarding): bootstrap customer_analytics for {ticket}")
        );
        assert_eq!(
            git(project.path(), &["show", &format!("{branch}:data_products/customer_analytics/README.md")]),
            "ours"
        );
    }
    assert_eq!(git(project.path(), &["worktree", "list"]).lines().count(), 1);
    let status = tenant
        .plainly(&project, &["git", "status", "Customer Analytics [Feature T-2]", "--json"])
        .is(0)
        .json();
    assert_eq!(status["connection"]["branchName"], "customer_analytics/feature/T-2");
    assert_eq!(status["connection"]["directoryName"], "/data_products/customer_analytics/T-2");
    let known = registry(&project);
    let product = &known["products"][0];
    assert_eq!(
        product["feature_workspaces"].as_object().unwrap().len(),
        2,
        "the first ticket is not forgotten"
    );
    assert_eq!(
        (&product["dev_workspace_id"], &product["audit_reference"]),
        (&made["dev_workspace"]["id"], &json!("JIRA-1"))
    );
    // Once more finds what is there.
    tenant.forget_requests();
    onboard(&tenant, &project, &["--feature", "T-1"]).is(0);
    assert_eq!(tenant.writes(), [""; 0]);
    let trail = fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    assert!(
        trail.contains("\"onboarding_started\"") && trail.contains("\"onboarding_completed\""),
        "{trail}"
    );
    tenant.plainly(&project, &["audit", "verify"]).is(0);
}

#[test]
fn what_fails_leaves_neither_folder_nor_branch_nor_workspace() {
    let (tenant, project) = (Tenant::start(), project());
    let before = tenant.hash();
    tenant.inject("POST /v1/workspaces=400,skip=1,times=1");
    let ended = onboard(&tenant, &project, &["--feature", "T-1"]);
    assert_eq!((ended.code, tenant.hash()), (Some(1), before), "{}{}", ended.stdout, ended.stderr);
    assert!(!project.path().join("data_products/customer_analytics").exists());
    assert!(!project.path().join("data_products/registry.json").exists());
    assert_eq!(git(project.path(), &["branch", "--list", "customer_analytics/*"]), "");
    let trail = fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    assert!(trail.contains("\"onboarding_failed\""), "{trail}");
}

#[test]
fn what_cannot_be_understood_is_refused_before_anything() {
    let (tenant, project) = (Tenant::start(), project());
    onboard(&tenant, &project, &["--feature", "../x"]).is(2);
    tenant.safely(&project, &["onboard", "none.yaml"]).ends(2, &["there is no such file"]);
    project.write("data_products/registry.json", "{");
    onboard(&tenant, &project, &[]).ends(2, &["read data_products/registry.json", "move it away"]);
    fs::remove_file(project.path().join("data_products/registry.json")).unwrap();
    project
        .write("onboarding.yaml", "product: { name: \"A\" }\nenvironments: { dev: { capacity: \"x\" } }\n");
    onboard(&tenant, &project, &[]).ends(2, &["onboarding.yaml:2", "is not a GUID"]);
    // Without Fabric, Git and folder there is the registry alone.
    project.write("onboarding.yaml", "product: { name: \"A\" }\n");
    tenant.forget_requests();
    onboard(&tenant, &project, &["--skip-workspaces", "--skip-git", "--skip-scaffold"]).is(0);
    assert!(tenant.requests().is_empty());
    assert_eq!(registry(&project)["products"][0]["slug"], "a");
}
