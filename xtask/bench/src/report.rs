//! What the benchmarks print: markdown tables, medians, and JSON.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

/// How much to measure, and where to put it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Show in seconds that it works. Too little is measured to conclude from, so no goal is checked.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write the figures to this file as well, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Arguments {
    /// Writes `figures` where `--json` says.
    pub(crate) fn write(&self, figures: &impl Serialize) -> anyhow::Result<()> {
        let Some(path) = &self.json else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(figures).context("write the figures as JSON")?;
        std::fs::write(path, text + "\n").with_context(|| format!("write {}", path.display()))
    }
}

/// A table in markdown, its columns padded to be read as text, too. All columns but the first are figures.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        cells.chain(head.get(column).copied()).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!(" {cell:<width$} "),
            _ => format!(" {cell:>width$} "),
        });
        format!("|{}|\n", padded.collect::<Vec<_>>().join("|"))
    };
    let mut text = line(head.to_vec());
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => "-".repeat(width + 2),
        _ => format!("{}:", "-".repeat(width + 1)),
    });
    text += &format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        text += &line(row.iter().map(String::as_str).collect());
    }
    text
}

/// The value in the middle; zero where there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let upper = values.len() / 2;
    match (values.get(upper), upper.checked_sub(1).and_then(|lower| values.get(lower))) {
        (Some(upper), Some(lower)) if values.len().is_multiple_of(2) => f64::midpoint(*lower, *upper),
        (Some(middle), _) => *middle,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in
            [(vec![], 0.0), (vec![2.0], 2.0), (vec![9.0, 1.0, 2.0], 2.0), (vec![1.0, 9.0, 2.0, 4.0], 3.0)]
        {
            assert!((median(values.clone()) - expected).abs() < 1e-12, "{values:?}");
        }
    }

    #[test]
    fn a_table_is_markdown_and_lined_up() {
        let rows = [vec!["bare".to_owned(), "1".to_owned()], vec!["all".to_owned(), "0.95".to_owned()]];
        assert_eq!(
            table(&["variant", "x"], &rows),
            "| variant |    x |\n|---------|-----:|\n| bare    |    1 |\n| all     | 0.95 |\n"
        );
    }
}
