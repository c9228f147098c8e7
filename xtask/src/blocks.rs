//! Blocks of a text that a program writes: `<!-- KIND:NAME -->`, what is written, `<!-- /KIND -->`.

use anyhow::Context;

/// `text`, the file `path`, with `body` as its block `name` of this `kind`.
///
/// # Errors
/// If there is no such block.
pub(crate) fn replace(path: &str, text: &str, kind: &str, name: &str, body: &str) -> anyhow::Result<String> {
    let (open, close) = (format!("<!-- {kind}:{name} -->"), format!("<!-- /{kind} -->"));
    let parts = text.split_once(&open).and_then(|(before, rest)| {
        let (block, after) = rest.split_once(&close)?;
        (!block.contains(&format!("<!-- {kind}:"))).then_some((before, after))
    });
    let (before, after) = parts.with_context(|| format!("{path} has no block from `{open}` to `{close}`"))?;
    Ok(format!("{before}{open}\n{}\n{close}{after}", body.trim_end()))
}

/// The lines of `path` from the first to the last difference: the old ones with `-`, the new ones with `+`.
pub(crate) fn difference(path: &str, old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let removed = old[..old.len() - end].iter().map(|line| format!("- {line}"));
    let added = new[..new.len() - end].iter().map(|line| format!("+ {line}"));
    let lines: Vec<String> =
        [format!("{path}:{}", start + 1)].into_iter().chain(removed).chain(added).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str =
        "a\n<!-- demo:one -->\nold\n<!-- /demo -->\nb\n<!-- demo:two -->\n<!-- /demo -->\nc\n";

    fn replaced(readme: &str, name: &str, body: &str) -> anyhow::Result<String> {
        replace("README.md", readme, "demo", name, body)
    }

    #[test]
    fn only_the_named_block_changes() {
        let one = replaced(README, "one", "$ x\ny\n").unwrap();
        assert_eq!(
            one,
            "a\n<!-- demo:one -->\n$ x\ny\n<!-- /demo -->\nb\n<!-- demo:two -->\n<!-- /demo -->\nc\n"
        );
        assert_eq!(replaced(&one, "one", "$ x\ny").unwrap(), one);
        let two = replaced(README, "two", "z").unwrap();
        assert!(two.ends_with("<!-- demo:two -->\nz\n<!-- /demo -->\nc\n"));
        assert!(two.contains("\nold\n"));
    }

    #[test]
    fn a_missing_block_is_an_error() {
        let unclosed = format!("<!-- demo:three -->\n{README}");
        for readme in ["", "<!-- demo:three -->\nnever closed", &unclosed] {
            let error = replaced(readme, "three", "x").unwrap_err();
            assert_eq!(
                error.to_string(),
                "README.md has no block from `<!-- demo:three -->` to `<!-- /demo -->`"
            );
        }
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let difference = |old, new| difference("README.md", old, new);
        assert_eq!(difference("a\nb\nc\nd", "a\nB\nC\nd"), "README.md:2\n- b\n- c\n+ B\n+ C");
        assert_eq!(difference("a\nb", "a\nx\nb"), "README.md:2\n+ x");
        assert_eq!(difference("a\na\nb", "a\nb"), "README.md:2\n- a");
    }
}
