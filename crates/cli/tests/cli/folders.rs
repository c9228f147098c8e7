//! `selvedge folders`: the predecessor's sub-commands, against the emulator.

use serde_json::{Value, json};

use crate::{
    program::{Ended, run},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

const LAKEHOUSE: &str = "BRONZE_Orders_Lakehouse";
const NOTEBOOK: &str = "01_LoadOrders_Notebook";

/// A tenant with the workspace that the project's files ask for, not connected to Git.
fn deployed() -> (Tenant, Project) {
    let (tenant, project) = (Tenant::start(), Project::orders());
    project.edit("enabled: true", "enabled: false");
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    tenant.forget_requests();
    (tenant, project)
}

fn safely(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.safely(project, &[&["folders"], args, &["--workspace", WORKSPACE]].concat())
}

fn paths(tenant: &Tenant, project: &Project) -> Vec<String> {
    let listed = safely(tenant, project, &["list", "--json"]).is(0).json();
    listed.as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn folders_are_listed_and_drawn() {
    let (tenant, project) = deployed();
    assert_eq!(paths(&tenant, &project), ["Landing", "Landing/Raw"]);
    let text = safely(&tenant, &project, &["list", "--show-children"]).is(0).stdout;
    assert!(text.starts_with("Name") && text.contains("Found 2 folder(s)"), "{text}");
    let top = safely(&tenant, &project, &["--json", "list", "--top-level", "--show-children"]).is(0).json();
    assert_eq!(top.as_array().unwrap().len(), 1);
    assert_eq!(top[0]["children"][0]["displayName"], "Raw");
    let drawn = safely(&tenant, &project, &["tree"]).is(0).stdout;
    assert_eq!(drawn, format!("{WORKSPACE}\n└── Landing\n    └── Raw\n"));
    let drawn = safely(&tenant, &project, &["tree", "--show-items"]).is(0).stdout;
    assert!(
        drawn.contains(&format!("    │   └── {LAKEHOUSE} (SQLEndpoint)\n    └── {NOTEBOOK} (Notebook)")),
        "{drawn}"
    );
    let templates = tenant.plainly(&project, &["folders", "list-templates", "--json"]).is(0).json();
    let names: Vec<_> =
        templates.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["medallion", "data-science", "departmental", "basic"]);

    // The command line says which workspace, and no variable.
    let mut other = tenant.selvedge(&project, &["folders", "list", "--json", "--workspace", WORKSPACE]);
    other.env("FABRIC_WORKSPACE_ID", "00000000-0000-4000-8000-000000000000");
    assert_eq!(run(&mut other).is(0).json().as_array().unwrap().len(), 2);
    let mut none = tenant.selvedge(&project, &["folders", "list"]);
    none.env("FABRIC_WORKSPACE_ID", "00000000-0000-4000-8000-000000000000");
    run(&mut none).ends(2, &["no workspace is named", "FABRIC_WORKSPACE_ID has no effect"]);
    let all = tenant.plainly(&project, &["workspaces", "list", "--json"]).is(0).json();
    let all = all.as_array().unwrap();
    let id = |is_it: bool| {
        let mut found = all.iter().filter(|one| (one["displayName"] == WORKSPACE) == is_it);
        found.next().map(|one| one["id"].as_str().unwrap().to_owned())
    };
    tenant.plainly(&project, &["folders", "list", "--workspace-id", &id(true).unwrap()]).is(0);
    safely(&tenant, &project, &["list", "--workspace-id", &id(true).unwrap()]).is(0);
    if let Some(other) = id(false) {
        safely(&tenant, &project, &["list", "--workspace-id", &other]).ends(2, &["--workspace-id another"]);
    }
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn a_folder_is_made_moved_and_deleted() {
    let (tenant, project) = deployed();
    let before = tenant.hash();
    let made =
        safely(&tenant, &project, &["create", "--name", "Old", "--parent", "landing/raw", "--json"]).is(0);
    let made = made.json();
    assert_eq!((&made["path"], &made["displayName"]), (&json!("Landing/Raw/Old"), &json!("Old")));
    let id = made["id"].as_str().unwrap();
    safely(&tenant, &project, &["create", "--name", "old", "--parent", "Raw"])
        .ends(1, &["already exists", id]);
    let text = safely(&tenant, &project, &["move", "--folder", "Old", "--show-tree"]).is(0).stdout;
    assert!(text.starts_with("✓ Moved folder: Landing/Raw/Old to Old\n"), "{text}");
    assert!(text.contains("├── Landing\n│   └── Raw\n└── Old"), "{text}");
    tenant.forget_requests();
    safely(&tenant, &project, &["move", "--folder", "Old"]).is(0);
    assert_eq!(tenant.writes(), [""; 0], "it is there already");
    safely(&tenant, &project, &["delete", "--folder", id])
        .ends(2, &["there is no terminal to ask on", "--yes"]);
    let ended = safely(&tenant, &project, &["delete", "--folder", id, "-y"]).is(0);
    assert_eq!(ended.stdout, "✓ Deleted folder: Old\n");
    assert_eq!(tenant.hash(), before);

    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    for event in ["folder_created", "folder_moved", "folder_deleted"] {
        assert!(trail.contains(&format!("\"event_type\":\"{event}\"")), "{event}\n{trail}");
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let (tenant, project) = deployed();
    project.write("odd.yaml", "folders: [\"a*b\"]\n");
    for (code, args, said) in [
        (2, vec!["create", "--name", "a/b"], "is not a folder name"),
        (2, vec!["create", "--name", " "], "is not a folder name"),
        (1, vec!["create", "--name", "x", "--parent", "Landin"], "did you mean `Landing`?"),
        (2, vec!["move", "--folder", "Landing", "--parent", "Landing/Raw"], "is the folder itself, or in it"),
        (2, vec!["move", "--folder", "Landing", "--parent", "Landing"], "is the folder itself, or in it"),
        (2, vec!["delete", "--folder", "Landing", "--yes"], "it contains 1 folder and 2 items"),
        (2, vec!["create-structure"], "--template"),
        (2, vec!["create-structure", "--template", "x"], "medallion, data-science, departmental, basic"),
        (2, vec!["create-structure", "--config", "odd.yaml"], "odd.yaml:1"),
        (1, vec!["move-items", "--folder", "Raw", "--items", "nothing"], "Item 'nothing' not found"),
    ] {
        safely(&tenant, &project, &args).ends(code, &[said]);
    }
    assert_eq!(tenant.writes(), [""; 0]);
    // As deep as Fabric allows, and no deeper.
    project.write("deep.yaml", "folders: [\"1/2/3/4/5/6/7/8/9\"]\n");
    safely(&tenant, &project, &["create-structure", "--config", "deep.yaml"]).is(0);
    safely(&tenant, &project, &["move", "--folder", "Landing", "--parent", "9"])
        .ends(2, &["deeper than 10 levels"]);
    safely(&tenant, &project, &["move", "--folder", "Landing", "--parent", "8"]).is(0);
    safely(&tenant, &project, &["create", "--name", "x", "--parent", "Raw"]).ends(2, &["at most 10 deep"]);
}

#[test]
fn a_structure_is_made_once_and_completed() {
    let (tenant, project) = deployed();
    let offline = run(&mut crate::program::selvedge(
        project.path(),
        &["folders", "create-structure", "--template", "medallion", "--dry-run", "--json"],
    ));
    assert_eq!(offline.is(0).json()["folders"].as_array().unwrap().len(), 9);
    safely(&tenant, &project, &["create", "--name", "bronze layer"]).is(0);
    tenant.forget_requests();
    let args = ["create-structure", "--template", "medallion"];
    let told = safely(&tenant, &project, &[&args[..], &["--dry-run"]].concat()).is(0).stdout;
    assert!(told.starts_with("Dry run: would create 8 folders:\n  Bronze Layer/Raw Data\n"), "{told}");
    assert_eq!(tenant.writes(), [""; 0]);
    let args = [&args[..], &["--output", "ids.json"]].concat();
    let told = safely(&tenant, &project, &args).is(0).stdout;
    assert!(told.starts_with("✓ Created 8 folders, 1 were there:\n"), "{told}");
    let ids: Value =
        serde_json::from_slice(&std::fs::read(project.path().join("ids.json")).unwrap()).unwrap();
    assert_eq!(ids.as_object().unwrap().len(), 9);
    assert!(ids["Gold Layer/Reports"].is_string(), "{ids}");
    tenant.forget_requests();
    safely(&tenant, &project, &args).is(0);
    assert_eq!(tenant.writes(), [""; 0], "it is so already");
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let (tenant, project) = deployed();
    let before = tenant.hash();
    let structure = ["folders", "create-structure", "--template", "basic", "--workspace", WORKSPACE];
    tenant.inject("POST /v1/workspaces/*/folders=400,skip=2,times=1");
    let ended = tenant.safely(&project, &structure).is(1);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before);
    tenant.heal();
    let items = format!("{LAKEHOUSE},{NOTEBOOK}");
    let moving = ["folders", "move-items", "--folder", "/", "--items", &items, "--workspace", WORKSPACE];
    // One is moved, or both are, and none has been in the end.
    tenant.inject("POST /v1/workspaces/*/items/*/move=400,skip=1,times=1");
    tenant.safely(&project, &moving).is(1);
    assert_eq!(tenant.hash(), before);
    tenant.heal();
    // A move whose answer is lost is found to be made.
    tenant.inject("POST /v1/workspaces/*/folders/*/move=reset-after,times=1");
    safely(&tenant, &project, &["move", "--folder", "Raw"]).is(0);
    assert_eq!(paths(&tenant, &project), ["Landing", "Raw"]);
    tenant.heal();
    tenant.inject("POST /v1/workspaces/*/folders=400,skip=2,times=1");
    run(&mut tenant.selvedge(&project, &structure)).ends(3, &["create folder"]);
}

#[test]
fn items_are_moved_and_go_with_their_folder_by_force() {
    let (tenant, project) = deployed();
    let items = format!("{LAKEHOUSE}.Lakehouse, Landing/{NOTEBOOK}");
    let args = ["move-items", "--folder", "Raw", "--items", &items];
    let told = safely(&tenant, &project, &args).is(0).stdout;
    assert_eq!(told, "✓ Moved 1 item to Landing/Raw\n", "one is there already");
    let drawn = safely(&tenant, &project, &["tree", "--show-items", "--json"]).is(0).json();
    let inside = drawn.pointer("/folders/0/folders/0/items").unwrap().as_array().unwrap();
    assert_eq!(inside.len(), 3, "{drawn:#}");
    let ended = safely(&tenant, &project, &["delete", "--folder", "Landing", "--force", "--yes", "--json"])
        .is(0)
        .json();
    assert_eq!(ended["deleted"].as_array().unwrap().len(), 2);
    assert_eq!(ended["items"].as_array().unwrap().len(), 2);
    assert_eq!(paths(&tenant, &project), [""; 0]);
    let left = tenant.plainly(&project, &["items", "list", WORKSPACE, "--json"]).is(0).json();
    assert_eq!(left, json!([]));
}

#[test]
fn a_deletion_that_stops_on_its_way_says_what_goes_on_with_it() {
    let (tenant, project) = deployed();
    let delete = ["delete", "--folder", "Landing", "--force", "--yes"];
    // Nothing is gone yet: so it ends.
    tenant.inject("DELETE /v1/workspaces/*/items/*=400,times=1");
    let before = paths(&tenant, &project);
    safely(&tenant, &project, &delete).is(1);
    assert_eq!(paths(&tenant, &project), before);
    tenant.heal();
    // The items are: there is only a way on.
    tenant.inject("DELETE /v1/workspaces/*/folders/*=400,times=1");
    let ended = safely(&tenant, &project, &delete).is(3);
    assert!(ended.stderr.contains("selvedge transactions resume"), "{}", ended.stderr);
    tenant.heal();
    let command = ended.command();
    tenant.safely(&project, &command.iter().map(String::as_str).collect::<Vec<_>>()).is(0);
    assert_eq!(paths(&tenant, &project), [""; 0]);
}
