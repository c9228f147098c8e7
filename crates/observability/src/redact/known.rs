//! The values that the process knows, and the search for them.

use std::{ops::Range, sync::Arc};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};
use secrecy::zeroize::Zeroizing;

use super::{
    forms,
    views::{self, View},
};

/// So many bytes of a form the automaton looks for; the rest is compared. Of what was cut short so much is enough.
const HEAD: usize = 32;

type Form = Arc<Zeroizing<Vec<u8>>>;

/// A set of values. It is never changed: another takes its place.
#[derive(Default)]
pub(super) struct Known {
    names: Vec<String>,
    /// The forms by how they begin, in the order of the automaton's patterns.
    forms: Vec<(Vec<u8>, Vec<Form>)>,
    automaton: Option<AhoCorasick>,
    longest: usize,
}

impl Known {
    /// The same and one more; `None` where all its forms are known already.
    pub(super) fn with(&self, name: &str, value: &str) -> Result<Option<Self>, BuildError> {
        let mut all = self.forms.clone();
        let mut is_new = false;
        let mut longest = self.longest;
        for form in forms::of(value) {
            longest = longest.max(form.len());
            let head = &form[..form.len().min(HEAD)];
            let number = all.iter().position(|(known, _)| known == head).unwrap_or_else(|| {
                all.push((head.to_vec(), Vec::new()));
                all.len() - 1
            });
            let alike = &mut all[number].1;
            if !alike.iter().any(|known| ***known == form) {
                alike.push(Arc::new(Zeroizing::new(form)));
                is_new = true;
            }
        }
        if !is_new {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            // Every match counts, also those that overlap: what is left of one value must not be another's.
            .match_kind(MatchKind::Standard)
            // A table of states by bytes would be large.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(all.iter().map(|(head, _)| head))?;
        let mut names = self.names.clone();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        Ok(Some(Self { names, forms: all, automaton: Some(automaton), longest }))
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
            let rest = &view.bytes[hit.start()..];
            let (_, alike) = &self.forms[hit.pattern().as_usize()];
            if let Some(length) = alike.iter().map(|form| in_common(form, rest)).max() {
                found.push(view.source(hit.start()..hit.start() + length));
            }
        }
    }

    /// Where the end of `text` begins that may be the beginning of a value, escaped or not, of one with line breaks only or of any. It may
    /// be the end.
    pub(super) fn unfinished(&self, text: &[u8], with_breaks_only: bool) -> usize {
        let forms = self.forms.iter().flat_map(|(_, alike)| alike);
        let forms: Vec<_> = forms.filter(|form| !with_breaks_only || form.contains(&b'\n')).collect();
        if forms.is_empty() || text.is_empty() {
            return text.len();
        }
        let begun = views::of(text).into_iter().filter_map(|view| {
            let begun = forms.iter().filter_map(|form| begun(form, &view.bytes)).max()?;
            Some(view.source(view.bytes.len() - begun..view.bytes.len()).start)
        });
        begun.min().unwrap_or(text.len())
    }
}

/// How many bytes of the beginning of `form`, but not all of it, stand at the end of `text`; `None` where none do.
fn begun(form: &[u8], text: &[u8]) -> Option<usize> {
    let last = *text.last()?;
    let most = (form.len() - 1).min(text.len());
    (1..=most).rev().find(|length| form[length - 1] == last && text.ends_with(&form[..*length]))
}

/// How many bytes of `form` stand at the beginning of `text`.
fn in_common(form: &[u8], text: &[u8]) -> usize {
    if text.starts_with(form) {
        return form.len();
    }
    // By blocks, for a value of many like characters is compared at each of them.
    const BLOCK: usize = 64;
    let blocks = form.chunks(BLOCK).zip(text.chunks(BLOCK)).take_while(|(a, b)| a == b).count();
    let at = (blocks * BLOCK).min(form.len()).min(text.len());
    at + form[at..].iter().zip(&text[at..]).take_while(|(a, b)| a == b).count()
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
    fn a_value_that_was_cut_short_is_found_by_its_beginning() {
        let value = "0123456789abcdefghijklmnopqrstuvwxyz";
        let known = known(&[value]);
        assert_eq!(found(&known, &value[..33]).first(), Some(&(0..33)));
        assert!(found(&known, &value[..31]).is_empty());
        let other = format!("{}-otherwise", &value[..34]);
        assert_eq!(found(&known, &other).first(), Some(&(0..34)));
    }

    #[test]
    fn what_may_go_on_is_told() {
        let known = known(&["one line\nand more"]);
        assert_eq!(known.unfinished(b"text one line\n", true), 5);
        assert_eq!(known.unfinished(b"text one", false), 5);
        assert_eq!(known.unfinished(b"text", false), 4);
        assert_eq!(known.unfinished(b"", false), 0);
    }

    #[test]
    fn a_run_of_one_character_is_compared_in_time() {
        let known = known(&[&"a".repeat(16 * 1024)]);
        assert!(!found(&known, &"a".repeat(20_000)).is_empty());
    }
}
