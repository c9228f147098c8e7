//! What needs no tenant: usage, settings, flags.

use std::fs;

use crate::{
    program::{run, selvedge},
    project::Project,
};

#[test]
fn version_and_help_need_no_project() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("selvedge.toml"), "not toml").unwrap();
    let version = run(&mut selvedge(folder.path(), &["--version"])).ends(0, &[]);
    assert_eq!(version.stdout, format!("selvedge {}\n", env!("CARGO_PKG_VERSION")));
    run(&mut selvedge(folder.path(), &["flags", "--help"])).ends(0, &[]);
    let help = run(&mut selvedge(folder.path(), &["--help"])).ends(0, &[]);
    assert!(help.stdout.contains("130  interrupted, rolled back"));
}

#[test]
fn usage_errors_end_with_2() {
    let project = Project::with(&[]);
    for (args, said) in [
        (&[][..], "Usage:"),
        (&["no-such-command"], "unrecognized subcommand"),
        (&["flags", "--output", "xml"], "possible values: text, json, jsonl"),
        (&["deploy", "a.yaml", "--config", "b.yaml"], "cannot be used with"),
    ] {
        let ended = run(&mut selvedge(project.path(), args)).ends(2, &[said]);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn flags_are_read_from_the_environment_and_env_file_of_the_project() {
    let project = Project::with(&[(
        ".env",
        "FEATURE_USE_ROLLBACK=True\nFEATURE_USE_RETRY_LOGIC=true\nFEATURE_USE_ROLBACK=x\n",
    )]);
    let below = project.path().join("deep/er");
    fs::create_dir_all(&below).unwrap();
    let answer =
        run(selvedge(&below, &["flags", "--output", "json"]).env("FEATURE_USE_RETRY_LOGIC", "false"))
            .ends(0, &["FEATURE_USE_ROLBACK is not a flag", "did you mean FEATURE_USE_ROLLBACK?"])
            .json();
    assert_eq!(answer["stage"], "current");
    let states: Vec<String> = answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| format!("{} {} {} {}", flag["flag"], flag["on"], flag["set_by"], flag["available"]))
        .collect();
    assert_eq!(
        states,
        [
            r#""USE_KEY_VAULT" false "default" true"#,
            r#""USE_RETRY_LOGIC" false "environment" true"#,
            r#""USE_CIRCUIT_BREAKER" false "default" true"#,
            r#""USE_ROLLBACK" true ".env" true"#,
            r#""USE_TELEMETRY" false "default" true"#,
            r#""USE_HEALTH_CHECKS" false "default" true"#,
        ]
    );

    let lines = run(&mut selvedge(&below, &["--output=jsonl", "flags"]));
    assert_eq!(lines.stdout.lines().count(), 6);
    let table = run(&mut selvedge(&below, &["flags"]));
    assert!(table.stdout.starts_with("FLAG "));
}

#[test]
fn debug_logs_the_flags_at_start() {
    let project = Project::with(&[]);
    let variables = [("DEBUG", "true"), ("LOG_LEVEL", "ERROR"), ("FEATURE_USE_ROLLBACK", "true")];
    run(selvedge(project.path(), &["flags"]).envs(variables))
        .ends(0, &["Feature Flags Status:", "  USE_ROLLBACK: True", "  USE_KEY_VAULT: False"]);
    run(&mut selvedge(project.path(), &["flags"])).ends(0, &[]);
}

#[test]
fn bad_settings_end_with_2_and_say_where() {
    for (files, variable, expected) in [
        (
            &[("selvedge.toml", "[retry]\nmax_atempts = 1")][..],
            None,
            "retry.max_atempts, set by selvedge.toml: unknown",
        ),
        (&[("selvedge.toml", "a = ")], None, "parse selvedge.toml"),
        (&[(".env", "A=1\nTOPSECRET")], None, "line 2: expected `NAME=value`"),
        (
            &[],
            Some(("HTTP_READ_TIMEOUT", "TOPSECRET")),
            "http.attempt_timeout, set by HTTP_READ_TIMEOUT (environment): ",
        ),
        (
            &[],
            Some(("HARDENING_STAGE", "TOPSECRET")),
            "HARDENING_STAGE must be current, intermediate or target",
        ),
        (&[], Some(("FABRIC_API_BASE_URL", "http://TOPSECRET.example")), "must be https"),
    ] {
        let project = Project::with(files);
        let ended = run(selvedge(project.path(), &["flags"]).envs(variable)).ends(2, &["error: ", expected]);
        assert!(!ended.stderr.contains("TOPSECRET"), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn an_env_file_that_is_no_file_ends_with_2() {
    let project = Project::with(&[]);
    fs::create_dir(project.path().join(".env")).unwrap();
    run(&mut selvedge(project.path(), &["flags"])).ends(2, &[".env is a directory, not a file"]);
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::with(&[(".env", "AZURE_CLIENT_SECRET=TOPSECRET\n")]);
    for (mode, warned) in [(0o600, false), (0o644, true)] {
        fs::set_permissions(project.path().join(".env"), fs::Permissions::from_mode(mode)).unwrap();
        let said = run(&mut selvedge(project.path(), &["flags", "-vvv"])).stderr;
        assert_eq!(said.contains("others can read it"), warned, "{mode:o}: {said}");
        assert!(said.contains("settings resolved") && !said.contains("TOPSECRET"), "{said}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let project = Project::with(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    run(selvedge(project.path(), &["flags"]).stdout(writer)).ends(0, &[]);
}
