//! Text that came from outside, made safe to show.

/// `text` on one line: control and bidirectional characters are escaped, so that a name from a server or a file
/// can neither steer the terminal nor forge a line, and CI logging commands lose their meaning.
#[must_use]
pub fn one_line(text: &str) -> String {
    disarm(&escaped(text))
}

/// `text` with its control characters escaped. Backslashes are not: it cannot be undone.
pub(super) fn escaped(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// `text` with blanks for its line breaks and tabs, and without its other control characters.
pub(super) fn left_out(text: &str) -> String {
    let blank = |c| if matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}') { ' ' } else { c };
    text.chars().map(blank).filter(|c| !steers(*c)).collect()
}

fn steers(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// As [`one_line`], but line breaks stay.
#[must_use]
pub fn lines(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Breaks what a CI runner would obey: Azure Pipelines looks for `##vso[` and `##[` anywhere in a line, GitHub
/// Actions for `##[` anywhere and for `::` where the line begins.
#[must_use]
pub fn disarm(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("##") {
        let (before, command) = rest.split_at(at);
        safe.push_str(before);
        let armed = command.starts_with("##[")
            || command.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("##vso["));
        safe.push_str(if armed { "# " } else { "#" });
        rest = &command[1..];
    }
    safe.push_str(rest);
    let start = safe.len() - safe.trim_start().len();
    if safe[start..].starts_with("::") {
        safe.insert(start + 1, ' ');
    }
    safe
}

/// Characters that reorder what stands around them (Unicode Standard Annex 9).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_or_a_runner_is_disarmed() {
        for (raw, shown) in [
            ("plain name, ünïcode", "plain name, ünïcode"),
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\nerror: forged", "a\\r\\nerror: forged"),
            ("a\u{202e}txt.exe\u{9b}", "a\\u{202e}txt.exe\\u{9b}"),
            ("##vso[task.setvariable]x", "# #vso[task.setvariable]x"),
            ("name ##VSO[x] ##[error]y", "name # #VSO[x] # #[error]y"),
            ("###[group]", "## #[group]"),
            ("## heading", "## heading"),
            ("  ::set-output name=x::y", "  : :set-output name=x::y"),
            ("a::b", "a::b"),
        ] {
            assert_eq!(one_line(raw), shown, "{raw:?}");
        }
        assert_eq!(lines("one\n::two\n\x07"), "one\n: :two\n\\u{7}");
    }
}
