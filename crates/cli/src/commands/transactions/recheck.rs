//! What has to hold before a transaction is taken up: its plan is the one that was begun, this program understands it, and whoever runs
//! it sees what was begun on. A journal may come from another machine, another version and another day.

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::Change;
use selvedge_deployment::inventory::Inventory;
use selvedge_fabric_client::layer::Principal;
use selvedge_fabric_client::workspaces;
use selvedge_rollback::record::Begin;
use semver::Version;
use uuid::Uuid;

use crate::clients::Clients;
use crate::commands::deploy::apply::context;
use crate::commands::deploy::prepare::not_read;
use crate::exit;
use crate::report::ExitWith;
use crate::run::App;

/// This program.
const NAME: &str = "selvedge";
/// Its version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// This program, as a journal names it.
pub(crate) fn tool() -> String {
    format!("{NAME} {VERSION}")
}

/// Refuses a plan that is not the one that was begun, and one of a newer version of this program, which may mean something else by it.
///
/// # Errors
///
/// When it is one of those.
pub(super) fn refuse_unfit(begin: &Begin<Change>) -> anyhow::Result<()> {
    let tried = || ExitWith::usage("take up the transaction");
    if let Err(problem) = understands(&begin.tool, VERSION) {
        let with = tried().help("use the version that began it, or a newer one");
        return Err(problem.context(with));
    }
    let digest = begin.plan.digest().context("hash the plan").with_context(tried)?;
    if digest != begin.plan_digest {
        let problem = anyhow!(
            "the plan in its journal is not the one that was begun: it was changed, or this version reads it in another way"
        );
        return Err(
            problem.context(tried().help(format!("it was begun by {}: use that version", begin.tool)))
        );
    }
    Ok(())
}

/// Whether this version may go on with what `tool` began.
fn understands(tool: &str, version: &str) -> anyhow::Result<()> {
    let theirs = tool.strip_prefix(NAME).and_then(|rest| Version::parse(rest.trim_start()).ok());
    let theirs = theirs.with_context(|| format!("it was begun by `{tool}`, and this is {NAME} {version}"))?;
    let ours = Version::parse(version).context("read this program's version")?;
    match theirs > ours {
        true => Err(anyhow!("it was begun by {NAME} {theirs}, and this is {NAME} {ours}")),
        false => Ok(()),
    }
}

/// What speaks against `here` being who began the transaction. A token that does not say whom it is for does not.
pub(crate) fn another(begin: &Begin<Change>, here: Option<&Principal>) -> Option<String> {
    let (there, here) = (begin.context.get(context::PRINCIPAL)?, here?);
    let (object, tenant) = there.rsplit_once('@').unwrap_or((there, ""));
    let is_same = is_same_id(object, &here.object) && is_same_id(tenant, &here.tenant);
    (!is_same).then(|| format!("the transaction was begun as `{there}`, and this is `{here}`"))
}

/// Whether two ids are the same. GUIDs are, however they are spelled; of anything else nobody knows.
pub(super) fn is_same_id(one: &str, other: &str) -> bool {
    match (one.parse::<Uuid>(), other.parse::<Uuid>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

/// Refuses an identity that is not the one that began it, or that does not see the workspace that was there before: what it is told
/// is "not found" may only be "not allowed".
///
/// # Errors
///
/// When it is one of those, or Fabric cannot be asked.
pub(super) async fn refuse_blind(
    app: &App,
    clients: &Clients,
    begin: &Begin<Change>,
    before: Option<&Inventory>,
) -> anyhow::Result<()> {
    let here = clients.identity.principal().await;
    let here = here.with_context(|| {
        ExitWith::new(exit::DENIED, "sign in to Fabric")
            .help("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET")
    })?;
    if let Some(problem) = another(begin, here.as_ref()) {
        let with = ExitWith::usage("take up the transaction").help("sign in as who began it");
        return Err(anyhow!(problem).context(with));
    }
    let Some(before) = before else { return Ok(()) };
    match clients.fabric.send(workspaces::get(before.workspace)).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => {
            let id = before.workspace;
            let problem = anyhow!("the workspace {id}, which was there when it was begun, cannot be seen");
            let subject = &begin.subject;
            let help = format!(
                "give this identity its rights in `{subject}` again; if the workspace is gone, see `{}`",
                app.transactions("show", begin.id)
            );
            Err(problem.context(ExitWith::new(exit::DENIED, "take up the transaction").help(help)))
        }
        Err(error) => {
            let with = not_read(&error);
            Err(anyhow::Error::from(error).context(with))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r21_guids_are_the_same_however_they_are_spelled_and_nothing_else_is() {
        let id = "aaaaaaaa-0000-4000-8000-00000000000c";
        for (other, is_same) in [
            (id, true),
            ("AAAAAAAA-0000-4000-8000-00000000000C", true),
            ("{aaaaaaaa-0000-4000-8000-00000000000c}", true),
            ("aaaaaaaa-0000-4000-8000-00000000000d", false),
            ("contoso.example", false),
            ("", false),
        ] {
            assert_eq!(is_same_id(id, other), is_same, "{other}");
            assert_eq!(is_same_id(other, id), is_same, "{other}");
        }
        assert!(is_same_id("one", "one") && !is_same_id("one", "One") && is_same_id("", ""));
    }

    #[test]
    fn r21_what_a_newer_version_or_another_program_began_is_not_taken_up() {
        for (tool, fits) in [
            ("selvedge 0.1.0", true),
            ("selvedge 0.2.9", true),
            ("selvedge 0.3.0-rc.1", true),
            ("selvedge 0.3.0", true),
            ("selvedge 0.3.1", false),
            ("selvedge 0.10.0", false),
            ("selvedge 1.0.0", false),
            ("selvedge", false),
            ("selvedge next", false),
            ("another 0.1.0", false),
        ] {
            assert_eq!(understands(tool, "0.3.0").is_ok(), fits, "{tool}");
        }
        assert!(understands(&tool(), VERSION).is_ok());
    }
}
