//! The seeds that every run of the tests tries.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use super::simulate;

fn run(seeds: std::ops::Range<u64>) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for seed in seeds {
        match simulate(seed) {
            Ok(report) => {
                *counts.entry(report.end).or_default() += 1;
                for (what, times) in report.counts {
                    *counts.entry(what).or_default() += times;
                }
            }
            Err(violation) => panic!("{violation}\n{}", violation.log.join("\n")),
        }
    }
    counts
}

#[test]
fn ten_thousand_seeds() {
    eprintln!("{:#?}", run(0..10_000));
}
