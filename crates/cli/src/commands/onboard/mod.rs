//! `selvedge onboard`: the predecessor's `onboard_data_product.py`.
//!
//! What is local comes first, because it can be taken back without anybody: the folder, the branch. Then one transaction makes the workspaces.
//! The registry says last what there is; it and the folder are as before where something fails.

mod branch;
mod fabric;
mod registry;
mod scaffold;

use std::path::{Path, PathBuf, absolute};
use std::time::Instant;

use anyhow::Context as _;
use selvedge_deployment::config::descriptor::{self, Described, Descriptor};
use selvedge_observability::audit::{EventType, Outcome};
use selvedge_rollback::describe;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::args::OnboardArgs;
use crate::audit::{self, Audit};
use crate::commands::deploy::prepare::invalid;
use crate::commands::tell::tell;
use crate::exit;
use crate::identity;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

use branch::Branch;
use fabric::Made;
use registry::Registry;
use scaffold::Scaffold;

/// Where the predecessor wrote what each run did.
const LOGS: &str = ".onboarding_logs";

/// Onboards.
///
/// # Errors
///
/// Whatever stands in the way. Where something fails, what this run had made is taken back.
pub(crate) async fn run(app: &App, args: &OnboardArgs) -> anyhow::Result<u8> {
    let named = args.descriptor.as_ref().or(args.config.as_ref());
    let path = located(app, named.map_or(Path::new(""), PathBuf::as_path));
    let variables = |name: &str| app.environment.variable(name);
    let Described { descriptor, warnings } =
        descriptor::load(&app.root, &path, &variables).map_err(|problems| invalid(&problems))?;
    let mut steps = Steps::new(app, args, &descriptor).await?;
    steps.notes.extend(warnings.iter().map(ToString::to_string));
    if args.dry_run {
        return steps.would(app);
    }
    let (audit, started) = (Audit::open(app)?, Instant::now());
    let about = json!({ "product_id": descriptor.slug, "product_name": descriptor.name,
                        "feature_id": args.feature, "descriptor_path": path.display().to_string() });
    audit.note(EventType::OnboardingStarted, Outcome::Started, about);
    let ended = steps.make(app).await;
    let seconds = started.elapsed().as_secs_f64();
    match &ended {
        Ok(made) => {
            let fields = json!({ "product_id": descriptor.slug, "workspace_id": made.dev["id"],
                                 "feature_workspace_id": made.feature["id"],
                                 "remote_branch": steps.branch.as_ref().map(|branch| &branch.name),
                                 "items_created": null, "duration_seconds": seconds });
            audit.note(EventType::OnboardingCompleted, Outcome::Done, fields);
        }
        Err(error) => {
            let fields = json!({ "product_id": descriptor.slug, "error_message": describe(&**error),
                                 "duration_seconds": seconds });
            audit.note(EventType::OnboardingFailed, Outcome::Failed, fields);
        }
    }
    audit.close();
    steps.told(app, &ended?)
}

/// A path that is not there from here is one from the project's root.
fn located(app: &App, named: &Path) -> PathBuf {
    let here = absolute(named).unwrap_or_else(|_| named.to_owned());
    if here.exists() { here } else { app.root.join(named) }
}

/// What is to be done, looked at before anything is.
struct Steps<'a> {
    args: &'a OnboardArgs,
    descriptor: &'a Descriptor,
    scaffold: Option<Scaffold>,
    branch: Option<Branch>,
    registry: Registry,
    /// Whether Fabric is left alone.
    is_local: bool,
    notes: Vec<String>,
}

impl<'a> Steps<'a> {
    async fn new(app: &App, args: &'a OnboardArgs, descriptor: &'a Descriptor) -> anyhow::Result<Self> {
        let mut notes = Vec::new();
        let scaffold =
            if args.skip_scaffold { None } else { Some(Scaffold::look(&app.root, &descriptor.slug)?) };
        let branch = match (&args.feature, &descriptor.git) {
            (Some(ticket), Some(git)) if !args.skip_git => {
                Some(Branch::look(&app.root, git.branch(&descriptor.slug, ticket), &git.default_branch)?)
            }
            _ => None,
        };
        let is_local = args.skip_workspaces || !identity::is_known(app).await;
        if is_local && !args.skip_workspaces {
            notes.push("no credentials: Fabric is left alone, as with --skip-workspaces".to_owned());
        }
        let registry = Registry::read(&app.root)?;
        Ok(Self { args, descriptor, scaffold, branch, registry, is_local, notes })
    }

    /// The names of the workspaces: the product's, the ticket's.
    fn names(&self) -> (String, Option<String>) {
        let name = &self.descriptor.name;
        let feature = self.args.feature.as_ref().map(|ticket| format!("{name} [Feature {ticket}]"));
        (format!("{name} [DEV]"), feature)
    }

    fn would(&self, app: &App) -> anyhow::Result<u8> {
        let (dev, feature) = self.names();
        let mut lines = self.notes.clone();
        let mut would = |what: String| lines.push(format!("DRY-RUN: Would {what}"));
        if let Some(scaffold) = &self.scaffold {
            would(format!("make {} files in {}", scaffold.missing(), scaffold.shown()));
        }
        if let Some(branch) = &self.branch {
            would(format!("{} branch {}", if branch.exists() { "refresh" } else { "create" }, branch.name));
        }
        for workspace in [Some(dev), feature].into_iter().flatten().filter(|_| !self.is_local) {
            would(format!("ensure workspace {workspace}"));
        }
        would(format!("update {}", registry::FILE));
        let text: Vec<_> = lines.iter().map(|line| one_line(line)).collect();
        tell(app, &text.join("\n"), self.value(&Made::default(), None))
    }

    async fn make(&mut self, app: &App) -> anyhow::Result<Made> {
        let mut back = Back::default();
        match self.make_all(app, &mut back).await {
            Ok(made) => Ok(made),
            Err(error) => {
                let left = back.take(&app.root);
                if left.is_empty() {
                    return Err(error);
                }
                let with = ExitWith::new(exit::LEFT, format!("onboard {}", self.descriptor.name));
                Err(error.context(with.help(format!("remove by hand: {}", left.join(", ")))))
            }
        }
    }

    async fn make_all(&mut self, app: &App, back: &mut Back) -> anyhow::Result<Made> {
        if let Some(scaffold) = &self.scaffold {
            back.files = scaffold.make()?;
        }
        if let Some(branch) = &mut self.branch {
            let slug = &self.descriptor.slug;
            let ticket = self.args.feature.as_deref().unwrap_or_default();
            back.branch = Some(branch.make(&app.root, &descriptor::folder(slug), slug, ticket)?);
            if self.args.push {
                branch.push(&app.root)?;
            }
        }
        if self.is_local {
            self.registry.write(self.descriptor, self.args.feature.as_deref(), &Made::default())?;
            self.log(app, &Made::default())?;
            return Ok(Made::default());
        }
        let (dev, feature) = self.names();
        let made = fabric::make(app, self.descriptor, &dev, feature.as_deref(), self.branch.as_ref()).await?;
        // Fabric has it: nothing local goes back any more.
        *back = Back::default();
        let tried = || {
            ExitWith::new(exit::LEFT, "write down what was onboarded")
                .help("run the command again: what is there is found")
        };
        self.registry.write(self.descriptor, self.args.feature.as_deref(), &made).with_context(tried)?;
        self.log(app, &made).with_context(tried)?;
        Ok(made)
    }

    fn log(&self, app: &App, made: &Made) -> anyhow::Result<()> {
        let form = format_description!("[year][month][day]T[hour][minute][second]Z");
        let now = OffsetDateTime::now_utc().format(&form).context("write the time")?;
        let folder = app.root.join(LOGS);
        std::fs::create_dir_all(&folder).context("make the folder of logs")?;
        let mut value = self.value(made, None);
        value["timestamp"] = now.clone().into();
        let text = serde_json::to_string_pretty(&value).context("write the log")?;
        let file = folder.join(format!("{now}_{}.json", self.descriptor.slug));
        std::fs::write(file, text).context("write the log")
    }

    fn told(&self, app: &App, made: &Made) -> anyhow::Result<u8> {
        let mut text = format!("✓ Onboarded {} ({})", one_line(&self.descriptor.name), self.descriptor.slug);
        for note in &self.notes {
            text.push_str(&format!("\nnote: {}", one_line(note)));
        }
        for workspace in [&made.dev, &made.feature] {
            if let (Some(name), Some(id)) = (workspace["displayName"].as_str(), workspace["id"].as_str()) {
                text.push_str(&format!("\n  workspace: {} ({id})", one_line(name)));
            }
        }
        if let Some(branch) = &self.branch {
            text.push_str(&format!("\n  branch: {}", branch.name));
        }
        if let Some(scaffold) = &self.scaffold {
            text.push_str(&format!("\n  folder: {}", scaffold.shown()));
        }
        let trail = audit::path(app).map(|path| path.display().to_string());
        tell(app, &text, self.value(made, trail))
    }

    /// The predecessor's keys.
    fn value(&self, made: &Made, audit_log: Option<String>) -> Value {
        json!({
            "product": { "name": self.descriptor.name, "slug": self.descriptor.slug },
            "dev_workspace": made.dev,
            "feature_workspace": made.feature,
            "git_branch": self.branch.as_ref().map(|branch| &branch.name),
            "git_branch_created": self.branch.as_ref().is_some_and(|branch| !branch.exists()),
            "scaffold_path": self.scaffold.as_ref().map(Scaffold::shown),
            "registry_updated": !self.args.dry_run,
            "audit_log": audit_log,
            "notes": self.notes,
        })
    }
}

/// What is local, and goes where something fails after it.
#[derive(Default)]
struct Back {
    /// Files and folders, the deepest last.
    files: Vec<PathBuf>,
    branch: Option<branch::Before>,
}

impl Back {
    /// Takes it back. What could not be is named.
    fn take(self, root: &Path) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(before) = self.branch {
            left.extend(before.restore(root).err().map(|error| format!("{error:#}")));
        }
        for path in self.files.iter().rev() {
            let removed = if path.is_dir() { std::fs::remove_dir(path) } else { std::fs::remove_file(path) };
            left.extend(removed.err().map(|_| path.display().to_string()));
        }
        left
    }
}
