//! Lines that are understood, and lines that are refused.

use std::path::Path;

use clap::{CommandFactory as _, error::ErrorKind};

use super::{deploy::Target, *};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("selvedge").chain(line.split_whitespace()))
}

#[test]
fn the_grammar_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn global_options_work_before_and_after_the_command() {
    for line in
        ["--output json -vv --yes flags", "flags --output json -vv --yes", "-v flags -v --output=json -y"]
    {
        let cli = parse(line).unwrap();
        assert_eq!(cli.global.output, Format::Json, "{line}");
        assert!(cli.global.yes && cli.global.verbose >= 1, "{line}");
    }
}

#[test]
fn deploy_takes_its_configuration_in_one_way() {
    let given = Some("c.yaml");
    for (line, expected) in [
        ("deploy", Ok((None, Target::Dev))),
        ("deploy c.yaml", Ok((given, Target::Dev))),
        ("deploy --config c.yaml --env test", Ok((given, Target::Test))),
        ("deploy -e prod c.yaml", Ok((given, Target::Prod))),
        ("deploy c.yaml --environment prod", Ok((given, Target::Prod))),
        ("plan c.yaml --detailed-exitcode", Ok((given, Target::Dev))),
        ("deploy c.yaml --config d.yaml", Err(ErrorKind::ArgumentConflict)),
        ("deploy c.yaml --env qa", Err(ErrorKind::InvalidValue)),
        ("plan c.yaml --dry-run", Err(ErrorKind::UnknownArgument)),
        #[cfg(feature = "emulator")]
        ("deploy c.yaml --inject x=503", Err(ErrorKind::MissingRequiredArgument)),
        #[cfg(feature = "emulator")]
        ("deploy c.yaml --local --inject x=503 --inject y=500", Ok((given, Target::Dev))),
    ] {
        let parsed = parse(line).map(|cli| match cli.command {
            Command::Deploy(args) => args.selection,
            Command::Plan(args) => args.selection,
            other => panic!("{line}: {other:?}"),
        });
        match (parsed, expected) {
            (Ok(selection), Ok((config, target))) => {
                assert_eq!(selection.config.or(selection.file).as_deref(), config.map(Path::new), "{line}");
                assert_eq!(selection.env.unwrap_or_default(), target, "{line}");
            }
            (Err(error), Err(kind)) => assert_eq!(error.kind(), kind, "{line}: {error}"),
            (parsed, _) => panic!("{line}: {parsed:?}"),
        }
    }
}

#[test]
fn transactions_name_one_or_where_to_look() {
    for (line, id) in [
        ("tx list", Some("-")),
        ("transactions show 42", Some("42")),
        ("tx rollback 42", Some("42")),
        ("tx resume 42", Some("42")),
        ("tx sweep", Some("all")),
        ("tx sweep --workspace sales-dev", Some("sales-dev")),
        ("tx rollback 42 --continue", Some("42")),
        ("tx rollback 42 --skip 5 --skip 3 --reason x", Some("42")),
        ("tx rollback 42 --skip 5", None),
        ("tx rollback 42 --reason x", None),
        ("tx rollback 42 --skip Lakehouse --reason x", None),
        ("tx abandon 42 --reason x", Some("42x")),
        ("tx abandon 42", None),
        ("tx abandon 42 --reason=", None),
        ("tx gc --older-than 2d --dry-run", Some("172800s true")),
        ("tx gc", Some("- false")),
        ("tx export 42 --file f", Some("42 f false")),
        ("tx export 42 --spilled", Some("42 - true")),
        ("tx export", None),
        ("tx gc --older-than soon", None),
        ("tx rollback", None),
        ("tx", None),
    ] {
        let parsed = parse(line).ok().map(|cli| match cli.command {
            Command::Transactions(args) => match args.action {
                TransactionsAction::List => "-".to_owned(),
                TransactionsAction::Show(of) | TransactionsAction::Resume(of) => of.id,
                TransactionsAction::Rollback(args) => args.named.id,
                TransactionsAction::Abandon(args) => args.named.id + &args.reason,
                TransactionsAction::Export(args) => {
                    let file = args.file.map_or_else(|| "-".to_owned(), |file| file.display().to_string());
                    format!("{} {file} {}", args.id, args.spilled)
                }
                TransactionsAction::Gc(args) => {
                    let age = args.older_than.map_or_else(|| "-".to_owned(), |age| format!("{age:?}"));
                    format!("{age} {}", args.dry_run)
                }
                TransactionsAction::Sweep(args) => args.workspace.unwrap_or_else(|| "all".to_owned()),
            },
            other => panic!("{line}: {other:?}"),
        });
        assert_eq!(parsed.as_deref(), id, "{line}");
    }
}

#[cfg(feature = "emulator")]
#[test]
fn the_pages_of_the_emulator_have_its_flags_and_their_defaults() {
    let pages = concat!(
        include_str!("../../../../docs/emulator.md"),
        include_str!("../../../../docs/emulator-settings.md"),
        include_str!("../../../../docs/emulator-faults.md"),
    );
    let cli = Cli::command();
    let flags = cli.find_subcommand("emulator").unwrap().get_arguments().filter_map(clap::Arg::get_long);
    for flag in flags {
        let is_told = pages.match_indices(&format!("--{flag}")).any(|(at, told)| {
            !pages[at + told.len()..].starts_with(|c: char| c == '-' || c.is_alphanumeric())
        });
        assert!(is_told, "--{flag} is on no page");
    }
    // The page of settings has one column of defaults, for flags and for `Config`.
    let Command::Emulator(args) = parse("emulator").unwrap().command else { panic!("not the emulator") };
    let usual = selvedge_fabric_emulator::Config::default();
    assert_eq!(format!("{:?}", args.rules.config()), format!("{usual:?}"));
}

#[cfg(feature = "emulator")]
#[test]
fn https_needs_no_address() {
    for (line, https, http) in [
        ("emulator", &[][..], 1),
        ("emulator --https --export-ca ca.pem", &["127.0.0.1:7443"], 0),
        ("emulator --https --port 0", &["127.0.0.1:7443"], 1),
        ("emulator --https 127.0.0.1:1 --https [::1]:2 --ca-out ca.pem", &["127.0.0.1:1", "[::1]:2"], 0),
    ] {
        let Command::Emulator(args) = parse(line).unwrap().command else { panic!("{line}") };
        let addresses: Vec<String> = args.https.iter().map(ToString::to_string).collect();
        assert_eq!(
            (addresses, args.http().len()),
            (https.iter().map(ToString::to_string).collect(), http),
            "{line}"
        );
        assert_eq!(args.certificate.ca_out.is_some(), line.contains("ca.pem"), "{line}");
    }
}
