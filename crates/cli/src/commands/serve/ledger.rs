//! What the journals say: transactions that have not ended, and the last that have.

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use selvedge_observability::health::page::Transaction;
use selvedge_observability::health::{Finding, Status};
use selvedge_rollback::journal::Summary;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::commands::deploy::target::Target;
use crate::commands::transactions::Report;
use crate::place::Place;
use crate::run::App;
use crate::subject;
use crate::text::one_line;

/// How many of the last are shown.
const LAST: usize = 8;
/// How a report calls a transaction that a process has in hand.
const RUNNING: &str = "running";
/// How many journals are read at once.
const AT_ONCE: usize = 8;
/// Longer than any journal is kept.
const FOR_EVER: std::time::Duration = std::time::Duration::from_secs(100 * 365 * 86_400);

/// What was found, in the words of the page.
pub(super) struct Ledger {
    /// Newest first.
    pub(super) open: Vec<Transaction>,
    /// Newest first.
    pub(super) last: Vec<Transaction>,
    running: u64,
}

impl Ledger {
    /// Without any journal.
    pub(super) fn empty() -> Self {
        Self { open: Vec::new(), last: Vec::new(), running: 0 }
    }

    /// # Errors
    ///
    /// When the place cannot be read. A journal that cannot be read is an open transaction.
    pub(super) async fn read(app: &App, place: &Place) -> anyhow::Result<Self> {
        let open = place.journals.list_unless_ended::<Target>(FOR_EVER).await.context("list the journals")?;
        let is_open = |id| open.iter().any(|found| found.id == id);
        let mut ended = place.journals.ids().await.context("list the journals")?;
        ended.retain(|id| !is_open(*id));
        let last = ended.into_iter().rev().take(LAST).map(|id| place.journals.summary::<Target>(id));
        let last: Vec<_> = futures_util::stream::iter(last).buffered(AT_ONCE).collect().await;
        let open = told(app, place, open.iter().rev()).await?;
        // As its report says: of a container the journal alone does not tell.
        let running = open.iter().filter(|found| found.state == RUNNING).count() as u64;
        Ok(Self { open, last: told(app, place, last.iter()).await?, running })
    }

    /// Whether somebody has to do something.
    pub(super) fn judged(&self) -> Finding {
        let waiting = (self.open.len() as u64).saturating_sub(self.running);
        let found = match (waiting, self.running) {
            (0, 0) => Finding::pass("No open transactions"),
            (0, _) => Finding::pass("A deployment is running"),
            _ => Finding::warn("Open transactions wait to be taken up"),
        };
        found.with([("running", self.running), ("waiting", waiting)])
    }
}

async fn told<'a>(
    app: &App,
    place: &Place,
    found: impl Iterator<Item = &'a Summary<Target>>,
) -> anyhow::Result<Vec<Transaction>> {
    let rows = futures_util::stream::iter(found).map(async |found| {
        let report = Report::read(app, place, found).await?;
        anyhow::Ok(row(&report, found.last))
    });
    rows.buffered(AT_ONCE).try_collect().await
}

fn row(report: &Report, last: Option<OffsetDateTime>) -> Transaction {
    let workspaces = subject::workspaces(report.subject.as_deref().unwrap_or_default());
    Transaction {
        id: report.transaction.to_string(),
        what: one_line(&workspaces),
        state: report.state_words(),
        status: match report.state {
            "committed" | RUNNING => Status::Pass,
            _ => Status::Warn,
        },
        at: last.map(at).unwrap_or_default(),
        commands: report.commands.iter().map(|command| one_line(anywhere(command))).collect(),
    }
}

/// A command without the project's folder, which is this machine's business.
fn anywhere(command: &str) -> &str {
    command.split_once(" --project ").map_or(command, |(command, _)| command)
}

/// A time for people, UTC.
pub(super) fn at(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_without_the_folder() {
        assert_eq!(anywhere("selvedge transactions rollback 42"), "selvedge transactions rollback 42");
        assert_eq!(
            anywhere("selvedge transactions rollback 42 --project '/a b'"),
            "selvedge transactions rollback 42"
        );
    }

    #[test]
    fn only_what_waits_is_a_warning() {
        let row = || Transaction {
            id: String::new(),
            what: String::new(),
            state: String::new(),
            status: Status::Warn,
            at: String::new(),
            commands: Vec::new(),
        };
        for (open, running, status) in
            [(0, 0, Status::Pass), (1, 1, Status::Pass), (1, 0, Status::Warn), (2, 1, Status::Warn)]
        {
            let ledger = Ledger { open: (0..open).map(|_| row()).collect(), last: Vec::new(), running };
            assert_eq!(ledger.judged().status, status, "{open} {running}");
        }
    }
}
