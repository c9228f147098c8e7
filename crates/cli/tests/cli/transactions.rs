//! `selvedge transactions`: what there was, shown; what has ended, left alone.

use crate::{program::run, project::Project, tenant::Tenant};

#[cfg(unix)]
#[test]
fn a_journal_is_for_its_owners_eyes() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    let journal = project.journals().remove(0);
    let folder = journal.parent().unwrap();
    for (path, mode) in [(journal.as_path(), 0o600), (folder, 0o700), (folder.parent().unwrap(), 0o700)] {
        let found = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}: {found:o}", path.display());
    }
}

#[test]
fn they_are_listed_and_shown() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let none = tenant.plainly(&project, &["transactions", "list"]).ends(0, &[]);
    assert_eq!(none.stdout, "There are no transactions.\n");

    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let told = tenant.safely(&project, &["deploy", "--output", "json"]).is(3).json();
    let id = told["transaction"].as_str().unwrap();
    assert_eq!(told["verdict"], "left");
    assert_eq!(told["commands"][0], format!("selvedge transactions rollback {id}"));

    let text = tenant.plainly(&project, &["tx", "list"]).ends(0, &[]).stdout;
    assert!(text.starts_with(id) && text.contains("  left ") && text.contains("acme-orders-dev"), "{text}");
    let listed = tenant.plainly(&project, &["tx", "list", "--output", "json"]).ends(0, &[]).json();
    assert_eq!(listed["transactions"][0]["transaction"], id);
    assert_eq!(listed["transactions"][0]["state"], "left");

    let abbreviated = &id[..id.len() - 4];
    let text = tenant.plainly(&project, &["tx", "show", abbreviated]).ends(0, &[]).stdout;
    for expected in [
        &format!("transaction {id}: left\n"),
        "because: git.commit was answered with an error: 403 InsufficientPrivileges",
        "stuck       create Lakehouse BRONZE_Orders_Lakehouse (",
        "undone      give data.owner@contoso.example the role Admin (",
        &format!("run `selvedge transactions rollback {id}`\n"),
    ] {
        assert!(text.contains(expected), "expected {expected:?} in\n{text}");
    }
    let shown =
        tenant.plainly(&project, &["tx", "show", abbreviated, "--output", "json"]).ends(0, &[]).json();
    assert_eq!(shown["steps"].as_array().unwrap().len(), 11);
    assert_eq!(shown["context"]["tenant"], "aaaaaaaa-0000-4000-8000-000000000001");
    let state = |step: usize| {
        (shown["steps"][step]["state"].as_str().unwrap(), shown["steps"][step]["undo_state"].as_str())
    };
    let expected = [("done", None), ("done", Some("stuck")), ("done", Some("undone")), ("not_done", None)];
    assert_eq!([state(0), state(4), state(6), state(10)], expected);

    tenant.heal();
    tenant.plainly(&project, &["tx", "rollback", abbreviated]).is(0);
    let text = tenant.plainly(&project, &["tx", "show", id]).ends(0, &[]).stdout;
    assert!(
        text.starts_with(&format!("transaction {id}: rolled back\n")) && !text.contains("run `"),
        "{text}"
    );
}

#[test]
fn what_has_ended_is_not_taken_up() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    let made = tenant.hash();
    let journal = project.journals().remove(0);
    let id = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    tenant.forget_requests();
    tenant.plainly(&project, &["tx", "rollback", &id]).ends(2, &["it has ended: committed"]);
    for unknown in ["ffff", ""] {
        tenant
            .plainly(&project, &["tx", "rollback", unknown])
            .ends(2, &["find the transaction", "transactions list"]);
    }
    assert_eq!(tenant.requests().len(), 0);
    assert_eq!(tenant.hash(), made);
}

#[test]
fn a_transaction_of_another_tenant_is_not_taken_up() {
    let (tenant, other, project) = (Tenant::start(), Tenant::start(), Project::orders());
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    let command: Vec<_> = command.iter().map(String::as_str).collect();
    tenant.heal();
    tenant.forget_requests();
    let elsewhere = "aaaaaaaa-0000-4000-8000-0000000000aa".to_owned();
    for (variable, value, key) in [
        ("FABRIC_API_BASE_URL", format!("{}/v1", other.url), "endpoint"),
        ("AZURE_TENANT_ID", elsewhere.clone(), "tenant"),
        ("AZURE_CLIENT_ID", elsewhere, "client"),
    ] {
        for way in ["rollback", "resume"] {
            let args = ["transactions", way, command[2]];
            let said = format!("the transaction's {key} is `");
            run(tenant.selvedge(&project, &args).env(variable, &value))
                .ends(2, &[&said, &value, "help: configure"]);
        }
    }
    assert_eq!(tenant.requests().len() + other.requests().len(), 0);
    tenant.safely(&project, &command).is(0);
}

#[test]
fn the_command_that_finishes_it_works_from_where_it_was_told() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let above = project.path().parent().unwrap();
    let config = project.path().join("product_config.yaml");
    let mut deploy = tenant.safe(&project, &["deploy", config.to_str().unwrap()]);
    let ended = run(deploy.current_dir(above)).is(3);
    let command = ended.command();
    assert!(command.contains(&"--project".to_owned()), "{command:?}");
    tenant.heal();
    let args: Vec<_> = command.iter().map(|word| word.trim_matches('\'')).collect();
    run(tenant.safe(&project, &args).current_dir(above)).is(0);
    assert_eq!(tenant.hash(), before);
}

#[test]
fn a_damaged_journal_is_neither_acted_on_nor_passed_over() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    let command: Vec<_> = command.iter().map(String::as_str).collect();
    tenant.heal();
    let journal = project.journals().remove(0);
    let mut bytes = std::fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    tenant.forget_requests();
    tenant.safely(&project, &command).ends(1, &["is damaged; nothing was done"]);
    tenant.safely(&project, &["deploy", "--yes"]).ends(5, &["is damaged", "help: look into it"]);
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn r3_a_journal_that_was_never_begun_is_none_and_stops_nobody() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    let journal = project.journals().remove(0);
    let begin = std::fs::read(&journal).unwrap();
    let begin = &begin[..=begin.iter().position(|byte| *byte == b'\n').unwrap()];
    let id = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    tenant.reset();
    // What a process leaves that dies while it writes the first record; and when it has written it.
    for (left, is_begun) in [(0, false), (1, false), (begin.len() / 2, false), (begin.len(), true)] {
        std::fs::write(&journal, &begin[..left]).unwrap();
        let listed = tenant.plainly(&project, &["tx", "list", "--output", "json"]).is(0).json();
        assert_eq!(listed["transactions"].as_array().unwrap().len(), usize::from(is_begun), "{left} bytes");
        let show = tenant.plainly(&project, &["tx", "show", &id]);
        if is_begun {
            show.is(0);
            tenant.safely(&project, &["deploy"]).ends(5, &[&id, "was interrupted and is open"]);
            break;
        }
        show.ends(1, &[&format!("there is no transaction `{id}`")]);
        tenant.safely(&project, &["tx", "rollback", &id]).is(1);
        let elsewhere = Project::orders();
        std::fs::create_dir_all(elsewhere.path().join(".selvedge/transactions")).unwrap();
        let copy = elsewhere.path().join(".selvedge/transactions").join(journal.file_name().unwrap());
        std::fs::copy(&journal, copy).unwrap();
        tenant.safely(&elsewhere, &["deploy"]).is(0);
        tenant.reset();
    }
}

#[test]
fn an_open_transaction_stops_a_deployment_without_the_flag_too() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    tenant.safely(&project, &["deploy"]).is(3);
    tenant.heal();
    tenant.forget_requests();
    tenant.plainly(&project, &["deploy", "--yes"]).ends(5, &["selvedge transactions rollback "]);
    tenant.plainly(&project, &["plan"]).ends(0, &["is open"]);
    assert_eq!(tenant.writes(), [""; 0]);
}
