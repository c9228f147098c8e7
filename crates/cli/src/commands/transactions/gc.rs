//! `selvedge transactions gc`: removes the journals of transactions that ended long ago.
//!
//! With a journal go the definitions that it holds. What did not commit is looked for once more first: while something carries its
//! marker the journal stays, for nothing else says what it is.

use anyhow::Context as _;
use selvedge_deployment::change::Change;
use selvedge_deployment::strays::{self, Looked};
use selvedge_fabric_client::layer::Principal;
use selvedge_rollback::journal::{Ended, JournalError, Summary};
use selvedge_rollback::{Direction, TransactionId, describe};
use serde_json::{Value, json};

use super::recheck;
use super::report::state_name;
use super::sweep;
use super::take_up::refuse_elsewhere;
use crate::args::GcArgs;
use crate::clients::Clients;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::report::ExitWith;
use crate::run::App;
use crate::subject;
use crate::text::one_line;

/// A transaction whose journal is old enough.
struct Due {
    ended: Ended,
    state: &'static str,
    subject: String,
    /// Why its journal stays.
    kept: Option<Kept>,
}

/// Why a journal stays.
struct Kept {
    reason: String,
    /// Whether something of the transaction is left.
    is_left: bool,
}

impl Kept {
    fn because(reason: impl Into<String>) -> Option<Self> {
        Some(Self { reason: reason.into(), is_left: false })
    }

    fn left(reason: impl Into<String>) -> Option<Self> {
        Some(Self { reason: reason.into(), is_left: true })
    }
}

/// Removes what is due. What is open, running or cannot be read is not touched.
///
/// # Errors
///
/// When the journals cannot be listed or removed, or what is in Fabric cannot be read.
pub(super) async fn run(app: &App, place: &Place, args: &GcArgs) -> anyhow::Result<u8> {
    let failed = || ExitWith::new(exit::FAILED, "remove the journals of transactions that have ended");
    if !args.dry_run {
        place
            .journals
            .finish_removals()
            .await
            .map_err(|error| anyhow::Error::from(error).context(failed()))?;
    }
    let mut due = due(app, place, args).await?;
    for one in &mut due {
        if one.kept.is_some() || args.dry_run {
            continue;
        }
        match place.journals.remove(&one.ended).await {
            Ok(()) => {}
            Err(error @ JournalError::Running { .. }) => one.kept = Kept::because(describe(&error)),
            Err(error) => return Err(anyhow::Error::from(error).context(failed())),
        }
    }
    tell(app, &due, args.dry_run)?;
    let is_left = due.iter().any(|one| one.kept.as_ref().is_some_and(|kept| kept.is_left));
    Ok(if is_left { exit::LEFT } else { exit::DONE })
}

/// Those that are old enough, each with what speaks against its removal.
async fn due(app: &App, place: &Place, args: &GcArgs) -> anyhow::Result<Vec<Due>> {
    let keep = args.older_than.unwrap_or(app.settings.rollback.retention);
    let listed = place.journals.list::<Target>().await?;
    let old =
        listed.into_iter().filter_map(|one| Some((one.ended().filter(|ended| ended.age() >= keep)?, one)));
    let found: Vec<_> = old.collect();
    let seen = look(app, &found).await?;
    let due = found.into_iter().filter_map(|(ended, one)| {
        let state = one.state.as_ref().ok()?;
        let kept = against(app, &one, &ended, seen.as_ref());
        let (subject, state) = (state.begin().subject.clone(), state_name(state.direction(), false));
        Some(Due { ended, state, subject, kept })
    });
    Ok(due.collect())
}

/// What was seen of Fabric, and by whom.
struct Seen {
    looked: Looked,
    principal: Option<Principal>,
}

/// Looks for markers in the workspaces of those that did not commit. `None`: there are none, and nothing is asked.
async fn look(app: &App, found: &[(Ended, Summary<Target>)]) -> anyhow::Result<Option<Seen>> {
    let doubtful = found.iter().filter(|(ended, _)| ended.direction() != Direction::Committed);
    let begun = doubtful.filter_map(|(_, one)| Some(one.state.as_ref().ok()?.begin()));
    let subjects: Vec<_> =
        begun.filter(|begin| refuse_elsewhere(app, begin).is_ok()).map(|begin| &*begin.subject).collect();
    if subjects.is_empty() {
        return Ok(None);
    }
    let clients = Clients::new(app).await?;
    let is_wanted = |name: &str| {
        let wanted = subject::of(app, [name]);
        subjects.iter().any(|subject| subject::overlap(subject, &wanted))
    };
    let looked = strays::look(&clients.fabric, is_wanted).await.map_err(sweep::not_looked)?;
    let principal = clients.identity.principal().await.context("sign in to Fabric")?;
    Ok(Some(Seen { looked, principal }))
}

/// What speaks against the removal.
fn against(app: &App, one: &Summary<Target>, ended: &Ended, seen: Option<&Seen>) -> Option<Kept> {
    let state = one.state.as_ref().ok()?;
    let (begin, id) = (state.begin(), ended.id());
    if ended.direction() == Direction::Committed {
        let command = app.transactions("resume", id);
        let marked = || Kept::left(format!("a marker may still be on what it made: run `{command}`"));
        return state.has_markers().then(marked).flatten();
    }
    let elsewhere = refuse_elsewhere(app, begin).err();
    let another = seen.and_then(|seen| recheck::another(begin, seen.principal.as_ref()));
    if let Some(why) = elsewhere.map(|error| error.root_cause().to_string()).or(another) {
        return Kept::because(format!("what it made cannot be looked for from here: {why}"));
    }
    let looked = &seen?.looked;
    let mine = looked.strays.iter().filter(|stray| stray.marker.transaction == id);
    let names: Vec<_> = mine.map(sweep::name).collect();
    if !names.is_empty() {
        return Kept::left(format!("its marker is on {}", names.join(", ")));
    }
    let seen: Vec<_> = looked.workspaces.iter().map(|name| subject::of(app, [&**name])).collect();
    let is_visible =
        subject::canonical(&begin.subject).lines().all(|line| seen.iter().any(|seen| seen == line));
    let makes_workspace =
        begin.plan.steps().iter().any(|step| matches!(step.change, Change::CreateWorkspace { .. }));
    if !is_visible && !makes_workspace {
        return Kept::because("its workspace, which was there before, cannot be seen");
    }
    None
}

fn tell(app: &App, due: &[Due], dry_run: bool) -> anyhow::Result<()> {
    let id = |one: &Due| -> TransactionId { one.ended.id() };
    if app.output == Format::Text {
        if due.is_empty() {
            return output::line("There is nothing to remove.");
        }
        for one in due {
            let (word, reason) = match (&one.kept, dry_run) {
                (Some(kept), _) => ("kept", format!(": {}", kept.reason)),
                (None, true) => ("would be removed", String::new()),
                (None, false) => ("removed", String::new()),
            };
            let line = format!("{}  {:<11}  {}  {word}{reason}", id(one), one.state, one.subject);
            output::line(&one_line(&line))?;
        }
        return Ok(());
    }
    let row = |one: &Due| -> Value {
        json!({
            "transaction": id(one).to_string(),
            "state": one.state,
            "subject": one.subject,
            "age_seconds": one.ended.age().as_secs(),
            "kept": one.kept.as_ref().map(|kept| kept.reason.as_str()),
        })
    };
    let (kept, removed): (Vec<_>, Vec<_>) = due.iter().partition(|one| one.kept.is_some());
    let rows = |some: &[&Due]| some.iter().map(|one| row(one)).collect::<Vec<_>>();
    render::result(app.output, json!({ "dry_run": dry_run, "removed": rows(&removed), "kept": rows(&kept) }))
}
