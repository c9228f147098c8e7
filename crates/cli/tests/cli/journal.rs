//! The journal's records against the schema that the documentation gives of them.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;

use crate::{
    program::{Background, run},
    project::Project,
    tenant::Tenant,
};

fn schema() -> Validator {
    let text = include_str!("../../../../docs/journal.schema.json");
    jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap()
}

/// Every record that the project's deployments have written.
fn records(project: &Project) -> Vec<Value> {
    let texts = project.journals().into_iter().map(|journal| std::fs::read_to_string(journal).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_record_is_as_the_schema_says() {
    let (tenant, schema) = (Tenant::start(), schema());
    let mut seen = BTreeSet::new();
    let mut check = |project: &Project| {
        for record in records(project) {
            let errors: Vec<_> = schema.iter_errors(&record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:#?}\n{record:#}");
            let body = &record["body"];
            let result = body.get("result").or(body.get("state")).and_then(Value::as_str).unwrap_or_default();
            seen.insert(format!("{} {result}", body["type"].as_str().unwrap()).trim_end().to_owned());
        }
    };
    let project = Project::orders();
    tenant.safely(&project, &["deploy"]).is(0);
    check(&project);

    // ## what fails, what is undone, and what is taken up
    let left = || {
        tenant.reset();
        let project = Project::orders();
        tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
        let command = tenant.safely(&project, &["deploy"]).is(3).command();
        (project, command)
    };
    let (project, command) = left();
    tenant.heal();
    tenant.safely(&project, &command.iter().map(String::as_str).collect::<Vec<_>>()).is(0);
    check(&project);

    // ## what an operator leaves
    let (project, command) = left();
    tenant.heal();
    let skip = ["transactions", "rollback", &command[2], "--skip", "5", "--reason", "x"];
    tenant.safely(&project, &skip).is(3);
    check(&project);
    let (project, command) = left();
    tenant.safely(&project, &["transactions", "abandon", &command[2], "--reason", "x"]).is(0);
    check(&project);
    tenant.heal();

    // ## an undo that is not answered
    tenant.reset();
    let project = Project::orders();
    tenant.plainly(&project, &["deploy"]).is(0);
    project.edit("Orders as they come", "Orders of the day");
    tenant.inject("POST */git/commitToGit=403\nPATCH */items/*=504,skip=1");
    run(tenant.safe(&project, &["deploy", "--yes"]).env("SELVEDGE_ROLLBACK__IN_FLIGHT", "10m")).is(3);
    let unanswered = |record: &Value| record["body"]["unanswered"] == true;
    assert!(records(&project).iter().any(unanswered));
    check(&project);
    tenant.heal();

    // ## an answer that is lost
    tenant.reset();
    let project = Project::orders();
    tenant.inject("POST */items=reset-after,times=1");
    tenant.safely(&project, &["deploy"]).is(0);
    let adopted = |record: &Value| record["body"]["adopted"] == true;
    assert!(records(&project).iter().any(adopted));
    check(&project);
    tenant.heal();

    // ## a process that is
    let (tenant, project) = (Tenant::start(), Project::orders());
    let hold = tenant.hold("POST */items", "before");
    let process = Background::start(&mut tenant.safe(&project, &["deploy"]));
    hold.wait();
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    let ended = tenant.safely(&project, &["deploy"]).is(5);
    let command = ended.command();
    tenant.safely(&project, &command.iter().map(String::as_str).collect::<Vec<_>>()).is(0);
    check(&project);

    for kind in [
        "begin",
        "intent",
        "accepted",
        "outcome done",
        "outcome not_done",
        "unmarked",
        "end committed",
        "roll_back",
        "undo_intent",
        "undo_outcome failed",
        "undo_outcome reversed",
        "taken_up",
        "end rolled_back",
        "undo_outcome skipped",
        "undo_outcome kept",
        "end rolled_back_partial",
        "abandoned",
    ] {
        assert!(seen.contains(kind), "no record of the kind {kind} was seen: {seen:?}");
    }
}

#[test]
fn a_record_that_is_none_is_refused_by_the_schema() {
    let (tenant, schema, project) = (Tenant::start(), schema(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    for record in records(&project) {
        let members = ["v", "seq", "epoch", "at", "body", "chain"];
        for member in members {
            let mut without = record.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(!schema.is_valid(&without), "without {member}: {without:#}");
        }
        for (place, value) in
            [("/v", Value::from(2)), ("/seq", Value::from(-1)), ("/body/type", Value::from("x"))]
        {
            let mut other = record.clone();
            *other.pointer_mut(place).unwrap() = value;
            assert!(!schema.is_valid(&other), "{other:#}");
        }
        let mut more = record.clone();
        more["body"]["more"] = Value::Null;
        assert!(!schema.is_valid(&more), "{more:#}");
    }
}
