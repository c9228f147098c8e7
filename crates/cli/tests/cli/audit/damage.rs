//! Trails that are cut off, edited, full, or cannot be written.

use std::{fs, process::Command};

use super::{is_intact, path, records, verify};
use crate::{
    program::{run, selvedge},
    project::Project,
    tenant::Tenant,
};

/// The same command in a process that is killed by the system where it writes beyond so many blocks of a file, or that cannot.
fn limited(command: &Command, blocks: u32, is_killed: bool) -> Command {
    let mut limited = Command::new("sh");
    let trap = if is_killed { "" } else { "trap '' XFSZ; " };
    limited.args(["-c", &format!("{trap}ulimit -c 0; ulimit -f $0; exec \"$@\""), &blocks.to_string()]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    limited
}

#[test]
fn a_process_that_dies_in_the_middle_of_a_line_leaves_a_trail_that_holds_up_to_it() {
    let tenant = Tenant::start();
    let mut torn = 0;
    for blocks in (1..).step_by(4) {
        tenant.reset();
        let project = Project::orders();
        let ended = run(&mut limited(&tenant.selvedge(&project, &["deploy"]), blocks, true));
        if ended.code == Some(0) {
            break;
        }
        assert_eq!(ended.code, None, "{}", ended.stderr);
        let bytes = fs::read(path(&project)).unwrap();
        let whole = bytes.iter().filter(|byte| **byte == b'\n').count();
        let ended = verify(&project).is(0);
        assert!(ended.stdout.starts_with(&format!("Intact: {whole} record")), "{}", ended.stdout);
        let is_torn = !bytes.ends_with(b"\n");
        let note = format!("note: audit_trail.jsonl: line {} was not written to its end", whole + 1);
        assert_eq!(ended.stdout.contains(&note), is_torn, "{}", ended.stdout);

        // The next deployment goes on after it, and has lost nothing that was whole.
        tenant.reset();
        tenant.plainly(&project, &["deploy"]).is(0);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        assert!(fs::read(path(&project)).unwrap().starts_with(&bytes[..end]));
        is_intact(&project);
        let records = records(&project);
        let kept = records.iter().filter(|record| record["event_type"] == "audit_line_torn").count();
        assert_eq!(kept, usize::from(is_torn));
        torn += kept;
    }
    assert!(torn > 2, "{torn}");
}

#[test]
fn a_trail_that_cannot_be_written_is_a_warning_and_the_deployment_goes_on() {
    let tenant = Tenant::start();
    // ## never
    let project = Project::orders();
    project.write("audit", "no folder");
    let ended = tenant.plainly(&project, &["deploy"]).ends(0, &["This run is not in the audit trail: "]);
    assert_eq!(ended.stderr.matches("not in the audit trail").count(), 1, "once: {}", ended.stderr);
    assert!(ended.stdout.starts_with("Deployed: 11 changes"));

    // ## not any more
    tenant.reset();
    let project = Project::orders();
    let ended = run(&mut limited(&tenant.selvedge(&project, &["deploy"]), 5, false));
    let lost = "records of this run are not in the audit trail";
    let ended = ended.ends(0, &["A record is not in the audit trail, and the deployment goes on", lost]);
    assert!(ended.stdout.starts_with("Deployed: 11 changes"));
    let told = is_intact(&project);
    assert!(told["records"].as_u64().is_some_and(|count| count > 1), "{told:#}");
}

#[test]
fn a_line_that_is_changed_left_out_or_put_in_is_named() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.plainly(&project, &["deploy"]).is(0);
    let text = fs::read_to_string(path(&project)).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let without = [&lines[..3], &lines[4..]].concat().join("\n") + "\n";
    let more = [&lines[..4], &lines[3..]].concat().join("\n") + "\n";
    for (name, changed, line) in [
        ("changed", text.replacen("\"role\":\"Admin\"", "\"role\":\"Viewer\"", 1), 8),
        ("left out", without, 4),
        ("put in", more, 5),
    ] {
        assert_ne!(changed, text);
        fs::write(path(&project), changed).unwrap();
        let named = format!("audit_trail.jsonl:{line}: does not follow");
        let ended = verify(&project).ends(1, &["error: verify the audit trail", &named]);
        assert!(ended.stdout.starts_with("Changed: 1 problem of 1"), "{name}: {}", ended.stdout);
        let ended = run(&mut selvedge(project.path(), &["audit", "verify", "--output", "json"])).is(1);
        let report = ended.json();
        assert_eq!((&report["intact"], &report["problems"][0]["line"]), (&false.into(), &line.into()));
    }

    // Named, and from elsewhere.
    fs::write(path(&project), &text).unwrap();
    let (elsewhere, file) = (Project::with(&[]), path(&project));
    let (file, root) = (file.to_str().unwrap(), project.path().to_str().unwrap());
    for (args, code) in [
        (&["audit", "verify", file][..], 0),
        (&["audit", "verify", "--project", root], 0),
        (&["audit", "verify", "not.there"], 2),
    ] {
        run(&mut selvedge(elsewhere.path(), args)).is(code);
    }
    let nothing = verify(&elsewhere).is(0);
    assert!(nothing.stdout.starts_with("There is no audit trail yet: "), "{}", nothing.stdout);
}

#[test]
fn a_trail_that_is_full_goes_on_in_another_file() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for _ in 0..2 {
        tenant.reset();
        run(tenant.selvedge(&project, &["deploy"]).env("SELVEDGE_AUDIT__MAX_SIZE", "4KiB")).is(0);
    }
    let report = is_intact(&project);
    assert!(report["files"].as_array().unwrap().len() > 3, "{report:#}");
    let shown = run(&mut selvedge(project.path(), &["audit", "show", "--json"])).is(0).json();
    let shown = shown["records"].as_array().unwrap();
    let of = |event: &str| shown.iter().filter(|record| record["event_type"] == event).count();
    assert_eq!((of("item_created"), of("deployment_completed")), (4, 2));
    run(tenant.selvedge(&project, &["deploy"]).env("SELVEDGE_AUDIT__MAX_SIZE", "1KiB"))
        .ends(2, &["audit.max_size", "must be at least 4KiB"]);
}
