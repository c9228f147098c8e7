//! Where the real service is known not to do what its documents say, and which documented errors no scenario provokes:
//! `overlay.yaml`, each entry with a reason.

mod not_provoked;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::check::{Kind, Side, Violation};
pub(crate) use not_provoked::NotProvoked;

/// The known deviations, and which of them were met.
pub(crate) struct Overlay {
    deviations: Vec<Deviation>,
    forms: Vec<Form>,
    pub(crate) not_provoked: NotProvoked,
    used: BTreeSet<(usize, Part, usize)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    deviations: Vec<Deviation>,
    #[serde(default)]
    forms: Vec<Form>,
    #[serde(default)]
    not_provoked: NotProvoked,
}

/// Something that an answer may do although the documents do not say so. A list that is left out allows anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    kind: Kind,
    /// Method and path template; `*` stands for anything.
    operations: Vec<String>,
    #[serde(default)]
    status: Vec<u16>,
    /// As in [`crate::check::Finding::at`]; `*` stands for anything.
    #[serde(default)]
    at: Vec<String>,
    /// The codes, members or names that are meant.
    #[serde(default)]
    values: Vec<String>,
    reason: String,
    /// Who saw it, and where; or that nobody did.
    evidence: String,
}

/// A form of answering (at once, or as a long-running operation) that is documented and not emulated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    operations: Vec<String>,
    missing: Missing,
    reason: String,
    evidence: String,
}

/// The form that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Missing {
    AtOnce,
    LongRunning,
}

/// A list of an entry. Every member of every list must be of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Operations,
    Status,
    At,
    Values,
    Forms,
}

impl Overlay {
    /// The project's own.
    ///
    /// # Errors
    /// When it cannot be read, or an entry gives no reason.
    pub(crate) fn load() -> anyhow::Result<Self> {
        Self::read(include_str!("../../overlay.yaml")).context("read overlay.yaml")
    }

    fn read(text: &str) -> anyhow::Result<Self> {
        let File { deviations, forms, not_provoked } = serde_saphyr::from_str(text)?;
        let explained = deviations.iter().map(|it| (&it.reason, &it.evidence));
        for (reason, evidence) in explained.chain(forms.iter().map(|it| (&it.reason, &it.evidence))) {
            ensure!(!reason.is_empty() && !evidence.is_empty(), "an entry gives no reason or no evidence");
        }
        not_provoked.check()?;
        Ok(Self { deviations, forms, not_provoked, used: BTreeSet::new() })
    }

    /// Whether the violation is a known deviation of the service. What is only asked of a client never is.
    pub(crate) fn excuses(&mut self, violation: &Violation) -> bool {
        let found = &violation.finding;
        let status = match violation.side {
            Side::Request if found.kind != Kind::Operation => return false,
            Side::Answer(status) => status,
            Side::Request | Side::Result => 0,
        };
        let value = found.value.as_deref().unwrap_or_default();
        let excusing = self.deviations.iter().enumerate().find_map(|(n, deviation)| {
            let places = [
                (Part::Operations, place(&deviation.operations, |it| glob(it, &violation.operation))?),
                (Part::Status, place(&deviation.status, |it| *it == status)?),
                (Part::At, place(&deviation.at, |it| glob(it, &found.at))?),
                (Part::Values, place(&deviation.values, |it| it == value)?),
            ];
            (deviation.kind == found.kind).then_some((n, places))
        });
        let Some((n, places)) = excusing else { return false };
        self.used.extend(places.into_iter().filter_map(|(part, at)| Some((n, part, at?))));
        true
    }

    /// Whether an operation need not answer in this form.
    pub(crate) fn excuses_form(&mut self, operation: &str, missing: Missing) -> bool {
        let excusing = self.forms.iter().enumerate().find_map(|(n, form)| {
            let at = form.operations.iter().position(|it| glob(it, operation))?;
            (form.missing == missing).then_some((n, Part::Forms, at))
        });
        self.used.extend(excusing);
        excusing.is_some()
    }

    /// How many deviations and forms were of use.
    pub(crate) fn used(&self) -> usize {
        let entries: BTreeSet<(bool, usize)> =
            self.used.iter().map(|(n, part, _)| (*part == Part::Forms, *n)).collect();
        entries.len()
    }

    /// What nothing needed: the service is as documented there, or no scenario goes there. `waiting` tells the patterns
    /// of operations that are documented and not emulated yet; what is about those alone is not stale.
    pub(crate) fn stale(&self, waiting: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> Vec<String> {
        let waits = |pattern: &String| waiting(&|operation| glob(pattern, operation));
        let mut stale = Vec::new();
        for (n, it) in self.deviations.iter().enumerate() {
            let status: Vec<String> = it.status.iter().map(u16::to_string).collect();
            let operations = self.idle(n, Part::Operations, &it.operations).filter(|pattern| !waits(pattern));
            let mut idle: Vec<&String> = operations.collect();
            if !it.operations.iter().all(waits) {
                let lists = [(Part::Status, &status), (Part::At, &it.at), (Part::Values, &it.values)];
                idle.extend(lists.into_iter().flat_map(|(part, list)| self.idle(n, part, list)));
            }
            stale.extend(idle.iter().map(|idle| format!("{}, `{idle}` ({})", it.kind, it.reason)));
        }
        for (n, it) in self.forms.iter().enumerate() {
            let idle = self.idle(n, Part::Forms, &it.operations).filter(|pattern| !waits(pattern));
            stale.extend(idle.map(|idle| format!("{:?}, `{idle}` ({})", it.missing, it.reason)));
        }
        stale.extend(self.not_provoked.stale(waits));
        stale
    }

    fn idle<'a>(&'a self, n: usize, part: Part, list: &'a [String]) -> impl Iterator<Item = &'a String> {
        let idle = move |(at, _): &(usize, _)| !self.used.contains(&(n, part, *at));
        list.iter().enumerate().filter(idle).map(|(_, it)| it)
    }
}

/// Where in the list it is; `Some(None)` for a list that allows anything, `None` when it is not in it.
fn place<T>(list: &[T], is: impl Fn(&T) -> bool) -> Option<Option<usize>> {
    if list.is_empty() { Some(None) } else { list.iter().position(is).map(Some) }
}

/// Whether `text` is as `pattern` says, in which `*` stands for anything.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| glob(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Finding;

    const OVERLAY: &str = "
deviations:
- kind: 'null'
  operations: ['GET /v1/operations/*', 'GET /v1/never']
  at: [/error, '/value/*/error']
  reason: seen
  evidence: recorded
- kind: error-code
  operations: ['*']
  status: [404]
  values: [NotThere, NeverThere]
  reason: seen
  evidence: recorded
forms:
- operations: ['POST /v1/publish']
  missing: long-running
  reason: seen
  evidence: reported
";

    fn violation(operation: &str, side: Side, at: &str, kind: Kind, value: Option<&str>) -> Violation {
        let finding =
            Finding { at: at.to_owned(), kind, value: value.map(str::to_owned), message: String::new() };
        Violation { operation: operation.to_owned(), side, finding }
    }

    #[test]
    fn an_entry_excuses_what_it_names() {
        let mut overlay = Overlay::read(OVERLAY).unwrap();
        let poll = "GET /v1/operations/{operationId}";
        let cases = [
            (violation(poll, Side::Answer(200), "/error", Kind::Null, None), true),
            (violation(poll, Side::Answer(200), "/value/7/error", Kind::Null, None), true),
            (violation(poll, Side::Answer(200), "/errors", Kind::Null, None), false),
            (violation(poll, Side::Answer(200), "/error", Kind::Type, None), false),
            (violation(poll, Side::Request, "/error", Kind::Null, None), false),
            (violation("GET /v1/items", Side::Answer(200), "/error", Kind::Null, None), false),
            (
                violation(
                    "GET /v1/items",
                    Side::Answer(404),
                    "/errorCode",
                    Kind::ErrorCode,
                    Some("NotThere"),
                ),
                true,
            ),
            (
                violation(
                    "GET /v1/items",
                    Side::Answer(400),
                    "/errorCode",
                    Kind::ErrorCode,
                    Some("NotThere"),
                ),
                false,
            ),
            (
                violation("GET /v1/items", Side::Answer(404), "/errorCode", Kind::ErrorCode, Some("Other")),
                false,
            ),
        ];
        for (violation, excused) in cases {
            assert_eq!(overlay.excuses(&violation), excused, "{violation}");
        }
        assert!(overlay.excuses_form("POST /v1/publish", Missing::LongRunning));
        assert!(!overlay.excuses_form("POST /v1/publish", Missing::AtOnce));
        assert_eq!(overlay.used(), 3);
        let nothing_waits = |_: &dyn Fn(&str) -> bool| false;
        assert_eq!(
            overlay.stale(nothing_waits),
            ["null, `GET /v1/never` (seen)", "error-code, `NeverThere` (seen)"]
        );
        let never_waits = |is: &dyn Fn(&str) -> bool| is("GET /v1/never");
        assert_eq!(overlay.stale(never_waits), [] as [&str; 0]);
    }

    #[test]
    fn every_entry_must_be_explained() {
        let unexplained = OVERLAY.replace("reason: seen", "reason: ''");
        assert!(Overlay::read(&unexplained).is_err());
        assert!(Overlay::read(&OVERLAY.replace("status", "states")).is_err());
    }

    #[test]
    fn the_overlay_reads() {
        Overlay::load().unwrap();
    }
}
