//! What transactions act on in this program, and where their journals are.

use std::collections::BTreeMap;

use secrecy::SecretString;
use selvedge_deployment::change::Change;
use selvedge_deployment::inventory::Inventory;
use selvedge_deployment::target::{Fabric, Patience, Secrets};
use selvedge_rollback::Policy;

use crate::clients::Clients;
use crate::run::App;

/// The secrets that the changes of a plan name.
pub(crate) struct NamedSecrets(BTreeMap<String, SecretString>);

impl Secrets for NamedSecrets {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).cloned()
    }
}

/// The target of this program's transactions.
pub(crate) type Target = Fabric<NamedSecrets>;

/// Fabric, forth by one way and back by the other. The secrets that `changes` name are had before anything is sent, and what was there
/// `before` is not removed, whatever a journal says.
///
/// # Errors
///
/// When one of them cannot be had. One that is not there is found out by the change that needs it.
pub(crate) async fn target(
    app: &App,
    clients: &Clients,
    changes: impl IntoIterator<Item = &Change>,
    before: Option<&Inventory>,
) -> anyhow::Result<Target> {
    let mut secrets = BTreeMap::new();
    for name in changes.into_iter().filter_map(Change::secret) {
        if let Some(value) = app.secret(name).await? {
            secrets.insert(name.to_owned(), value);
        }
    }
    let patience = Patience {
        first: app.settings.polling.first_poll,
        lag: app.settings.rollback.consistency_delay,
        in_flight: app.settings.rollback.in_flight,
        ..Patience::default()
    };
    Ok(Fabric::new(clients.fabric.clone(), NamedSecrets(secrets), patience)
        .back_through(clients.fabric_undo.clone())
        .protecting(before))
}

/// How patient the engine is. Sending again is what the retry flag switches.
pub(crate) fn policy(app: &App) -> Policy {
    let retry = &app.settings.retry;
    Policy {
        concurrency: usize::try_from(app.settings.rollback.concurrency).unwrap_or(usize::MAX),
        resends: if app.flags.retry.on { retry.max_attempts.saturating_sub(1) } else { 0 },
        backoff: retry.base_delay,
        max_backoff: retry.max_delay,
        absent_reads: app.settings.rollback.absent_reads,
        consistency_delay: app.settings.rollback.consistency_delay,
        ..Policy::default()
    }
}

/// This process, for people who read a journal on another machine.
pub(crate) fn writer() -> String {
    format!("{} {}", gethostname::gethostname().to_string_lossy(), std::process::id())
}
