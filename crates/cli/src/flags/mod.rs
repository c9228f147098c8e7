//! Feature flags: `FEATURE_*` variables, each off by default, and the stage that a team stands at.

use anyhow::anyhow;
use selvedge_deployment::config::suggest::nearest;
use tracing::{info, warn};

use crate::{
    report::ExitWith,
    settings::{Environment, Origin, Profile},
};

/// What is fixed about a flag.
pub(crate) struct Flag {
    /// The name in the log, as the predecessor wrote it.
    pub(crate) name: &'static str,
    /// The variable that turns it on.
    pub(crate) variable: &'static str,
    /// What it does when on.
    pub(crate) description: &'static str,
    /// Whether this version has the feature. A flag without one is refused, never accepted and ignored.
    pub(crate) available: bool,
}

/// All flags, in the order in which they are shown.
pub(crate) const FLAGS: [Flag; 6] = [
    Flag {
        name: "USE_KEY_VAULT",
        variable: "FEATURE_USE_KEY_VAULT",
        description: "secrets come from Azure Key Vault",
        available: true,
    },
    Flag {
        name: "USE_RETRY_LOGIC",
        variable: "FEATURE_USE_RETRY_LOGIC",
        description: "failed requests are sent again where that is safe",
        available: true,
    },
    Flag {
        name: "USE_CIRCUIT_BREAKER",
        variable: "FEATURE_USE_CIRCUIT_BREAKER",
        description: "a failing service is left alone for a while",
        available: true,
    },
    Flag {
        name: "USE_ROLLBACK",
        variable: "FEATURE_USE_ROLLBACK",
        description: "a failed deployment is undone, with a journal",
        available: true,
    },
    Flag {
        name: "USE_TELEMETRY",
        variable: "FEATURE_USE_TELEMETRY",
        description: "traces, metrics and events are exported",
        available: true,
    },
    Flag {
        name: "USE_HEALTH_CHECKS",
        variable: "FEATURE_USE_HEALTH_CHECKS",
        description: "health endpoints check for real",
        available: false,
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

/// Where a team stands in the migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// The flags decide.
    Current,
    /// The flags decide, and each that is off is a warning.
    Intermediate,
    /// Production: everything is on.
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
    /// Parses the flags and the stage. Only the word `true`, in any case and without spaces, turns a flag on.
    ///
    /// # Errors
    /// `HARDENING_STAGE` is none of the three.
    pub(crate) fn parse(environment: &Environment) -> anyhow::Result<Self> {
        let [key_vault, retry, circuit_breaker, rollback, telemetry, health_checks] =
            FLAGS.map(|flag| match environment.find(flag.variable) {
                Some((value, origin)) => Switch { on: is_true(value), origin },
                None => Switch { on: false, origin: Origin::Default },
            });
        let stage = match environment.variable(STAGE).unwrap_or_default().to_lowercase().as_str() {
            "" | "current" => Stage::Current,
            "intermediate" => Stage::Intermediate,
            "target" => Stage::Target,
            _ => {
                let tried = format!("{STAGE} must be current, intermediate or target");
                return Err(ExitWith::usage(tried).into());
            }
        };
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

    /// Refuses flags, and a stage, whose features this version does not have. For commands that would have to
    /// honour them, before their first request.
    ///
    /// # Errors
    /// Names each such variable; exit code 2.
    pub(crate) fn refuse_unbuilt(&self) -> anyhow::Result<()> {
        let mut refused: Vec<&str> = self
            .rows()
            .filter(|(flag, switch)| switch.on && !flag.available)
            .map(|(flag, _)| flag.variable)
            .collect();
        let mut help = format!("unset {}, or set it to false", refused.join(", "));
        if self.stage == Stage::Target {
            refused = FLAGS.iter().filter(|flag| !flag.available).map(|flag| flag.variable).collect();
            help = format!("set {STAGE}=intermediate until then");
        }
        if refused.is_empty() {
            return Ok(());
        }
        let who =
            if self.stage == Stage::Target { "the stage `target` needs" } else { "these flags are on:" };
        let problem = anyhow!("{who} {}; this version does not have these features yet", refused.join(", "));
        Err(problem.context(ExitWith::usage("check the feature flags").help(help)))
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
