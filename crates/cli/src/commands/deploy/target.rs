//! What transactions act on in this program, and where their journals are.

use secrecy::SecretString;
use selvedge_deployment::target::{Fabric, Patience, Secrets};
use selvedge_rollback::Policy;

use crate::clients::Clients;
use crate::run::App;
use crate::settings::{JOURNAL_KEY, SECRET_VARIABLES};

/// The secrets that a change may name, taken out of the environment.
pub(crate) struct NamedSecrets(Vec<(&'static str, SecretString)>);

impl Secrets for NamedSecrets {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }
}

/// The target of this program's transactions.
pub(crate) type Target = Fabric<NamedSecrets>;

/// Fabric, forth by one way and back by the other.
pub(crate) fn target(app: &App, clients: &Clients) -> Target {
    // No change needs the journal's own.
    let names = SECRET_VARIABLES.into_iter().filter(|name| *name != JOURNAL_KEY);
    let secrets = names.filter_map(|name| Some((name, app.environment.secret(name)?))).collect();
    let patience = Patience {
        first: app.settings.polling.first_poll,
        lag: app.settings.rollback.consistency_delay,
        in_flight: app.settings.rollback.in_flight,
        ..Patience::default()
    };
    Fabric::new(clients.fabric.clone(), NamedSecrets(secrets), patience)
        .back_through(clients.fabric_undo.clone())
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
