//! The same over a thousand seeds, and one of them by name. They are asked for:
//! `cargo nextest run -p selvedge --run-ignored only chaos:: --no-capture`.

use super::run::{Profile, Trouble, run};
use super::{RATE, guide, robust};

#[test]
#[ignore = "takes minutes"]
fn robust_1000() {
    // As many as fail where every call has six attempts, each of which fails once in five times: half of a percent.
    robust(1000, 0.01);
}

#[test]
#[ignore = "takes minutes"]
fn guide_1000() {
    guide(1000);
}

#[test]
#[ignore = "shows the one run that SELVEDGE_CHAOS names"]
fn replay() {
    #[expect(clippy::disallowed_methods, reason = "no setting of the program: the name of a run")]
    let named = std::env::var("SELVEDGE_CHAOS").unwrap_or_else(|_| "robust:0".to_owned());
    let (profile, seed) = named.split_once(':').unwrap();
    let profile = if profile == "guide" { Profile::guide() } else { Profile::robust() };
    let run = run(&profile, Trouble::Some { seed: seed.parse().unwrap(), rate: RATE });
    run.requests.iter().for_each(|line| println!("{line}"));
    println!("{}\n{:#}", run.verdict, run.world);
}
