//! From files and reads to a plan. Nothing is written here.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use secrecy::ExposeSecret as _;
use selvedge_deployment::config::{self, Diagnostic, Diagnostics, Loaded, Severity};
use selvedge_deployment::desired::{Desired, DesiredRole, PrincipalRef};
use selvedge_deployment::diff::{Means, Planned, diff};
use selvedge_deployment::inventory::Inventory;
use selvedge_deployment::live::{Live, ResolvedRole};
use selvedge_deployment::principals::{self, ResolveError};
use selvedge_deployment::read;
use selvedge_deployment::target::TargetError;
use selvedge_fabric_client::{Error, ErrorKind, PrincipalId};
use selvedge_resilience::retry::after;
use selvedge_resilience::{Outcome, find_cause};
use selvedge_rollback::TransactionId;
use selvedge_secrets::identity::IdentityError;
use serde_json::{Value, json};

use super::apply::Work;
use super::open;
use crate::args::Selection;
use crate::clients::Clients;
use crate::events;
use crate::exit;
use crate::identity;
use crate::place::Place;
use crate::render::{Progress, Stage};
use crate::report::ExitWith;
use crate::run::App;
use crate::settings::may_be_secret;
use crate::subject;

/// Where a product's configuration is looked for, from the project root, when none is named.
const USUAL_PLACES: [&str; 2] = ["product_config.yaml", "scenarios/automated-deployment/product_config.yaml"];

/// The name of the secret that holds a token for the Git provider.
pub(crate) const GIT_TOKEN: &str = "GITHUB_TOKEN";

/// What the files ask for, and what is there.
pub(crate) struct Surveyed {
    pub(crate) desired: Desired,
    pub(crate) roles: Vec<ResolvedRole>,
    pub(crate) live: Live,
    place: Option<(Place, BTreeSet<TransactionId>)>,
    /// `None` where nothing was asked, for want of credentials.
    pub(crate) clients: Option<Clients>,
}

/// Everything that a deployment needs, before its first write.
pub(crate) struct Prepared {
    pub(crate) desired: Desired,
    pub(crate) live: Live,
    pub(crate) planned: Planned,
    /// What the workspace held when it was read; `None` where there was none.
    pub(crate) inventory: Option<Inventory>,
    /// Where journals are, and the transactions that had begun before anything was read. `None` where nothing is to be written.
    pub(crate) place: Option<(Place, BTreeSet<TransactionId>)>,
    /// `None` for a plan made without credentials.
    pub(crate) clients: Option<Clients>,
}

impl Prepared {
    /// What it comes to, once there are credentials.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub(crate) fn work<'a>(&'a self, app: &App) -> anyhow::Result<Work<'a>> {
        let Some(clients) = &self.clients else {
            return Err(anyhow!("there are no credentials").context(ExitWith::new(exit::DENIED, "deploy")));
        };
        Ok(Work {
            plan: &self.planned.plan,
            id: app.run,
            subject: self.subject(app),
            product: Some(&self.desired.product),
            environment: Some(&self.desired.environment),
            inventory: self.inventory.as_ref(),
            place: self.place.as_ref(),
            clients,
        })
    }

    /// What it is about.
    pub(crate) fn subject(&self, app: &App) -> String {
        subject::of(app, [&*self.desired.workspace.name])
    }

    /// What is deployed where, for results.
    pub(crate) fn what(&self) -> Value {
        what(&self.desired)
    }
}

/// What is deployed where, for results.
pub(crate) fn what(desired: &Desired) -> Value {
    json!({
        "product": desired.product,
        "environment": desired.environment,
        "workspace": desired.workspace.name,
    })
}

/// The configuration file that `selection` means, and the folder that its project starts from.
pub(crate) fn config_file(selection: &Selection) -> anyhow::Result<(PathBuf, PathBuf)> {
    let named = selection.file.as_ref().or(selection.config.as_ref());
    let Some(named) = named else {
        let root = config::find_root(Path::new("."));
        let places = USUAL_PLACES.map(|place| root.join(place));
        return match config_file_in(&root) {
            Some(found) => Ok((found, root)),
            None => {
                let looked = places.map(|place| format!("`{}`", place.display())).join(" and ");
                let problem = anyhow!("there is no configuration: looked for {looked}");
                Err(problem.context(ExitWith::usage("find the configuration").help("name the file")))
            }
        };
    };
    let named = if named.exists() || named.is_absolute() {
        named.clone()
    } else {
        // The predecessor took paths from the project's root, wherever it was started.
        let from_root = config::find_root(Path::new(".")).join(named);
        if from_root.exists() { from_root } else { named.clone() }
    };
    let folder = named.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = config::find_root(folder);
    Ok((named, root))
}

/// The configuration file that a project has where none is named.
pub(crate) fn config_file_in(root: &Path) -> Option<PathBuf> {
    USUAL_PLACES.iter().map(|place| root.join(place)).find(|place| place.exists())
}

/// Loads, reads, and plans.
///
/// # Errors
///
/// As [`survey`], and where no plan reaches what the files ask for (2).
pub(crate) async fn prepare(
    app: &App,
    selection: &Selection,
    config: PathBuf,
    offline_allowed: bool,
    progress: &Progress,
) -> anyhow::Result<Prepared> {
    let surveyed = survey(app, selection, config, offline_allowed, progress).await?;
    let Surveyed { desired, roles, live, place, clients } = surveyed;
    progress.stage(Stage::Naming);
    progress.fine(&format!("{} item names", desired.items.len()));
    let has_token = clients.is_none() || app.secret(GIT_TOKEN).await?.is_some();
    let means = Means { git_token: has_token.then_some(GIT_TOKEN) };
    let planned = diff(&desired, &roles, &live, means).map_err(|error| invalid(&error))?;
    for warning in &planned.warnings {
        progress.warn(warning);
        app.job.problem(warning);
    }
    let inventory = Inventory::of(&live);
    Ok(Prepared { desired, live, planned, inventory, place, clients })
}

/// Loads and reads.
///
/// # Errors
///
/// What is wrong with flags, files or names (exit code 2), with credentials or rights (4), or with the network (1).
pub(crate) async fn survey(
    app: &App,
    selection: &Selection,
    config: PathBuf,
    offline_allowed: bool,
    progress: &Progress,
) -> anyhow::Result<Surveyed> {
    // An emulated tenant has no vault, and nobody watches it.
    if !app.local {
        app.flags.require_stage(&app.settings)?;
    }
    progress.stage(Stage::Prerequisites);
    let Loaded { desired, warnings, rollback_on_error } = load(app, selection, config.clone()).await?;
    progress.fine(&format!("configuration: {}", config.display()));
    let warn = |warning: &Diagnostic| {
        progress.warn(warning);
        app.job.problem(warning);
    };
    warnings.iter().for_each(warn);
    note_rollback(app, rollback_on_error, progress);
    let offline = offline_allowed && !identity::is_known(app).await;
    let clients = if offline {
        progress.note("no credentials: planned against an empty workspace");
        None
    } else {
        Some(Clients::new(app).await?)
    };
    // Only what writes asks for them.
    let place = if offline_allowed { None } else { Place::of_deployment(app).await? };
    let place = match place {
        Some(place) => {
            let begun = open::begun(&place).await?;
            Some((place, begun))
        }
        None => None,
    };
    let (roles, live) = match &clients {
        None => (unresolved(&desired.roles), Live::default()),
        Some(clients) => {
            let live = read::read(&clients.fabric, &desired).await.map_err(target_failed)?;
            progress.fine(&format!("reachable: {}", app.settings.fabric.base_url));
            let resolved =
                principals::resolve(&clients.graph, &desired.roles).await.map_err(resolve_failed)?;
            resolved.warnings.iter().for_each(warn);
            if let Some(app_id) = app.settings.entra.client_id.as_ref().and_then(|id| id.parse().ok()) {
                principals::refuse_own_demotion(&clients.graph, app_id, &resolved.roles)
                    .await
                    .map_err(|error| invalid(&error))?;
            }
            (resolved.roles, live)
        }
    };
    Ok(Surveyed { desired, roles, live, place, clients })
}

/// Reads the configuration. Where Key Vault is on, it is asked for the variables that the environment does not have and the settings name:
/// who writes a configuration file must not be able to read the vault by it.
///
/// # Errors
///
/// What is wrong with the files, and what keeps the vault from being asked.
pub(crate) async fn load(app: &App, selection: &Selection, config: PathBuf) -> anyhow::Result<Loaded> {
    let environment = selection.env.unwrap_or_default().as_str();
    let mut fetched: BTreeMap<String, Option<String>> = BTreeMap::new();
    loop {
        let variables = Variables { app, fetched: &fetched, missing: RefCell::default() };
        let (config, root) = (config.clone(), app.root.clone());
        let request = config::Request { config, root, environment, variables: &variables };
        let loaded = config::load(&request);
        let missing = variables.missing.into_inner();
        if missing.is_empty() || !app.flags.key_vault.on {
            return loaded.map_err(|error| invalid(&error));
        }
        for name in missing {
            let value = app.secret(&name).await?.map(|value| value.expose_secret().to_owned());
            fetched.insert(name, value);
        }
    }
}

/// What `${NAME}` in a configuration stands for.
struct Variables<'a> {
    app: &'a App,
    /// What Key Vault was asked for; `None`: it has none.
    fetched: &'a BTreeMap<String, Option<String>>,
    /// What it is still to be asked for.
    missing: RefCell<BTreeSet<String>>,
}

impl config::Variables for Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let known = self.app.environment.variable(name);
        known.or_else(|| match self.fetched.get(name) {
            Some(value) => value.clone(),
            None => {
                if self.app.settings.secrets.variables.iter().any(|known| known == name) {
                    self.missing.borrow_mut().insert(name.to_owned());
                }
                None
            }
        })
    }

    fn is_secret(&self, name: &str) -> bool {
        may_be_secret(name)
    }
}

/// The predecessor's key and our flag may say different things; the flag decides.
fn note_rollback(app: &App, wanted: Option<bool>, progress: &Progress) {
    match (wanted, app.flags.rollback.on) {
        (Some(true), false) => progress.note(
            "deployment.rollback_on_error has no effect by itself: set FEATURE_USE_ROLLBACK=true to have failures undone",
        ),
        (Some(false), true) => {
            progress.note("FEATURE_USE_ROLLBACK=true overrules deployment.rollback_on_error: false");
        }
        _ => {}
    }
}

/// Roles whose principals nobody could be asked about; good for showing, never sent.
fn unresolved(roles: &[DesiredRole]) -> Vec<ResolvedRole> {
    roles
        .iter()
        .map(|role| ResolvedRole {
            principal: match role.principal {
                PrincipalRef::Id(id) => PrincipalId::from(id),
                _ => PrincipalId::from(uuid::Uuid::nil()),
            },
            kind: role.kind,
            role: role.role,
            label: role.principal.to_string(),
            at: role.at.clone(),
        })
        .collect()
}

/// A configuration that makes no plan.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Invalid {
    /// Every problem, one a line.
    text: String,
    pub(crate) problems: Diagnostics,
}

pub(crate) fn invalid(diagnostics: &Diagnostics) -> anyhow::Error {
    events::configuration_refused(diagnostics.into_iter().count());
    let mut text = diagnostics.to_string();
    for problem in diagnostics {
        let label = if problem.severity == Severity::Warning { "warning: " } else { "" };
        text.push_str(&format!("\n{label}{problem}"));
        if let Some(help) = &problem.help {
            text.push_str(&format!("\n  {help}"));
        }
    }
    let problems = diagnostics.clone();
    anyhow::Error::from(Invalid { text, problems }).context(ExitWith::usage("make a plan"))
}

pub(crate) fn target_failed(error: TargetError) -> anyhow::Error {
    let with = match &error {
        TargetError::Fabric(error) => not_read(error),
        _ => ExitWith::new(exit::FAILED, "read the live state"),
    };
    anyhow::Error::from(error).context(with)
}

pub(crate) fn resolve_failed(error: ResolveError) -> anyhow::Error {
    match error {
        ResolveError::Names(diagnostics) => invalid(&diagnostics),
        error => {
            let with = match &error {
                ResolveError::Graph { source, .. } => not_read(source),
                _ => ExitWith::new(exit::FAILED, "look up principals"),
            };
            anyhow::Error::from(error).context(with)
        }
    }
}

/// What a failed read means: no rights, or no luck.
pub(crate) fn not_read(error: &Error) -> ExitWith {
    const READ: &str = "read the live state";
    let signing_in = matches!(error.kind(), ErrorKind::Auth(_));
    if signing_in && error.outcome() != Outcome::Permanent {
        // Entra ID that is away or busy has not denied anything.
        let again = match error.retry_after() {
            Some(wait) if after::may_be_longer(wait) => format!("in {wait:.0?} or later"),
            Some(wait) => format!("in {wait:.0?}"),
            None => "later".to_owned(),
        };
        return ExitWith::new(exit::FAILED, READ).help(format!(
            "the sign-in service is unavailable; nothing was changed; run the command again {again}"
        ));
    }
    if let Some(help) = find_cause::<IdentityError>(error).and_then(IdentityError::help) {
        return ExitWith::new(exit::DENIED, READ).help(help);
    }
    if signing_in || error.status().is_some_and(|status| status == 401 || status == 403) {
        ExitWith::new(exit::DENIED, READ)
            .help("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, and the identity's rights in Fabric")
    } else {
        ExitWith::new(exit::FAILED, READ).help("nothing was changed; run the command again")
    }
}
