//! `selvedge emulator`.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::{Value, json};

use crate::{
    program::{Background, run, selvedge},
    project::Project,
    tenant::request,
};

/// It stops when whoever started it is gone, however that ended.
fn emulator(folder: &Path, args: &[&str]) -> Command {
    let mut command = selvedge(folder, &["emulator", "--exit-on-stdin-eof"]);
    command.args(args).stdin(Stdio::piped());
    command
}

fn serve(folder: &Path, args: &[&str]) -> (Background, Value) {
    serve_at(folder, &[&["--port", "0"], args].concat())
}

fn serve_at(folder: &Path, args: &[&str]) -> (Background, Value) {
    let mut process = Background::start(emulator(folder, args).args(["--output", "json"]));
    let ready = serde_json::from_str(&process.says("\n")).unwrap();
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
        assert!(answer.starts_with("HTTP/1.0 200") && answer.contains("access_token"), "{answer}");
        let refused = request(url, "GET /v1/workspaces", "");
        assert!(refused.starts_with("HTTP/1.0 401"), "{refused}");

        served.signal(stop);
        served.end().ends(0, &[]);
    }
}

#[test]
fn it_stops_with_its_standard_input_only_where_it_is_told_to() {
    let project = Project::with(&[]);
    let (mut served, ready) = serve(project.path(), &["--data", "tenant.json"]);
    let url = ready["url"].as_str().unwrap();
    assert!(request(url, "GET /v1/workspaces", "").starts_with("HTTP/1.0 401"));
    request(url, "POST /_emulator/seed", "{\"workspaces\": [{\"displayName\": \"Kept\"}]}");
    served.close_input();
    let started = Instant::now();
    while TcpStream::connect(url.strip_prefix("http://").unwrap()).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(30), "it goes on without its input");
        std::thread::sleep(Duration::from_millis(5));
    }
    served.end().ends(0, &[]);
    // As after a signal.
    assert!(fs::read_to_string(project.path().join("tenant.json")).unwrap().contains("Kept"));

    // Its input has ended before it begins.
    let args = ["emulator", "--port=0", "--exit-on-stdin-eof"];
    run(&mut selvedge(project.path(), &args)).ends(0, &[]);
    let mut plain =
        Background::start(&mut selvedge(project.path(), &["emulator", "--port=0", "--output=json"]));
    let ready: Value = serde_json::from_str(&plain.says("\n")).unwrap();
    let answer = request(ready["url"].as_str().unwrap(), "GET /v1/workspaces", "");
    assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
}

#[test]
fn the_demo_tenant_is_there_unless_empty() {
    let typo = "workspaces:\n  - displayName: w\n    folder: x\n";
    let unruly = "workspaces:\n  - displayName: w\n    capacityId: 11111111-1111-4111-8111-11111111111f\n";
    let bogus = "workspaces:\n  - displayName: w\n    items: [{type: Bogus, displayName: n}]\n";
    let app = "servicePrincipals:\n  - displayName: a\n    appId: not-a-guid\n";
    let project = Project::with(&[
        ("seed.json", "{"),
        ("typo.yaml", typo),
        ("unruly.yaml", unruly),
        ("bogus.yaml", bogus),
        ("app.yaml", app),
        ("world.json", "{\"workspaces\": []}"),
        ("world.yaml", "workspaces:\n  - displayName: From YAML\n"),
    ]);
    let mut worlds = Vec::new();
    for args in
        [&[][..], &["--empty"], &["--empty", "--seed", "world.json"], &["--empty", "--seed", "world.yaml"]]
    {
        let (_served, ready) = serve(project.path(), args);
        let url = ready["url"].as_str().unwrap();
        // A reset goes back to the start, and what was seeded was there at the start.
        request(url, "POST /_emulator/reset", "");
        let answer = request(url, "GET /_emulator/inventory", "");
        worlds.push(answer.split_once("\r\n\r\n").unwrap().1.to_owned());
    }
    assert!(worlds[0].contains("11111111-1111-4111-8111-111111111111"), "{}", worlds[0]);
    assert!(!worlds[1].contains("11111111-1111-4111-8111-111111111111"), "{}", worlds[1]);
    assert_eq!(worlds[1], worlds[2]);
    assert!(worlds[3].contains("From YAML"), "{}", worlds[3]);

    for (args, expected) in [
        (&["--seed", "seed.json"][..], "seed the emulator from seed.json"),
        (&["--seed", "absent.json"], "seed the emulator from absent.json"),
        (&["--seed", "typo.yaml"], "typo.yaml:3:5: workspaces[0].folder: unknown field `folder`"),
        (&["--seed", "unruly.yaml"], "seed the world: workspaces[0] `w`, capacityId `11111111-"),
        (&["--seed", "bogus.yaml"], "seed the emulator from bogus.yaml"),
        (&["--seed", "bogus.yaml"], "seed the world: workspaces[0] `w`, items[0] `n`"),
        (&["--seed", "bogus.yaml"], "(`Bogus` is not an item type)"),
        (&["--seed", "app.yaml"], "app.yaml:3:12: servicePrincipals[0].appId: UUID parsing failed"),
        (&["--listen", "0.0.0.0:0"], "listen on a loopback address"),
        (&["--https", "192.0.2.1:0"], "listen on a loopback address"),
        (&["--listen", "localhost:0"], "expected an address and a port such as `127.0.0.1:8080`"),
        (&["--https", "127.0.0.1"], "expected an address and a port such as `127.0.0.1:8080`"),
        (&["--listen", "127.0.0.1:0", "--port", "0"], "cannot be used with"),
        (&["--ca-out", "ca.pem"], "--https [<ADDRESS>]"),
        (&["--ca-dir", "ca"], "--https [<ADDRESS>]"),
        (&["--export-ca", "ca.pem", "--https", "--port"], "a value is required for '--port <PORT>'"),
        (&["--https", "127.0.0.1:0", "--cert", "c.pem"], "--key <FILE>"),
        (&["--https", "127.0.0.1:0", "--cert", "c.pem", "--key", "k.pem"], "use the certificate c.pem"),
        (&["--https", "127.0.0.1:0", "--ca-out", "no/such/folder"], "write the authority's certificate to"),
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
    let mut served = Background::start(&mut emulator(project.path(), &["--port=0"]));
    let said = served.says("AZURE_CLIENT_SECRET");
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].contains(" emulated at http://127.0.0.1:"), "{lines:?}");
    let exported: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("export ")?.split('=').next()).collect();
    assert_eq!(
        exported,
        [
            "FABRIC_API_BASE_URL",
            "GRAPH_API_BASE_URL",
            "AZURE_LOGIN_BASE_URL",
            "KEY_VAULT_URL",
            "SELVEDGE_SECRETS__AUDIENCE",
            "AZURE_TENANT_ID",
            "AZURE_CLIENT_ID",
            "AZURE_CLIENT_SECRET"
        ]
    );
}

/// What it prints is all that is needed, but for the flag: pasted into a shell as it is, whatever the folder is called.
#[cfg(unix)]
#[test]
fn the_vault_can_be_used_with_what_is_printed() {
    let project = Project::with(&[("it's a folder/project.config.json", "{}")]);
    let folder = project.path().join("it's a folder");
    for args in [
        &["--port=0"][..],
        &["--https", "127.0.0.1:0", "--ca-out", "ca.pem"],
        &["--listen", "127.0.0.1:0", "--https", "127.0.0.1:0", "--ca-dir", "ca"],
    ] {
        let mut served = Background::start(&mut emulator(&folder, args));
        let said = served.says("AZURE_CLIENT_SECRET");
        let exports: Vec<&str> = said.lines().filter(|line| line.starts_with("export ")).collect();
        let script = format!(
            "{}\nexport FEATURE_USE_KEY_VAULT=true\nprintf a-value | \"$0\" secrets set AN_ADDED_ONE && \"$0\" secrets list",
            exports.join("\n")
        );
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_selvedge")]).current_dir(&folder);
        let ended = run(shell.env_clear().stdin(Stdio::null())).ends(0, &[]);
        assert!(ended.stdout.contains("\nan-added-one  "), "{args:?}: {}", ended.stdout);
    }
}

/// The answer to one request over https, by a client that trusts the certificate in `ca`.
fn request_https(url: &str, ca: &Path, head: &str) -> Result<String, String> {
    let at = url.strip_prefix("https://").unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("api.fabric.microsoft.com").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(at).unwrap());
    let request = format!("{head} HTTP/1.1\r\nHost: api.fabric.microsoft.com\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

#[cfg(unix)]
#[test]
fn https_is_served_beside_http_by_an_authority_that_can_be_kept() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = Project::with(&[]);
    let (dir, out) = (project.path().join("ca"), project.path().join("out.pem"));
    let two = ["--https", "127.0.0.1:0", "--https", "[::1]:0"];
    let kept = ["--listen", "127.0.0.1:0", "--ca-dir", "ca", "--ca-out", "out.pem"];
    let (served, ready) = serve_at(project.path(), &[&two[..], &kept].concat());
    assert_eq!(ready["url"], ready["urls"]["http"][0]);
    assert_eq!(
        ready["environment"]["FABRIC_API_BASE_URL"],
        json!(format!("{}/v1", ready["url"].as_str().unwrap()))
    );
    for name in ["AZURE_AUTHORITY_HOST", "KEY_VAULT_URL"] {
        assert_eq!(ready["environment"][name], ready["urls"]["https"][0]);
    }
    assert_eq!(Path::new(ready["ca"].as_str().unwrap()).canonicalize().unwrap(), out.canonicalize().unwrap());
    for url in ready["urls"]["https"].as_array().unwrap() {
        let answer = request_https(url.as_str().unwrap(), &out, "GET /v1/workspaces").unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    request(ready["url"].as_str().unwrap(), "GET /v1/workspaces", "");
    served.signal("TERM");
    served.end().ends(0, &[]);

    let key = dir.join("ca-key.pem");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let (served, ready) = serve_at(project.path(), &["--https", "127.0.0.1:0", "--ca-dir", "ca"]);
    let url = ready["url"].as_str().unwrap();
    assert_eq!(ready["urls"], json!({"http": [], "https": [url]}));
    // Trusted since the first run.
    assert!(request_https(url, &out, "GET /v1/workspaces").unwrap().starts_with("HTTP/1.1 401"));
    served.signal("TERM");
    served.end().ends(0, &[]);

    let (_served, ready) = serve_at(project.path(), &["--https", "127.0.0.1:0"]);
    assert_eq!(ready["ca"], json!(null));
    request_https(ready["url"].as_str().unwrap(), &out, "GET /v1/workspaces").unwrap_err();

    for (broken, expected) in
        [(Some(""), "read the authority's private key"), (None, "without its ca-key.pem")]
    {
        match broken {
            Some(text) => fs::write(&key, text).unwrap(),
            None => fs::remove_file(&key).unwrap(),
        }
        let args = ["emulator", "--https", "127.0.0.1:0", "--ca-dir", "ca"];
        run(&mut selvedge(project.path(), &args))
            .ends(2, &["keep the certificate authority in ca", expected, "help: "]);
    }
}

#[cfg(unix)]
#[test]
fn a_tenant_is_kept_from_run_to_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let project = Project::with(&[
        ("world.yaml", "workspaces:\n  - displayName: From YAML\n"),
        ("broken.json", "{\"formatVersion\": 9}"),
    ]);
    let args = ["--data", "tenant.json", "--empty", "--seed", "world.yaml"];
    let file = project.path().join("tenant.json");
    let world = |url: &str| {
        let answer = request(url, "GET /_emulator/inventory", "");
        let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        json["world"].clone()
    };
    let (served, ready) = serve(project.path(), &args);
    let url = ready["url"].as_str().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    request(url, "POST /_emulator/seed", "{\"workspaces\": [{\"displayName\": \"Made\"}]}");
    let kept = world(url);
    served.signal("INT");
    served.end().ends(0, &[]);

    // The seed is for a new tenant, and a reset goes back to what the run began with.
    let (served, ready) = serve(project.path(), &args);
    let url = ready["url"].as_str().unwrap();
    assert_eq!(world(url), kept);
    assert_eq!(kept["workspaces"].as_array().unwrap().len(), 2);
    request(url, "POST /_emulator/seed", "{\"workspaces\": [{\"displayName\": \"Not kept\"}]}");
    request(url, "POST /_emulator/reset", "");
    assert_eq!(world(url), kept);
    served.signal("TERM");
    served.end().ends(0, &[]);
    assert!(!fs::read_to_string(&file).unwrap().contains("Not kept"));

    for (path, expected) in [
        ("broken.json", "formatVersion: version 9 of the format is not known"),
        (".", "start with the tenant in ."),
        ("no/such/tenant.json", "keep the tenant in no/such/tenant.json"),
    ] {
        run(&mut selvedge(project.path(), &["emulator", "--port=0", "--data", path]))
            .ends(2, &["error: ", expected]);
    }
    assert_eq!(fs::read_to_string(project.path().join("broken.json")).unwrap(), "{\"formatVersion\": 9}");
}
