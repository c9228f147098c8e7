//! A plan in a file: what `plan --out` writes, and `deploy` carries out as it is, or not at all.
//!
//! The file has no part in what is sent: it is planned anew, from the files and from Fabric, and what comes out has to be what the file says.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::Change;
use selvedge_rollback::Plan;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::prepare::Prepared;
use crate::args::{Selection, Target};
use crate::exit;
use crate::report::ExitWith;
use crate::run::App;

/// The form of the file.
const FORM: u32 = 1;

/// A plan, and what it was made from.
#[derive(Deserialize, Serialize)]
pub(crate) struct PlanFile {
    /// [`FORM`]. Its name says what the file is.
    selvedge_plan: u32,
    /// The program that wrote it.
    version: String,
    created: String,
    /// The configuration file, from the project's root.
    config: PathBuf,
    environment: String,
    /// The tenant's address, and the workspace.
    subject: String,
    /// What was in the workspace.
    live: String,
    plan: Plan<Change>,
}

impl PlanFile {
    /// The plan as it was made now.
    pub(crate) fn of(
        app: &App,
        selection: &Selection,
        prepared: &Prepared,
        config: &Path,
    ) -> anyhow::Result<Self> {
        let config = std::path::absolute(config).context("find the configuration")?;
        let created = OffsetDateTime::now_utc().format(&Rfc3339).context("write the time")?;
        Ok(Self {
            selvedge_plan: FORM,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created,
            config: config.strip_prefix(&app.root).map_or(config.clone(), Path::to_owned),
            environment: selection.env.unwrap_or_default().as_str().to_owned(),
            subject: prepared.subject(app),
            live: prepared.live.fingerprint(),
            plan: prepared.planned.plan.clone(),
        })
    }

    /// Writes it, for its owner alone: definitions are a customer's code.
    ///
    /// # Errors
    ///
    /// When it cannot be written. What was there before stays then.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let with = || ExitWith::new(exit::FAILED, format!("write the plan to {}", path.display()));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || -> anyhow::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            Ok(())
        };
        write().with_context(with)
    }

    /// The one that was named in the place of a configuration. `None`: it is a configuration.
    ///
    /// # Errors
    ///
    /// When it is a plan that cannot be read.
    pub(crate) fn find(selection: &Selection) -> anyhow::Result<Option<Self>> {
        let Some(path) = selection.file.as_ref().or(selection.config.as_ref()) else { return Ok(None) };
        // Whatever cannot be read is told by whoever reads it as a configuration.
        let is_file = fs::metadata(path).is_ok_and(|data| data.is_file());
        let Some(text) = is_file.then(|| fs::read_to_string(path).ok()).flatten() else { return Ok(None) };
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(None) };
        let Some(form) = value.get("selvedge_plan") else { return Ok(None) };
        let with = || {
            ExitWith::usage(format!("read the plan {}", path.display()))
                .help("make it anew: `selvedge plan --out FILE`")
        };
        if *form != FORM {
            return Err(anyhow!("it has the form {form}, and this program knows {FORM}")).with_context(with);
        }
        Ok(Some(serde_json::from_value(value).with_context(with)?))
    }

    /// Selects what it was made from, in the project at `root`.
    ///
    /// # Errors
    ///
    /// When another environment was named, or there is none of its name.
    pub(crate) fn select(&self, selection: &mut Selection, root: &Path) -> anyhow::Result<()> {
        let Some(own) = Target::named(&self.environment) else {
            let problem = anyhow!("it is for the environment {:?}, which there is not", self.environment);
            return Err(problem.context(ExitWith::usage("read the plan")));
        };
        if selection.env.is_some_and(|named| named != own) {
            let problem = anyhow!("the plan is for the environment {}", own.as_str());
            return Err(problem.context(ExitWith::usage("deploy a plan").help("leave --env out")));
        }
        selection.env = Some(own);
        (selection.file, selection.config) = (Some(root.join(&self.config)), None);
        Ok(())
    }

    /// Refuses where what was planned now is not what the file says.
    ///
    /// # Errors
    ///
    /// When the workspace or the files have changed since.
    pub(crate) fn require(&self, app: &App, prepared: &Prepared) -> anyhow::Result<()> {
        let now = serde_json::to_value(&prepared.planned.plan).context("write down the plan")?;
        let then = serde_json::to_value(&self.plan).context("write down the plan")?;
        let problem = if self.subject != prepared.subject(app) {
            "the plan is for another workspace, or another tenant"
        } else if self.live != prepared.live.fingerprint() {
            "the workspace has changed since the plan was made"
        } else if now != then {
            "the files have changed since the plan was made"
        } else {
            return Ok(());
        };
        let problem = anyhow!("{problem}, on {}", self.created);
        Err(problem.context(
            ExitWith::new(exit::FAILED, "deploy a plan").help("plan anew, and look at what comes out"),
        ))
    }
}
