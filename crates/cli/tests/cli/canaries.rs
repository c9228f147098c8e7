//! Secrets of nasty shapes go through deployments that fail, with everything on and as talkative as can be: no form of any is anywhere.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use selvedge_fabric_emulator::demo;
use selvedge_observability::redact::testing::{leak, nasty};
use serde_json::{Value, json};

use crate::{
    program::{Background, Ended, run, selvedge},
    project::Project,
    sink::{Sink, Taken},
    tenant::Tenant,
};

/// The object id of the application that deploys.
const OBJECT: &str = "cccccccc-0000-4000-8000-0000000000cd";
const CLIENT: &str = "cccccccc-0000-4000-8000-0000000000cc";

/// What fails, with which exit code. Each answer repeats the request that it is about, with its headers and its body.
const FAULTS: [(&str, i32); 4] = [
    // The vault is opened first.
    ("POST */token=401,body=echo,skip=1", 4),
    ("POST */connections=400,body=echo", 1),
    ("POST */items=500,body=echo", 1),
    ("POST */git/commitToGit=403,body=echo", 1),
];

/// The flags there are.
fn flags(project: &Project) -> Vec<String> {
    let told = run(&mut selvedge(project.path(), &["flags", "--output", "json"])).is(0).json();
    let flags = told["flags"].as_array().unwrap().iter().filter(|flag| flag["available"] == true);
    flags.map(|flag| flag["variable"].as_str().unwrap().to_owned()).collect()
}

/// The secrets of one run, each under its variable.
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// Three of the nasty ones, and the key of journals where the number is odd: a journal that is not sealed shows what is in it.
    fn of(all: &[String], number: usize) -> Self {
        let at = |offset: usize| all[(number + offset) % all.len()].clone();
        let mut secrets =
            vec![("AZURE_CLIENT_SECRET", at(0)), ("GITHUB_TOKEN", at(13)), ("AZURE_STORAGE_KEY", at(27))];
        if number % 2 == 1 {
            secrets.push(("SELVEDGE_JOURNAL_KEY", STANDARD.encode([u8::try_from(number).unwrap(); 32])));
        }
        Self(secrets)
    }

    #[track_caller]
    fn assert_none_in(&self, what: &str, text: &str) {
        for (name, value) in &self.0 {
            if let Some(form) = leak(text, value) {
                panic!("{name}, {form}, in {what}: {value:?}\n{text}");
            }
        }
        // What was made of them.
        for token in ["Bearer ey", "\"access_token\":\"ey"] {
            assert!(!text.contains(token), "{token} in {what}: {text}");
        }
    }

    #[track_caller]
    fn check(&self, what: &str, ended: &Ended, project: &Project, sink: &Sink) {
        for Taken { path, text, .. } in sink.taken() {
            self.assert_none_in(&format!("what {what} sent to {path}"), &text);
        }
        self.assert_none_in(&format!("stdout of {what}"), &ended.stdout);
        self.assert_none_in(&format!("stderr of {what}"), &ended.stderr);
        for journal in project.journals() {
            self.assert_none_in(&format!("the journal of {what}"), &fs::read_to_string(journal).unwrap());
        }
        if let Ok(trail) = fs::read_to_string(project.path().join("audit/audit_trail.jsonl")) {
            self.assert_none_in(&format!("the audit trail of {what}"), &trail);
        }
    }
}

fn with<'c>(command: &'c mut Command, secrets: &Secrets, flags: &[String], number: usize) -> &'c mut Command {
    command
        .env("AZURE_CLIENT_ID", CLIENT)
        // The vault has the Git token.
        .envs(secrets.0.iter().filter(|(name, _)| *name != "GITHUB_TOKEN").map(|(name, value)| (name, value)))
        .envs(flags.iter().map(|flag| (flag, "true")))
        // Our own most talkative level, and that of every crate below.
        .env("RUST_LOG", if number.is_multiple_of(5) { "trace,hyper=trace" } else { "trace" })
        .env("LOG_FORMAT", ["text", "json"][number / 2 % 2])
}

/// One run, and what is told of it afterwards.
fn try_one(tenant: &Tenant, sink: &Sink, flags: &[String], all: &[String], number: usize) {
    let secrets = Secrets::of(all, number);
    let (fault, code) = FAULTS[number % FAULTS.len()];
    tenant.reset();
    let [(_, client_secret), (_, git_token), ..] = &*secrets.0 else { unreachable!() };
    tenant.seed(&json!({
        "servicePrincipals": [{
            "id": OBJECT, "displayName": "Deployer", "appId": CLIENT, "secret": client_secret, "mayCreateWorkspaces": true,
        }],
        "vaults": [{
            "name": "emulator",
            "access": [{ "principalId": OBJECT, "role": "Key Vault Secrets User" }],
            "secrets": [{ "name": "github-token", "value": git_token }],
        }],
    }));
    tenant.inject(fault);
    let project = Project::example();
    let output = ["text", "json", "jsonl"][number % 3];
    let mut command = tenant.with_vault(&project, &["deploy", "--output", output]);
    sink.told_by(&mut command);
    let ended = run(with(&mut command, &secrets, flags, number)).is(code);
    let what = format!("{number}, {fault}, {output}");
    // Of what Entra ID says only codes are told.
    assert!(code == 4 || ended.stderr.contains("***"), "nothing was echoed by {what}: {}", ended.stderr);
    let told: BTreeSet<_> = sink.paths();
    assert_eq!(
        told,
        ["/v1/logs", "/v1/metrics", "/v1/traces", "/v2.1/track"].map(str::to_owned).into(),
        "{what}"
    );
    secrets.check(&what, &ended, &project, sink);
    if output == "json" && code != 4 {
        ended.json();
    }

    assert_eq!(project.journals().is_empty(), code == 4, "{what}");
    let Some(journal) = project.journals().pop() else { return };
    let id = journal.file_stem().unwrap().to_str().unwrap().to_owned();
    for args in [&["tx", "show", &id, "--output", "json"][..], &["tx", "show", &id], &["tx", "export", &id]] {
        let mut command = tenant.with_vault(&project, args);
        sink.told_by(&mut command);
        let ended = run(with(&mut command, &secrets, flags, number)).is(0);
        secrets.check(&format!("{args:?} after {what}"), &ended, &project, sink);
    }
}

#[test]
fn s4_no_form_of_a_secret_is_in_anything_that_is_printed_or_kept() {
    let (all, next, flags) = (nasty(), AtomicUsize::new(0), flags(&Project::example()));
    assert!(flags.len() >= 5, "{flags:?}");
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (tenant, sink) = (Tenant::with_https(), Sink::start());
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= all.len() {
                        break;
                    }
                    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        try_one(&tenant, &sink, &flags, &all, number);
                    }));
                    if tried.is_err() {
                        failed.lock().unwrap().push(number);
                    }
                }
            });
        }
    });
    assert_eq!(*failed.lock().unwrap(), [0_usize; 0]);
}

#[test]
fn s4_a_ci_system_is_told_the_secrets_before_anything_else_and_only_in_its_log() {
    let project = Project::orders();
    project.write(".env", "GITHUB_TOKEN=\"first %line\nsecond line\"\n");
    let flags = |variable: &str, value: &str| {
        let mut command = selvedge(project.path(), &["flags", "--output", "json"]);
        command.env(variable, value);
        command
    };
    for (variable, value, masks) in [
        ("GITHUB_ACTIONS", "true", "::add-mask::first %25line\n::add-mask::second line\n"),
        (
            "TF_BUILD",
            "True",
            "##vso[task.setsecret]first %AZP25line\n##vso[task.setsecret]first %line\n##vso[task.setsecret]second line\n",
        ),
        ("CI", "true", ""),
    ] {
        let ended = run(&mut flags(variable, value)).is(0);
        assert!(ended.stderr.starts_with(masks), "{}", ended.stderr);
        assert_eq!(ended.stderr.matches("second line").count(), usize::from(!masks.is_empty()));
        assert!(!ended.stdout.contains("line"), "{}", ended.stdout);
        ended.json();

        // What the system itself has put into the environment it knows.
        let ended = run(flags(variable, value).env("AZURE_STORAGE_KEY", "of-the-job")).is(0);
        assert!(!ended.stderr.contains("of-the-job"), "{}", ended.stderr);

        // A file is no CI system, and keeps what it is given.
        let log = project.path().join("log");
        run(flags(variable, value).stderr(fs::File::create(&log).unwrap())).is(0);
        assert!(!fs::read_to_string(log).unwrap().contains("line"));
    }
}

#[test]
fn s4_a_store_that_repeats_what_it_was_asked_tells_no_key() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("* *journals*=403,body=echo");
    let key = STANDARD.encode("canary of the storage account");
    let mut command = tenant.safe(&project, &["deploy"]);
    command
        .env("SELVEDGE_ROLLBACK__JOURNAL", format!("{}/contoso/journals", tenant.url))
        .env("SELVEDGE_ROLLBACK__LEASE_TTL", "15s")
        .env("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "5s")
        .env("AZURE_STORAGE_KEY", &key)
        .env("RUST_LOG", "trace,hyper=trace");
    let ended = run(&mut command);
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("SharedKey ***"), "{}", ended.stderr);
    assert_eq!(leak(&(ended.stdout + &ended.stderr), &key), None);
}

#[test]
fn s4_logs_and_errors_are_written_without_secrets() {
    let project = Project::orders();
    // Words that are there for certain.
    for format in ["text", "json"] {
        let mut command = selvedge(project.path(), &["flags", "-vv"]);
        command.env("GITHUB_TOKEN", "settings resolved").env("LOG_FORMAT", format);
        let ended = run(&mut command).is(0);
        assert!(
            ended.stderr.contains("***") && !ended.stderr.contains("settings resolved"),
            "{}",
            ended.stderr
        );
        let mut lines = ended.stderr.lines();
        assert!(format == "text" || lines.all(|line| serde_json::from_str::<Value>(line).is_ok()));
    }
    let mut command = selvedge(project.path(), &["flags"]);
    command.env("GITHUB_TOKEN", "load the settings").env("SELVEDGE_NO__SUCH_KEY", "1");
    let ended = run(&mut command).is(2);
    assert!(ended.stderr.starts_with("error: ***\n"), "{}", ended.stderr);
}

#[test]
fn what_signs_in_to_the_emulator_is_told_as_it_is() {
    let project = Project::with(&[]);
    let mut command =
        selvedge(project.path(), &["emulator", "--port", "0", "--output", "json", "--exit-on-stdin-eof"]);
    command.env("AZURE_CLIENT_SECRET", demo::CLIENT_SECRET).stdin(Stdio::piped());
    let ready = Background::start(&mut command).says("\n");
    let ready: Value = serde_json::from_str(&ready).unwrap();
    assert_eq!(ready["environment"]["AZURE_CLIENT_SECRET"], demo::CLIENT_SECRET);
}

#[test]
fn s4_a_secret_that_is_too_short_is_named_and_harms_nothing_else() {
    let project = Project::orders();
    let mut command = selvedge(project.path(), &["flags"]);
    run(command.env("GITHUB_TOKEN", "RET")).ends(0, &["GITHUB_TOKEN is too short"]);
    let mut command = selvedge(project.path(), &["flags"]);
    let ended = run(command.env("GITHUB_TOKEN", "FEATURE_USE_RETRY_LOGIC")).is(0);
    assert!(ended.stdout.contains("***") && !ended.stdout.contains("FEATURE_USE_RETRY_LOGIC"));
}
