//! Journals that are sealed with `SELVEDGE_JOURNAL_KEY`.

use std::fs;

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

const VARIABLE: &str = "SELVEDGE_JOURNAL_KEY";
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

fn sealed(tenant: &Tenant, project: &Project, key: &str, args: &[&str]) -> Ended {
    run(tenant.safe(project, args).env(VARIABLE, key))
}

/// A deployment that could not be taken back, and the command that does it.
fn left(tenant: &Tenant, project: &Project) -> Vec<String> {
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = sealed(tenant, project, KEY, &["deploy"]).is(3).command();
    tenant.heal();
    command
}

#[test]
fn s5_a_sealed_journal_says_nothing_and_is_taken_up_with_its_key_on_another_machine() {
    let (tenant, project, elsewhere) = (Tenant::start(), Project::orders(), Project::orders());
    let before = tenant.hash();
    let command = left(&tenant, &project);
    let command: Vec<_> = command.iter().map(String::as_str).collect();
    let journal = project.journals().remove(0);
    let text = fs::read_to_string(&journal).unwrap();
    // The workspace's name, the notebook in base64, a kind of record.
    for canary in ["acme-orders-dev", "RmFicmljIG5vdGVib29r", "intent", KEY] {
        assert!(!text.contains(canary), "{canary}");
    }
    assert!(text.lines().all(|line| line.starts_with(r#"{"key":""#)), "{text}");

    elsewhere.write(".selvedge/transactions/x", "");
    fs::copy(&journal, elsewhere.path().join(".selvedge/transactions").join(journal.file_name().unwrap()))
        .unwrap();
    tenant.forget_requests();
    for (key, said) in [("", "and no key is set"), (OTHER, "and the one that is set is ")] {
        for args in [&command[..], &["tx", "resume", command[2]], &["tx", "show", command[2]]] {
            sealed(&tenant, &elsewhere, key, args).ends(1, &["is damaged; nothing was done", said]);
        }
        sealed(&tenant, &elsewhere, key, &["deploy", "--yes"]).ends(5, &[said]);
    }
    assert_eq!(tenant.writes(), [""; 0]);

    sealed(&tenant, &elsewhere, KEY, &command).is(0);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
}

#[test]
fn s5_a_key_in_dotenv_will_do_and_one_that_is_none_is_refused_without_being_shown() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for wrong in ["canary", "Y2FuYXJ5LW9mLWEta2V5"] {
        let ended = sealed(&tenant, &project, wrong, &["-vvv", "deploy"]);
        let ended = ended.ends(2, &[VARIABLE, "must be 32 bytes in base64"]);
        assert!(!ended.stderr.contains(wrong), "{}", ended.stderr);
    }
    assert_eq!(tenant.writes(), [""; 0]);
    project.write(".env", &format!("{VARIABLE}={KEY}\n"));
    let ended = run(tenant.safe(&project, &["-vvv", "deploy"]).env("RUST_LOG", "trace")).is(0);
    assert!(!ended.stderr.contains(KEY) && !ended.stdout.contains(KEY));
    let text = fs::read_to_string(project.journals().remove(0)).unwrap();
    assert!(text.lines().all(|line| line.starts_with(r#"{"key":""#)), "{text}");
}

#[test]
fn s5_where_journals_have_to_be_sealed_nothing_is_begun_without_a_key() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let deploy = |key| {
        run(tenant
            .safe(&project, &["deploy"])
            .env("SELVEDGE_ROLLBACK__REQUIRE_SEAL", "true")
            .env(VARIABLE, key))
    };
    deploy("").ends(2, &["seal journals", "SELVEDGE_JOURNAL_KEY is not set"]);
    assert_eq!(tenant.writes(), [""; 0]);
    deploy(KEY).is(0);
    // Once there are such, it needs no setting.
    sealed(&tenant, &project, "", &["deploy", "--yes"]).ends(5, &["and no key is set"]);
}

#[test]
fn s5_a_journal_that_was_begun_without_the_key_is_not_believed_with_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    sealed(&tenant, &project, KEY, &["deploy", "--yes"]).ends(5, &["it is not sealed", "without the key"]);
    let listed = sealed(&tenant, &project, KEY, &["tx", "list"]).is(0).stdout;
    assert!(listed.contains("unreadable"), "{listed}");
}
