//! What is printed where, and that nobody has to read it.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::Value;

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

const REFUSED: &str = "POST */git/commitToGit=403";

#[test]
fn json_is_one_document_and_nothing_besides() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let silent = |args: &[&str]| {
        let args: Vec<_> = args.iter().chain(&["--output", "json"]).copied().collect();
        tenant.safely(&project, &args).ends(0, &[]).json()
    };
    tenant.inject(REFUSED);
    let failed = tenant.safely(&project, &["deploy", "--output", "json"]).is(1);
    assert!(failed.stderr.starts_with("error: commit to Git\n"), "{}", failed.stderr);
    let told = failed.json();
    assert_eq!(told["verdict"], "rolled_back");
    assert_eq!(told["left"], Value::Array(Vec::new()));
    assert!(told["cause"]["reason"].as_str().unwrap().contains("InsufficientPrivileges"), "{told}");

    tenant.heal();
    assert_eq!(silent(&["plan"])["verdict"], "planned");
    let done = silent(&["deploy"]);
    assert_eq!(done["verdict"], "committed");
    assert_eq!(done["deployment"]["workspace"], "acme-orders-dev");
    assert_eq!(done["changes"].as_array().unwrap().len(), 11);
    assert_eq!(silent(&["deploy"])["verdict"], "nothing_to_do");
    assert_eq!(silent(&["transactions", "list"])["transactions"].as_array().unwrap().len(), 2);
}

/// The lines of `--output jsonl`.
fn events(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn jsonl_tells_each_event_and_the_result_last() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for (fault, code, verdict, seen) in
        [(REFUSED, 1, "rolled_back", "undone"), ("GET /nothing=500", 0, "committed", "accepted")]
    {
        tenant.reset();
        tenant.inject(fault);
        let events = events(&tenant.safely(&project, &["deploy", "--output", "jsonl"]).is(code));
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names.iter().filter(|name| **name == "started").count(), 11, "{names:?}");
        assert!(names.contains(&seen), "{names:?}");
        assert_eq!(names.iter().filter(|name| **name == "result").count(), 1, "{names:?}");
        assert_eq!(names.last(), Some(&"result"), "{names:?}");
        assert_eq!(events.last().unwrap()["verdict"], verdict);
    }
}

#[test]
fn a_reader_that_leaves_changes_neither_deployment_nor_exit_code() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    let mut made = None;
    for format in ["jsonl", "json", "text"] {
        for (fault, code) in [(REFUSED, 1), ("GET /nothing=500", 0)] {
            tenant.reset();
            tenant.inject(fault);
            let mut command = tenant.safe(&project, &["deploy", "--output", format]);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            // As `head -1` does: the first event, where there are events, and then nothing more.
            let (mut stdout, mut line) = (BufReader::new(child.stdout.take().unwrap()), String::new());
            if format == "jsonl" {
                stdout.read_line(&mut line).unwrap();
                assert!(line.contains("\"started\""), "{line}");
            }
            drop(stdout);
            let ended = Ended::from(child.wait_with_output().unwrap());
            assert_eq!(ended.code, Some(code), "{format}: {}", ended.stderr);
            if code == 0 {
                let hash = tenant.hash();
                assert_eq!(made.get_or_insert(hash.clone()), &hash, "{format}");
                tenant.has_all_of(&project);
            } else {
                assert_eq!(tenant.hash(), before, "{format}");
            }
        }
    }
}

#[test]
fn a_reader_that_left_before_the_plan_does_not_hide_that_changes_are_pending() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run(tenant.selvedge(&project, &["plan", "--detailed-exitcode"]).stdout(writer)).is(6);
}

#[test]
fn without_a_terminal_there_is_no_escape_character() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let escapes = |args: &[&str], variables: &[(&str, &str)]| {
        tenant.reset();
        tenant.inject(REFUSED);
        let ended = run(tenant.safe(&project, args).envs(variables.iter().copied())).is(1);
        (ended.stdout + &ended.stderr).contains('\x1b')
    };
    assert!(!escapes(&["deploy"], &[]));
    assert!(!escapes(&["deploy", "-vvv"], &[("NO_COLOR", "1"), ("TERM", "xterm-256color")]));
    assert!(!escapes(&["deploy", "--output", "jsonl"], &[("TERM", "xterm-256color")]));
    assert!(!escapes(&["deploy", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(escapes(&["deploy", "--color", "always"], &[]), "who asks for colours gets them");
}
