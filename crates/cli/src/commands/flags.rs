//! `selvedge flags`: which features are on, and why.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    exit,
    flags::{Flag, Flags, Switch},
    output::{self, Format},
    run::App,
    settings::Profile,
};

/// Prints the flags.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn run(app: &App) -> anyhow::Result<u8> {
    let flags = &app.flags;
    let profile = app.settings.resilience.profile;
    match app.output {
        Format::Text => output::line(&table(flags, profile))?,
        Format::Json => {
            let rows: Vec<Value> = flags.rows().map(row).collect();
            let result = json!({ "stage": flags.stage, "profile": profile, "flags": rows });
            output::document(Format::Json, result)?;
        }
        Format::Jsonl => {
            for flag in flags.rows() {
                output::document(Format::Jsonl, row(flag))?;
            }
        }
    }
    Ok(exit::DONE)
}

fn row((flag, switch): (&Flag, Switch)) -> Value {
    json!({
        "flag": flag.name,
        "variable": flag.variable,
        "on": switch.on,
        "set_by": switch.origin,
        "description": flag.description,
        // Always: kept for those who read it.
        "available": true,
    })
}

fn table(flags: &Flags, profile: Profile) -> String {
    let mut table = format!("{:<28} {:<5} {:<12} {}\n", "FLAG", "VALUE", "SET BY", "WHEN ON");
    for (flag, switch) in flags.rows() {
        let (variable, set_by, description) = (flag.variable, switch.origin.name(), flag.description);
        // Writing to a String cannot fail.
        writeln!(table, "{variable:<28} {:<5} {set_by:<12} {description}", switch.on).ok();
    }
    let stage = flags.stage.name();
    let profile = profile.name();
    table
        + &format!(
            "\nStage (HARDENING_STAGE): {stage}\nProfile of retries and breakers (resilience.profile): {profile}"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Environment;

    #[test]
    fn a_row_says_what_set_the_flag() {
        let environment =
            Environment::of(&[("FEATURE_USE_RETRY_LOGIC", "TRUE")], &[("FEATURE_USE_ROLLBACK", "no")]);
        let flags = Flags::parse(&environment).unwrap();
        let table = table(&flags, flags.stage.profile());
        for expected in [
            "FEATURE_USE_RETRY_LOGIC      true  environment  failed requests",
            "FEATURE_USE_ROLLBACK         false .env         a failed deployment",
            "FEATURE_USE_CIRCUIT_BREAKER  false default      a failing service",
            "FEATURE_USE_TELEMETRY        false default      traces, metrics and events are exported",
            "Stage (HARDENING_STAGE): current\nProfile of retries and breakers (resilience.profile): guide",
        ] {
            assert!(table.contains(expected), "{expected}\n{table}");
        }
        let row = row(flags.rows().nth(3).unwrap());
        assert_eq!((&row["variable"], &row["set_by"]), (&json!("FEATURE_USE_ROLLBACK"), &json!(".env")));
    }
}
