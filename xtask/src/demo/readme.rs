//! The transcript blocks of a README: `<!-- demo:NAME -->`, a fenced block, `<!-- /demo -->`.

use anyhow::Context;

const CLOSE: &str = "<!-- /demo -->";

/// `readme` with `transcript` as the block `name`.
///
/// # Errors
/// If there is no such block.
pub(super) fn replace(readme: &str, name: &str, transcript: &str) -> anyhow::Result<String> {
    let open = format!("<!-- demo:{name} -->");
    let parts = readme.split_once(&open).and_then(|(before, rest)| {
        let (block, after) = rest.split_once(CLOSE)?;
        (!block.contains("<!-- demo:")).then_some((before, after))
    });
    let (before, after) =
        parts.with_context(|| format!("README.md has no block from `{open}` to `{CLOSE}`"))?;
    let transcript = transcript.trim_end();
    Ok(format!("{before}{open}\n```console\n{transcript}\n```\n{CLOSE}{after}"))
}

/// The lines from the first to the last difference: the old ones with `-`, the new ones with `+`.
pub(super) fn difference(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let removed = old[..old.len() - end].iter().map(|line| format!("- {line}"));
    let added = new[..new.len() - end].iter().map(|line| format!("+ {line}"));
    let lines: Vec<String> =
        [format!("README.md:{}", start + 1)].into_iter().chain(removed).chain(added).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str =
        "a\n<!-- demo:one -->\nold\n<!-- /demo -->\nb\n<!-- demo:two -->\n<!-- /demo -->\nc\n";

    #[test]
    fn only_the_named_block_changes() {
        let one = replace(README, "one", "$ x\ny\n").unwrap();
        assert_eq!(
            one,
            "a\n<!-- demo:one -->\n```console\n$ x\ny\n```\n<!-- /demo -->\nb\n<!-- demo:two -->\n<!-- /demo -->\nc\n"
        );
        assert_eq!(replace(&one, "one", "$ x\ny").unwrap(), one);
        let two = replace(README, "two", "z").unwrap();
        assert!(two.ends_with("<!-- demo:two -->\n```console\nz\n```\n<!-- /demo -->\nc\n"));
        assert!(two.contains("\nold\n"));
    }

    #[test]
    fn a_missing_block_is_an_error() {
        let unclosed = format!("<!-- demo:three -->\n{README}");
        for readme in ["", "<!-- demo:three -->\nnever closed", &unclosed] {
            let error = replace(readme, "three", "x").unwrap_err();
            assert_eq!(
                error.to_string(),
                "README.md has no block from `<!-- demo:three -->` to `<!-- /demo -->`"
            );
        }
    }

    #[test]
    fn a_difference_shows_both_sides() {
        assert_eq!(difference("a\nb\nc\nd", "a\nB\nC\nd"), "README.md:2\n- b\n- c\n+ B\n+ C");
        assert_eq!(difference("a\nb", "a\nx\nb"), "README.md:2\n+ x");
        assert_eq!(difference("a\na\nb", "a\nb"), "README.md:2\n- a");
    }
}
