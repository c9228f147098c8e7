//! Many deployments of the example while one request in five fails, in process and in virtual time: the stack of the
//! program over the emulator, with the real deployment on top.
//!
//! The faults are the emulator's own schedule (`docs/emulator-faults.md`). A run is its profile and its seed; both
//! stand in the message of a failed assertion, and
//! `SELVEDGE_CHAOS=robust:17 cargo nextest run -p selvedge replay --no-capture` shows that run, request by request.

mod figures;
mod replay;
mod run;

use std::num::NonZero;
use std::thread;

use figures::Figures;
use run::{Profile, Run, Trouble, run};

/// The share of requests that a fault hits.
const RATE: f64 = 0.2;

/// The runs of these troubles, on all cores.
fn runs(profile: &Profile, troubles: &[Trouble]) -> Vec<Run> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = |first| troubles.iter().skip(first).step_by(threads).map(|trouble| run(profile, *trouble));
    thread::scope(|scope| {
        let start = |first| scope.spawn(move || -> Vec<Run> { share(first).collect() });
        let workers: Vec<_> = (0..threads).map(start).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

/// What holds however patient a profile is: nothing twice, and all or nothing.
fn measure(profile: &Profile, troubles: &[Trouble]) -> Figures {
    let calm = run(profile, Trouble::Nothing);
    assert!(calm.committed && calm.before != calm.after);
    let runs = runs(profile, troubles);
    for run in &runs {
        let id = match run.trouble {
            Trouble::Some { seed, .. } => format!("SELVEDGE_CHAOS={}:{seed}", profile.name),
            trouble => format!("{} {trouble:?}", profile.name),
        };
        assert!(run.twice.is_empty(), "{id}: there twice: {:?}", run.twice);
        let expected = if run.committed { &calm.after } else { &calm.before };
        assert_eq!(&run.after, expected, "{id}: {}: {:#}", run.verdict, run.world);
    }
    let figures = Figures::of(&calm, &runs);
    show(profile, &figures);
    figures
}

/// Faults by the seeds 0 up to `count`.
fn seeds(count: u64) -> Vec<Trouble> {
    (0..count).map(|seed| Trouble::Some { seed, rate: RATE }).collect()
}

#[expect(clippy::print_stdout, reason = "the figures are what is measured")]
fn show(profile: &Profile, figures: &Figures) {
    println!("{} profile\n{figures}", profile.name);
}

#[test]
fn robust_survives_a_fault_on_every_fifth_request() {
    let figures = measure(&Profile::robust(), &seeds(1000));
    assert!((0.19..0.21).contains(&figures.faults()), "{figures}");
    // As many as fail where every call has six attempts, each of which fails once in five times: half of a percent.
    assert!(figures.failed() < 0.01, "{figures}");
    assert_eq!(figures.left(), 0, "{figures}");
    // A quarter would be all that is ever sent again, were there nothing to read back.
    assert!(figures.sent_again() <= 0.27, "{figures}");
    // What is in doubt is looked for, once or twice, before it is sent again.
    assert!(figures.extra() <= 0.33, "{figures}");
}

#[test]
fn guide_leaves_all_or_nothing_while_every_fifth_request_fails() {
    let figures = measure(&Profile::guide(), &seeds(200));
    // Three attempts are too few here, and the figures say so. What was made is taken back all the same.
    assert!(figures.failed() > 0.1, "{figures}");
    assert_eq!(figures.left(), 0, "{figures}");
}

/// An outage longer than anybody's patience on the way forward, at any time of a deployment.
#[test]
fn r20_a_minute_without_the_service_leaves_all_or_nothing() {
    let troubles: Vec<_> = (0..74).map(|call| Trouble::All { call }).collect();
    for profile in [Profile::guide(), Profile::robust()] {
        let figures = measure(&profile, &troubles);
        assert_eq!(figures.left(), 0, "{figures}");
    }
}

#[test]
fn what_stands_twice_is_seen() {
    let thing = |name: &str, folder: &str| serde_json::json!({"displayName": name, "type": "Notebook", "folder": folder});
    let world = |things: [serde_json::Value; 2]| serde_json::json!({"workspaces": [{"items": things}]});
    assert_eq!(run::twice(&world([thing("A", "x"), thing("a", "x")])).len(), 1);
    assert_eq!(run::twice(&world([thing("A", "x"), thing("B", "x")])).len(), 0);
}

#[test]
fn the_same_seed_is_the_same_run() {
    let profile = Profile::robust();
    let [one, two] = [(); 2].map(|()| run(&profile, Trouble::Some { seed: 7, rate: RATE }).requests);
    assert!(one.iter().any(|line| line.contains("reset")), "{one:#?}");
    assert_eq!(one, two);
}
