//! `selvedge items`: the predecessor's sub-commands, against the emulator.

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
    tenant.safely(project, &[&["items"], args, &["--workspace", WORKSPACE]].concat())
}

fn list(tenant: &Tenant, project: &Project) -> Vec<Value> {
    let listed = tenant.plainly(project, &["items", "--json", "list", WORKSPACE]).is(0).json();
    listed.as_array().unwrap().clone()
}

fn names(tenant: &Tenant, project: &Project) -> Vec<String> {
    list(tenant, project).iter().map(|item| item["displayName"].as_str().unwrap().to_owned()).collect()
}

fn of<'v>(all: &'v [Value], kind: &str) -> &'v Value {
    all.iter().find(|item| item["type"] == kind).unwrap()
}

#[test]
fn items_are_listed_and_found_by_id_name_and_path() {
    let (tenant, project) = deployed();
    let all = list(&tenant, &project);
    let lakehouse = of(&all, "Lakehouse");
    let mut keys: Vec<_> = lakehouse.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["createdDate", "description", "displayName", "folderId", "id", "modifiedDate", "type"]);
    assert_eq!(
        (&lakehouse["createdDate"], &lakehouse["description"]),
        (&Value::Null, &json!("Orders as they come"))
    );
    let text = safely(&tenant, &project, &["list", "--type", "notebook"]).is(0).stdout;
    assert!(
        text.starts_with("Display Name") && text.contains(NOTEBOOK) && !text.contains(LAKEHOUSE),
        "{text}"
    );
    safely(&tenant, &project, &["list", "--type", "Notbook"]).ends(0, &["did you mean Notebook?"]);

    let id = lakehouse["id"].as_str().unwrap();
    let path = format!("{WORKSPACE}/Landing/Raw/{LAKEHOUSE}.Lakehouse");
    let endpoint = format!("{LAKEHOUSE}.SQLEndpoint");
    for args in [
        vec!["get", "--item-id", id],
        vec!["get", "--item-name", &LAKEHOUSE.to_lowercase()],
        vec!["get", "--item-name", LAKEHOUSE, "--type", "lakehouse"],
        vec!["get", id],
        vec!["get", LAKEHOUSE],
    ] {
        let shown = safely(&tenant, &project, &[&*args, &["--json"]].concat()).is(0).json();
        assert_eq!(shown["id"], id, "{args:?}");
        assert!(shown["workspaceId"].is_string());
    }
    let shown = tenant.plainly(&project, &["items", "get", &path, "--json"]).is(0).json();
    assert_eq!(shown["id"], id);
    let text = tenant.plainly(&project, &["item", "get", &path]).is(0).stdout;
    assert!(text.contains("Folder: Landing/Raw\n"), "{text}");
    let shown = safely(&tenant, &project, &["get", &endpoint, "--json"]).is(0).json();
    assert_eq!(shown["type"], "SQLEndpoint");
    assert_eq!(tenant.writes(), [""; 0]);

    // Nothing is guessed, and near misses are named.
    let near = format!("{LAKEHOUSE}s");
    safely(&tenant, &project, &["get", &near])
        .ends(1, &["not found", &format!("did you mean `{LAKEHOUSE}`?")]);
    safely(&tenant, &project, &["get"]).is(2);
    safely(&tenant, &project, &["get", "--item-id", "x"]).ends(2, &["it is not an id"]);
    tenant.plainly(&project, &["items", "list"]).ends(2, &["no workspace is named", "--workspace"]);
    tenant.plainly(&project, &["items", "get", LAKEHOUSE]).ends(2, &["no workspace is named"]);
    tenant.plainly(&project, &["items", "list", "nowhere"]).ends(1, &["Workspace 'nowhere' not found"]);
}

#[test]
fn a_definition_is_shown_written_and_read_again() {
    let (tenant, project) = deployed();
    let text = safely(&tenant, &project, &["get-definition", NOTEBOOK]).is(0).stdout;
    assert!(text.starts_with("==> notebook-content.py ("), "{text}");
    assert!(text.contains("orders = spark.read.json"), "{text}");
    let value =
        safely(&tenant, &project, &["get-definition", NOTEBOOK, "--format", "ipynb", "--json"]).is(0).json();
    let parts = value["definition"]["parts"].as_array().unwrap();
    assert!(
        parts
            .iter()
            .any(|part| part["path"] == "notebook-content.ipynb" && part["payloadType"] == "InlineBase64")
    );

    // The predecessor's spelling, and this one's.
    for option in ["--output", "--file"] {
        let told = safely(&tenant, &project, &["get-definition", NOTEBOOK, option, "n.json"]).is(0).stdout;
        assert!(told.starts_with("✓ Wrote "), "{told}");
        let written: Value =
            serde_json::from_slice(&std::fs::read(project.path().join("n.json")).unwrap()).unwrap();
        assert!(written["definition"]["parts"].is_array(), "{written}");
        std::fs::rename(project.path().join("n.json"), project.path().join("kept.json")).unwrap();
    }
    // What it has already is not sent again.
    tenant.forget_requests();
    safely(&tenant, &project, &["update", NOTEBOOK, "--definition-file", "kept.json"]).is(0);
    assert_eq!(tenant.writes().iter().filter(|shape| shape.contains("updateDefinition")).count(), 0);
    let args =
        ["create", "--name", "02_Copy_Notebook", "--type", "Notebook", "--definition-file", "kept.json"];
    safely(&tenant, &project, &args).is(0);
    let copied = safely(&tenant, &project, &["get-definition", "02_Copy_Notebook"]).is(0).stdout;
    assert!(copied.contains("orders = spark.read.json"), "{copied}");
}

#[test]
fn an_item_is_made_changed_and_deleted() {
    let (tenant, project) = deployed();
    let before = tenant.hash();
    let made = safely(
        &tenant,
        &project,
        &[
            "create",
            "--name",
            "02_Clean_Notebook",
            "--type",
            "notebook",
            "--description",
            "Cleans",
            "--definition-file",
            "load.py",
            "--folder",
            "Landing/Raw",
            "--json",
        ],
    );
    let made = made.is(0).json();
    assert_eq!(
        (&made["type"], &made["description"]),
        (&json!("Notebook"), &json!("Cleans")),
        "without a marker"
    );
    let id = made["id"].as_str().unwrap();
    let path = format!("{WORKSPACE}/landing/raw/02_Clean_Notebook.Notebook");
    assert_eq!(tenant.plainly(&project, &["items", "get", &path, "--json"]).is(0).json()["id"], id);

    let again = ["create", "--name", "02_clean_notebook", "--type", "Notebook"];
    safely(&tenant, &project, &again).ends(2, &["Name does not match pattern"]);
    let again = ["create", "--name", "02_Clean_Notebook", "--type", "Notebook"];
    safely(&tenant, &project, &again).ends(1, &["already exists", id]);

    project.write("clean.py", "# Fabric notebook source\n\n# CELL ********************\n\nclean()\n");
    let args = [
        "update",
        "--item-id",
        id,
        "--new-name",
        "03_Clean_Notebook",
        "--description",
        "",
        "--definition-file",
        "clean.py",
        "--json",
    ];
    let updated = safely(&tenant, &project, &args).is(0).json();
    assert_eq!((&updated["displayName"], &updated["id"]), (&json!("03_Clean_Notebook"), &json!(id)));
    assert_eq!(updated["description"], "");
    let text = safely(&tenant, &project, &["get-definition", id]).is(0).stdout;
    assert!(text.contains("clean()"), "{text}");
    // It is so already.
    tenant.forget_requests();
    safely(&tenant, &project, &args).is(0);
    assert!(tenant.writes().iter().all(|shape| shape.contains("getDefinition")), "{:?}", tenant.writes());

    // Without a terminal nobody can be asked.
    safely(&tenant, &project, &["delete", id]).ends(2, &["there is no terminal to ask on", "--yes"]);
    let ended = safely(&tenant, &project, &["delete", "--item-name", "03_Clean_Notebook", "--force"]).is(0);
    assert_eq!(ended.stdout, "✓ Deleted item: 03_Clean_Notebook\n");
    safely(&tenant, &project, &["delete", id, "--yes"]).ends(1, &["not found"]);
    assert!(!names(&tenant, &project).contains(&"03_Clean_Notebook".to_owned()));
    assert_ne!(tenant.hash(), before, "it is in the recycle bin");

    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    for event in ["item_created", "item_updated", "item_deleted"] {
        assert!(trail.contains(&format!("\"event_type\":\"{event}\"")), "{event}\n{trail}");
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let (tenant, project) = deployed();
    for (args, said) in [
        (vec!["create", "--name", "load", "--type", "Notebook"], "--name: Name does not match pattern"),
        (vec!["create", "--name", "x", "--type", "Note book"], "--type: "),
        (vec!["create", "--name", "x", "--type", "Warehouse"], "Unknown item type: Warehouse"),
        (
            vec!["create", "--name", "01_A_Notebook", "--type", "Notebook", "--definition-file", "none.py"],
            "none.py",
        ),
        (vec!["update", NOTEBOOK, "--new-name", "load"], "--new-name: Name does not match pattern"),
        (vec!["update", NOTEBOOK], "--new-name"),
        (vec!["bulk-delete"], "--ids"),
        (vec!["bulk-delete", "--file", "none.txt", "--yes"], "none.txt"),
    ] {
        safely(&tenant, &project, &args).ends(2, &[said]);
    }
    let args = ["create", "--name", "01_A_Notebook", "--type", "Notebook", "--folder", "Landin"];
    safely(&tenant, &project, &args).ends(1, &["Folder 'Landin' not found", "did you mean `Landing`?"]);
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn an_update_that_cannot_be_finished_is_taken_back() {
    let (tenant, project) = deployed();
    let before = tenant.hash();
    project.write("clean.py", "# Fabric notebook source\n\n# CELL ********************\n\nclean()\n");
    // The description goes first, the content second, the name last.
    let args = [
        "items",
        "update",
        NOTEBOOK,
        "--workspace",
        WORKSPACE,
        "--new-name",
        "02_Other_Notebook",
        "--description",
        "Said",
        "--definition-file",
        "clean.py",
    ];
    let broken = "PATCH /v1/workspaces/*/items/*=400,skip=1,times=1";
    tenant.inject(broken);
    let ended = tenant.safely(&project, &args).is(1);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before);
    // A rename whose answer is lost is found to be made.
    tenant.heal();
    tenant.inject("PATCH /v1/workspaces/*/items/*=reset-after,times=1");
    let renamed = ["items", "update", NOTEBOOK, "--workspace", WORKSPACE, "--new-name", "02_Other_Notebook"];
    tenant.safely(&project, &renamed).is(0);
    assert!(names(&tenant, &project).contains(&"02_Other_Notebook".to_owned()));
    tenant.heal();
    tenant.inject(broken);
    let args = [
        "items",
        "update",
        "02_Other_Notebook",
        "--workspace",
        WORKSPACE,
        "--new-name",
        NOTEBOOK,
        "--description",
        "Said",
    ];
    run(&mut tenant.selvedge(&project, &args)).ends(3, &["rename Notebook"]);
}

#[test]
fn items_are_deleted_one_by_one_and_one_that_fails_stops_no_other() {
    let (tenant, project) = deployed();
    let mut ids = Vec::new();
    for name in ["02_A_Notebook", "03_B_Notebook", "04_C_Notebook"] {
        let made = safely(&tenant, &project, &["create", "--name", name, "--type", "Notebook", "--json"])
            .is(0)
            .json();
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    let missing = "00000000-0000-4000-8000-000000000000";
    project.write(
        "items.txt",
        &format!(
            "# what goes\n{}\n{}  # the second\n03_B_Notebook\n{missing}\n04_C_Notebook.Notebook\n",
            ids[0], ids[1]
        ),
    );
    let before = names(&tenant, &project);
    safely(&tenant, &project, &["bulk-delete", "--file", "items.txt"])
        .ends(2, &["Delete 3 item(s)?", "no terminal", "--yes"]);
    assert_eq!(names(&tenant, &project), before);

    tenant.forget_requests();
    tenant.inject(&format!("DELETE /v1/workspaces/*/items/{}=400", ids[1]));
    let ended = safely(&tenant, &project, &["bulk-delete", "--file", "items.txt", "--force"]).is(1);
    assert!(ended.stdout.contains("Summary:\n  Deleted: 2\n  Failed: 2\n  Total: 4"), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("✗ {missing}: not found")), "{}", ended.stdout);
    let left = names(&tenant, &project);
    assert!(left.contains(&"03_B_Notebook".to_owned()), "{left:?}");
    assert!(
        !left.contains(&"02_A_Notebook".to_owned()) && !left.contains(&"04_C_Notebook".to_owned()),
        "{left:?}"
    );
    let journals = tenant.safely(&project, &["tx", "list", "--output", "json"]).is(0);
    assert!(!journals.stdout.contains("\"open\""), "{}", journals.stdout);

    tenant.heal();
    let args = ["bulk-delete", "--type", "Notebook", "--force", "--json"];
    let value = safely(&tenant, &project, &args).is(0).json();
    assert_eq!(
        (value["deleted"].as_array().unwrap().len(), &value["failed"], &value["total"]),
        (2, &json!([]), &json!(2))
    );
    let ended = safely(&tenant, &project, &["bulk-delete", "--type", "Notebook", "--yes"]).is(0);
    assert_eq!(ended.stdout, "No items to delete\n");
    // One by id and the word for it are one.
    let left = list(&tenant, &project);
    let id = of(&left, "Lakehouse")["id"].as_str().unwrap();
    let ended = tenant
        .plainly(&project, &["items", "bulk-delete", "-w", WORKSPACE, "--ids", id, LAKEHOUSE, "-y"])
        .is(0);
    assert!(ended.stdout.contains("Total: 1"), "{}", ended.stdout);
}
