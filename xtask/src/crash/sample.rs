//! What is tried by sample: the same in every run with the same seed.

use super::cut::{Cut, Fate, Side};
use super::journal::Journal;
use super::reference::{ABREAST, LATE, Reference, TORN};
use super::trial::{Again, Trial, Way};

/// How many recoveries that are killed themselves are drawn. Not all of them come to the second cut.
const PAIRS: usize = 1500;

/// How many are drawn of deployments that are cut with steps abreast. Some end before the cut.
const ABREASTS: usize = 320;

const LATES: usize = 240;

const TORNS: usize = 240;

/// How many wait until a lease has run out: each of them for a quarter of a minute.
const WAITS: usize = 12;

/// A recovery is cut at one of its first so many records or requests.
const REACH: usize = 12;

const BLOB_TOO: &[Journal] = &[Journal::Local, Journal::Blob];

/// What a full run samples besides pairs.
pub(super) fn rest(references: &[Reference]) -> Vec<Trial<'_>> {
    let mut trials = of(references, "forward", &[Journal::BlobWaiting], WAITS, 4);
    trials.extend(of(references, TORN, &[Journal::Local], TORNS, 3));
    trials.extend(of(references, LATE, BLOB_TOO, LATES, 2));
    trials.extend(of(references, ABREAST, BLOB_TOO, ABREASTS, 1));
    trials
}

/// A few of each kind, others with another seed.
pub(super) fn few(references: &[Reference], seed: u64) -> Vec<Trial<'_>> {
    let mut trials = of(references, ABREAST, BLOB_TOO, 6, seed);
    trials.extend(of(references, LATE, BLOB_TOO, 4, seed));
    trials.extend(of(references, TORN, &[Journal::Local], 4, seed));
    trials
}

/// So many trials with cuts of a phase.
fn of<'a>(
    references: &'a [Reference],
    phase: &str,
    journals: &[Journal],
    count: usize,
    seed: u64,
) -> Vec<Trial<'a>> {
    let mut draw = Draw(seed);
    let cuts = cuts(references, |reference| reference.phase == phase);
    let drawn = |_| {
        let (reference, cut) = *cuts.get(draw.below(cuts.len()))?;
        let journal = *journals.get(draw.below(journals.len()))?;
        Some(Trial { reference, cut, way: draw.way(), journal, again: None })
    };
    (0..count).filter_map(drawn).collect()
}

/// Pairs of a cut and a second one in the recovery.
pub(super) fn pairs(references: &[Reference]) -> Vec<Trial<'_>> {
    let cuts = cuts(references, |reference| !reference.sampled && reference.phase != "planted");
    let mut draw = Draw(42);
    let drawn = |_| {
        let (reference, cut) = *cuts.get(draw.below(cuts.len()))?;
        let way = draw.way();
        let journal = if draw.below(2) == 0 { Journal::Local } else { Journal::Blob };
        let at = draw.below(REACH);
        let again = match draw.below(5) {
            0 => Again::Record(at as u64, Side::Before),
            1 if journal == Journal::Local => Again::Record(at as u64, Side::Torn),
            1 | 2 => Again::Record(at as u64, Side::After),
            3 => Again::Request(at, Fate::Lost),
            _ => Again::Request(at, Fate::Done),
        };
        Some(Trial { reference, cut, way, journal, again: Some(again) })
    };
    (0..PAIRS).filter_map(drawn).collect()
}

fn cuts(references: &[Reference], wanted: impl Fn(&Reference) -> bool) -> Vec<(&Reference, &Cut)> {
    let references = references.iter().filter(|reference| wanted(reference));
    references.flat_map(|reference| reference.cuts.iter().map(move |cut| (reference, cut))).collect()
}

/// Numbers as good as drawn: the generator `SplitMix64`.
struct Draw(u64);

impl Draw {
    fn way(&mut self) -> Way {
        if self.below(2) == 0 { Way::Resume } else { Way::Rollback }
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (end.max(1) as u64)).unwrap_or_default()
    }
}
