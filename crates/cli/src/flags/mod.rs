//! Feature flags: `FEATURE_*` variables, each off by default, and the stage that a team stands at.

mod stage;

use selvedge_deployment::config::suggest::nearest;
use tracing::{info, warn};

use crate::{
    report::ExitWith,
    settings::{Environment, Origin},
};

pub(crate) use stage::Stage;

/// What is fixed about a flag.
pub(crate) struct Flag {
    /// The name in the log, as the predecessor wrote it.
    pub(crate) name: &'static str,
    /// The variable that turns it on.
    pub(crate) variable: &'static str,
    /// What it does when on.
    pub(crate) description: &'static str,
}

/// All flags, in the order in which they are shown.
pub(crate) const FLAGS: [Flag; 6] = [
    Flag {
        name: "USE_KEY_VAULT",
        variable: "FEATURE_USE_KEY_VAULT",
        description: "secrets come from Azure Key Vault",
    },
    Flag {
        name: "USE_RETRY_LOGIC",
        variable: "FEATURE_USE_RETRY_LOGIC",
        description: "failed requests are sent again where that is safe",
    },
    Flag {
        name: "USE_CIRCUIT_BREAKER",
        variable: "FEATURE_USE_CIRCUIT_BREAKER",
        description: "a failing service is left alone for a while",
    },
    Flag {
        name: "USE_ROLLBACK",
        variable: "FEATURE_USE_ROLLBACK",
        description: "a failed deployment is undone, with a journal",
    },
    Flag {
        name: "USE_TELEMETRY",
        variable: "FEATURE_USE_TELEMETRY",
        description: "traces, metrics and events are exported",
    },
    Flag {
        name: "USE_HEALTH_CHECKS",
        variable: "FEATURE_USE_HEALTH_CHECKS",
        description: "health endpoints check for real",
    },
];

/// The predecessor's health check had a Key Vault flag of its own.
const SECOND_KEY_VAULT: &str = "FEATURE_USE_AZURE_KEYVAULT";

/// The variable of [`Stage`].
const STAGE: &str = "HARDENING_STAGE";

/// Whether a flag is on, and what made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    pub(crate) on: bool,
    pub(crate) origin: Origin,
}

/// The flags of a run, parsed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) key_vault: Switch,
    pub(crate) retry: Switch,
    pub(crate) circuit_breaker: Switch,
    pub(crate) rollback: Switch,
    pub(crate) telemetry: Switch,
    pub(crate) health_checks: Switch,
    pub(crate) stage: Stage,
}

impl Flags {
    /// Parses the flags and the stage. Only the word `true`, in any case and without spaces, turns a flag on; at the stage `target` retries
    /// and breakers are on unless their variables say something else.
    ///
    /// # Errors
    /// `HARDENING_STAGE` is none of the three.
    pub(crate) fn parse(environment: &Environment) -> anyhow::Result<Self> {
        let stage = match environment.variable(STAGE).unwrap_or_default().to_lowercase().as_str() {
            "" | "current" => Stage::Current,
            "intermediate" => Stage::Intermediate,
            "target" => Stage::Target,
            _ => {
                let tried = format!("{STAGE} must be current, intermediate or target");
                return Err(ExitWith::usage(tried).into());
            }
        };
        let [key_vault, retry, circuit_breaker, rollback, telemetry, health_checks] =
            FLAGS.map(|flag| match environment.find(flag.variable) {
                Some((value, origin)) if !value.is_empty() => Switch { on: is_true(value), origin },
                _ => Switch { on: stage.turns_on(flag.variable), origin: Origin::Default },
            });
        Ok(Self { key_vault, retry, circuit_breaker, rollback, telemetry, health_checks, stage })
    }

    /// Each flag with its state, in the order of [`FLAGS`].
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'static Flag, Switch)> {
        FLAGS.iter().zip([
            self.key_vault,
            self.retry,
            self.circuit_breaker,
            self.rollback,
            self.telemetry,
            self.health_checks,
        ])
    }

    /// What the user should know about the variables: misspelt flags, and flags that the stage wants on.
    pub(crate) fn warnings(&self, environment: &Environment) -> Vec<String> {
        let mut warnings = Vec::new();
        for name in environment.names("FEATURE_") {
            if name == SECOND_KEY_VAULT {
                let known = FLAGS[0].variable;
                warnings.push(format!(
                    "{name} is the predecessor's second spelling and has no effect; set {known}"
                ));
            } else if !FLAGS.iter().any(|flag| flag.variable == name) {
                let known = FLAGS.iter().map(|flag| flag.variable);
                let hint = nearest(name, known).map(|meant| format!("; did you mean {meant}?"));
                warnings.push(format!("{name} is not a flag and has no effect{}", hint.unwrap_or_default()));
            }
        }
        if self.stage == Stage::Intermediate {
            let off = self.rows().filter(|(_, switch)| !switch.on);
            warnings.extend(off.map(|(flag, _)| format!("{STAGE}=intermediate: {} is off", flag.variable)));
        }
        warnings
    }

    /// Logs the flags in the predecessor's words; done at start where `DEBUG=true`.
    pub(crate) fn log(&self) {
        info!("Feature Flags Status:");
        for (flag, switch) in self.rows() {
            info!("  {}: {}", flag.name, if switch.on { "True" } else { "False" });
        }
    }
}

/// The predecessor's rule: only the word `true` counts, in any case, and is not trimmed.
pub(crate) fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

/// Logs each warning.
pub(crate) fn warn_all(warnings: &[String]) {
    for warning in warnings {
        warn!("{warning}");
    }
}

#[cfg(test)]
mod tests;
