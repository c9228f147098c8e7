//! What is written, and where.

mod damage;
mod processes;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::*;
use crate::redact::Redactor;
use crate::redact::testing::{leak, nasty};

/// A trail in a folder of its own.
struct Trail {
    folder: TempDir,
    log: AuditLog,
}

fn log(path: PathBuf, max_size: u64) -> AuditLog {
    AuditLog::new(AuditConfig { path, max_size, version: "1.2.3".into() }, Redactor::default(), || {
        GitContext { commit: "1f32".into(), branch: "main".into(), user: "Jo".into() }
    })
}

fn record<'a>(about: &'a About, name: &str) -> Record<'a> {
    let fields = json!({ "item_name": name, "item_id": null });
    let Value::Object(fields) = fields else { unreachable!() };
    Record { event: EventType::ItemCreated, outcome: Outcome::Done, step: Some(3), about, fields }
}

impl Trail {
    fn new() -> Self {
        Self::with(u64::MAX)
    }

    fn with(max_size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path().join("audit/audit_trail.jsonl"), max_size);
        Self { folder, log }
    }

    /// With so many records, the names of which are their numbers.
    fn of(count: usize, max_size: u64) -> Self {
        let trail = Self::with(max_size);
        (0..count).for_each(|number| trail.add(&number.to_string()));
        trail
    }

    fn add(&self, name: &str) {
        self.log.append(&record(&About::default(), name)).unwrap();
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.log.path()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.bytes()).unwrap().lines().map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::write(self.log.path(), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    fn verify(&self) -> Report {
        verify(self.log.path()).unwrap()
    }

    #[track_caller]
    fn intact(&self) -> Report {
        let report = self.verify();
        assert!(report.is_intact(), "{report:#?}");
        report
    }

    fn rotated(&self, number: u64) -> PathBuf {
        family::rotated(self.log.path(), number)
    }

    /// The names of the items, from all files.
    fn names(&self) -> Vec<String> {
        let records = read(self.log.path(), None).unwrap().records;
        records.iter().filter_map(|record| Some(record.get("item_name")?.as_str()?.to_owned())).collect()
    }
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

#[test]
fn a_record_has_the_predecessors_shape_and_more() {
    let trail = Trail::new();
    let about =
        About { transaction: Some("t".into()), principal: Some("p".into()), environment: Some("dev".into()) };
    trail.log.append(&record(&about, "Sales")).unwrap();
    let line = trail.lines().remove(0);
    let written: Map<String, Value> = serde_json::from_str(&line).unwrap();
    let names: Vec<_> = written.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "timestamp",
            "event_type",
            "item_name",
            "item_id",
            "git_commit",
            "git_branch",
            "git_user",
            "transaction_id",
            "step",
            "principal",
            "outcome",
            "environment",
            "version",
            "chain"
        ]
    );
    let timestamp = written["timestamp"].as_str().unwrap();
    assert!(
        timestamp.len() == "2026-11-22T20:05:42.200559Z".len() && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    let expected = r#","event_type":"item_created","item_name":"Sales","item_id":null,"git_commit":"1f32","git_branch":"main","git_user":"Jo","transaction_id":"t","step":3,"principal":"p","outcome":"done","environment":"dev","version":"1.2.3","chain":""#;
    assert!(line.contains(expected), "{line}");
}

#[test]
fn a_members_own_name_is_never_that_of_all() {
    let trail = Trail::new();
    let about = About::default();
    let mut other = record(&about, "x");
    for name in ["timestamp", "outcome", "chain", "git_branch"] {
        other.fields.insert(name.into(), "forged".into());
    }
    trail.log.append(&other).unwrap();
    assert!(!trail.lines()[0].contains("forged"));
    trail.intact();
}

#[test]
fn a_hash_can_be_checked_by_hand() {
    let trail = Trail::of(2, u64::MAX);
    let mut before = String::new();
    for line in trail.lines() {
        let at = line.rfind(r#","chain":""#).unwrap();
        let hash = &line[at + 10..line.len() - 2];
        assert_eq!(chain::next(&before, &format!("{}}}", &line[..at])), hash);
        before = hash.to_owned();
    }
    assert_eq!(trail.intact().last_chain, Some(before));
}

#[test]
fn a_file_that_is_full_becomes_another_and_the_trail_goes_on() {
    let trail = Trail::of(20, 1500);
    let report = trail.intact();
    assert!(report.files.len() > 4, "{report:#?}");
    assert!(report.notes.is_empty(), "{report:#?}");
    assert_eq!(trail.names(), numbers(20));
    for file in &report.files {
        assert!(fs::metadata(&file.path).unwrap().len() <= 1500);
    }
    let first: Value = serde_json::from_str(&trail.lines()[0]).unwrap();
    assert_eq!(first["event_type"], "audit_trail_rotated");

    // Of one that was set aside: what came up to it.
    assert_eq!(verify(&trail.rotated(2)).unwrap().files.len(), 2);

    // Its last lines, left out.
    let aside = trail.rotated(2);
    let whole = fs::read_to_string(&aside).unwrap();
    let cut = whole.trim_end().rfind('\n').unwrap() + 1;
    for cut in [cut, cut + 7, 0] {
        fs::write(&aside, &whole[..cut]).unwrap();
        let problems = trail.verify().problems;
        let told = "does not follow from the end of audit_trail.2.jsonl, which was changed or cut off";
        assert!(problems.iter().any(|problem| problem.problem == told), "{cut}: {problems:#?}");
    }
    fs::write(&aside, &whole).unwrap();
    trail.intact();

    // A file in the middle; then the oldest, which may be archived.
    let away = trail.folder.path().join("away");
    fs::rename(&aside, &away).unwrap();
    let report = trail.verify();
    let told = "goes on from audit_trail.2.jsonl, which is missing after audit_trail.1.jsonl";
    assert_eq!((report.problems[0].problem.as_str(), report.problems[0].line), (told, 1));
    fs::rename(trail.rotated(1), trail.folder.path().join("archived")).unwrap();
    fs::rename(&away, &aside).unwrap();
    let report = trail.intact();
    assert_eq!(report.notes, ["audit_trail.2.jsonl: goes on from audit_trail.1.jsonl, which is not here"]);

    // Its last one alone, anew.
    fs::remove_file(trail.log.path()).unwrap();
    trail.write(&[chain::link("", r#"{"event_type":"item_created"}"#).0]);
    assert!(!trail.verify().is_intact());
}

#[test]
fn a_process_that_died_after_setting_a_file_aside_is_gone_on_from() {
    let trail = Trail::of(3, u64::MAX);
    for begun in ["", "{\"timestamp\":\"2026"] {
        let number = family::numbers(trail.log.path()).unwrap().len() as u64 + 1;
        fs::rename(trail.log.path(), trail.rotated(number)).unwrap();
        fs::write(trail.log.path(), begun).unwrap();
        trail.intact();
        trail.add("3");
        trail.intact();
    }
    assert_eq!(trail.names(), ["0", "1", "2", "3", "3"]);
}

#[test]
fn a_trail_of_the_predecessor_is_set_aside_and_fixed_as_it_is() {
    for end in ["\n", ""] {
        let trail = Trail::new();
        trail.log.check().unwrap();
        let theirs = format!(r#"{{"timestamp": "2026-11-22T20:05:42.200559Z", "event_type": "x"}}{end}"#);
        fs::write(trail.log.path(), &theirs).unwrap();
        let note = "audit_trail.jsonl: 1 lines without a hash, of another program: not checked";
        assert_eq!(trail.intact().notes, [note]);
        trail.add("0");
        assert_eq!(fs::read_to_string(trail.rotated(1)).unwrap(), theirs, "it stays as it was");
        assert_eq!(trail.intact().records(), 3);
        assert_eq!(read(trail.log.path(), None).unwrap().records.len(), 3);
        fs::write(trail.rotated(1), theirs.replace("x", "y")).unwrap();
        assert!(!trail.verify().is_intact());
    }
}

#[test]
fn no_secret_is_written_in_any_form() {
    let trail = Trail::new();
    let redactor = Redactor::default();
    let config = AuditConfig { path: trail.log.path().into(), max_size: u64::MAX, version: String::new() };
    let log = AuditLog::new(config, redactor.clone(), GitContext::default);
    let secrets = nasty();
    for secret in &secrets {
        redactor.register("x", &secret.as_str().into()).unwrap();
        let about = About { principal: Some(secret.clone()), ..About::default() };
        log.append(&record(&about, &format!("made with {secret}"))).unwrap();
    }
    let text = String::from_utf8(trail.bytes()).unwrap();
    for secret in &secrets {
        assert_eq!(leak(&text, secret), None, "{secret}");
    }
    trail.intact();
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let trail = Trail::of(9, 1500);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(trail.log.path()), 0o600);
    assert_eq!(mode(&trail.rotated(1)), 0o600);
    assert_eq!(mode(trail.log.path().parent().unwrap()), 0o700);
}

#[test]
fn a_folder_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audit"), "").unwrap();
    let log = log(folder.path().join("audit/trail.jsonl"), 1);
    assert!(log.check().is_err());
    let error = log.append(&record(&About::default(), "x")).unwrap_err().to_string();
    assert!(error.starts_with("could not write the audit trail `"), "{error}");
}

#[test]
fn what_is_read_can_begin_at_a_time() {
    let trail = Trail::of(2, u64::MAX);
    let now = time::OffsetDateTime::now_utc();
    let hour = time::Duration::hours(1);
    assert_eq!(read(trail.log.path(), Some(now - hour)).unwrap().records.len(), 2);
    assert_eq!(read(trail.log.path(), Some(now + hour)).unwrap().records.len(), 0);
}
