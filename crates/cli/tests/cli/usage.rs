//! What needs no tenant: usage, settings, flags.

use std::{fs, process::Stdio};

use crate::{
    program::{run, selvedge, text},
    project::Project,
};

#[test]
fn version_and_help_need_no_project() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("selvedge.toml"), "not toml").unwrap();
    let version = selvedge(folder.path(), &["--version"]).output().unwrap();
    assert_ends(&version, 0, &[]);
    assert_eq!(text(&version.stdout), format!("selvedge {}\n", env!("CARGO_PKG_VERSION")));
    let help = selvedge(folder.path(), &["flags", "--help"]).output().unwrap();
    assert_ends(&help, 0, &[]);
    let help = selvedge(folder.path(), &["--help"]).output().unwrap();
    assert!(text(&help.stdout).contains("130  interrupted, rolled back"));
}

#[test]
fn usage_errors_end_with_2() {
    let folder = Project::with(&[]);
    for (args, said) in [
        (&[][..], "Usage:"),
        (&["no-such-command"], "unrecognized subcommand"),
        (&["flags", "--output", "xml"], "possible values: text, json, jsonl"),
    ] {
        let output = selvedge(folder.path(), args).output().unwrap();
        assert_ends(&output, 2, &[said]);
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn flags_are_read_from_the_environment_and_env_file_of_the_project() {
    let folder = Project::with(&[(
        ".env",
        "FEATURE_USE_ROLLBACK=True\nFEATURE_USE_RETRY_LOGIC=true\nFEATURE_USE_ROLBACK=x\n",
    )]);
    let below = folder.path().join("deep/er");
    fs::create_dir_all(&below).unwrap();
    let output = selvedge(&below, &["flags", "--output", "json"])
        .env("FEATURE_USE_RETRY_LOGIC", "false")
        .output()
        .unwrap();
    assert_ends(&output, 0, &["FEATURE_USE_ROLBACK is not a flag", "did you mean FEATURE_USE_ROLLBACK?"]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["stage"], "current");
    let states: Vec<String> = answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| format!("{} {} {} {}", flag["flag"], flag["on"], flag["setBy"], flag["available"]))
        .collect();
    assert_eq!(
        states,
        [
            r#""USE_KEY_VAULT" false "default" false"#,
            r#""USE_RETRY_LOGIC" false "environment" true"#,
            r#""USE_CIRCUIT_BREAKER" false "default" true"#,
            r#""USE_ROLLBACK" true ".env" true"#,
            r#""USE_TELEMETRY" false "default" false"#,
            r#""USE_HEALTH_CHECKS" false "default" false"#,
        ]
    );

    let lines = selvedge(&below, &["--output=jsonl", "flags"]).output().unwrap();
    assert_eq!(text(&lines.stdout).lines().count(), 6);
    let table = selvedge(&below, &["flags"]).output().unwrap();
    assert!(text(&table.stdout).starts_with("FLAG "));
}

#[test]
fn debug_logs_the_flags_at_start() {
    let output = selvedge(Project::with(&[]).path(), &["flags"])
        .env("DEBUG", "true")
        .env("LOG_LEVEL", "ERROR")
        .env("FEATURE_USE_ROLLBACK", "true")
        .output()
        .unwrap();
    assert_ends(&output, 0, &["Feature Flags Status:", "  USE_ROLLBACK: True", "  USE_KEY_VAULT: False"]);
    let quiet = selvedge(Project::with(&[]).path(), &["flags"]).output().unwrap();
    assert_ends(&quiet, 0, &[]);
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
        let folder = project(files);
        let output = selvedge(folder.path(), &["flags"]).envs(variable).output().unwrap();
        assert_ends(&output, 2, &["error: ", expected]);
        assert!(!text(&output.stderr).contains("TOPSECRET"), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn an_env_file_that_is_no_file_ends_with_2() {
    let folder = Project::with(&[]);
    fs::create_dir(folder.path().join(".env")).unwrap();
    assert_ends(
        &selvedge(folder.path(), &["flags"]).output().unwrap(),
        2,
        &[".env is a directory, not a file"],
    );
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Project::with(&[(".env", "AZURE_CLIENT_SECRET=TOPSECRET\n")]);
    for (mode, warned) in [(0o600, false), (0o644, true)] {
        fs::set_permissions(folder.path().join(".env"), fs::Permissions::from_mode(mode)).unwrap();
        let output = selvedge(folder.path(), &["flags", "-vvv"]).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(said.contains("others can read it"), warned, "{mode:o}: {said}");
        assert!(said.contains("settings resolved") && !said.contains("TOPSECRET"), "{said}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let folder = Project::with(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = selvedge(folder.path(), &["flags"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_ends(&output, 0, &[]);
}

