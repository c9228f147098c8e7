//! What turns a flag on, and what is said about the others.

use super::*;

fn parse(process: &[(&str, &str)]) -> (Environment, anyhow::Result<Flags>) {
    let environment = Environment::of(process, &[]);
    let flags = Flags::parse(&environment);
    (environment, flags)
}

#[test]
fn only_the_word_true_turns_a_flag_on() {
    for (value, on) in [
        ("true", true),
        ("TRUE", true),
        ("True", true),
        (" true ", false),
        ("1", false),
        ("yes", false),
        ("false", false),
        ("", false),
    ] {
        for (index, flag) in FLAGS.iter().enumerate() {
            let flags = parse(&[(flag.variable, value)]).1.unwrap();
            let states: Vec<bool> = flags.rows().map(|(_, switch)| switch.on).collect();
            assert_eq!(states[index], on, "{}={value:?}", flag.variable);
            assert_eq!(states.iter().filter(|on| **on).count(), usize::from(on), "no other flag moves");
        }
    }
}

#[test]
fn fields_follow_their_variables() {
    let environment = Environment::of(
        &[("FEATURE_USE_ROLLBACK", "false")],
        &[("FEATURE_USE_ROLLBACK", "true"), ("FEATURE_USE_RETRY_LOGIC", "true")],
    );
    let flags = Flags::parse(&environment).unwrap();
    assert_eq!(flags.rollback, Switch { on: false, origin: Origin::Environment });
    assert_eq!(flags.retry, Switch { on: true, origin: Origin::EnvFile });
    assert_eq!(flags.circuit_breaker, Switch { on: false, origin: Origin::Default });
}

#[test]
fn names_that_are_no_flags_are_warned_about() {
    let (environment, flags) = parse(&[
        ("FEATURE_USE_ROLLBACKS", "true"),
        ("FEATURE_CONFIG_FILE", "x"),
        ("FEATURE_USE_AZURE_KEYVAULT", "true"),
        ("FEATURE_USE_RETRY_LOGIC", "true"),
    ]);
    assert_eq!(
        flags.unwrap().warnings(&environment),
        [
            "FEATURE_CONFIG_FILE is not a flag and has no effect",
            "FEATURE_USE_AZURE_KEYVAULT is the predecessor's second spelling and has no effect; set FEATURE_USE_KEY_VAULT",
            "FEATURE_USE_ROLLBACKS is not a flag and has no effect; did you mean FEATURE_USE_ROLLBACK?",
        ]
    );
}

#[test]
fn stages() {
    for (value, stage) in [
        ("current", Stage::Current),
        ("Intermediate", Stage::Intermediate),
        ("target", Stage::Target),
        ("", Stage::Current),
    ] {
        assert_eq!(parse(&[("HARDENING_STAGE", value)]).1.unwrap().stage, stage, "{value}");
    }
    assert!(parse(&[("HARDENING_STAGE", "prod")]).1.is_err());

    let (environment, flags) =
        parse(&[("HARDENING_STAGE", "intermediate"), ("FEATURE_USE_ROLLBACK", "true")]);
    let warnings = flags.unwrap().warnings(&environment);
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    assert_eq!(warnings[0], "HARDENING_STAGE=intermediate: FEATURE_USE_KEY_VAULT is off");
}

#[test]
fn a_feature_that_does_not_exist_is_refused_by_name() {
    let unbuilt = "FEATURE_USE_TELEMETRY, FEATURE_USE_HEALTH_CHECKS";
    for (variables, named) in [
        (vec![], None),
        (vec![("FEATURE_USE_RETRY_LOGIC", "true"), ("FEATURE_USE_KEY_VAULT", "false")], None),
        (vec![("HARDENING_STAGE", "intermediate")], None),
        (vec![("FEATURE_USE_TELEMETRY", "true")], Some("FEATURE_USE_TELEMETRY;")),
        (vec![("HARDENING_STAGE", "target")], Some(unbuilt)),
    ] {
        let refused = parse(&variables).1.unwrap().refuse_unbuilt();
        match named {
            None => assert!(refused.is_ok(), "{variables:?}"),
            Some(named) => {
                let error = format!("{:#}", refused.unwrap_err());
                assert!(error.contains(named) && error.contains("not have these features yet"), "{error}");
            }
        }
    }
}
