//! What became of the trials, as a table.

use std::collections::{BTreeMap, BTreeSet};

use super::trial::{Trial, Verdict};

/// Counts of trials, by what was cut and how it was taken up.
#[derive(Default)]
pub(super) struct Table {
    rows: BTreeMap<(String, &'static str), BTreeMap<String, Cell>>,
    columns: BTreeSet<String>,
}

#[derive(Default)]
struct Cell {
    right: BTreeMap<&'static str, usize>,
    wrong: usize,
}

impl Table {
    /// Counts a trial; one that did not come to its cut is none.
    pub(super) fn add(&mut self, trial: &Trial<'_>, verdict: &Verdict) {
        let again = if trial.again.is_some() { ", killed again" } else { "" };
        let row = (format!("{}{again}", trial.reference.phase), trial.cut.kind);
        let column = format!("{}, {}", trial.way.name(), trial.journal.name());
        let cell = self.rows.entry(row).or_default().entry(column.clone()).or_default();
        match verdict {
            Verdict::NotReached => return,
            Verdict::Right(verdict) => *cell.right.entry(verdict).or_default() += 1,
            Verdict::Wrong(_) => cell.wrong += 1,
        }
        self.columns.insert(column);
    }

    /// In Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut lines = vec![line("run", "cut", self.columns.iter().map(String::as_str))];
        lines.push(line("---", "---", self.columns.iter().map(|_| "---")));
        for ((phase, kind), cells) in &self.rows {
            let shown: Vec<_> = self
                .columns
                .iter()
                .map(|column| cells.get(column).map(Cell::shown).unwrap_or_default())
                .collect();
            if shown.iter().any(|cell| !cell.is_empty()) {
                lines.push(line(phase, kind, shown.iter().map(String::as_str)));
            }
        }
        lines.join("\n")
    }
}

impl Cell {
    fn shown(&self) -> String {
        let mut parts: Vec<_> =
            self.right.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        if self.wrong > 0 {
            parts.push(format!("**{} wrong**", self.wrong));
        }
        parts.join(", ")
    }
}

fn line<'a>(phase: &str, kind: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
    format!("| {phase} | {kind} |{cells}")
}
