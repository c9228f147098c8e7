//! `--query`: of a JSON result only what an expression finds.

use crate::{
    program::{run, selvedge},
    project::Project,
    tenant::Tenant,
};

#[test]
fn a_query_picks_from_the_result_and_makes_it_json() {
    let project = Project::with(&[(".env", "FEATURE_USE_ROLLBACK=true\n")]);
    let ask = |args: &[&str]| run(&mut selvedge(project.path(), args)).ends(0, &[]).stdout;
    let on = "flags[?on].variable";
    for args in [
        &["flags", "--query", on][..],
        &["--query", on, "flags"],
        &["flags", "--query", on, "--output", "json"],
    ] {
        assert_eq!(ask(args), "[\n  \"FEATURE_USE_ROLLBACK\"\n]\n", "{args:?}");
    }
    assert_eq!(ask(&["flags", "--query", "stage"]), "\"current\"\n");
    assert_eq!(ask(&["flags", "--query", "no.such.thing"]), "null\n");
    assert_eq!(ask(&["transactions", "list", "--query", "length(transactions)"]), "0\n");
    assert_eq!(ask(&["schema", "journal", "--query", "title"]).lines().count(), 1);
    let failed = run(&mut selvedge(project.path(), &["flags", "--query", "abs(stage)"]));
    let failed = failed
        .ends(1, &["error: apply --query to the result\n", "at character 4: argument 1 must be number"]);
    assert!(
        failed
            .stderr
            .ends_with("help: the command has done its work; only its result could not be asked this\n")
    );
    assert_eq!(failed.stdout, "");
    // Of lines, each is asked, and those that have nothing to say are left out.
    let lines = ask(&["flags", "--output", "jsonl", "--query", "on && variable || null"]);
    assert_eq!(lines, "\"FEATURE_USE_ROLLBACK\"\n");
}

#[test]
fn a_query_that_makes_no_sense_is_refused_before_anything_is_sent() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for (query, said) in [
        ("changes[", "at character 9: "),
        ("changes[].stp | lenght(@)", "did you mean `length`?"),
        ("sort_by(changes)", "`sort_by` takes 2 arguments, not 1"),
    ] {
        let ended = tenant.safely(&project, &["deploy", "--query", query]);
        assert_eq!(ended.ends(2, &["'--query <EXPR>'", said]).stdout, "");
    }
    for args in [&["completions", "bash"][..], &["man"], &["transactions", "export", "x"], &["emulator"]] {
        let args: Vec<_> = args.iter().chain(&["--query", "a"]).copied().collect();
        tenant.plainly(&project, &args).ends(2, &["apply --query", "not printed as a JSON document"]);
    }
    let health =
        ["health", "--workspace", "x", "--environment", "dev", "--output-format", "text", "--query", "a"];
    tenant.plainly(&project, &health).ends(2, &["apply --query"]);
    assert!(tenant.requests().is_empty(), "nothing was sent");
}

#[test]
fn a_deployment_with_a_query_ends_as_one_without() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let planned = tenant.safely(&project, &["plan", "--query", "changes[?!reversible].step"]).ends(0, &[]);
    assert_eq!(planned.json(), serde_json::json!([11]));
    tenant.inject("POST */git/commitToGit=403");
    let query = ["deploy", "--output", "jsonl", "--query", "{event: event, verdict: verdict}"];
    let failed = tenant.safely(&project, &query).is(1);
    assert_eq!(failed.stdout.lines().last().unwrap(), r#"{"event":"result","verdict":"rolled_back"}"#);
    tenant.heal();
    // It does not work on what it is given: the deployment is done all the same.
    let done = tenant.safely(&project, &["deploy", "--query", "length(verdict) + 'x'"]);
    assert_eq!(done.code, Some(2), "`+` is no JMESPath");
    let done = tenant.safely(&project, &["deploy", "--query", "abs(verdict)"]).is(0);
    assert!(done.stderr.contains("the verdict could not be written"), "{}", done.stderr);
    tenant.has_all_of(&project);
}

#[test]
fn quiet_leaves_warnings_and_errors() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "-q", "-v"]).ends(2, &["cannot be used with"]);
    assert!(!tenant.plainly(&project, &["plan"]).is(0).stderr.is_empty(), "there is something to hide");
    tenant.plainly(&project, &["plan", "--quiet"]).ends(0, &[]);
    project.edit("product:", "unknown_key: 1\nproduct:");
    tenant.inject("POST */git/commitToGit=403");
    let failed = tenant.safely(&project, &["deploy", "-q"]).is(1);
    let lines: Vec<_> = failed.stderr.lines().collect();
    assert!(lines.iter().any(|line| line.contains("⚠") && line.contains("unknown key")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("✗")), "{lines:#?}");
    assert!(failed.stderr.contains("error: commit to Git\n"), "{}", failed.stderr);
    assert!(!failed.stderr.contains(['✓', 'ℹ', '↶']) && !failed.stderr.contains("[Step"), "{lines:#?}");
    assert!(failed.stdout.starts_with("RolledBack: "), "{}", failed.stdout);
}
