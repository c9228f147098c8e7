//! The stage that a team stands at, and what it requires.

use anyhow::anyhow;

use super::{Flags, STAGE};
use crate::report::ExitWith;
use crate::settings::{Profile, SecretPolicy, Settings};

/// Where a team stands in the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// The flags decide.
    Current,
    /// The flags decide, and each that is off is a warning.
    Intermediate,
    /// Production: [`Flags::require_stage`] says what has to be on.
    Target,
}

impl Stage {
    /// As written in `HARDENING_STAGE`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::Current => "current",
            Stage::Intermediate => "intermediate",
            Stage::Target => "target",
        }
    }

    /// The defaults of retries and breakers that suit the stage.
    pub(crate) fn profile(self) -> Profile {
        match self {
            Stage::Current | Stage::Intermediate => Profile::Guide,
            Stage::Target => Profile::Robust,
        }
    }

    /// Whether it turns a flag on of which nothing is said.
    pub(super) fn turns_on(self, variable: &str) -> bool {
        self == Stage::Target
            && ["FEATURE_USE_RETRY_LOGIC", "FEATURE_USE_CIRCUIT_BREAKER"].contains(&variable)
    }
}

impl Flags {
    /// Refuses a run that breaks its stage: at `target` secrets come from Key Vault and nowhere else, and rollback, telemetry and health checks
    /// are on. For commands that deploy, before their first request.
    ///
    /// # Errors
    /// Names everything that is missing; exit code 2.
    pub(crate) fn require_stage(&self, settings: &Settings) -> anyhow::Result<()> {
        if self.stage != Stage::Target {
            return Ok(());
        }
        let violations = self.violations(settings);
        if violations.is_empty() {
            return Ok(());
        }
        let help = format!("set what is missing, or {STAGE}=intermediate until then");
        Err(anyhow!(violations.join("\n")).context(ExitWith::usage("keep to the stage `target`").help(help)))
    }

    fn violations(&self, settings: &Settings) -> Vec<String> {
        let required = [
            "FEATURE_USE_KEY_VAULT",
            "FEATURE_USE_ROLLBACK",
            "FEATURE_USE_TELEMETRY",
            "FEATURE_USE_HEALTH_CHECKS",
        ];
        let is_off =
            |variable: &&str| self.rows().any(|(flag, switch)| flag.variable == *variable && !switch.on);
        let off = required.iter().filter(|variable| is_off(variable));
        let mut violations: Vec<String> =
            off.map(|variable| format!("{variable} is off, and is required")).collect();
        let secrets = &settings.secrets;
        if self.key_vault.on && secrets.vault_url.is_none() {
            violations.push("KEY_VAULT_URL is not set, and secrets have to come from a vault".to_owned());
        }
        if secrets.policy == SecretPolicy::EnvOnly {
            violations.push("secrets.policy is env-only, and secrets have to come from a vault".to_owned());
        }
        violations
    }
}
