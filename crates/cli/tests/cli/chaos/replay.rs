//! One run again, by name: `SELVEDGE_CHAOS=robust:17 cargo nextest run -p selvedge replay --no-capture`.

use super::RATE;
use super::run::{Profile, Trouble, run};

#[test]
fn replay() {
    #[expect(clippy::disallowed_methods, reason = "no setting of the program: the name of a run")]
    let named = std::env::var("SELVEDGE_CHAOS").unwrap_or_else(|_| "robust:0".to_owned());
    let (profile, seed) = named.split_once(':').unwrap();
    let profile = if profile == "guide" { Profile::guide() } else { Profile::robust() };
    let run = run(&profile, Trouble::Some { seed: seed.parse().unwrap(), rate: RATE });
    run.requests.iter().for_each(|line| println!("{line}"));
    println!("{}\n{:#}", run.verdict, run.world);
    assert!(run.twice.is_empty(), "{:?}", run.twice);
}
