//! A report as people read it.

use selvedge_rollback::lease::Holder;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::report::Report;
use crate::run::App;
use crate::text::{counted, one_line};

impl Report {
    /// The state, as people say it.
    pub(crate) fn state_words(&self) -> String {
        match self.state {
            "rolled_back_partial" => "rolled back in part".to_owned(),
            state => spaced(state),
        }
    }

    /// The whole report: every step, what is left, and what to type.
    pub(super) fn text(&self, app: &App) -> String {
        let id = self.transaction;
        let mut lines = vec![format!("transaction {id}: {}", self.state_words())];
        lines.extend(self.subject.iter().flat_map(|subject| subject.lines()).map(one_line));
        lines.extend(self.owner.as_ref().map(owned));
        lines.extend(self.lease());
        lines.extend(self.reason.iter().map(|reason| format!("because: {}", one_line(reason))));
        for step in &self.steps {
            let change = named(&step.change, step.id.as_deref());
            let reason = step.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let line = format!("  {:>3}  {:<10}  {change}{reason}", step.step, spaced(step.word()));
            lines.push(one_line(&line));
        }
        lines.extend(self.rest());
        lines.extend(self.help());
        lines.extend(self.ways_out(app));
        lines.join("\n")
    }

    /// What its lease tells of its owner.
    fn lease(&self) -> Option<String> {
        let until = self.lease_until.map(at)?;
        Some(match self.silent_seconds {
            None => format!("its lease, if not renewed, runs out at {until}"),
            Some(silent) => format!("it has not renewed its lease for {silent} s: it seems to be gone"),
        })
    }

    /// What is left, in one line.
    fn rest(&self) -> Option<String> {
        // Of what is open it goes without saying.
        let marked =
            self.steps.iter().filter(|step| step.marker.is_some() && self.direction.is_none()).count();
        let mut rest = match (self.state, self.remaining.len()) {
            ("running" | "unreadable", _) => return None,
            ("committed", _) if marked == 0 => return None,
            ("committed", _) => "nothing is left to be made".to_owned(),
            (_, 0) => return Some("nothing is left".to_owned()),
            ("rolled_back", some) => return Some(format!("{} left a trace", counted(some, "change"))),
            (_, some) => format!("{} {} left", counted(some, "change"), if some == 1 { "is" } else { "are" }),
        };
        if marked > 0 {
            rest.push_str(&format!("; {marked} of what was made may still carry a marker"));
        }
        Some(rest)
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        match &self.commands[..] {
            // It has ended, and something is left, or has left a trace.
            [] if self.direction.is_none() && !self.remaining.is_empty() => {
                let over = "no command goes on with this transaction";
                Some(format!("what is left stays, unless somebody removes it by hand: {over}"))
            }
            [] => None,
            [back, on] => {
                Some(format!("run `{back}` to take it back, or `{on}` to go on where it was going"))
            }
            [command, ..] => Some(format!("run `{command}`")),
        }
    }

    /// What to do about it, and what an operator may decide instead, in one line. `None` where there is nothing to do.
    pub(crate) fn choices(&self, app: &App) -> Option<String> {
        let help = self.help()?;
        Some(std::iter::once(help).chain(self.ways_out(app)).collect::<Vec<_>>().join("; "))
    }

    /// What an operator may decide instead.
    fn ways_out(&self, app: &App) -> Vec<String> {
        let mut ways = Vec::new();
        let command = |verb: &str| app.transactions(verb, self.transaction);
        let steps = self.steps.iter().filter(|step| step.may_be_skipped);
        let skip: String = steps.map(|step| format!(" --skip {}", step.step)).collect();
        if self.commands.is_empty() || self.direction.is_none() {
            return ways;
        }
        if !skip.is_empty() {
            let what = "to leave what cannot be taken back where it is";
            ways.push(format!("{what}, run `{}{skip} --reason TEXT`", command("rollback")));
        }
        ways.push(format!("to leave everything where it is, run `{} --reason TEXT`", command("abandon")));
        ways
    }
}

fn owned(Holder { host, pid, since, .. }: &Holder) -> String {
    one_line(&format!("owner: process {pid} on {host}, since {}", at(*since)))
}

/// A time, as the JSON has it.
fn at(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// A change, and the id of what it is about.
pub(crate) fn named(change: &str, id: Option<&str>) -> String {
    id.map_or_else(|| change.to_owned(), |id| format!("{change} ({id})"))
}

/// A word of the JSON as people write it.
pub(super) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}
