//! What the program tells of itself: help, manual pages, completions, codes.

use std::{collections::BTreeSet, fs};

use crate::{
    program::{run, selvedge, text},
    project::Project,
};

fn ended(args: &[&str]) -> crate::program::Ended {
    let folder = tempfile::tempdir().unwrap();
    run(&mut selvedge(folder.path(), args))
}

#[test]
fn slips_are_answered_with_what_was_probably_meant() {
    for (args, said) in [
        (&["deplyo"][..], "similar subcommand exists: 'deploy'"),
        (&["transactions", "lst"], "similar subcommand exists: 'list'"),
        (&["deploy", "--dry-rnu"], "a similar argument exists: '--dry-run'"),
        (&["flags", "--output", "jsn"], "a similar value exists: 'json'"),
        (&["completions", "bsh"], "a similar value exists: 'bash'"),
        (
            &["explain", "CapacityNotInActivState"],
            "did you mean `selvedge explain CapacityNotInActiveState`?",
        ),
        (&["explain", "7"], "`selvedge explain` lists the codes"),
        (&["--quite", "flags"], "a similar argument exists: '--quiet'"),
    ] {
        assert_eq!(ended(args).ends(2, &[said]).stdout, "", "{args:?}");
    }
}

#[test]
fn help_has_the_commands_and_the_exit_codes() {
    for args in [&["help", "deploy"][..], &["deploy", "--help"]] {
        let help = ended(args).ends(0, &[]).stdout;
        assert!(help.contains("Usage: selvedge deploy"), "{help}");
    }
    for args in [&["help", "exit-codes"][..], &["exit-codes"]] {
        let table = ended(args).ends(0, &[]).stdout;
        assert!(table.starts_with("What an exit code of selvedge means"), "{table}");
        assert!(!table.contains("Usage:"), "{table}");
        for beginning in ["  0  done", "  3  failed and something is left (named)", "130  interrupted"] {
            let says = table.split(beginning).nth(1).unwrap();
            assert!(says.contains("In a pipeline: "), "{beginning}: {table}");
        }
    }
    let help = ended(&["--help"]).ends(0, &[]).stdout;
    assert!(!help.contains("\n  exit-codes"), "a topic is no command: {help}");
}

/// As it is kept, and as docs/commands.md has it.
#[cfg(feature = "emulator")]
#[test]
fn the_program_prints_the_pages_that_are_kept() {
    for (args, kept) in [
        (&["--help"][..], "selvedge"),
        (&["help", "deploy"], "selvedge-deploy"),
        (&["tx", "rollback", "--help"], "selvedge-transactions-rollback"),
    ] {
        let kept = format!("{}/tests/help/{kept}.txt", env!("CARGO_MANIFEST_DIR"));
        let kept = fs::read_to_string(kept).unwrap();
        let printed = ended(args).ends(0, &[]).stdout;
        let printed: Vec<_> = printed.lines().map(str::trim_end).collect();
        assert_eq!(printed.join("\n").trim_end(), kept.trim_end(), "{args:?}");
    }
}

#[test]
fn codes_are_explained_in_any_case_and_as_json() {
    let told = ended(&["explain", "capacitynotinactivestate"]).ends(0, &[]).stdout;
    for part in
        ["CapacityNotInActiveState, an error code of", "is paused", "never sent again", "Resume the capacity"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = ended(&["explain", "3"]).ends(0, &[]).stdout;
    assert!(told.starts_with("Exit code 3\n") && told.contains("In a pipeline:\n"), "{told}");

    let all = ended(&["explain", "--output", "json"]).ends(0, &[]).json();
    let codes = all["codes"].as_array().unwrap();
    let names: BTreeSet<_> = codes.iter().map(|code| code["code"].as_str().unwrap()).collect();
    assert_eq!(names.len(), codes.len());
    assert!(["0", "130", "RequestBlocked", "PrincipalNotFound"].iter().all(|code| names.contains(code)));
    for name in names {
        let one = ended(&["explain", name, "--output", "json"]).ends(0, &[]).json();
        assert!(codes.contains(&one), "{one}");
        assert!(one["meaning"].as_str().unwrap().len() > 20 && one["remedy"].is_string(), "{one}");
        assert_eq!(one["kind"] == "fabric", one["handling"].is_string(), "{one}");
    }
    let list = ended(&["explain"]).ends(0, &[]).stdout;
    assert!(list.starts_with("CODE ") && list.contains("\nRequestBlocked "), "{list}");
}

#[test]
fn each_shell_gets_a_script_that_knows_the_commands() {
    for (shell, sign) in [
        ("bash", "complete -F _selvedge"),
        ("zsh", "#compdef selvedge"),
        ("fish", "complete -c selvedge"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[selvedge]"),
    ] {
        let script = ended(&["completions", shell]).ends(0, &[]).stdout;
        for part in [sign, "transactions", "rollback", "detailed-exitcode"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
    }
}

/// The shell itself reads it, where it is there, and completes with it.
#[cfg(unix)]
#[test]
fn bash_completes_with_its_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("selvedge.bash");
    fs::write(&script, ended(&["completions", "bash"]).ends(0, &[]).stdout).unwrap();
    let ask = r#"source "$0"; COMP_WORDS=(selvedge transactions ro); COMP_CWORD=2; _selvedge selvedge ro transactions; echo "${COMPREPLY[@]}""#;
    let mut bash = std::process::Command::new("bash");
    let output = bash.args(["--norc", "-c", ask]).arg(&script).output().unwrap();
    assert_eq!(text(&output.stdout).trim(), "rollback", "{}", text(&output.stderr));
}

#[test]
fn manual_pages_are_one_for_each_command() {
    let page = ended(&["man"]).ends(0, &[]).stdout;
    assert!(page.contains(".TH selvedge 1") && page.contains("selvedge\\-deploy(1)"), "{page}");

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("share/man1");
    run(&mut selvedge(folder.path(), &["man", "--out", out.to_str().unwrap()])).ends(0, &[]);
    let names: BTreeSet<_> =
        fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for name in ["selvedge.1", "selvedge-deploy.1", "selvedge-transactions-rollback.1", "selvedge-schema.1"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("help") || name.contains("exit-codes")), "{names:?}");
    for name in &names {
        let page = fs::read_to_string(out.join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS") && page.contains(".SH NAME"), "{name}");
    }
    // Somewhere that is no folder.
    fs::write(folder.path().join("file"), "").unwrap();
    run(&mut selvedge(folder.path(), &["man", "--out", "file"])).ends(2, &["write manual pages into file"]);
}

/// Everything that is long enough to be paged.
const LONG: [&[&str]; 8] = [
    &["completions", "bash"],
    &["man"],
    &["explain"],
    &["explain", "--output", "jsonl"],
    &["schema", "config"],
    &["exit-codes"],
    &["help", "exit-codes"],
    &["flags", "--query", "flags[].variable"],
];

#[test]
fn a_reader_that_leaves_early_is_no_failure_of_what_is_told() {
    let project = Project::with(&[]);
    for args in LONG {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        run(selvedge(project.path(), args).stdout(writer)).ends(0, &[]);
    }
}

/// What needs no settings reads none: whatever would be read here is no such file.
#[test]
fn what_the_program_tells_of_itself_needs_no_settings() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in
        [("selvedge.toml", "not toml"), (".env", "no variable"), ("project.config.json", "no json")]
    {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let hostile = [("HARDENING_STAGE", "nonsense"), ("SELVEDGE_RETRY__MAX_ATTEMPTS", "many")];
    let command = |args: &[&str]| {
        let mut command = selvedge(folder.path(), args);
        command.envs(hostile);
        command
    };
    for args in LONG.iter().take(LONG.len() - 1) {
        run(&mut command(args)).ends(0, &[]);
    }
    for args in [&["--version"][..], &["--help"], &["schema", "journal"], &["completions", "zsh"]] {
        run(&mut command(args)).ends(0, &[]);
    }
    // They do stand in the way of what reads them.
    run(&mut command(&["flags"])).ends(2, &["error: "]);
}
