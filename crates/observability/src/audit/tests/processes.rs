//! Processes that write at the same time, and one that is killed.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

/// What tells a child of these tests how many records it is to write, and where.
const TOLD_TO: &str = "SELVEDGE_TEST_TRAIL";

/// Told nothing it does nothing. As a process of its own it adds records until it is killed, or has added all.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test tells a process of its own what to do")]
fn child() {
    let Ok(told) = std::env::var(TOLD_TO) else { return };
    let (count, path) = told.split_once(' ').unwrap();
    let log = log(path.into(), 20_000);
    for number in 0..count.parse::<usize>().unwrap() {
        log.append(&record(&About::default(), &number.to_string())).unwrap();
    }
}

/// A process that does not outlive its test.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn start_child(path: &Path, count: usize) -> Writer {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "audit::tests::processes::child"])
        .env(TOLD_TO, format!("{count} {}", path.display()))
        .stdout(Stdio::null())
        .spawn();
    Writer(child.unwrap())
}

#[test]
fn several_processes_and_threads_write_to_one_trail() {
    let trail = Trail::with(20_000);
    let mut children: Vec<_> = (0..2).map(|_| start_child(trail.log.path(), 60)).collect();
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while written.fetch_add(1, Ordering::Relaxed) < 60 {
                    trail.add("0");
                    // Who reads meanwhile sees whole lines.
                    assert_eq!(trail.intact().notes, [""; 0]);
                }
            });
        }
    });
    children.iter_mut().for_each(|child| assert!(child.0.wait().unwrap().success()));
    assert_eq!(trail.names().len(), 180);
    assert!(trail.intact().files.len() > 2);
}

#[test]
fn who_keeps_the_lock_is_waited_for_once() {
    let mut trail = Trail::of(1, u64::MAX);
    trail.log.patience = Duration::from_millis(20);
    let held = disk::lock(trail.log.path(), Duration::ZERO).unwrap();
    let about = About::default();
    let error = trail.log.append(&record(&about, "1")).unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(why, "another process keeps it locked");
    trail.log.patience = Duration::from_secs(3600);
    assert!(trail.log.append(&record(&about, "1")).is_err(), "it would wait for an hour");
    drop(held);
    trail.add("1");
    trail.add("2");
    assert_eq!(trail.names(), numbers(3));
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_a_trail_that_holds() {
    let trail = Trail::with(20_000);
    trail.log.check().unwrap();
    let mut total = 0;
    for round in 0..12 {
        let mut child = start_child(trail.log.path(), usize::MAX);
        // Until it writes, and then wherever it happens to be.
        while trail.names().len() < total + 3 + round {
            assert!(child.0.try_wait().unwrap().is_none(), "it ended by itself");
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        trail.intact();
        let seen = trail.names().len();
        trail.add("after");
        trail.intact();
        total = trail.names().len();
        assert_eq!(total, seen + 1);
    }
}
