//! Where a process is killed: every point that an undisturbed run goes through.

use std::fmt;

use driver::Request;

use super::plant::Plant;

/// What of a deployment is cut.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) point: Point,
    /// What stands there in the undisturbed run, for people.
    pub(super) at: String,
    /// The row of the table that it counts in.
    pub(super) kind: &'static str,
    /// What somebody else does before the transaction is taken up.
    pub(super) plant: Option<Plant>,
}

/// A point in the life of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// At a record of the journal.
    Record { seq: u64, side: Side },
    /// At the request that comes after `skip` others of its pattern.
    Request { index: usize, pattern: String, skip: usize, fate: Fate },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
    /// After it, but its end has not come to the disk.
    Torn,
}

/// What becomes of a request whose sender dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is not carried out.
    Lost,
    /// It is carried out before its sender dies.
    Done,
    /// It is carried out after its sender has died.
    Lands,
    /// It is carried out when the recovery has had so many answers.
    Late(usize),
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { seq, side } => write!(f, "record-{seq:03}-{}", side.name()),
            Self::Request { index, fate, .. } => write!(f, "request-{index:03}-{}", fate.name()),
        }
    }
}

impl Side {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::Torn => "torn",
        }
    }

    /// Where the process stops, as the variable FAILPOINT has it.
    pub(super) fn failpoint(self) -> &'static str {
        if self == Self::Before { "before" } else { "after" }
    }
}

impl Fate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Done => "done",
            Self::Lands => "lands",
            Self::Late(_) => "late",
        }
    }
}

fn matches(request: &Request, pattern: &str) -> bool {
    pattern
        .split_once(' ')
        .is_some_and(|(method, glob)| method == request.method && glob_matches(glob, request.plain_path()))
}

/// As the emulator does it: a `*` stands for any run of characters.
fn glob_matches(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let parts: Vec<_> = rest.split('*').collect();
    let Some((last, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

/// The pattern of the request at `index`, and how many come before it that the pattern fits.
pub(super) fn address(requests: &[Request], index: usize) -> (String, usize) {
    let pattern = requests[index].shape();
    let skip = requests[..index].iter().filter(|request| matches(request, &pattern)).count();
    (pattern, skip)
}

/// The cuts at a request, of which `requests[..from]` are left out.
pub(super) fn at_requests(requests: &[Request], from: usize) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (index, request) in requests.iter().enumerate().skip(from) {
        let (pattern, skip) = address(requests, index);
        let fates: &[Fate] =
            if request.is_write() { &[Fate::Lost, Fate::Done, Fate::Lands] } else { &[Fate::Lost] };
        for &fate in fates {
            let kind = match fate {
                Fate::Done => "sent, done, not answered",
                Fate::Lands => "sent, not answered, done after the kill",
                Fate::Late(_) => LATE,
                Fate::Lost if request.is_write() => "sent, not done",
                Fate::Lost if pattern.ends_with("/operations/*") => "operation: polling",
                Fate::Lost if pattern.ends_with("/result") => "operation: over, result not read",
                Fate::Lost => "reading",
            };
            let at = format!("{pattern} #{}", skip + 1);
            let point = Point::Request { index, pattern: pattern.clone(), skip, fate };
            cuts.push(Cut { point, at, kind, plant: None });
        }
    }
    cuts
}

/// The cuts at writes in whose place somebody could put something.
pub(super) fn at_planted(requests: &[Request], from: usize) -> Vec<Cut> {
    let mut cuts = at_requests(requests, from);
    for cut in &mut cuts {
        let Point::Request { index, fate, .. } = &cut.point else { continue };
        let plant = Plant::instead_of(&requests[*index]);
        let (fits, kind) = match (&plant, fate) {
            (Some(Plant::Edit), Fate::Done) => (true, "described, then by somebody else"),
            (Some(Plant::Edit), _) => (false, ""),
            (_, fate) => (*fate == Fate::Lost, "not made, then made by somebody else"),
        };
        cut.kind = kind;
        cut.plant = plant.filter(|_| fits);
    }
    cuts.retain(|cut| cut.plant.is_some());
    cuts
}

/// Each write of `cuts` once more, carried out while the recovery looks for it.
pub(super) fn late(cuts: &[Cut]) -> Vec<Cut> {
    let mut late = Vec::new();
    for cut in cuts {
        if let Point::Request { index, pattern, skip, fate: Fate::Done } = &cut.point {
            // After the two looks that find nothing where nothing is on its way.
            let fate = Fate::Late(4 + index % 8);
            let point = Point::Request { index: *index, pattern: pattern.clone(), skip: *skip, fate };
            late.push(Cut { point, kind: LATE, ..cut.clone() });
        }
    }
    late
}

/// Each record of `cuts` once more, written in part.
pub(super) fn torn(cuts: &[Cut]) -> Vec<Cut> {
    let mut torn = Vec::new();
    for cut in cuts {
        if let Point::Record { seq, side: Side::After } = cut.point {
            let point = Point::Record { seq, side: Side::Torn };
            torn.push(Cut { point, kind: "last record torn", ..cut.clone() });
        }
    }
    torn
}

/// The cuts of a run in which steps overtake one another: at the n-th record, whichever it is, and at the n-th request. It has about
/// as many as the run that `cuts` are of.
pub(super) fn abreast(cuts: &[Cut]) -> Vec<Cut> {
    let mut abreast = Vec::new();
    for cut in cuts {
        let (kind, point) = match &cut.point {
            point @ Point::Record { side: Side::Before, .. } => ("before the n-th record", point.clone()),
            point @ Point::Record { .. } => ("n-th record durable", point.clone()),
            Point::Request { index, fate, .. } => {
                let kind = match fate {
                    Fate::Lost => "n-th request, not done",
                    Fate::Done => "n-th request, done",
                    Fate::Lands | Fate::Late(_) => "n-th request, done after the kill",
                };
                let pattern = "* /v1*".to_owned();
                (kind, Point::Request { index: *index, pattern, skip: *index, fate: *fate })
            }
        };
        abreast.push(Cut { at: "whichever it is".to_owned(), kind, point, plant: None });
    }
    abreast
}

const LATE: &str = "sent, done while the recovery looks";

/// The cuts at a record of the journal; `records[..from]` are left out.
pub(super) fn at_records(records: &[(String, u64)], from: usize) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (seq, (record, step)) in (0..).zip(records).skip(from) {
        for side in [Side::Before, Side::After] {
            let at = if *step == 0 { record.clone() } else { format!("{record} of step {step}") };
            cuts.push(Cut { point: Point::Record { seq, side }, at, kind: kind(record, side), plant: None });
        }
    }
    cuts
}

fn kind(record: &str, side: Side) -> &'static str {
    match (record, side) {
        ("intent", Side::Before) => "before intent",
        ("intent", Side::After) => "intent durable, not sent",
        ("accepted", Side::Before) => "operation: 202, id not recorded",
        ("accepted", Side::After) => "operation: id durable, not polled",
        ("outcome", Side::Before) => "answered, not recorded",
        ("outcome", Side::After) => "outcome durable",
        ("unmarked", _) => "marker strip",
        ("roll_back", Side::Before) => "failed, rollback not decided",
        ("roll_back", Side::After) => "rollback decided",
        ("undo_intent", Side::Before) => "before undo intent",
        ("undo_intent", Side::After) => "undo intent durable, not sent",
        ("undo_outcome", Side::Before) => "undone, not recorded",
        ("undo_outcome", Side::After) => "undo outcome durable",
        ("begin", _) => "begin",
        ("end", _) => "end",
        _ => "other record",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Request {
        let (method, path) = (method.to_owned(), path.to_owned());
        Request { method, path, status: None, body: String::new(), fault: None, secret: None }
    }

    #[test]
    fn a_request_is_addressed_as_the_emulator_counts() {
        let id = "44e2b1ff-3807-4f12-aa65-9cf45736a4da";
        let requests = [
            request("GET", &format!("/v1/workspaces/{id}/items?x=1")),
            request("POST", &format!("/v1/workspaces/{id}")),
            request("GET", &format!("/v1/workspaces/{id}")),
            request("GET", &format!("/v1/workspaces/{id}/items")),
        ];
        // A star stands for slashes, too, so the first one fits.
        assert_eq!(address(&requests, 2), ("GET /v1/workspaces/*".to_owned(), 1));
        assert_eq!(address(&requests, 3), ("GET /v1/workspaces/*/items".to_owned(), 1));
        assert_eq!(address(&requests, 1), ("POST /v1/workspaces/*".to_owned(), 0));
    }

    #[test]
    fn every_request_and_every_record_is_cut() {
        let requests = [request("GET", "/v1/a"), request("POST", "/v1/b"), request("GET", "/v1/a")];
        let names =
            |cuts: Vec<Cut>| -> Vec<String> { cuts.iter().map(|cut| cut.point.to_string()).collect() };
        assert_eq!(
            names(at_requests(&requests, 1)),
            ["request-001-lost", "request-001-done", "request-001-lands", "request-002-lost"]
        );
        let records = [("begin".to_owned(), 0), ("intent".to_owned(), 1)];
        assert_eq!(names(at_records(&records, 1)), ["record-001-before", "record-001-after"]);
        let cuts = [at_records(&records, 1), at_requests(&requests, 1)].concat();
        assert_eq!(names(torn(&cuts)), ["record-001-torn"]);
        assert_eq!(names(late(&cuts)), ["request-001-late"]);
        // Which request it is, nobody knows: the n-th of all.
        let abreast = abreast(&cuts);
        assert!(abreast.iter().all(|cut| match &cut.point {
            Point::Request { index, pattern, skip, .. } => pattern == "* /v1*" && skip == index,
            Point::Record { seq, .. } => *seq == 1,
        }));
        assert_eq!(names(abreast), names(cuts));
    }
}
