//! The program as a user runs it: a process with arguments, an environment and a folder.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic as tests do")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// The program in `folder`, with nothing in its environment.
fn selvedge(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A project folder with these files.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.config.json"), "{}").unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, stderr: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for expected in stderr {
        assert!(said.contains(expected), "expected {expected:?} in\n{said}");
    }
    if stderr.is_empty() {
        assert_eq!(said, "");
    }
}

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
    let folder = project(&[]);
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
    let folder = project(&[(
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
    let output = selvedge(project(&[]).path(), &["flags"])
        .env("DEBUG", "true")
        .env("LOG_LEVEL", "ERROR")
        .env("FEATURE_USE_ROLLBACK", "true")
        .output()
        .unwrap();
    assert_ends(&output, 0, &["Feature Flags Status:", "  USE_ROLLBACK: True", "  USE_KEY_VAULT: False"]);
    let quiet = selvedge(project(&[]).path(), &["flags"]).output().unwrap();
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
    let folder = project(&[]);
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
    let folder = project(&[(".env", "AZURE_CLIENT_SECRET=TOPSECRET\n")]);
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
    let folder = project(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = selvedge(folder.path(), &["flags"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_ends(&output, 0, &[]);
}

#[cfg(feature = "emulator")]
mod emulator {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        net::TcpStream,
        process::Child,
    };

    use super::*;

    /// A running emulator; killed when a test ends early.
    struct Served(Child);

    impl Drop for Served {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    fn serve(folder: &Path, args: &[&str]) -> (Served, serde_json::Value) {
        let args: Vec<&str> =
            ["emulator", "--port", "0", "--output", "json"].iter().chain(args).copied().collect();
        let mut child = selvedge(folder, &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (Served(child), serde_json::from_str(&line).unwrap())
    }

    /// The answer to one HTTP/1.1 request, head and body.
    fn request(url: &str, head: &str, body: &str) -> String {
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n"
        )
        .unwrap();
        write!(stream, "Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[cfg(unix)]
    #[test]
    fn it_serves_what_it_announces_and_stops_when_asked() {
        let folder = project(&[]);
        for stop in ["INT", "TERM"] {
            let (mut served, ready) = serve(folder.path(), &[]);
            assert_eq!(ready["ready"], true);
            let url = ready["url"].as_str().unwrap();
            let variable = |name: &str| ready["environment"][name].as_str().unwrap();
            assert_eq!(variable("FABRIC_API_BASE_URL"), format!("{url}/v1"));
            assert_eq!(variable("GRAPH_API_BASE_URL"), format!("{url}/v1.0"));
            assert_eq!(variable("AZURE_LOGIN_BASE_URL"), url);

            let form = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fapi.fabric.microsoft.com%2F.default",
                variable("AZURE_CLIENT_ID"),
                variable("AZURE_CLIENT_SECRET"),
            );
            let answer =
                request(url, &format!("POST /{}/oauth2/v2.0/token", variable("AZURE_TENANT_ID")), &form);
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("access_token"), "{answer}");
            let refused = request(url, "GET /v1/workspaces", "");
            assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");

            let sent = Command::new("kill").args(["-s", stop, &served.0.id().to_string()]).status().unwrap();
            assert!(sent.success());
            assert_eq!(served.0.wait().unwrap().code(), Some(0), "SIG{stop}");
        }
    }

    #[test]
    fn the_demo_tenant_is_there_unless_empty() {
        let folder = project(&[("seed.json", "{"), ("world.json", "{}")]);
        let mut worlds = Vec::new();
        for args in [&[][..], &["--empty"], &["--empty", "--seed", "world.json"]] {
            let (_served, ready) = serve(folder.path(), args);
            worlds.push(request(ready["url"].as_str().unwrap(), "GET /_emulator/inventory", ""));
        }
        assert!(worlds[0].contains("11111111-1111-4111-8111-111111111111"), "{}", worlds[0]);
        assert!(!worlds[1].contains("11111111-1111-4111-8111-111111111111"), "{}", worlds[1]);

        for (args, expected) in [
            (&["--seed", "seed.json"], "seed the emulator from seed.json"),
            (&["--seed", "absent.json"], "seed the emulator from absent.json"),
            (&["--listen", "0.0.0.0:0"], "listen on a loopback address"),
            (&["--page-size", "0"], "invalid value '0'"),
            (&["--operation-duration", "soon"], "expected a duration"),
        ] {
            let args: Vec<&str> = ["emulator"].iter().chain(args).copied().collect();
            assert_ends(&selvedge(folder.path(), &args).output().unwrap(), 2, &["error: ", expected]);
        }
    }

    #[test]
    fn the_text_can_be_pasted_into_a_shell() {
        let folder = project(&[]);
        let mut child = Served(
            selvedge(folder.path(), &["emulator", "--port=0"]).stdout(Stdio::piped()).spawn().unwrap(),
        );
        let lines: Vec<String> =
            BufReader::new(child.0.stdout.as_mut().unwrap()).lines().map(Result::unwrap).take(9).collect();
        assert!(lines[0].contains(" emulated at http://127.0.0.1:"), "{lines:?}");
        let exported: Vec<&str> =
            lines.iter().filter_map(|line| line.strip_prefix("export ")?.split('=').next()).collect();
        assert_eq!(
            exported,
            [
                "FABRIC_API_BASE_URL",
                "GRAPH_API_BASE_URL",
                "AZURE_LOGIN_BASE_URL",
                "AZURE_TENANT_ID",
                "AZURE_CLIENT_ID",
                "AZURE_CLIENT_SECRET"
            ]
        );
    }
}
