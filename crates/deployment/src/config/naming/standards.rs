//! `naming_standards.yaml`, read and its patterns compiled.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use crate::config::cursor::Cursor;
use crate::config::reading::Reading;
use crate::config::schema;
use crate::desired::Located;

/// Memory a compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// The standards of a project.
pub(super) struct Standards {
    /// Whether a name that breaks them is an error, unless the product says otherwise.
    pub(super) strict: bool,
    /// Whether it is a warning where it is not an error.
    pub(super) warn: bool,
    /// Whether to propose better names.
    pub(super) suggest: bool,
    /// Whether names need not match the patterns, only the global rules.
    pub(super) legacy: bool,
    pub(super) max_length: usize,
    case_sensitive: bool,
    /// What names may hold, as written and compiled.
    pub(super) characters: Option<(String, Regex)>,
    pub(super) no_leading_number: bool,
    pub(super) no_special_start: bool,
    /// In lower case.
    pub(super) reserved: Vec<String>,
    pub(super) types: HashMap<String, TypeRule>,
    pub(super) tickets: Option<Tickets>,
}

/// The rule for one type of item.
pub(super) struct TypeRule {
    /// As written, and compiled.
    pub(super) pattern: Option<(String, Regex)>,
    pub(super) examples: Vec<String>,
}

/// Names that begin with a ticket: `JIRA-12345_CustomerSegmentation_Lakehouse`.
pub(super) struct Tickets {
    pub(super) pattern: (String, Regex),
    /// The systems whose tickets count; any if empty.
    pub(super) systems: Vec<String>,
    pub(super) examples: Vec<String>,
}

impl Standards {
    /// Reads the file; `None` if a pattern of it cannot be used.
    pub(super) fn read(reading: &mut Reading<'_>, file: &Cursor<'_>) -> Option<Self> {
        let before = reading.problems.len();
        reading.keys(file, schema::STANDARDS);
        let mut standards = Self {
            strict: true,
            warn: true,
            suggest: true,
            legacy: false,
            max_length: 256,
            case_sensitive: true,
            characters: None,
            no_leading_number: false,
            no_special_start: false,
            reserved: Vec::new(),
            types: HashMap::new(),
            tickets: None,
        };
        standards.global(reading, file);
        standards.validation(reading, file);
        standards.types(reading, file);
        standards.tickets(reading, file);
        let broken = reading
            .problems
            .iter()
            .skip(before)
            .any(|problem| problem.severity == crate::config::Severity::Error);
        (!broken).then_some(standards)
    }

    fn global(&mut self, reading: &mut Reading<'_>, file: &Cursor<'_>) {
        let Some(rules) = reading.section(file, "global_rules") else { return };
        reading.keys(&rules, schema::GLOBAL_RULES);
        if let Some(length) = reading.text(&rules, "max_length") {
            match length.value.parse() {
                Ok(length) => self.max_length = length,
                Err(_) => reading.error(
                    length.at,
                    format!("{:?} is not a number of characters", length.value),
                    "write a number, for example 256",
                ),
            }
        }
        self.case_sensitive = reading.flag(&rules, "case_sensitive").unwrap_or(true);
        if let Some(allowed) = reading.text(&rules, "allowed_characters") {
            let pattern = Located { value: format!(r"^[{}]*$", allowed.value), at: allowed.at };
            self.characters =
                compile(reading, &pattern, self.case_sensitive).map(|regex| (allowed.value, regex));
        }
        self.no_leading_number = reading.flag(&rules, "no_leading_numbers").unwrap_or(false);
        self.no_special_start = reading.flag(&rules, "no_special_chars_start").unwrap_or(false);
        self.reserved =
            texts(reading, &rules, "reserved_words").iter().map(|word| word.to_lowercase()).collect();
    }

    fn validation(&mut self, reading: &mut Reading<'_>, file: &Cursor<'_>) {
        if let Some(validation) = reading.section(file, "validation") {
            reading.keys(&validation, schema::VALIDATION);
            self.strict = reading.flag(&validation, "strict_mode").unwrap_or(true);
            self.warn = reading.flag(&validation, "warn_on_deviation").unwrap_or(true);
            self.suggest = reading.flag(&validation, "auto_fix_suggestions").unwrap_or(true);
        }
        if let Some(exemptions) = reading.section(file, "exemptions") {
            reading.keys(&exemptions, schema::EXEMPTIONS);
            self.legacy = reading.flag(&exemptions, "allow_legacy_names").unwrap_or(false);
        }
        if let Some(suffixes) = reading.section(file, "environment_suffixes")
            && let Some(enabled) = suffixes.get("enabled")
        {
            reading.without_effect(&enabled);
        }
    }

    fn types(&mut self, reading: &mut Reading<'_>, file: &Cursor<'_>) {
        let Some(types) = reading.section(file, "item_types") else { return };
        for (name, ..) in types.entries() {
            let Some(rule) = reading.section(&types, name) else { continue };
            reading.keys(&rule, schema::TYPE_RULE);
            let pattern = reading.text(&rule, "pattern");
            let pattern = pattern.and_then(|pattern| {
                Some((pattern.value.clone(), compile(reading, &pattern, self.case_sensitive)?))
            });
            let examples = texts(reading, &rule, "examples");
            self.types.insert(name.to_owned(), TypeRule { pattern, examples });
        }
    }

    fn tickets(&mut self, reading: &mut Reading<'_>, file: &Cursor<'_>) {
        let Some(tickets) = reading.section(file, "ticket_based_naming") else { return };
        reading.keys(&tickets, schema::TICKETS);
        if reading.flag(&tickets, "enabled") != Some(true) {
            return;
        }
        let Some(pattern) = reading.text(&tickets, "pattern") else {
            reading.error(
                tickets.missing("pattern"),
                "is missing",
                "add the pattern of names with tickets, or set enabled to false",
            );
            return;
        };
        let systems = texts(reading, &tickets, "ticket_systems");
        let examples = texts(reading, &tickets, "examples");
        self.tickets = compile(reading, &pattern, self.case_sensitive).map(|regex| Tickets {
            pattern: (pattern.value, regex),
            systems,
            examples,
        });
    }
}

fn texts(reading: &mut Reading<'_>, parent: &Cursor<'_>, name: &str) -> Vec<String> {
    let values = reading.list(parent, name);
    values.iter().filter_map(|value| reading.text_at(value)).map(|text| text.value).collect()
}

/// The pattern, matched from the start of the name as Python's `re.match` does. `$` means the very end.
fn compile(reading: &mut Reading<'_>, pattern: &Located<String>, case_sensitive: bool) -> Option<Regex> {
    match RegexBuilder::new(&format!(r"\A(?:{})", pattern.value))
        .size_limit(PATTERN_SIZE)
        .case_insensitive(!case_sensitive)
        .build()
    {
        Ok(regex) => Some(regex),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reading.error(
                pattern.at.clone(),
                format!("is not a usable pattern: {why}"),
                "correct it; look-around and back-references are not supported",
            );
            None
        }
    }
}
