//! What is told of a transaction, in every state that one can be in: the texts against golden files, the JSON against the schema that
//! the documentation gives of it.
//!
//! `INSTA_UPDATE=always cargo nextest run -p selvedge reports` writes the golden files anew, to be looked at before they are committed.

mod decisions;
mod states;

use std::{fs, path::PathBuf, process::Command};

use jsonschema::Validator;
use serde_json::Value;

use crate::{
    program::{Background, Ended, run},
    project::Project,
    tenant::{Hold, Tenant, until},
};

/// What fails a deployment at its last step.
const REFUSED: &str = "POST */git/commitToGit=403";
/// The same, and its rollback at the items.
const STUCK: &str = "POST */git/commitToGit=403\nDELETE */items/*=500";

/// A tenant and a project, and what is told of its transactions.
struct Scene {
    tenant: Tenant,
    project: Project,
    schema: Validator,
    told: String,
}

impl Scene {
    fn new() -> Self {
        let schema = include_str!("../../../../../docs/transaction.schema.json");
        let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
        Self { tenant: Tenant::start(), project: Project::orders(), schema, told: String::new() }
    }

    /// The program with the rollback flag on. One change at a time: how far it comes is then no matter of luck.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.tenant.safe(&self.project, args);
        command.env("SELVEDGE_ROLLBACK__CONCURRENCY", "1");
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        run(&mut self.command(args))
    }

    /// The journal of its last transaction.
    fn journal(&self) -> PathBuf {
        self.project.journals().into_iter().max().unwrap()
    }

    fn id(&self) -> String {
        self.journal().file_stem().unwrap().to_str().unwrap().to_owned()
    }

    /// A deployment with a request on its way.
    fn stopped(&self, args: &[&str], pattern: &str, point: &str) -> (Background, Hold<'_>) {
        let hold = self.tenant.hold(pattern, point);
        let process = Background::start(&mut self.command(args));
        hold.wait();
        (process, hold)
    }

    /// A deployment that was killed when it had connected the workspace to Git.
    fn interrupted(&self) {
        let (process, hold) = self.stopped(&["deploy"], "POST */git/connect", "after");
        process.signal("KILL");
        assert_eq!(process.end().code, None);
        hold.release();
        self.tenant.settle();
    }

    /// Waits until the decision to roll back is in the journal.
    fn decided(&self) {
        let is_decided = || fs::read_to_string(self.journal()).unwrap().contains("\"roll_back\"");
        until("it was decided to roll back", is_decided);
    }

    /// Runs it, and takes down what it says.
    fn tells(&mut self, args: &[&str], code: i32) {
        let ended = self.run(args);
        self.take_down(args, ended, code);
    }

    /// Takes down what was said on stdout and stderr, but for the progress.
    fn take_down(&mut self, args: &[&str], ended: Ended, code: i32) {
        let ended = ended.is(code);
        let said: String = ended
            .stderr
            .lines()
            .filter(|line| ["error:", "  Caused by:", "help:"].iter().any(|start| line.starts_with(start)))
            .map(|line| format!("{line}\n"))
            .collect();
        self.told += &format!("$ selvedge {}\n{}{said}", args.join(" "), ended.stdout);
        if code != 0 {
            self.told += &format!("exit code {code}\n");
        }
        self.told += "\n";
    }

    /// Takes down what `list` and `show` say, and checks what they say to programs.
    fn shows(&mut self, state: &str) -> Value {
        let id = self.id();
        self.tells(&["transactions", "list"], 0);
        self.tells(&["transactions", "show", &id], 0);
        let shown = self.run(&["transactions", "show", &id, "--output", "json"]).ends(0, &[]).json();
        assert_eq!(shown["state"], state, "{shown:#}");
        self.check(&shown);
        let listed = self.run(&["transactions", "list", "--output", "json"]).ends(0, &[]).json();
        assert_eq!(listed["transactions"].as_array().unwrap().last(), Some(&shown));
        shown
    }

    /// By the schema, and by what the journal calls things.
    #[track_caller]
    fn check(&self, report: &Value) {
        let errors: Vec<_> = self.schema.iter_errors(report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
        let journal = fs::read_to_string(self.journal()).unwrap();
        let begin: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
        let planned = begin["body"]["plan"].as_array().unwrap().iter().map(|step| &step["change"]["change"]);
        let told = report["steps"].as_array().unwrap().iter().map(|step| &step["kind"]);
        assert!(planned.eq(told), "{report:#}");
    }

    /// Compares what was told with what is on record.
    fn golden(&self, name: &str) {
        let filters = [
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
            (r"[0-9a-f]{32}", "<transaction>"),
            (r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:<port>"),
            (r"process \d+ on [^ ,]+", "process <pid> on <host>"),
            (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "<time>"),
            (r"\d+\.\d s\b", "<duration>"),
            (r"`[^ `]*/\.selvedge/", "`<project>/.selvedge/"),
        ];
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("golden");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, placeholder) in filters {
            settings.add_filter(pattern, placeholder);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.told));
    }
}
