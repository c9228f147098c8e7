//! Whatever happens to a trail is found, and is gone on from.

use super::*;

#[test]
fn a_change_of_any_byte_is_found_at_its_line() {
    let trail = Trail::of(4, u64::MAX);
    let bytes = trail.bytes();
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(trail.log.path(), &changed).unwrap();
        let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        let report = trail.verify();
        let is_told = report.problems.first().is_some_and(|first| first.line == line);
        assert!(is_told, "byte {at}: {report:#?}");
    }
}

#[test]
fn a_line_that_is_left_out_put_in_or_moved_is_found() {
    let trail = Trail::of(5, u64::MAX);
    let lines = trail.lines();
    for at in 0..4 {
        let mut without = lines.clone();
        without.remove(at);
        trail.write(&without);
        assert_eq!(trail.verify().problems.first().map(|first| first.line), Some(at + 1));

        let mut more = lines.clone();
        more.insert(at + 1, lines[at].clone());
        trail.write(&more);
        assert_eq!(trail.verify().problems.first().map(|first| first.line), Some(at + 2));

        let mut moved = lines.clone();
        moved.swap(at, at + 1);
        trail.write(&moved);
        assert_eq!(trail.verify().problems.first().map(|first| first.line), Some(at + 1));

        for (number, put_in) in [(1, "{}"), (2, "x"), (3, "")] {
            let mut more = lines.clone();
            more.insert(at + 1, put_in.to_owned());
            trail.write(&more);
            assert!(!trail.verify().is_intact(), "{number}");
        }
    }
    trail.write(&lines);
    assert_eq!(trail.intact().records(), 5);
}

#[test]
fn one_changed_line_is_one_problem() {
    let trail = Trail::of(5, u64::MAX);
    let lines = trail.lines().join("\n").replace(r#""item_name":"2""#, r#""item_name":"9""#) + "\n";
    fs::write(trail.log.path(), lines).unwrap();
    let problems = trail.verify().problems;
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_file_that_ends_at_any_byte_is_gone_on_with_and_nothing_whole_is_lost() {
    let trail = Trail::of(2, u64::MAX);
    let bytes = trail.bytes();
    let second = bytes.len() / 2;
    for length in (0..3).chain(second - 3..=bytes.len()) {
        fs::write(trail.log.path(), &bytes[..length]).unwrap();
        let cut = &bytes[..length];
        let at_end = |end: &usize| length == *end || length + 1 == *end;
        let ends: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
        let whole = ends.iter().filter(|end| length + 1 >= **end).count();
        let torn = cut.len() - ends.iter().filter(|end| length >= **end).max().unwrap_or(&0);
        let is_torn = length > 0 && !ends.iter().any(at_end);

        let report = trail.intact();
        assert_eq!(report.records(), whole, "{length}");
        assert_eq!(report.notes.len(), usize::from(is_torn), "{length}: {report:#?}");

        trail.add("next");
        let report = trail.intact();
        assert_eq!(report.records(), whole + 1 + usize::from(is_torn), "{length}: {report:#?}");
        let mut names = numbers(whole);
        names.push("next".into());
        assert_eq!(trail.names(), names, "{length}");
        assert_eq!(report.notes.len(), usize::from(is_torn), "{length}: {report:#?}");
        if is_torn {
            let kept: Value = serde_json::from_str(&trail.lines()[whole]).unwrap();
            assert_eq!(kept["event_type"], "audit_line_torn");
            assert_eq!(kept["text"], String::from_utf8_lossy(&cut[length - torn..]).into_owned());
        }
    }
}

#[test]
fn a_line_longer_than_what_is_read_at_first_is_followed() {
    let trail = Trail::new();
    for length in [10, 16 * 1024 - 400, 16 * 1024, 100_000, 5] {
        trail.add(&"x".repeat(length));
        trail.intact();
    }
    let bytes = trail.bytes();
    fs::write(trail.log.path(), &bytes[..bytes.len() - 1000]).unwrap();
    trail.add("next");
    assert_eq!(trail.intact().records(), 5);
}

#[test]
fn a_last_line_that_lost_its_hash_is_found_though_the_trail_goes_on() {
    let trail = Trail::of(3, u64::MAX);
    let mut lines = trail.lines();
    lines[2] = "{}".to_owned();
    trail.write(&lines);
    trail.add("3");
    let report = trail.verify();
    assert_eq!((report.problems[0].path.clone(), report.problems[0].line), (trail.rotated(1), 3));
    assert_eq!(report.problems.len(), 1, "{report:#?}");
}
