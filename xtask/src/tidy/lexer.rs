//! Tells code from comments and from what strings say, as far as the rules need it.

/// One line of Rust: its code with every string emptied, and its comments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) code: String,
    pub(super) comment: String,
}

enum State {
    Code,
    LineComment,
    /// How deep: block comments nest.
    BlockComment(usize),
    String,
    /// How many `#` close it.
    RawString(usize),
}

/// Splits `text` into its lines.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let chars: Vec<char> = text.chars().collect();
    let starts =
        |at: usize, pattern: &str| pattern.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    let mut lines = Vec::new();
    let mut line = Line::default();
    let mut state = State::Code;
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c == '\n' {
            lines.push(std::mem::take(&mut line));
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            at += 1;
            continue;
        }
        let mut width = 1;
        match state {
            State::Code if starts(at, "//") => state = State::LineComment,
            State::Code if starts(at, "/*") => (state, width) = (State::BlockComment(1), 2),
            State::Code if c == '"' => {
                line.code.push(c);
                state = State::String;
            }
            State::Code if c == 'r' && !ends_in_name(&line.code) => {
                line.code.push(c);
                if let Some(hashes) = raw_string(&chars[at + 1..]) {
                    (state, width) = (State::RawString(hashes), hashes + 2);
                }
            }
            State::Code if c == '\'' => {
                width = character(&chars[at..]);
                line.code.push_str(if width > 1 { "''" } else { "'" });
            }
            State::Code => line.code.push(c),
            State::LineComment => line.comment.push(c),
            State::BlockComment(depth) if starts(at, "*/") => {
                width = 2;
                state = match depth {
                    1 => State::Code,
                    _ => State::BlockComment(depth - 1),
                };
            }
            State::BlockComment(depth) if starts(at, "/*") => {
                (state, width) = (State::BlockComment(depth + 1), 2);
            }
            State::BlockComment(_) => line.comment.push(c),
            // A line that ends in `\` goes on: the line feed itself must still be seen.
            State::String if c == '\\' && !starts(at, "\\\n") => width = 2,
            State::String if c == '"' => {
                line.code.push(c);
                state = State::Code;
            }
            State::RawString(hashes) if starts(at, &format!("\"{}", "#".repeat(hashes))) => {
                line.code.push(c);
                (state, width) = (State::Code, hashes + 1);
            }
            State::String | State::RawString(_) => {}
        }
        at += width;
    }
    lines.push(line);
    lines
}

/// The lines in front of the test module. Clippy's `items_after_test_module` keeps that module last.
pub(super) fn production(lines: &[Line]) -> &[Line] {
    let opens = |line: &Line| line.code.starts_with("mod ") && line.code.ends_with('{');
    let end = lines.iter().enumerate().position(|(n, line)| {
        let mut rest = lines[n + 1..].iter().skip_while(|line| line.code.starts_with("#["));
        line.code == "#[cfg(test)]" && rest.next().is_some_and(opens)
    });
    &lines[..end.unwrap_or(lines.len())]
}

/// Whether `code` ends in the middle of a name, so that an `r` after it opens no raw string.
fn ends_in_name(code: &str) -> bool {
    let name: Vec<char> = code.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    !matches!(name[..], [] | ['b' | 'c'])
}

/// The number of `#` where `rest`, after the `r`, opens a raw string.
fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|c| **c == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

/// How many characters to pass at a `'`: a whole literal, or one where it begins a lifetime.
fn character(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, tail @ ..] => 4 + tail.iter().take_while(|c| **c != '\'').count(),
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_comments_and_strings() {
        let cases = [
            ("a // b", "a ", "/ b"),
            ("/// a \"b", "", "// a \"b"),
            ("a /* b /* c */ d */ e", "a  e", " b  c  d "),
            (r#"f("// a \" b", c)"#, r#"f("", c)"#, ""),
            (r###"f(r#"a " // b"#, c)"###, r#"f(r", c)"#, ""),
            (r##"f(br"a\", c)"##, r#"f(br", c)"#, ""),
            (r#"for"a""#, r#"for"""#, ""),
            ("f('\"', 'a', \"b\")", "f('', '', \"\")", ""),
            (r#"['\\','"','/','/']"#, "['','','','']", ""),
            (r"f('\'', '\u{41}') // a", "f('', '') ", "/ a"),
            ("fn f<'a>(x: &'a str) // b", "fn f<'a>(x: &'a str) ", "/ b"),
        ];
        for (text, code, comment) in cases {
            let expected = Line { code: code.to_owned(), comment: comment.to_owned() };
            assert_eq!(lines(text), [expected], "{text}");
        }
    }

    #[test]
    fn strings_and_block_comments_span_lines() {
        let text = "f(\"a \\\n b\n c\"); g /* d\n e */ h";
        let code: Vec<String> = lines(text).into_iter().map(|line| line.code).collect();
        assert_eq!(code, ["f(\"", "", "\"); g ", " h"]);
    }

    #[test]
    fn the_test_module_is_not_production() {
        let count = |text: &str| production(&lines(text)).len();
        assert_eq!(count("a\n#[cfg(test)]\nmod tests {\nb\n}"), 1);
        assert_eq!(count("a\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\nb\n}"), 1);
        assert_eq!(count("#[cfg(test)]\nmod tests;\nb\n#[cfg(test)]\nfn c() {}"), 5);
    }
}
