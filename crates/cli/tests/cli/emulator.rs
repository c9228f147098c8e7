//! `selvedge emulator`.

use std::path::Path;

use serde_json::Value;

use crate::{
    program::{Background, run, selvedge},
    project::Project,
    tenant::request,
};

fn serve(folder: &Path, args: &[&str]) -> (Background, Value) {
    let args: Vec<&str> =
        ["emulator", "--port", "0", "--output", "json"].iter().chain(args).copied().collect();
    let mut process = Background::start(&mut selvedge(folder, &args));
    let ready = serde_json::from_str(&process.first_line()).unwrap();
    (process, ready)
}

#[cfg(unix)]
#[test]
fn it_serves_what_it_announces_and_stops_when_asked() {
    let project = Project::with(&[]);
    for stop in ["INT", "TERM"] {
        let (served, ready) = serve(project.path(), &[]);
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
        let answer = request(url, &format!("POST /{}/oauth2/v2.0/token", variable("AZURE_TENANT_ID")), &form);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("access_token"), "{answer}");
        let refused = request(url, "GET /v1/workspaces", "");
        assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");

        served.signal(stop);
        served.end().ends(0, &[]);
    }
}

#[test]
fn the_demo_tenant_is_there_unless_empty() {
    let project = Project::with(&[("seed.json", "{"), ("world.json", "{}")]);
    let mut worlds = Vec::new();
    for args in [&[][..], &["--empty"], &["--empty", "--seed", "world.json"]] {
        let (_served, ready) = serve(project.path(), args);
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
        (&["--chaos", "soon"], "`soon` is no chaos"),
    ] {
        let args: Vec<&str> = ["emulator"].iter().chain(args).copied().collect();
        run(&mut selvedge(project.path(), &args)).ends(2, &["error: ", expected]);
    }
}

#[test]
fn chaos_hits_the_same_request_in_every_run() {
    let project = Project::with(&[]);
    let hit = || {
        let (_served, ready) = serve(project.path(), &["--chaos", "5,rate=1"]);
        let url = ready["url"].as_str().unwrap();
        let answer = request(url, "GET /v1/capacities", "");
        let log = request(url, "GET /_emulator/requests", "");
        let (_, log) = log.split_once("\r\n\r\n").unwrap();
        let log: Value = serde_json::from_str(log).unwrap();
        (answer.lines().next().map(str::to_owned), log[0]["fault"].clone())
    };
    let first = hit();
    assert!(first.1.is_string(), "{first:?}");
    assert_eq!(hit(), first);
}

#[test]
fn the_text_can_be_pasted_into_a_shell() {
    let project = Project::with(&[]);
    let mut served = Background::start(&mut selvedge(project.path(), &["emulator", "--port=0"]));
    let lines = served.lines(9);
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
