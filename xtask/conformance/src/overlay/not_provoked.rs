//! Documented errors that no scenario provokes: `not-provoked` of the overlay.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde::Deserialize;

use super::glob;

/// A class of errors that the emulator cannot give, or never does, and why not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Excuse {
    codes: Vec<String>,
    /// As those of deviations.
    operations: Vec<String>,
    reason: String,
}

/// A list of an excuse. Every member of both must be of use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    Codes,
    Operations,
}

/// The excuses, and which of them were needed.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct NotProvoked {
    excuses: Vec<Excuse>,
    #[serde(skip)]
    used: BTreeSet<(usize, List, usize)>,
}

impl NotProvoked {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for Excuse { codes, operations, reason } in &self.excuses {
            let complete = ![codes.is_empty(), operations.is_empty(), reason.is_empty()].contains(&true);
            ensure!(complete, "an entry of `not-provoked` lacks codes, operations or a reason");
        }
        Ok(())
    }

    /// Whether the operation need not be seen to answer with that code. To be asked of what was not met only: an excuse
    /// is of use by what it excuses.
    pub(crate) fn excuses(&mut self, operation: &str, code: &str) -> bool {
        let excusing = self.excuses.iter().enumerate().find_map(|(n, excuse)| {
            let code = excuse.codes.iter().position(|it| it == code)?;
            let operation = excuse.operations.iter().position(|it| glob(it, operation))?;
            Some([(n, List::Codes, code), (n, List::Operations, operation)])
        });
        self.used.extend(excusing.into_iter().flatten());
        excusing.is_some()
    }

    /// What excused nothing, unless all of its operations are `waiting`: documented, and not emulated yet.
    pub(super) fn stale(&self, waiting: impl Fn(&String) -> bool) -> Vec<String> {
        let mut stale = Vec::new();
        for (n, Excuse { codes, operations, reason }) in self.excuses.iter().enumerate() {
            let idle = |list, at| !self.used.contains(&(n, list, at));
            let idle_of = |list, all: &[String]| -> Vec<String> {
                let idle = all.iter().enumerate().filter(|(at, _)| idle(list, *at));
                idle.map(|(_, it)| it.clone()).collect()
            };
            let mut found = idle_of(List::Operations, operations);
            found.retain(|pattern| !waiting(pattern));
            if !operations.iter().all(&waiting) {
                found.extend(idle_of(List::Codes, codes));
            }
            stale.extend(found.iter().map(|idle| format!("not-provoked, `{idle}` ({reason})")));
        }
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCUSES: &str = "
- codes: [Broken, Gone]
  operations: ['GET /v1/a', 'POST *']
  reason: r
- codes: [Gone]
  operations: ['GET /v1/later']
  reason: s
";

    fn excuses() -> NotProvoked {
        serde_saphyr::from_str(EXCUSES).unwrap()
    }

    #[test]
    fn code_and_operation_must_both_be_excused() {
        let mut excuses = excuses();
        assert!(excuses.excuses("POST /v1/a", "Gone"));
        assert!(!excuses.excuses("POST /v1/a", "Other"));
        assert!(!excuses.excuses("GET /v1/b", "Gone"));
    }

    #[test]
    fn what_excuses_nothing_is_stale() {
        let mut excuses = excuses();
        let waiting = |pattern: &String| pattern == "GET /v1/later";
        excuses.excuses("POST /v1/a", "Gone");
        assert_eq!(excuses.stale(waiting), ["not-provoked, `GET /v1/a` (r)", "not-provoked, `Broken` (r)"]);
        excuses.excuses("GET /v1/a", "Broken");
        assert_eq!(excuses.stale(waiting), [] as [&str; 0]);
        assert_eq!(
            excuses.stale(|_| false),
            ["not-provoked, `GET /v1/later` (s)", "not-provoked, `Gone` (s)"]
        );
    }

    #[test]
    fn every_excuse_is_complete() {
        excuses().check().unwrap();
        for (from, to) in [("reason: r", "reason: ''"), ("[Gone]", "[]"), ("['GET /v1/later']", "[]")] {
            let broken: NotProvoked = serde_saphyr::from_str(&EXCUSES.replace(from, to)).unwrap();
            assert!(broken.check().is_err(), "{to}");
        }
    }
}
