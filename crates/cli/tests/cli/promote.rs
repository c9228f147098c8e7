//! `selvedge promote`: items go from one stage of a deployment pipeline to the next, against the emulator.

use serde_json::{Value, json};

use crate::{
    program::{Background, Ended},
    project::Project,
    tenant::Tenant,
};

const CAPACITY: &str = "11111111-1111-4111-8111-111111111111";
const SALES: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const LOAD: &str = "99999999-0000-4000-8000-000000000001";
const DEPLOY: &str = "POST /v1/deploymentPipelines/*/deploy";

/// A pipeline of four stages. The first has three items, the second one of its own, the third none, the fourth no workspace. A second
/// pipeline shares its name with a third.
fn sales() -> (Tenant, Project) {
    let tenant = Tenant::start();
    let workspace = |n: u32, name: &str, items: Value| {
        json!({ "id": format!("88888888-0000-4000-8000-00000000000{n}"), "displayName": name, "capacityId": CAPACITY,
                "items": items })
    };
    let stage = |name: &str, n: u32| json!({ "displayName": name, "workspaceId": format!("88888888-0000-4000-8000-00000000000{n}") });
    let item = |kind: &str, name: &str| json!({ "type": kind, "displayName": name });
    let load = json!({ "id": LOAD, "type": "Notebook", "displayName": "load" });
    let pair = json!([{ "displayName": "a" }, { "displayName": "b" }]);
    tenant.seed(&json!({
        "workspaces": [
            workspace(1, "sales-dev", json!([load, item("DataPipeline", "nightly"), item("DataPipeline", "load")])),
            workspace(2, "sales-test", json!([item("DataPipeline", "own")])),
            workspace(3, "sales-prod", json!([])),
        ],
        "deploymentPipelines": [
            { "id": SALES, "displayName": "Sales", "stages": [
                stage("Development", 1), stage("Test", 2), stage("Production", 3), { "displayName": "Archive" }] },
            { "displayName": "Twin", "stages": pair },
            { "displayName": "Twin", "stages": pair },
        ],
    }));
    (tenant, Project::with(&[]))
}

fn args<'a>(from: &'a str, to: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["promote", "--pipeline", "sales", "--from", from, "--to", to], more].concat()
}

fn safely(tenant: &Tenant, project: &Project, more: &[&str]) -> Ended {
    tenant.safely(project, &args("development", "test", more))
}

/// `Type name` of what a workspace holds.
fn held(tenant: &Tenant, project: &Project, workspace: &str) -> Vec<String> {
    let listed = tenant.plainly(project, &["items", "list", workspace, "--json"]).is(0).json();
    let word = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = listed.as_array().unwrap().iter();
    let mut held: Vec<_> =
        items.map(|item| format!("{} {}", word(item, "type"), word(item, "displayName"))).collect();
    held.sort();
    held
}

fn each<'v>(value: &'v Value, key: &str) -> Vec<&'v str> {
    value["items"].as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

const ALL: [&str; 4] = ["DataPipeline load", "DataPipeline nightly", "DataPipeline own", "Notebook load"];

#[test]
fn items_are_promoted_and_promoted_again() {
    let (tenant, project) = sales();
    // Where nobody can be asked, nothing is done.
    tenant.forget_requests();
    let said = [
        "Pipeline: Sales",
        "From: Development (workspace sales-dev)",
        "To: Test (workspace sales-test)",
        "nightly | DataPipeline | new",
        "Only in Test, and left alone:\n  DataPipeline own\n",
        "3 items: 3 new, 0 overwritten\nThis cannot be undone",
        "there is no terminal to ask on",
        "add --yes",
    ];
    safely(&tenant, &project, &[]).ends(2, &said);
    assert_eq!(tenant.writes(), [""; 0]);

    let ended = safely(&tenant, &project, &["--yes", "--note", "the first"]).is(0);
    assert_eq!(
        ended.stdout,
        "✓ Promoted 3 items from Development to Test\n  Notebook load: new\n  DataPipeline nightly: new\n  DataPipeline load: new\n"
    );
    assert_eq!(held(&tenant, &project, "sales-test"), ALL);
    assert_eq!(tenant.writes(), [DEPLOY.to_owned()]);
    let history = tenant.call("GET", &format!("/v1/deploymentPipelines/{SALES}/operations"), "");
    assert_eq!(history["value"][0]["note"]["content"], "the first");

    // What is there already is overwritten by the same, which Fabric tells only then.
    let value = safely(&tenant, &project, &["--yes", "--json"]).is(0).json();
    assert_eq!(
        (&value["status"], &value["pipeline"]["id"], &value["to"]["workspaceName"]),
        (&json!("promoted"), &json!(SALES), &json!("sales-test"))
    );
    assert_eq!(each(&value, "action"), ["overwrite"; 3]);
    assert_eq!(each(&value, "result"), ["promoted"; 3]);
    assert_eq!(each(&value, "difference"), ["NoDifference"; 3]);
    assert_eq!(value["only_in_target"][0]["displayName"], "own");
    let latest = tenant.call("GET", &format!("/v1/deploymentPipelines/{SALES}/operations"), "");
    assert_eq!(value["deployment"], latest["value"][1]["id"]);

    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    let records: Vec<Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let promoted: Vec<_> = records.iter().filter(|record| record["event_type"] == "items_promoted").collect();
    assert_eq!(promoted.len(), 2, "{trail}");
    let told = promoted[0].to_string();
    for said in [SALES, LOAD, "\"target_stage\":\"Test\"", "\"items_failed\":[]", "\"outcome\":\"done\""] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    let listed = tenant.safely(&project, &["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"].as_array().unwrap().len(), 2, "{listed:#}");
}

#[test]
fn chosen_items_are_promoted_and_unknown_ones_named() {
    let (tenant, project) = sales();
    let before = tenant.hash();
    safely(&tenant, &project, &["--items", "nightly,lode.Notebook,load", "--items", "nothing", "--yes"])
        .ends(1, &["'lode.Notebook' not found", "'load' stands for several", LOAD, "'nothing' not found"]);
    assert_eq!(tenant.hash(), before);
    // One of them twice, by different words.
    let items = format!("load.notebook,NIGHTLY,{LOAD}");
    let value = safely(&tenant, &project, &["--items", &items, "--yes", "--json"]).is(0).json();
    assert_eq!(each(&value, "displayName"), ["load", "nightly"]);
    assert_eq!(value["not_chosen"], 1);
    assert_eq!(
        held(&tenant, &project, "sales-test"),
        ["DataPipeline nightly", "DataPipeline own", "Notebook load"]
    );
    // On to the next stage, plainly, by places; nothing of it is kept in a journal.
    let journals = project.journals().len();
    let ended = tenant.plainly(&project, &args("1", "2", &["--items", "nightly", "-y"])).is(0);
    assert!(ended.stdout.starts_with("✓ Promoted 1 item from Test to Production\n"), "{}", ended.stdout);
    assert_eq!(held(&tenant, &project, "sales-prod"), ["DataPipeline nightly"]);
    assert_eq!(project.journals().len(), journals);
}

#[test]
fn a_dry_run_writes_nothing_and_neither_does_an_empty_stage() {
    let (tenant, project) = sales();
    let before = tenant.hash();
    tenant.forget_requests();
    let ended = safely(&tenant, &project, &["--dry-run"]).is(0);
    for said in
        ["load    | Notebook     | new", "This cannot be undone", "DRY RUN MODE - Nothing is promoted"]
    {
        assert!(ended.stdout.contains(said), "{said}\n{}", ended.stdout);
    }
    let value = safely(&tenant, &project, &["--dry-run", "--output", "json"]).is(0).json();
    assert_eq!((&value["status"], &value["items"][0]["id"]), (&json!("planned"), &json!(LOAD)));
    assert_eq!(value["items"][0]["action"], "create");
    let empty = tenant.safely(&project, &args("production", "test", &["--yes"]));
    empty.ends(1, &["that is a step back, and stage Test has 1 item"]);
    // From a stage without items there is nothing to promote.
    let own = tenant.call("GET", "/v1/workspaces/88888888-0000-4000-8000-000000000002/items", "");
    let own = own["value"][0]["id"].as_str().unwrap();
    let after = tenant.hash();
    assert_eq!((after, tenant.writes()), (before, vec![]));
    tenant.call("DELETE", &format!("/v1/workspaces/88888888-0000-4000-8000-000000000002/items/{own}"), "");
    tenant.forget_requests();
    let ended = tenant.safely(&project, &args("test", "production", &["--yes"])).is(0);
    assert_eq!(ended.stdout, "Nothing to promote: stage Test has no items\n");
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn what_cannot_be_promoted_is_refused_before_anything_is_sent() {
    let (tenant, project) = sales();
    tenant.forget_requests();
    for (from, to, code, said) in [
        ("Dev", "test", 1, vec!["stage 'Dev' not found", "there are: 0 Development, 1 Test, 2 Production"]),
        ("Developmen", "test", 1, vec!["did you mean `Development`?"]),
        ("test", "1", 2, vec!["that is one stage, not two"]),
        ("development", "production", 2, vec!["not next to each other", "the stages in their order: 0 Dev"]),
        ("production", "archive", 1, vec!["no workspace is assigned to stage Archive"]),
    ] {
        tenant.safely(&project, &args(from, to, &["--yes"])).ends(code, &said);
    }
    let pipeline = |word| ["promote", "--pipeline", word, "--from", "a", "--to", "b", "--yes"];
    tenant
        .safely(&project, &pipeline("Sale"))
        .ends(1, &["'Sale' not found", "did you mean `Sales`? there are: Sales (aaaaaaaa-"]);
    tenant
        .safely(&project, &pipeline("twin"))
        .ends(1, &["the name of several deployment pipelines", "give one of"]);
    safely(&tenant, &project, &["--note", &"x".repeat(1025)]).ends(2, &["1025 characters"]);
    tenant.plainly(&project, &["promote", "--pipeline", "sales", "--from", "test"]).ends(2, &["--to"]);
    project.write("selvedge.toml", "[workspaces]\nprotected = [\"*-test\"]\n");
    safely(&tenant, &project, &[]).ends(2, &["Workspace sales-test is protected.", "--yes"]);
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn a_deployment_that_fails_says_why_and_leaves_nothing() {
    let (tenant, project) = sales();
    tenant.inject(&format!("{DEPLOY}=operation-fails"));
    let said = [
        "error: promote 3 items from Development to Test",
        "nothing was promoted",
        "Notebook load: UnknownError",
    ];
    let ended = safely(&tenant, &project, &["--yes"]).ends(1, &said);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left of transaction"), "{}", ended.stdout);
    let ended = tenant.plainly(&project, &args("development", "test", &["--yes"])).ends(1, &said);
    assert_eq!(ended.stdout, "Failed: nothing was made\n");
    let told = safely(&tenant, &project, &["--yes", "--json"]).is(1).json();
    assert_eq!(told["verdict"], "rolled_back");
    assert!(
        told["cause"]["reason"].as_str().unwrap().contains("DataPipeline nightly: UnknownError"),
        "{told:#}"
    );
    tenant.heal();
    assert_eq!(held(&tenant, &project, "sales-test"), ["DataPipeline own"]);
    // What Fabric refuses at once.
    tenant.inject(&format!("{DEPLOY}=400,code=PrincipalTypeNotSupported,times=1"));
    safely(&tenant, &project, &["--yes"]).ends(1, &["PrincipalTypeNotSupported"]);
    safely(&tenant, &project, &["--yes"]).is(0);
}

#[test]
fn a_deployment_that_ends_halfway_names_what_it_left_out() {
    let (tenant, project) = sales();
    tenant.inject(&format!("{DEPLOY}=partial+operation-fails,times=1"));
    let ended = safely(&tenant, &project, &["--yes"]).is(3);
    assert!(
        ended.stdout.starts_with("✗ Promoted 1 of 3 items from Development to Test\n  Notebook load: new\n"),
        "{}",
        ended.stdout
    );
    let why = "  ✗ DataPipeline nightly: the deployment ended without it\n";
    assert!(ended.stdout.contains(why), "{}", ended.stdout);
    assert_eq!(held(&tenant, &project, "sales-test"), ["DataPipeline own", "Notebook load"]);
    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    assert!(trail.contains("\"items_failed\":[{\"") && trail.contains("ended without it"), "{trail}");

    // The rest is promoted by the same command, and the transaction is not in its way.
    let value = safely(&tenant, &project, &["--yes", "--json"]).is(0).json();
    assert_eq!(each(&value, "action"), ["overwrite", "create", "create"]);
    assert_eq!(held(&tenant, &project, "sales-test"), ALL);

    // Fabric says that all is well, and the stage does not show it.
    tenant.inject(&format!("{DEPLOY}=operation-no-result,times=1"));
    let lost = tenant.safely(&project, &args("test", "production", &["--yes", "--json"])).is(3).json();
    assert_eq!(lost["status"], "not_verified");
    assert_eq!(each(&lost, "result"), ["not_verified"; 4]);
}

#[test]
fn an_answer_that_is_lost_is_looked_for() {
    let (tenant, project) = sales();
    tenant.inject(&format!("{DEPLOY}=reset-after,times=1"));
    let ended = safely(&tenant, &project, &["--yes"]).is(0);
    assert!(ended.stdout.starts_with("✓ Promoted 3 items"), "{}", ended.stdout);
    assert_eq!(tenant.writes().iter().filter(|shape| *shape == DEPLOY).count(), 1);
    // Without a transaction nobody looks, and it is said that it is not known.
    tenant.inject(&format!("{DEPLOY}=reset-after,times=1"));
    let ended = tenant.plainly(&project, &args("test", "production", &["--yes"])).is(3);
    assert!(ended.stdout.contains("it is not known whether it was made"), "{}", ended.stdout);
}

#[test]
fn a_deployment_of_somebody_else_meanwhile_stops_it() {
    let (tenant, project) = sales();
    let hold = tenant.hold_later("GET /v1/deploymentPipelines/*/operations", 1, "before");
    let running = Background::start(&mut tenant.safe(&project, &args("development", "test", &["--yes"])));
    hold.wait();
    // Who asks selvedge is told to wait. Who asks Fabric is not.
    tenant.plainly(&project, &args("test", "production", &["--yes"])).ends(5, &["is running, in process"]);
    let stages = tenant.call("GET", &format!("/v1/deploymentPipelines/{SALES}/stages"), "");
    let order =
        json!({ "sourceStageId": stages["value"][1]["id"], "targetStageId": stages["value"][2]["id"] });
    tenant.call("POST", &format!("/v1/deploymentPipelines/{SALES}/deploy"), &order.to_string());
    hold.release();
    running.end().ends(1, &["somebody has deployed through the pipeline since it was looked at"]);
    assert_eq!(held(&tenant, &project, "sales-test"), ["DataPipeline own"]);
    safely(&tenant, &project, &["--yes"]).is(0);
}

/// Once it is made there is no way back: whoever goes on with it looks what came of it, and sends it where nothing did.
#[cfg(unix)]
#[test]
fn a_promotion_that_was_cut_off_is_gone_on_with() {
    let before = "GET /v1/deploymentPipelines/*/operations";
    for (pattern, skip, point, verb) in
        [(DEPLOY, 0, "after", "resume"), (before, 1, "before", "resume"), (before, 1, "before", "rollback")]
    {
        let (tenant, project) = sales();
        let hold = tenant.hold_later(pattern, skip, point);
        let process = Background::start(&mut tenant.safe(&project, &args("development", "test", &["--yes"])));
        hold.wait();
        process.signal("KILL");
        assert_eq!(process.end().code, None);
        hold.release();
        tenant.settle();
        let refused = safely(&tenant, &project, &["--yes"]).ends(5, &["was interrupted and is open"]);
        let command = refused.command();
        assert_eq!(command[1], "resume", "{}", refused.stderr);
        let take_up = |verb| tenant.safely(&project, &["transactions", verb, &*command[2]]);
        if pattern == DEPLOY {
            take_up("rollback").ends(3, &["selvedge transactions resume"]);
        }
        let ended = take_up(verb).is(0);
        let (verdict, there, sent) = match verb {
            "resume" => ("Committed: 1 change", &ALL[..], 1),
            _ => ("RolledBack: nothing is left", &["DataPipeline own"][..], 0),
        };
        assert!(ended.stdout.starts_with(verdict), "{pattern} {verb}: {}", ended.stdout);
        assert_eq!(held(&tenant, &project, "sales-test"), there, "{pattern} {verb}");
        let deploys = tenant.writes().iter().filter(|shape| *shape == DEPLOY).count();
        assert_eq!(deploys, sent, "{pattern} {verb}");
    }
}
