//! `selvedge transactions export`: the records of a journal, damaged or not.

use std::fs;

use serde_json::Value;

use crate::{program::run, project::Project, tenant::Tenant};

const KEY: (&str, &str) = ("SELVEDGE_JOURNAL_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");

/// A deployment that committed, sealed or not: the id of its transaction.
fn committed(tenant: &Tenant, project: &Project, sealed: bool) -> String {
    let mut deploy = tenant.safe(project, &["deploy", "--output", "json"]);
    let told = run(deploy.envs(sealed.then_some(KEY))).is(0).json();
    told["transaction"].as_str().unwrap().to_owned()
}

#[test]
fn s5_a_sealed_journal_is_exported_as_the_records_it_holds() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let id = committed(&tenant, &project, true);
    let export = |more: &[&str]| tenant.safe(&project, &[&["tx", "export", &id[..30]], more].concat());
    let ended = run(export(&[]).envs([KEY])).ends(0, &["warning: this holds definitions"]);
    let schema = include_str!("../../../../docs/journal.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let records = jsonschema::validator_for(&schema).unwrap();
    assert!(ended.stdout.lines().count() > 20);
    for (seq, line) in ended.stdout.lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(records.is_valid(&record) && record["seq"] == seq, "{record:#}");
    }
    // What lies in the folder is as the schema says of sealed lines.
    let sealed = Value::clone(&schema["$defs"]["sealed"]);
    let sealed = jsonschema::validator_for(&sealed).unwrap();
    for line in fs::read_to_string(project.journals().remove(0)).unwrap().lines() {
        assert!(sealed.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }

    run(export(&["--file", "records.jsonl"]).envs([KEY])).is(0);
    let path = project.path().join("records.jsonl");
    assert_eq!(fs::read_to_string(&path).unwrap(), ended.stdout);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    run(export(&["--file", "records.jsonl"]).envs([KEY])).ends(2, &["name a file that is not there yet"]);

    let ended = run(&mut export(&[])).ends(1, &["record 0: it is sealed", "and no key is set"]);
    assert_eq!(ended.stdout, "");
    run(export(&["--spilled"]).envs([KEY])).is(0);
    tenant.plainly(&project, &["tx", "export", "ffff"]).is(2);
}

#[test]
fn r3_what_can_be_read_of_a_damaged_journal_is_printed_and_where_it_breaks_is_told() {
    for sealed in [false, true] {
        let (tenant, project) = (Tenant::start(), Project::orders());
        let id = committed(&tenant, &project, sealed);
        let journal = project.journals().remove(0);
        let text = fs::read_to_string(&journal).unwrap();
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let export = || run(tenant.safe(&project, &["tx", "export", &id]).envs(sealed.then_some(KEY)));
        let whole = export().is(0).stdout;

        // A letter in the third record; it is JSON still where it is not sealed.
        let damaged = if sealed {
            lines[2].replacen("\"sealed\":\"", "\"sealed\":\"AAAA", 1)
        } else {
            lines[2].replacen("\"at\":\"2", "\"at\":\"3", 1)
        };
        assert_ne!(damaged, lines[2]);
        let mut changed = lines.clone();
        changed[2] = &damaged;
        fs::write(&journal, changed.concat()).unwrap();
        let ended = export().ends(1, &["read the whole journal of transaction", "record 2: "]);
        assert_eq!(ended.stdout.lines().count(), lines.len() - usize::from(sealed), "{}", ended.stderr);

        // Half a record at the end is none, and nothing is wrong with that.
        fs::write(&journal, &text[..text.len() - 9]).unwrap();
        let ended = export().ends(0, &["it was never finished, and does not count"]);
        assert!(whole.starts_with(&ended.stdout) && ended.stdout.lines().count() == lines.len() - 1);
    }
}
