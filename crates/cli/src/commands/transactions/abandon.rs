//! `selvedge transactions abandon`: ends an interrupted transaction where it stands.

use selvedge_rollback::{Cause, TransactionId, Verdict};
use serde_json::json;

use super::report::Report;
use super::take_up::{claim, open, refuse_ended};
use crate::audit::{Audit, Trail};
use crate::commands::deploy::{Asked, How, Outcome, apply, target};
use crate::exit;
use crate::place::Place;
use crate::render::Progress;
use crate::run::App;

/// Writes into the journal that nobody will go on with it, and says what is left. Fabric is not asked for anything.
///
/// # Errors
///
/// When it is running or has ended, or its journal cannot be written.
pub(super) async fn run(app: &App, place: &Place, id: TransactionId, reason: &str) -> anyhow::Result<u8> {
    let started = std::time::Instant::now();
    let audit = Audit::open(app)?;
    let loaded = open(app, place, id).await?;
    refuse_ended(&loaded.state, "abandon")?;
    let begin = loaded.state.begin();
    let (plan, what) = (begin.plan.clone(), json!({ "subject": begin.subject }));
    let progress = Progress::new(app);
    let (loaded, lease) = claim(app, place, loaded, &progress).await?;
    let before = Report::of(app, &loaded.state, None);
    // Nobody signs in for it.
    let trail = Trail::of_journal(&audit, app, loaded.state.begin(), None);
    if let Err(error) = trail.take_up(&loaded.state, "abandon") {
        lease.release().await;
        return Err(error);
    }
    let ended = loaded.abandon(&target::writer(), reason).await;
    lease.release().await;
    if let Err(error) = &ended {
        trail.ended(&plan, Err(error));
        audit.close();
    }
    let view = ended.map_err(|error| apply::unfinished(app, error, &before))?;
    drop(progress);
    let (report, direction, remaining) =
        view.read(|state| (Report::of(app, state, None), state.direction(), state.remaining()));
    let cause = Cause { step: None, reason: reason.to_owned(), error: None };
    trail.abandoned(&cause, &remaining);
    audit.close();
    let verdict = Verdict::Left { cause, direction, remaining };
    let how = How::Transaction { ended: Ok(verdict.into()), interrupted: false, report: Box::new(report) };
    // What was asked for was done: the verdict is printed, and is no failure.
    let asked = Asked::GoOn { verb: "abandon", had_ended: false };
    drop(Outcome { how, plan: &plan, elapsed: started.elapsed(), what, asked }.finish(app));
    Ok(exit::DONE)
}
