//! Recoveries that are killed themselves: a sample, the same in every run.

use super::cut::{Fate, Side};
use super::reference::Reference;
use super::trial::{Again, Trial, Way};
use super::worker::Journal;

/// How many are drawn. Not all of them come to the second cut.
const DRAWN: usize = 1500;

/// A recovery is cut at one of its first so many records or requests.
const REACH: usize = 12;

/// Pairs of a cut and a second one in the recovery.
pub(super) fn pairs(references: &[Reference]) -> Vec<Trial<'_>> {
    let cuts: Vec<_> = references
        .iter()
        .filter(|reference| reference.phase != "planted")
        .flat_map(|reference| reference.cuts.iter().map(move |cut| (reference, cut)))
        .collect();
    let mut draw = Draw(42);
    let drawn = |_| {
        let (reference, cut) = *cuts.get(draw.below(cuts.len()))?;
        let way = if draw.below(2) == 0 { Way::Resume } else { Way::Rollback };
        let journal = if draw.below(2) == 0 { Journal::Local } else { Journal::Elsewhere };
        let at = draw.below(REACH);
        let again = match draw.below(4) {
            0 => Again::Record(at as u64, Side::Before),
            1 => Again::Record(at as u64, Side::After),
            2 => Again::Request(at, Fate::Lost),
            _ => Again::Request(at, Fate::Done),
        };
        Some(Trial { reference, cut, way, journal, again: Some(again) })
    };
    (0..DRAWN).filter_map(drawn).collect()
}

/// Numbers as good as drawn: the generator `SplitMix64`.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % (end.max(1) as u64)).unwrap_or_default()
    }
}
