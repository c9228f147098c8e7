//! Tables, as the predecessor drew them: cells joined by ` | `, and a line beneath the head.

use crate::text::one_line;

/// A table of `rows` beneath `head`. What it shows takes no more than a line, and steers no terminal.
pub(crate) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<_> =
            cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
        padded.join(" | ").trim_end().to_owned()
    };
    let first = line(&mut head.iter().copied());
    let rule = "-".repeat(widths.iter().sum::<usize>() + 3 * widths.len().saturating_sub(1));
    let mut lines = vec![first, rule];
    lines.extend(rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "x"], ["läng\nst", "yy"]].map(|row| row.map(str::to_owned).to_vec());
        let drawn = table(&["Name", "ID"], rows);
        assert_eq!(drawn, "Name     | ID\n-------------\na        | x\nläng\\nst | yy");
    }
}
