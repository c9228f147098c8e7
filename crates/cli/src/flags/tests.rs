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

/// The flags that the stage `target` requires, and where the vault is.
const TARGET: [(&str, &str); 6] = [
    ("HARDENING_STAGE", "target"),
    ("FEATURE_USE_KEY_VAULT", "true"),
    ("KEY_VAULT_URL", "https://contoso.vault.azure.net"),
    ("FEATURE_USE_ROLLBACK", "true"),
    ("FEATURE_USE_TELEMETRY", "true"),
    ("FEATURE_USE_HEALTH_CHECKS", "true"),
];

/// What of the stage is broken with these variables, one a line.
fn broken(variables: &[(&str, &str)]) -> String {
    let root = tempfile::tempdir().unwrap();
    let environment = Environment::of(variables, &[]);
    let flags = Flags::parse(&environment).unwrap();
    let settings = crate::settings::load(root.path(), &environment, &[], flags.stage.profile()).unwrap();
    flags.require_stage(&settings).err().map(|error| error.root_cause().to_string()).unwrap_or_default()
}

#[test]
fn the_target_requires_and_lists_all_that_is_missing() {
    assert_eq!(broken(&TARGET), "");
    for (number, (missing, _)) in TARGET.iter().enumerate() {
        let without: Vec<_> = TARGET.iter().copied().filter(|(name, _)| name != missing).collect();
        let broken = broken(&without);
        assert_eq!(broken.is_empty(), number == 0, "without {missing}: {broken}");
        assert!(number == 0 || broken.starts_with(missing), "{broken}");
        assert_eq!(broken.lines().count(), usize::from(number > 0), "{broken}");
    }
    let all = broken(&[("HARDENING_STAGE", "target"), ("FEATURE_USE_TELEMETRY", "false")]);
    let names = ["KEY_VAULT", "ROLLBACK", "TELEMETRY", "HEALTH_CHECKS"];
    let lines = names.map(|name| format!("FEATURE_USE_{name} is off, and is required"));
    assert_eq!(all.lines().collect::<Vec<_>>(), lines);
    let env_only = [&TARGET[..], &[("SELVEDGE_SECRETS__POLICY", "env-only")]].concat();
    assert!(broken(&env_only).contains("env-only"));
}

#[test]
fn other_stages_require_nothing() {
    assert_eq!(broken(&[]), "");
    assert_eq!(broken(&[("HARDENING_STAGE", "intermediate")]), "");
}

#[test]
fn the_target_turns_retries_and_breakers_on_unless_told_otherwise() {
    let switches = |variables: &[_]| {
        let flags = parse(&[&TARGET[..], variables].concat()).1.unwrap();
        (flags.retry.on, flags.circuit_breaker.on)
    };
    assert_eq!(switches(&[]), (true, true));
    assert_eq!(
        switches(&[("FEATURE_USE_RETRY_LOGIC", ""), ("FEATURE_USE_CIRCUIT_BREAKER", "")]),
        (true, true)
    );
    assert_eq!(switches(&[("FEATURE_USE_RETRY_LOGIC", "false")]), (false, true));
    assert_eq!(switches(&[("FEATURE_USE_CIRCUIT_BREAKER", "FALSE")]), (true, false));
    let set = [("FEATURE_USE_RETRY_LOGIC", "false"), ("FEATURE_USE_CIRCUIT_BREAKER", "false")];
    assert_eq!(broken(&[&TARGET[..], &set].concat()), "", "they may be off");
    let flags = parse(&[("HARDENING_STAGE", "intermediate")]).1.unwrap();
    assert!(!flags.retry.on && !flags.circuit_breaker.on);
}
