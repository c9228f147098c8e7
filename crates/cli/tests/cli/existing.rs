//! Deployments onto what is there already.

use serde_json::json;

use crate::{
    program::Background,
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

#[test]
fn what_stood_there_is_reused_and_left_alone() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.seed(&json!({ "workspaces": [{
        "displayName": WORKSPACE,
        "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111",
        "folders": ["Landing", "Theirs"],
        "items": [
            { "type": "DataPipeline", "displayName": "theirs", "description": "kept", "folder": "Theirs" },
            { "type": "Lakehouse", "displayName": "BRONZE_Orders_Lakehouse", "description": "Orders as they come", "folder": "Landing" },
        ],
    }] }));
    let before = tenant.hash();
    tenant.inject("POST */git/commitToGit=403");
    let ended = tenant.safely(&project, &["deploy"]).is(1);
    assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());

    tenant.heal();
    tenant.forget_requests();
    let ended = tenant.safely(&project, &["deploy"]).is(0);
    assert!(ended.stderr.contains("is in another folder and is left there"), "{}", ended.stderr);
    let writes = tenant.writes();
    let count = |shape: &str| writes.iter().filter(|write| *write == shape).count();
    assert_eq!(count("POST /v1/workspaces"), 0, "{writes:?}");
    assert_eq!(count("POST /v1/workspaces/*/items"), 1, "the notebook: {writes:?}");
    assert_eq!(count("POST /v1/workspaces/*/folders"), 1, "Landing/Raw: {writes:?}");
    assert!(writes.iter().all(|write| !write.starts_with("DELETE")), "{writes:?}");
    assert!(tenant.inventory()["world"].to_string().contains("theirs"));
    tenant.has_all_of(&project);
}

#[test]
fn nothing_is_overwritten_without_a_yes() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.plainly(&project, &["deploy"]).is(0);
    project.edit("Orders as they come", "Orders of the day");
    project.write("load.py", "# Fabric notebook source\n\n# CELL ********************\n\nprint('anew')\n");
    let before = tenant.hash();
    tenant.forget_requests();
    let asked = tenant.safely(&project, &["deploy"]).ends(
        2,
        &[
            "  ~ describe Lakehouse BRONZE_Orders_Lakehouse\n",
            "  ~ update Notebook 01_LoadOrders_Notebook\n",
            "there is no terminal to ask on",
            "help: add --yes",
        ],
    );
    assert_eq!(asked.stdout, "");
    assert_eq!(tenant.writes(), [""; 0]);
    assert!(project.journals().is_empty());

    // What was overwritten is put back.
    tenant.inject("POST */git/commitToGit=500");
    tenant.safely(&project, &["deploy", "--yes"]).is(1);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());

    tenant.heal();
    let done = tenant.safely(&project, &["deploy", "--yes"]).is(0);
    assert!(done.stdout.starts_with("Committed: 3 changes in "), "{}", done.stdout);
    assert!(tenant.inventory()["world"].to_string().contains("Orders of the day"));
    tenant.has_all_of(&project);
}

/// The description that both have leaves no room for a marker, so theirs, renamed in that moment, is taken for ours.
#[test]
fn r12_what_was_there_before_is_not_removed_where_it_is_taken_for_ours() {
    const THEIRS: &str = "99999999-0000-4000-8000-000000000002";
    let (tenant, project) = (Tenant::start(), Project::orders());
    let description = "Orders as they come. ".repeat(12).trim_end().to_owned();
    tenant.seed(&json!({ "workspaces": [{
        "id": THEIRS.replace("002", "001"), "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111",
        "items": [{ "id": THEIRS, "type": "Lakehouse", "displayName": "theirs", "description": description }],
    }] }));
    project.edit("Orders as they come", &description);
    project.edit("  notebooks:\n    - name: \"01_LoadOrders_Notebook\"\n      target_folder: \"Landing\"\n      definition: \"load.py\"\n", "");
    tenant.inject("POST */git/commitToGit=403");
    let hold = tenant.hold("POST */items", "before");
    let process = Background::start(&mut tenant.safe(&project, &["deploy"]));
    hold.wait();
    let item = format!("/v1/workspaces/{}/items/{THEIRS}", THEIRS.replace("002", "001"));
    tenant.call("PATCH", &item, r#"{"displayName": "BRONZE_Orders_Lakehouse"}"#);
    hold.release();
    process.end().ends(3, &["item", THEIRS, "was there before"]);
    let shown = tenant.call("GET", &item, "");
    assert_eq!(shown["displayName"], "BRONZE_Orders_Lakehouse", "{shown}");
}
