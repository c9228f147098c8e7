//! The rules as data: a type, a name, and what is said about it.

use super::*;
use crate::config::document;

const STANDARDS: &str = r#"
global_rules: {max_length: 40, allowed_characters: "A-Za-z0-9_-", no_leading_numbers: false, no_special_chars_start: true, reserved_words: [System, test]}
item_types:
  Lakehouse: {pattern: "^(BRONZE|SILVER|GOLD)_[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Lakehouse$", examples: [BRONZE_A_Lakehouse, GOLD_B_Lakehouse]}
  Notebook: {pattern: "^\\d{2}_[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Notebook$"}
  DataPipeline: {pattern: "^[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Pipeline$"}
  Warehouse: {pattern: "^[A-Z]"}
ticket_based_naming: {enabled: true, pattern: "^[A-Z]+-\\d+_[A-Za-z0-9]+(_[A-Za-z0-9]+)*_(Lakehouse|Notebook)$", ticket_systems: [JIRA], examples: [JIRA-1_X_Lakehouse]}
"#;

fn none(_: &str) -> Option<String> {
    None
}

/// Reads standards and hands them on, or the problems with them, one a line.
fn with_standards<T>(text: &str, use_them: impl FnOnce(&Standards) -> T) -> Result<T, String> {
    let file = Path::new("n.yaml");
    let mut reading = Reading::new(&none);
    let node = document::yaml(file, text, &mut reading.problems).expect("it is YAML");
    let standards = Standards::read(&mut reading, &Cursor::root(file, &node));
    let problems: Vec<String> = reading.finish().iter().map(ToString::to_string).collect();
    match standards {
        Some(standards) if problems.is_empty() => Ok(use_them(&standards)),
        _ => Err(problems.join("\n")),
    }
}

fn said(standards: &Standards, kind: &str, name: &str) -> String {
    let violations = standards.violations(kind, name, true);
    let said: Vec<_> =
        violations.iter().map(|found| format!("{} -> {}", found.message, found.help)).collect();
    said.join("\n")
}

#[test]
fn names_are_judged_with_the_messages_of_the_predecessor() {
    const LAKEHOUSE: &str =
        "Name does not match pattern: ^(BRONZE|SILVER|GOLD)_[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Lakehouse$";
    const NOTEBOOK: &str = r"Name does not match pattern: ^\d{2}_[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Notebook$";
    let table = [
        ("Lakehouse", "BRONZE_CustomerData_Lakehouse", String::new()),
        ("Lakehouse", "CustomerData", format!("{LAKEHOUSE} -> Suggested fix: 'BRONZE_CustomerData_Lakehouse'")),
        ("Lakehouse", "sales_gold_lakehouse", format!("{LAKEHOUSE} -> Suggested fix: 'GOLD_Sales_Lakehouse'")),
        ("Lakehouse", "Lakehouse", format!("{LAKEHOUSE} -> Valid examples: BRONZE_A_Lakehouse, GOLD_B_Lakehouse")),
        ("Notebook", "01_Ingest_Notebook", String::new()),
        ("Notebook", "ingestData-3", format!("{NOTEBOOK} -> Suggested fix: '03_IngestData_Notebook'")),
        ("Notebook", "01_Ingest_Notebook\n", format!(
            "Name contains invalid characters. Allowed: A-Za-z0-9_- -> Suggested fix: '01_Ingest_Notebook'\n\
             {NOTEBOOK} -> Suggested fix: '01_Ingest_Notebook'",
        )),
        ("DataPipeline", "daily load", "Name contains invalid characters. Allowed: A-Za-z0-9_- -> Suggested fix: 'Daily_Load_Pipeline'\n\
            Name does not match pattern: ^[A-Za-z0-9]+(_[A-Za-z0-9]+)*_Pipeline$ -> Suggested fix: 'Daily_Load_Pipeline'".to_owned()),
        ("Warehouse", "", "Name is empty -> rename the item\nName does not match pattern: ^[A-Z] -> rename the item".to_owned()),
        ("Warehouse", "_Dw", "Name cannot start with special character -> Suggested fix: 'Dw_Warehouse'\n\
            Name does not match pattern: ^[A-Z] -> Suggested fix: 'Dw_Warehouse'".to_owned()),
        ("Warehouse", "Any prefix will do as in re.match".get(..5).unwrap_or_default(), "Name contains invalid characters. Allowed: A-Za-z0-9_- -> Suggested fix: 'Any_P_Warehouse'".to_owned()),
        ("Warehouse", "TEST", "'TEST' is a reserved word and cannot be used -> Suggested fix: 'TEST_Warehouse'".to_owned()),
        ("Warehouse", "A23456789012345678901234567890123456789012", "Name exceeds max length of 40 characters -> rename the item".to_owned()),
        ("Eventhouse", "E", "Unknown item type: Eventhouse -> add item_types.Eventhouse to the naming standards".to_owned()),
        // With a ticket the ticket's pattern holds, not the type's.
        ("Lakehouse", "JIRA-12_Segments_Lakehouse", String::new()),
        ("Notebook", "JIRA-12_Segments_Lakehouse", "Name of a Notebook should end with _Notebook -> Valid examples: JIRA-1_X_Lakehouse".to_owned()),
        ("Lakehouse", "ABC-12_Segments_Lakehouse", format!("{LAKEHOUSE} -> Suggested fix: 'BRONZE_ABC_12_Segments_Lakehouse'")),
    ];
    with_standards(STANDARDS, |standards| {
        for (kind, name, expected) in table {
            assert_eq!(said(standards, kind, name), expected, "{kind} {name:?}");
        }
    })
    .expect("the standards are sound");
}

#[test]
fn switches_of_the_file_are_honoured() {
    const RULE: &str = r#"item_types: {Report: {pattern: ".*_Report$", examples: [A_Report]}}"#;
    const BROKEN: &str = "Name does not match pattern: .*_Report$";
    let table = [
        ("", "sales", format!("{BROKEN} -> Suggested fix: 'Sales_Report'")),
        (
            "validation: {auto_fix_suggestions: false}",
            "sales",
            format!("{BROKEN} -> Valid examples: A_Report"),
        ),
        ("exemptions: {allow_legacy_names: true}", "sales", String::new()),
        (
            "global_rules: {case_sensitive: true}",
            "a_report",
            format!("{BROKEN} -> Suggested fix: 'A_Report'"),
        ),
        ("global_rules: {case_sensitive: false}", "a_report", String::new()),
    ];
    for (switch, name, expected) in table {
        let found =
            with_standards(&format!("{RULE}\n{switch}\n"), |standards| said(standards, "Report", name));
        assert_eq!(found, Ok(expected), "{switch}");
    }
}

#[test]
fn a_fix_adds_only_what_the_pattern_asks_for() {
    let text =
        "global_rules: {allowed_characters: A-Za-z_}\nitem_types: {Lakehouse: {pattern: \"^[A-Z]\"}}\n";
    let table = [("sales data", "Sales_Data_Lakehouse"), ("gold-sales", "GOLD_Sales_Lakehouse")];
    for (name, expected) in table {
        let found =
            with_standards(text, |standards| standards.violations("Lakehouse", name, true).remove(0).help);
        assert_eq!(found, Ok(format!("Suggested fix: '{expected}'")), "{name}");
    }
}

#[test]
fn a_pattern_that_cannot_be_used_is_an_error_with_its_place() {
    let table = [
        (
            r#"item_types: {Report: {pattern: "(a"}}"#,
            "n.yaml:1:32: item_types.Report.pattern: is not a usable pattern: unclosed group",
        ),
        (
            r#"item_types: {Report: {pattern: "(?=a)"}}"#,
            "n.yaml:1:32: item_types.Report.pattern: is not a usable pattern: look-around, including look-ahead and look-behind, is not supported",
        ),
        (
            r#"item_types: {Report: {pattern: "(\\w{999}){999}"}}"#,
            "n.yaml:1:32: item_types.Report.pattern: is not a usable pattern: Compiled regex exceeds size limit of 1048576 bytes.",
        ),
        (
            r#"global_rules: {allowed_characters: "z-a"}"#,
            "n.yaml:1:36: global_rules.allowed_characters: is not a usable pattern: invalid character class range, the start must be <= the end",
        ),
        (
            "global_rules: {max_length: many}",
            "n.yaml:1:28: global_rules.max_length: \"many\" is not a number of characters",
        ),
        ("ticket_based_naming: {enabled: true}", "n.yaml:1:1: ticket_based_naming.pattern: is missing"),
        ("environment_suffixes: {enabled: true}", "n.yaml:1:33: environment_suffixes: enabled has no effect"),
        ("validaton: {}", "n.yaml:1:1: validaton: unknown key, ignored"),
    ];
    for (text, expected) in table {
        assert_eq!(with_standards(text, |_| ()), Err(expected.to_owned()), "{text}");
    }
}
