//! Text from a server, made fit to be shown.

use std::fmt;

/// The most of a server's text that is shown, in characters.
const LONGEST: usize = 1000;

/// Shows text from outside without what could steer a terminal or forge a log line: control characters, line
/// separators, and the marks that turn the reading direction.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        let mut shown = 0;
        for character in self.0.chars() {
            if shown == LONGEST {
                return f.write_char('…');
            }
            match character {
                '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => f.write_char(' ')?,
                _ if is_hidden(character) => continue,
                _ => f.write_char(character)?,
            }
            shown += 1;
        }
        Ok(())
    }
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_left_out() {
        for (text, shown) in [
            ("Requested 'Größe' is already in use.", "Requested 'Größe' is already in use."),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("a\r\nERROR forged", "a  ERROR forged"),
            ("a\u{2028}b", "a b"),
            ("user\u{202e}gpj.exe\u{2066}", "usergpj.exe"),
            ("\u{9b}31m", "31m"),
        ] {
            assert_eq!(Printable(text).to_string(), shown);
        }
        assert_eq!(Printable(&"x".repeat(5000)).to_string().chars().count(), LONGEST + 1);
    }
}
