//! What CI systems are told: read as their runners read it, from both streams, from the files they name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use selvedge_observability::redact::testing::leak;

use crate::{
    program::{Ended, run, selvedge},
    project::Project,
    tenant::Tenant,
};

const REFUSED: &str = "POST */git/commitToGit=403";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    GitHub,
    Azure,
}

/// A command that a runner would obey: its name, its properties, and what follows.
#[derive(Debug, PartialEq, Eq)]
struct Obeyed {
    name: String,
    properties: BTreeMap<String, String>,
    data: String,
}

impl Obeyed {
    fn of(head: &str, data: &str, between: char, escapes: &[(&str, &str)]) -> Self {
        let unescaped =
            |text: &str| escapes.iter().fold(text.to_owned(), |text, (with, c)| text.replace(with, c));
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        let pairs = properties.split(between).filter_map(|pair| pair.split_once('='));
        Self {
            name: name.to_owned(),
            properties: pairs.map(|(key, value)| (key.to_owned(), unescaped(value))).collect(),
            data: unescaped(data),
        }
    }

    fn property(&self, name: &str) -> &str {
        self.properties.get(name).map_or("", String::as_str)
    }
}

impl System {
    const BOTH: [Self; 2] = [Self::GitHub, Self::Azure];

    /// As the runner's parser reads a line: see the sources named in `src/ci/commands.rs`.
    fn obeys(self, line: &str) -> Option<Obeyed> {
        const GITHUB: [(&str, &str); 5] =
            [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
        const AZURE: [(&str, &str); 5] =
            [("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%")];
        match self {
            Self::GitHub => {
                assert!(!line.contains("##["), "GitHub obeys these anywhere in a line: {line}");
                let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
                Some(Obeyed::of(head, data, ',', &GITHUB))
            }
            Self::Azure => {
                let start = line.find("##vso[").map(|at| &line[at + 6..]);
                let (head, data) = start.or_else(|| line.strip_prefix("##["))?.split_once(']')?;
                Some(Obeyed::of(head, data, ';', &AZURE))
            }
        }
    }

    /// What is obeyed of everything that a run prints.
    fn all(self, ended: &Ended) -> Vec<Obeyed> {
        ended.stdout.lines().chain(ended.stderr.lines()).filter_map(|line| self.obeys(line)).collect()
    }
}

/// A step of a job, with the folders and files that the system gives it.
struct Step {
    system: System,
    tenant: Tenant,
    project: Project,
    given: tempfile::TempDir,
}

impl Step {
    fn new(system: System) -> Self {
        let given = tempfile::tempdir().unwrap();
        Self { system, tenant: Tenant::start(), project: Project::orders(), given }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.given.path().join(name)
    }

    fn of_the_job<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        match self.system {
            System::GitHub => command
                .env("GITHUB_ACTIONS", "true")
                .env("GITHUB_WORKSPACE", self.project.path())
                .env("GITHUB_STEP_SUMMARY", self.file("summary"))
                .env("GITHUB_OUTPUT", self.file("output")),
            System::Azure => command.env("TF_BUILD", "True").env("AGENT_TEMPDIRECTORY", self.given.path()),
        }
    }

    fn run(&self, args: &[&str]) -> Ended {
        run(self.of_the_job(&mut self.tenant.safe(&self.project, args)))
    }

    /// The page's Markdown, and the outputs.
    #[track_caller]
    fn told(&self, ended: &Ended) -> (String, BTreeMap<String, String>) {
        let all = self.system.all(ended);
        match self.system {
            System::GitHub => {
                let outputs = fs::read_to_string(self.file("output")).unwrap();
                let outputs = outputs.lines().map(|line| line.split_once('=').unwrap());
                let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                (fs::read_to_string(self.file("summary")).unwrap(), outputs)
            }
            System::Azure => {
                let uploads: Vec<_> = all.iter().filter(|it| it.name == "task.uploadsummary").collect();
                assert_eq!(uploads.len(), 1, "{all:?}");
                assert!(Path::new(&uploads[0].data).is_absolute());
                let outputs = all.iter().filter(|it| it.name == "task.setvariable");
                let outputs = outputs.inspect(|it| assert_eq!(it.property("isOutput"), "true"));
                let outputs = outputs.map(|it| (it.property("variable").to_owned(), it.data.clone()));
                (fs::read_to_string(&uploads[0].data).unwrap(), outputs.collect())
            }
        }
    }
}

/// Those that tell of a problem.
fn issues(system: System, ended: &Ended) -> Vec<Obeyed> {
    let is_issue = |it: &Obeyed| matches!(&*it.name, "error" | "warning" | "task.logissue");
    system.all(ended).into_iter().filter(is_issue).collect()
}

#[track_caller]
fn assert_outputs(outputs: &BTreeMap<String, String>, expected: [(&str, &str); 4]) {
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(outputs, &BTreeMap::from(expected));
}

#[test]
fn a_deployment_that_is_committed_has_groups_a_summary_and_outputs() {
    for system in System::BOTH {
        let step = Step::new(system);
        let ended = step.run(&["deploy"]).is(0);
        assert!(issues(system, &ended).is_empty(), "{}", ended.stderr);
        let groups: Vec<_> =
            system.all(&ended).into_iter().filter(|it| it.name.contains("group")).map(|it| it.name).collect();
        assert_eq!(groups, ["group", "endgroup"].repeat(7).as_slice(), "{}", ended.stderr);
        assert!(ended.stderr.contains("\n[Step 8/8] Deployment Summary\n"), "{}", ended.stderr);

        let journal = step.project.journals().pop().unwrap();
        let id = journal.file_stem().unwrap().to_str().unwrap().to_owned();
        let (page, outputs) = step.told(&ended);
        assert_outputs(
            &outputs,
            [("verdict", "committed"), ("transaction", &id), ("exit-code", "0"), ("changes", "11")],
        );
        for line in [
            "### selvedge deploy: committed",
            "| workspace | acme-orders-dev |",
            &format!("| transaction | {id} |"),
            "| exit code | 0 |",
            "| 1 | create workspace acme-orders-dev | done |",
        ] {
            assert!(page.lines().any(|it| it == line), "{line:?} in {page}");
        }
        assert!(!page.contains("Why") && !page.contains("Next"), "{page}");

        let again = step.run(&["deploy", "--output", "json"]).is(0);
        again.json();
        let said = again.stderr.lines().filter(|line| system.obeys(line).is_none()).count();
        assert_eq!(said, 0, "{}", again.stderr);
        let (page, outputs) = step.told(&again);
        assert!(page.contains("### selvedge deploy: nothing to do\n"), "{page}");
        assert_eq!((&*outputs["verdict"], &*outputs["changes"]), ("nothing_to_do", "0"));
    }
}

#[test]
fn a_deployment_that_fails_tells_why_in_sight_and_what_next() {
    for system in System::BOTH {
        let step = Step::new(system);
        step.tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
        let ended = step.run(&["deploy"]).is(3);
        let issues = issues(system, &ended);
        let [error] = &issues[..] else { panic!("{issues:?}") };
        assert!(error.data.starts_with("commit to Git\n"), "{error:?}");
        assert!(error.data.contains("run `selvedge transactions rollback "), "{error:?}");
        match system {
            System::GitHub => assert_eq!(error.property("title"), "selvedge"),
            System::Azure => assert_eq!((error.property("type"), error.property("code")), ("error", "3")),
        }
        // Nothing that went wrong is in a group that is folded.
        let mut is_folded = false;
        for line in ended.stderr.lines() {
            match system.obeys(line).map(|it| it.name).as_deref() {
                Some("group") => is_folded = true,
                Some("endgroup") => is_folded = false,
                _ => assert!(!(is_folded && line.contains('✗')), "{line} in {}", ended.stderr),
            }
        }
        assert!(ended.stderr.contains('✗') && !is_folded, "{}", ended.stderr);

        let (page, outputs) = step.told(&ended);
        let id = &outputs["transaction"];
        assert_eq!((&*outputs["verdict"], &*outputs["exit-code"]), ("left", "3"));
        assert!(page.contains("### selvedge deploy: left\n"), "{page}");
        assert!(page.contains("**What is left**") && page.contains("| stuck |"), "{page}");
        assert!(page.contains(&format!("```sh\nselvedge transactions rollback {id}\n```")), "{page}");
        assert!(page.contains("**Why**\n\n- commit to Git\n"), "{page}");

        step.tenant.heal();
        let ended = step.run(&["transactions", "rollback", id]).is(0);
        let (page, outputs) = step.told(&ended);
        assert_eq!((&*outputs["verdict"], &*outputs["exit-code"]), ("rolled_back", "0"));
        assert!(page.contains("### selvedge transactions rollback: rolled back\n"), "{page}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_beside_its_line() {
    for system in System::BOTH {
        let step = Step::new(system);
        step.project.edit("\"Admin\"", "\"Boss\"");
        step.project.edit("data.owner@contoso.example", "data.owner");
        step.project.edit("  name: \"Orders\"", "  name: \"Orders\"\n  nmae: \"x\"");
        // A name that would add properties, were it not escaped.
        let name = "a,line=7;code=9::x].yaml";
        fs::rename(step.project.path().join("product_config.yaml"), step.project.path().join(name)).unwrap();
        let ended = step.run(&["deploy", name]).is(2);
        let issues = issues(system, &ended);
        let (kind, line, column) = match system {
            System::GitHub => ("", "line", "col"),
            System::Azure => ("type", "linenumber", "columnnumber"),
        };
        let told: Vec<_> = issues
            .iter()
            .map(|it| {
                let kind = if kind.is_empty() { &it.name } else { it.property(kind) };
                (kind, it.property(line), it.property(column))
            })
            .collect();
        assert_eq!(told.len(), 3, "{issues:?}");
        assert!(told.contains(&("error", "24", "11")) && told.contains(&("error", "23", "12")), "{issues:?}");
        assert!(told.contains(&("warning", "3", "3")), "{issues:?}");
        for it in &issues {
            match system {
                System::GitHub => assert_eq!(it.property("file"), name),
                System::Azure => {
                    assert!(Path::new(it.property("sourcepath")).ends_with(name), "{it:?}");
                    let is_error = it.property("type") == "error";
                    assert_eq!(it.property("code"), if is_error { "2" } else { "" });
                }
            }
        }
        let (page, outputs) = step.told(&ended);
        assert_outputs(
            &outputs,
            [("verdict", "error"), ("transaction", ""), ("exit-code", "2"), ("changes", "")],
        );
        assert!(
            page.contains("### selvedge deploy: error\n") && page.contains("users\\[0\\].role"),
            "{page}"
        );
    }
}

#[test]
fn a_warning_of_a_configuration_that_works_is_told_too() {
    let step = Step::new(System::GitHub);
    step.project.edit("  name: \"Orders\"", "  name: \"Orders\"\n  nmae: \"x\"");
    let ended = step.run(&["plan", "--output", "json"]).is(0);
    ended.json();
    let issues = issues(System::GitHub, &ended);
    let [warning] = &issues[..] else { panic!("{issues:?}") };
    assert_eq!((&*warning.name, warning.property("line")), ("warning", "3"));
    assert_eq!(step.told(&ended).1["verdict"], "planned");
}

#[test]
fn s4_what_a_server_says_forges_nothing_and_tells_no_secret() {
    const SECRET: &str = "canary-of_a|token`here";
    for system in System::BOTH {
        let step = Step::new(system);
        let forged = "x%0A::error::forged ##vso[task.setvariable variable=verdict;isOutput=true]forged ##[error]forged";
        step.project.edit("Orders as they come", forged);
        for (fault, output) in [
            ("POST */connections=400,body=echo", "text"),
            ("POST */items=400,body=echo", "text"),
            ("POST */items=400,body=echo", "json"),
            ("POST */items=400,body=echo", "jsonl"),
        ] {
            step.tenant.reset();
            step.tenant.inject(fault);
            let mut command = step.tenant.safe(&step.project, &["deploy", "-vv", "--output", output]);
            // The lakehouse comes first, and is all that is sent.
            command.env("SELVEDGE_ROLLBACK__CONCURRENCY", "1");
            let ended = run(step.of_the_job(command.env("GITHUB_TOKEN", SECRET))).is(1);
            let known = match system {
                System::GitHub => &["group", "endgroup", "error"][..],
                System::Azure => {
                    &["group", "endgroup", "task.logissue", "task.uploadsummary", "task.setvariable"]
                }
            };
            let all = system.all(&ended);
            assert!(all.iter().all(|it| known.contains(&&*it.name)), "{all:?}");
            let issues = issues(system, &ended);
            assert_eq!(issues.len(), 1, "{issues:?}");
            let (page, outputs) = step.told(&ended);
            let is_echoed = fault.contains("items");
            assert_eq!(page.contains("forged"), is_echoed, "{page}");
            assert_eq!(issues[0].data.contains("forged"), is_echoed, "{issues:?}");
            assert!(issues[0].data.contains("***") && page.contains("\\*\\*\\*"), "{page}");
            assert_eq!(outputs["verdict"], "rolled_back");
            assert_eq!(outputs.len(), 4, "{outputs:?}");
            let told = format!("{page}{outputs:?}{}{}", ended.stdout, ended.stderr).replace('\\', "");
            assert_eq!(leak(&told, SECRET), None, "{told}");
            fs::remove_file(step.file("summary")).ok();
            fs::remove_file(step.file("output")).ok();
        }
    }
}

#[test]
fn which_system_is_told_is_chosen_by_option_setting_or_detection() {
    let project = Project::orders();
    for (args, variables, toml, told) in [
        (&[][..], &[][..], "", None),
        (&[], &[("GITHUB_ACTIONS", "true")], "", Some("::error title=selvedge::")),
        (&[], &[("TF_BUILD", "True")], "", Some("##vso[task.logissue type=error;code=2;]")),
        (&["--ci", "none"], &[("GITHUB_ACTIONS", "true")], "", None),
        (&["--ci", "azure"], &[("GITHUB_ACTIONS", "true")], "", Some("##vso[task.logissue ")),
        (&["--ci", "github"], &[], "", Some("::error ")),
        (&[], &[], "[log]\nci = \"github\"\n", Some("::error ")),
        (&[], &[("GITHUB_ACTIONS", "true"), ("SELVEDGE_LOG__CI", "none")], "", None),
        (&["--ci", "auto"], &[("TF_BUILD", "True")], "[log]\nci = \"none\"\n", Some("##vso[task.logissue ")),
    ] {
        project.write("selvedge.toml", toml);
        let args: Vec<_> = ["tx", "show", "nothing"].iter().chain(args).copied().collect();
        let mut command = selvedge(project.path(), &args);
        let ended = run(command.envs(variables.iter().copied())).is(2);
        let last = ended.stderr.lines().last().unwrap();
        match told {
            Some(told) => assert!(last.starts_with(told), "{args:?} {variables:?} {toml}: {}", ended.stderr),
            None => assert!(!ended.stderr.contains("::error") && !last.contains("##"), "{}", ended.stderr),
        }
    }
    // The masks are no matter of choice.
    project.write(".env", "GITHUB_TOKEN=a-secret\n");
    project.write("selvedge.toml", "");
    let mut command = selvedge(project.path(), &["flags", "--ci", "none"]);
    run(command.env("GITHUB_ACTIONS", "true")).ends(0, &["::add-mask::a-secret\n"]);
}

#[test]
fn what_cannot_be_written_changes_no_exit_code() {
    let step = Step::new(System::GitHub);
    step.tenant.inject(REFUSED);
    let mut command = step.tenant.safe(&step.project, &["deploy"]);
    let command = step.of_the_job(&mut command).env("GITHUB_STEP_SUMMARY", step.file("no/such"));
    run(command).ends(1, &["The CI system could not be told how it ended", "no/such"]);
}
