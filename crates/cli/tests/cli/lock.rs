//! Two deployments of one workspace: the second does not begin, and says who is in its way.

use serde_json::Value;

use crate::{
    program::{Background, run},
    project::{Project, WORKSPACE},
    tenant::{Hold, Tenant},
};

/// A deployment with a request on its way.
fn running<'t>(tenant: &'t Tenant, project: &Project) -> (Background, Hold<'t>) {
    let hold = tenant.hold("POST */items", "before");
    let process = Background::start(&mut tenant.safe(project, &["deploy"]));
    hold.wait();
    (process, hold)
}

#[test]
fn r8_a_workspace_has_one_deployment_at_a_time_and_says_whose_it_is() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let none = tenant.plainly(&project, &["lock", "list"]).ends(0, &[]);
    assert_eq!(none.stdout, "Nothing is locked.\n");
    let (process, hold) = running(&tenant, &project);
    let listed = tenant.plainly(&project, &["lock", "list", "--output", "json"]).is(0).json();
    let subject = listed["locks"][0]["subject"].as_str().unwrap().to_owned();
    assert_eq!(subject, format!("{}/v1 {WORKSPACE}", tenant.url));
    for named in [subject.as_str(), WORKSPACE] {
        let shown = tenant.plainly(&project, &["lock", "show", named]).ends(0, &[]).stdout;
        assert!(shown.contains("is held by process ") && shown.contains("until its process ends"), "{shown}");
    }

    // Its journal out of the way: the lease alone keeps the second off.
    let journal = project.journals().remove(0);
    let aside = journal.with_extension("aside");
    std::fs::rename(&journal, &aside).unwrap();
    tenant.forget_requests();
    let refused = tenant.safely(&project, &["deploy", "--yes"]).ends(
        5,
        &["error: lock this workspace", "is held by process ", "with transaction ", "selvedge lock show '"],
    );
    let help = refused.stderr.split("help: ").nth(1).unwrap();
    for command in ["selvedge transactions list", "selvedge lock show", "selvedge lock break"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(tenant.writes(), [""; 0]);
    std::fs::rename(&aside, &journal).unwrap();

    hold.release();
    process.end().is(0);
    let none = tenant.plainly(&project, &["lock", "show", WORKSPACE, "--output", "json"]).is(0).json();
    assert_eq!(none["lock"], Value::Null);
    tenant.has_all_of(&project);
}

#[test]
fn r8_a_plan_is_refused_where_another_deployment_came_between_reading_and_locking() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    // It has seen an empty tenant, and does not go on before another has deployed.
    let hold = tenant.hold("GET /v1/workspaces", "after");
    let late = Background::start(&mut tenant.safe(&project, &["deploy", "--yes"]));
    hold.wait();
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    let made = tenant.hash();
    tenant.forget_requests();
    hold.release();
    late.end()
        .ends(5, &["has written to this workspace since the plan was made", "run the deployment again"]);
    assert_eq!(tenant.writes(), [""; 0]);
    assert_eq!(tenant.hash(), made);
    tenant.has_all_of(&project);
}

#[cfg(unix)]
#[test]
fn r23_a_lock_ends_with_its_process_and_can_be_broken() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    let (process, hold) = running(&tenant, &project);
    // Not without being asked, and not by mistake.
    tenant.plainly(&project, &["lock", "break", WORKSPACE]).ends(2, &["there is no terminal", "--yes"]);
    let nobody = tenant.plainly(&project, &["lock", "break", "elsewhere", "--yes"]).ends(0, &[]);
    assert!(nobody.stdout.contains("is not locked\n"), "{}", nobody.stdout);
    let broken = tenant.plainly(&project, &["lock", "break", WORKSPACE, "--yes"]).ends(0, &[]);
    assert!(broken.stdout.contains("is not locked any more"), "{}", broken.stdout);
    tenant.forget_requests();
    hold.release();
    // Alive all the same, it finishes what it has begun and begins nothing more.
    process.end().ends(3, &["the lease is lost", "selvedge transactions rollback "]);
    assert_eq!(tenant.writes(), [""; 0], "the request under way had arrived before");

    let id = project.journals()[0].file_stem().unwrap().to_str().unwrap().to_owned();
    tenant.safely(&project, &["transactions", "rollback", &id]).is(0);
    assert_eq!(tenant.hash(), before);

    let (process, _hold) = running(&tenant, &project);
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    let listed = tenant.plainly(&project, &["lock", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["locks"].as_array().unwrap().len(), 0);
}

#[test]
fn without_the_flag_there_is_no_lock_and_no_journal() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.plainly(&project, &["deploy"]).is(0);
    assert!(!project.path().join(".selvedge").exists());
    // Nobody listens there.
    let mut deploy = tenant.selvedge(&project, &["deploy"]);
    deploy.env("SELVEDGE_ROLLBACK__JOURNAL", "http://127.0.0.1:9/contoso/journals");
    run(deploy.env("AZURE_STORAGE_KEY", "QUJD").env("SELVEDGE_ROLLBACK__LEASE_TTL", "5m")).is(0);
}
