//! What tells something of the program makes no runtime and no socket, and reads no file of the project.
//!
//! A process is looked at while it waits to print: its standard output is a pipe that is full. By then it has done everything else. A
//! runtime would be threads besides the first, a socket one of its descriptors; one that was closed before would not be seen. A file of
//! the project is a pipe that nobody writes to: who opens it waits for ever, and does not come to print.

use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use crate::{
    program::{selvedge, text},
    project::Project,
};

/// As many bytes as a pipe holds.
const PIPE: usize = 65_536;

/// What a process that waits to print has.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    threads: usize,
    sockets: usize,
}

const NOTHING: Seen = Seen { threads: 1, sockets: 0 };

/// Looks at the command while it waits to print, and lets it print then.
fn look(mut command: Command) -> (Seen, String) {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b' '; PIPE]).unwrap();
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    // It keeps an end of the pipe.
    drop(command);
    let process = format!("/proc/{}", child.id());
    let waits_for = || fs::read_to_string(format!("{process}/wchan")).unwrap();
    driver::until("it waits to print", || Ok(waits_for().contains("pipe_write"))).unwrap();
    let links = fs::read_dir(format!("{process}/fd")).unwrap();
    let links = links.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:")).count();
    let threads = fs::read_dir(format!("{process}/task")).unwrap().count();
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    (Seen { threads, sockets }, printed.split_off(PIPE))
}

/// A project whose files cannot be read to their end.
fn bottomless() -> Project {
    let project = Project::with(&[]);
    for name in ["selvedge.toml", ".env", "project.config.json", "product_config.yaml"] {
        let path = project.path().join(name);
        fs::remove_file(&path).ok();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    project
}

#[test]
fn what_is_told_of_the_program_takes_one_thread_no_socket_and_no_file() {
    let project = bottomless();
    for args in [
        &["--help"][..],
        &["help", "deploy"],
        &["help", "exit-codes"],
        &["--version"],
        &["completions", "bash"],
        &["man"],
        &["explain", "3"],
        &["schema", "plan", "--query", "title"],
    ] {
        let (seen, printed) = look(selvedge(project.path(), args));
        assert_eq!(seen, NOTHING, "{args:?}");
        assert!(!printed.trim().is_empty(), "{args:?}");
    }
}

#[test]
fn flags_take_one_thread_and_no_socket() {
    let project = Project::with(&[(".env", "FEATURE_USE_ROLLBACK=true\n")]);
    let (seen, printed) = look(selvedge(project.path(), &["flags"]));
    assert_eq!(seen, NOTHING);
    assert!(printed.contains("FEATURE_USE_ROLLBACK         true"), "{printed}");
}

/// A command with a runtime is seen to have one, threads and sockets: those that signals come through.
#[test]
fn a_runtime_would_be_seen() {
    let project = Project::with(&[]);
    let (seen, printed) = look(selvedge(project.path(), &["transactions", "list"]));
    assert!(seen.threads > 1 && seen.sockets > 0, "{seen:?}");
    assert_eq!(printed, "There are no transactions.\n");
}
