//! Every fault, seen on the wire by a client that knows nothing but TCP.

mod answers;
mod broken;
mod chaos;
mod effects;
mod errors;
mod lists;
mod operations;
mod standing;

use selvedge_fabric_emulator::{Action, Fault};

/// Each action in its one-line syntax. Each has a test here that shows it on the wire, and a row in the documentation.
const ACTIONS: &[&str] = &[
    "503",
    "effect+429",
    "partial+500",
    "late:30s+504",
    "reset-before",
    "reset-after",
    "late:30s+reset",
    "redirect:https://elsewhere.example",
    "effect+redirect:https://elsewhere.example",
    "garbage",
    "effect+garbage",
    "silence",
    "effect+silence",
    "late:30s+silence",
    "throttle:30s",
    "token-expired",
    "continuation-rejected",
    "latency:200ms",
    "capacity-paused",
    "capacity-resumed",
    "lag:10s",
    "twice",
    "as-operation",
    "at-once",
    "operation-fails",
    "effect+operation-fails",
    "partial+operation-fails",
    "operation-hangs",
    "operation-ends:Paused",
    "operation-no-result",
    "effect+operation-empty-result",
    "no-location",
    "foreign-location",
    "own-location",
    "no-operation-id",
    "empty-202",
    "status:Queued",
    "casing:lower",
    "casing:upper",
    "unknown-fields",
    "nulls",
    "gzip-empty",
    "hide-service-principals",
    "foreign-continuation",
    "challenge:https://elsewhere.example",
    "overlapping-pages",
    "retry-after:86400",
    "body:null",
    "code:ItemNotFound",
    "bandwidth:1000",
    "cut:100",
    "cut:100,end=reset",
    "content-length:+100",
];

#[test]
fn an_action_is_written_as_it_is_read() {
    for text in ACTIONS {
        assert_eq!(text.parse::<Action>().unwrap().to_string(), *text);
        let fault = format!("POST */items={text},skip=1,times=2,for=30s");
        assert_eq!(fault.parse::<Fault>().unwrap().to_string(), fault);
    }
    let options = "503,code=X,retriable=absent,retry-after=date-30s,retry-after-ms=1500,x-ms-retry-after-ms=20,until=30s,body=html";
    assert_eq!(options.parse::<Action>().unwrap().to_string(), options);
    assert_eq!("reset".parse::<Action>(), "RESET-BEFORE".parse());
    assert_eq!("effect+reset".parse::<Action>(), "reset-after".parse());
}

#[test]
fn what_is_no_fault_is_refused() {
    let cases = [
        ("POST */items", "no `=ACTION`"),
        ("ITEMS=503", "no usable pattern"),
        ("POST */items=explode", "unknown action `explode`"),
        ("POST */items=200", "unknown action `200`"),
        ("POST */items=600", "unknown action `600`"),
        ("POST */items=effect+lag:2s", "unknown action `effect+lag:2s`"),
        ("POST */items=effect+reset-after", "unknown action `effect+reset-after`"),
        ("POST */items=late:30s+operation-fails", "`late:` without an answer"),
        ("POST */items=late:soon+504", "`soon` is no late"),
        ("POST */items=503,often=1", "unknown option `often`"),
        ("POST */items=503,times=x", "`times` is not a number"),
        ("POST */items=503,for=ever", "`ever` is no for"),
        ("POST */items=503,once", "`once` is no option"),
        ("POST */items=503,retriable=maybe", "`maybe` is not `true`, `false` or `absent`"),
        ("POST */items=503,body=poem", "unknown body `poem`"),
        ("POST */items=503,until=noon", "`noon` is no until"),
        ("POST */items=503,retry-after-ms=soon", "`soon` is no number for `retry-after-ms`"),
        ("POST */items=reset-after,retry-after=1", "`retry-after` without a status"),
        ("POST */items=operation-ends:", "unknown action `operation-ends:`"),
        ("GET *=latency:soon", "`soon` is no latency"),
        ("GET *=cut:all", "`all` is no number for `cut`"),
        ("GET *=cut:1,end=bang", "`bang` is no `end`"),
        ("GET *=bandwidth:0", "`0` is no number for `bandwidth`"),
        ("GET *=redirect:elsewhere", "unknown action `redirect:elsewhere`"),
        ("GET *=casing:title", "unknown action `casing:title`"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Fault>().unwrap_err().to_string();
        assert!(error.starts_with(expected) && error.contains("for example"), "{text}: {error}");
    }
}

#[test]
fn the_faults_from_the_field_can_be_injected() {
    let page = include_str!("../../../../../docs/emulator-faults.md");
    let (_, section) = page.split_once("## From the field").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let faults: Vec<&str> = section.lines().filter_map(|row| row.rsplit('`').nth(1)).collect();
    assert!(faults.len() > 10, "{faults:?}");
    for fault in faults {
        assert!(fault.parse::<Fault>().is_ok(), "{fault}");
    }
}

#[test]
fn the_documentation_knows_each_action() {
    let page = include_str!("../../../../../docs/emulator-faults.md");
    for text in ACTIONS {
        let prefixes = ["effect+", "partial+", "late:30s+"];
        let name = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        let name = name.split([':', ',']).next().unwrap();
        // One row is for every status.
        let documented = name.parse::<u16>().is_ok()
            || page.contains(&format!("`{name}`"))
            || page.contains(&format!("`{name}:"));
        assert!(documented, "`{name}` has no row");
    }
    for prefix in ["`effect+", "`partial+", "`late:"] {
        assert!(page.contains(prefix), "{prefix}");
    }
}
