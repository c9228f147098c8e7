//! How a command ended, as Markdown for the page of a job.

use super::Told;
use crate::text::one_line;

/// The most rows of a table. GitHub takes no more than a mebibyte:
/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits>.
const MOST_ROWS: usize = 250;
/// The most characters of one text.
const LONGEST: usize = 500;

/// What makes something of the text around it: emphasis, code, links, tags, tables, formulas, references.
const ARMED: &str = "\\`*_[]<>#|!~:@$&";

/// The page. `why` is what went wrong, `help` what is said to do about it; both may have several lines.
pub(super) fn markdown(
    command: &str,
    told: Option<&Told>,
    why: Option<&str>,
    help: Option<&str>,
    code: u8,
) -> String {
    let verdict = told.map_or(super::NOT_BEGUN, |told| told.verdict).replace('_', " ");
    let mut page = format!("### selvedge {command}: {verdict}\n\n");
    if let Some(told) = told {
        page.push_str(&format!("{}\n\n", shown(&told.headline)));
    }
    page.push_str("| | |\n| --- | --- |\n");
    let mut fact = |name: &str, value: &str| page.push_str(&format!("| {name} | {} |\n", shown(value)));
    let about = told.and_then(|told| told.about.as_object()).into_iter().flatten();
    about
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .for_each(|(name, value)| fact(name, value));
    if let Some(transaction) = told.and_then(|told| told.transaction.as_deref()) {
        fact("transaction", transaction);
    }
    fact("exit code", &code.to_string());
    if let Some(told) = told {
        changes(&mut page, told);
    }
    if let Some(why) = why {
        page.push_str("\n**Why**\n\n");
        why.lines().for_each(|line| page.push_str(&format!("- {}\n", shown(line.trim()))));
    }
    let commands = told.map(|told| &told.commands[..]).unwrap_or_default();
    if !commands.is_empty() {
        let commands: Vec<_> = commands.iter().map(|command| one_line(command)).collect();
        page.push_str(&format!("\n**Next**\n\n```sh\n{}\n```\n", commands.join("\n")));
    } else if let Some(help) = help {
        page.push_str(&format!("\n**Next**: {}\n", shown(help)));
    }
    page
}

fn changes(page: &mut String, told: &Told) {
    if !told.changes.is_empty() {
        page.push_str("\n| step | change | state |\n| ---: | --- | --- |\n");
    }
    for row in told.changes.iter().take(MOST_ROWS) {
        page.push_str(&format!("| {} | {} | {} |\n", row.step, shown(&row.change), shown(row.state)));
    }
    if let Some(more @ 1..) = told.changes.len().checked_sub(MOST_ROWS) {
        page.push_str(&format!("\n{more} more changes\n"));
    }
    if !told.left.is_empty() {
        page.push_str("\n**What is left**\n\n");
    }
    for (what, reason) in told.left.iter().take(MOST_ROWS) {
        page.push_str(&format!("- {}: {}\n", shown(what), shown(reason)));
    }
    if let Some(more @ 1..) = told.left.len().checked_sub(MOST_ROWS) {
        page.push_str(&format!("- {more} more\n"));
    }
}

/// `text` as it is shown, whatever Markdown and HTML would make of it: <https://spec.commonmark.org/0.31.2/#backslash-escapes>. It is
/// on one line, without secrets, which go before anything is cut or escaped.
fn shown(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for (number, c) in text.chars().enumerate() {
        if number == LONGEST {
            out.push('…');
            break;
        }
        if ARMED.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ci::Row;

    #[test]
    fn names_make_nothing_of_the_page() {
        for (name, expected) in [
            ("BRONZE_Orders", "BRONZE\\_Orders"),
            ("a|b", "a\\|b"),
            ("<img src=x>", "\\<img src=x\\>"),
            ("[x](http://y)", "\\[x\\](http\\://y)"),
            ("`# x`\n| y", "\\`\\# x\\`\\\\n\\| y"),
            ("&lt; @team $x$", "\\&lt; \\@team \\$x\\$"),
        ] {
            assert_eq!(shown(name), expected);
        }
        assert_eq!(shown(&"x".repeat(LONGEST + 1)).chars().count(), LONGEST + 1);
        assert!(shown(&"x".repeat(LONGEST + 1)).ends_with('…'));
    }

    #[test]
    fn a_page_stays_below_the_limit() {
        let row = |step| Row { step, change: "|".repeat(2000), state: "done" };
        let told = Told {
            verdict: "left",
            headline: "Left".to_owned(),
            about: json!({ "product": "Orders", "number": 1 }),
            transaction: None,
            changes: (0..2000).map(row).collect(),
            left: vec![("|".repeat(2000), "|".repeat(2000)); 2000],
            commands: Vec::new(),
        };
        let page = markdown("deploy", Some(&told), Some(&"!".repeat(9000)), Some("help"), 3);
        assert!(page.len() < 1024 * 1024, "{}", page.len());
        assert!(page.contains("\n1750 more changes\n") && page.contains("\n- 1750 more\n"), "{page}");
    }
}
