//! Deployments whose journal cannot grow: nothing is sent that it does not know of, and what it lacks is kept beside it.

use std::fs;
use std::process::Command;

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

/// The same command in a process whose files cannot become longer than so many blocks.
fn limited(command: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    // Without a handler of its own a write beyond the limit fails, as on a full disk, and the process goes on.
    limited.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &blocks.to_string()]);
    limited.arg(command.get_program()).args(command.get_args()).env_clear();
    limited.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    limited.current_dir(command.get_current_dir().unwrap());
    limited
}

/// How a deployment ended whose journal has room for so many blocks, and what is listed of it.
fn deployed(tenant: &Tenant, project: &Project, blocks: u32) -> (Ended, Option<String>) {
    tenant.reset();
    tenant.forget_requests();
    let ended = run(&mut limited(&tenant.safe(project, &["deploy"]), blocks));
    tenant.settle();
    let listed = tenant.plainly(project, &["tx", "list", "--output", "json"]).is(0).json();
    let id = listed["transactions"][0]["transaction"].as_str().map(str::to_owned);
    (ended, id)
}

#[test]
fn r1_a_full_disk_ends_a_deployment_before_what_it_could_not_write_down() {
    let tenant = Tenant::start();
    let before = tenant.hash();
    let (mut nothing_begun, mut taken_back, mut gone_on, mut spilled) = (0, 0, 0, 0);
    for blocks in 0.. {
        let project = Project::orders();
        let (ended, id) = deployed(&tenant, &project, blocks);
        let what = format!("{blocks} blocks: {:?} {}{}", ended.code, ended.stdout, ended.stderr);
        match (ended.code, id) {
            (Some(0), _) => break,
            (Some(2), None) => {
                nothing_begun += 1;
                assert_eq!(tenant.writes(), Vec::<String>::new(), "{what}");
            }
            (Some(3), Some(id)) => {
                let command = ended.command();
                assert_eq!(command[2], id, "{what}");
                let spill = project.path().join(".selvedge/transactions/spill");
                spilled += fs::read_dir(spill).map_or(0, Iterator::count);
                // What it offers first works.
                let command: Vec<_> = command.iter().map(String::as_str).collect();
                let ended = tenant.safely(&project, &command).is(0);
                if command[1] == "resume" {
                    gone_on += 1;
                    assert!(ended.stdout.starts_with("Committed: "), "{what}\n{}", ended.stdout);
                    tenant.has_all_of(&project);
                    continue;
                }
                taken_back += 1;
                assert!(ended.stdout.starts_with("RolledBack: "), "{what}");
            }
            _ => panic!("{what}"),
        }
        assert_eq!(tenant.hash(), before, "{what}\n{:#}", tenant.inventory());
    }
    let seen = (nothing_begun, taken_back, gone_on, spilled);
    assert!(nothing_begun > 0 && taken_back > 5 && gone_on > 0 && spilled > 0, "{seen:?}");
}
