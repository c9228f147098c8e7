//! The values that the process knows, and the search for them.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use secrecy::zeroize::Zeroizing;

use super::{
    forms,
    views::{self, View},
};

/// So many bytes at each end of a form the automaton looks for; the rest is compared. Of what was cut off as much is enough, where it stands
/// at a place where texts are cut.
const PIECE: usize = 8;

/// So many bytes at an end of a form are enough anywhere.
const ENOUGH: usize = 32;

/// So many bytes are compared at once.
const BLOCK: usize = 64;

/// What may stand behind a text that was cut: the end of a line, of a string, of an element, or a sign that something is left out.
const BEHIND: [&str; 7] = ["\n", "\r", "\"", "'", "<", "…", "..."];

/// The same before a text whose beginning was cut off.
const BEFORE: [&str; 7] = ["\n", "\r", "\"", "'", ">", "…", "..."];

type Form = Arc<Zeroizing<Vec<u8>>>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    First,
    Last,
}

/// A set of values. It is never changed: another takes its place.
#[derive(Default)]
pub(super) struct Known {
    names: Vec<String>,
    /// Sorted, each once.
    forms: Vec<Form>,
    /// Those of several lines, sorted.
    of_lines: Vec<Form>,
    /// In the order of the automaton's patterns: the forms that have it at that end.
    pieces: Vec<(End, Vec<Form>)>,
    automaton: Option<AhoCorasick>,
    longest: usize,
}

impl Known {
    /// The same and one more; `None` where all its forms are known already.
    pub(super) fn with(&self, name: &str, value: &str) -> Result<Option<Self>, BuildError> {
        let mut forms = self.forms.clone();
        forms.extend(forms::of(value).into_iter().map(|form| Arc::new(Zeroizing::new(form))));
        forms.sort_unstable_by(|one, other| one.as_slice().cmp(other));
        forms.dedup();
        if forms.len() == self.forms.len() {
            return Ok(None);
        }
        let mut pieces: BTreeMap<(End, &[u8]), Vec<Form>> = BTreeMap::new();
        for form in &forms {
            let first = &form[..form.len().min(PIECE)];
            pieces.entry((End::First, first)).or_default().push(Arc::clone(form));
            if form.len() > PIECE {
                let last = &form[form.len() - PIECE..];
                pieces.entry((End::Last, last)).or_default().push(Arc::clone(form));
            }
        }
        let automaton = AhoCorasick::builder()
            // Every match counts, also those that overlap: what is left of one value must not be another's.
            .match_kind(MatchKind::Standard)
            // A table of states by bytes would be large.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(pieces.keys().map(|(_, piece)| piece))?;
        let pieces = pieces.into_iter().map(|((end, _), forms)| (end, forms)).collect();
        let mut names = self.names.clone();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        let longest = forms.iter().map(|form| form.len()).max().unwrap_or_default();
        let of_lines = forms.iter().filter(|form| form.contains(&b'\n')).cloned().collect();
        Ok(Some(Self { names, forms, of_lines, pieces, automaton: Some(automaton), longest }))
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The length in bytes of the longest form.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds where in the text of `view` values stand, in no order.
    pub(super) fn find(&self, view: &View<'_>, found: &mut Vec<Range<usize>>) {
        let Some(automaton) = &self.automaton else { return };
        for hit in automaton.find_overlapping_iter(&*view.bytes) {
            let (end, forms) = &self.pieces[hit.pattern().as_usize()];
            let part = match end {
                End::First => {
                    let text = &view.bytes[hit.start()..];
                    let length = forms.iter().filter_map(|form| first_of(form, text)).max();
                    length.map(|length| hit.start()..hit.start() + length)
                }
                End::Last => {
                    let text = &view.bytes[..hit.end()];
                    let length = forms.iter().filter_map(|form| last_of(form, text)).max();
                    length.map(|length| hit.end() - length..hit.end())
                }
            };
            found.extend(part.map(|part| view.source(part)));
        }
    }

    /// Where the end of `text` begins that may be the beginning of a value, escaped or not: of one that goes on behind a line break, or of
    /// any. It may be the end.
    pub(super) fn unfinished(&self, text: &[u8], behind_breaks_only: bool) -> usize {
        let any = !behind_breaks_only || views::ends_wrapped(text);
        let forms = if any { &self.forms } else { &self.of_lines };
        if forms.is_empty() {
            return text.len();
        }
        let begun = views::of(text).into_iter().filter_map(|view| {
            let length = view.bytes.len();
            let mut starts = length.saturating_sub(self.longest)..length;
            let start = starts.find(|start| is_begun(forms, &view.bytes[*start..]))?;
            Some(view.source(start..length).start)
        });
        let start = begun.min().unwrap_or(text.len());
        views::start_of_wrapped(text, start).unwrap_or(start)
    }
}

/// Whether one of these begins with `text`, and goes on.
fn is_begun(forms: &[Form], text: &[u8]) -> bool {
    let before = forms.partition_point(|form| form.as_slice() < text);
    let mut alike = forms[before..].iter().take_while(|form| form.starts_with(text));
    alike.any(|form| form.len() > text.len())
}

/// How many bytes of `form` stand at the beginning of `text`: all of them, or as many as there are where the rest was cut off.
fn first_of(form: &[u8], text: &[u8]) -> Option<usize> {
    let length = in_common(form.chunks(BLOCK), text.chunks(BLOCK), |block| block.iter());
    let (part, rest) = form.split_at(length);
    let text = &text[length..];
    let is_end = || text.is_empty() || BEHIND.iter().any(|sign| text.starts_with(sign.as_bytes()));
    let is_cut = || is_end() && tells(part, part.last(), rest.first());
    (rest.is_empty() || length >= ENOUGH || is_cut()).then_some(length)
}

/// How many bytes of `form` stand at the end of `text`, where the rest was cut off. All of them are found by the first.
fn last_of(form: &[u8], text: &[u8]) -> Option<usize> {
    let length = in_common(form.rchunks(BLOCK), text.rchunks(BLOCK), |block| block.iter().rev());
    let (rest, part) = form.split_at(form.len() - length);
    let text = &text[..text.len() - length];
    let is_start = || text.is_empty() || BEFORE.iter().any(|sign| text.ends_with(sign.as_bytes()));
    let is_cut = || is_start() && tells(part, part.first(), rest.last());
    (length >= ENOUGH || is_cut()).then_some(length)
}

/// Whether `part` of a value tells that it was cut between these two bytes. Ordinary text ends in words too, as in `password` of
/// `password-of-contoso`, and documents that begin alike have lines in common.
fn tells(part: &[u8], edge: Option<&u8>, next: Option<&u8>) -> bool {
    let (Some(edge), Some(next)) = (edge, next) else { return false };
    let is_in_word = next.is_ascii_alphanumeric() || !next.is_ascii();
    !edge.is_ascii_whitespace()
        && !next.is_ascii_whitespace()
        && (is_in_word || part.iter().any(u8::is_ascii_digit))
}

/// How many bytes are the same in both, block by block: a value of many like characters is compared at each of them.
fn in_common<'b, I: Iterator<Item = &'b u8>>(
    form: impl Iterator<Item = &'b [u8]>,
    text: impl Iterator<Item = &'b [u8]>,
    bytes: impl Fn(&'b [u8]) -> I,
) -> usize {
    let mut length = 0;
    for (form, text) in form.zip(text) {
        if form != text {
            return length + bytes(form).zip(bytes(text)).take_while(|(a, b)| a == b).count();
        }
        length += form.len();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(known: &Known, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        known.find(&views::of(text.as_bytes())[0], &mut found);
        found
    }

    fn known(values: &[&str]) -> Known {
        values.iter().fold(Known::default(), |known, value| known.with("x", value).unwrap().unwrap())
    }

    #[test]
    fn twice_is_once() {
        assert!(known(&["hunter22"]).with("y", "hunter22").unwrap().is_none());
    }

    #[test]
    fn a_value_that_was_cut_off_is_found_by_what_is_left() {
        let value = "0123456789abcdefghijklmnopqrstuvwxyz";
        let known = known(&[value]);
        for (text, part) in [
            // Enough of it anywhere.
            (format!("{} and", &value[..32]), 0..32),
            (format!("{}-otherwise", &value[..34]), 0..34),
            (format!("and {} and", &value[4..]), 4..36),
            (format!("and-{}", &value[2..]), 4..38),
            // Less where texts are cut.
            (value[..31].to_owned(), 0..31),
            (format!("said: {}", &value[..8]), 6..14),
            (format!("said: {}\nmore", &value[..8]), 6..14),
            (format!("said: {}\r\nmore", &value[..9]), 6..15),
            (format!("{{\"said\": \"x {}\"}}", &value[..9]), 12..21),
            (format!("{}…", &value[..10]), 0..10),
            (format!("{}... (cut)", &value[..10]), 0..10),
            (format!("<p>{}</p>", &value[..10]), 3..13),
            (value[28..].to_owned(), 0..8),
            (format!("more\n{} was said", &value[28..]), 5..13),
            (format!("…{} was said", &value[26..]), 3..13),
            (format!("...{} was said", &value[26..]), 3..13),
            (format!("'{} was said'", &value[26..]), 1..11),
            (format!("<p>{} was said</p>", &value[26..]), 3..13),
        ] {
            assert_eq!(found(&known, &text), [part], "{text}");
        }
        for text in [
            format!("{} and", &value[..31]),
            format!("and {}", &value[5..]),
            value[..7].to_owned(),
            value[29..].to_owned(),
            value[2..34].to_owned(),
        ] {
            assert!(found(&known, &text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_line_that_ends_in_words_of_a_value_was_not_cut() {
        let pem = "-----BEGIN X509 CERTIFICATE-----\nMIIEvQIBADANBg\n-----END X509 CERTIFICATE-----";
        let json = "{\n  \"version\": 1,\n  \"key\": \"aB3+x\"\n}";
        let known = known(&["password-of-contoso", "battery 2026 horse 2026 staple", pem, json]);
        for text in [
            "\"password\": \"contoso\"",
            "no password\n",
            "of-contoso",
            "battery 2026\n",
            "battery 2026 \n",
            "2026 staple",
            " 2026 staple",
            "-----BEGIN X509 CERTIFICATE-----\nABC\n-----END X509 CERTIFICATE-----\n",
            "{\n  \"version\": 1,\n  \"other\": 2\n}\n",
        ] {
            assert!(found(&known, text).is_empty(), "{text}: {:?}", found(&known, text));
        }
        for (text, part) in
            [("said password-of-con", 5..20), ("rd-of-contoso", 0..13), ("battery 2026 ho\n", 0..15)]
        {
            assert_eq!(found(&known, text), [part], "{text}");
        }
    }

    #[test]
    fn what_may_go_on_is_told() {
        let known = known(&["one line\nand more"]);
        assert_eq!(known.unfinished(b"text one line\n", true), 5);
        assert_eq!(known.unfinished(b"text one", false), 5);
        assert_eq!(known.unfinished(b"text", false), 4);
        assert_eq!(known.unfinished(b"one line\nand more", false), 17, "it is all there");
        assert_eq!(known.unfinished(b"", false), 0);
    }

    #[test]
    fn a_run_of_one_character_is_compared_in_time() {
        let known = known(&[&"a".repeat(16 * 1024)]);
        assert!(!found(&known, &"a".repeat(20_000)).is_empty());
    }
}
