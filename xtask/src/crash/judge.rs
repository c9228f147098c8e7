//! What is there after a trial, against what must be.

use super::plant::{MARK, Plant};
use super::trial::{Attempt, COMMITTED, LEFT, LEFT_MARKED, NOT_BEGUN, PAST_PIVOT, ROLLED_BACK, Stop, wrong};
use super::worker::{Whose, run};

impl Attempt<'_> {
    /// Compares what is there with what must be.
    pub(super) fn judge(&self, verdict: &'static str) -> Result<&'static str, Stop> {
        let reference = self.trial.reference;
        if let Some(plant) = &self.trial.cut.plant {
            return self.judge_planted(plant, verdict);
        }
        let expected = match verdict {
            COMMITTED | PAST_PIVOT => &reference.committed,
            _ => &reference.before,
        };
        // What still runs there ends.
        self.worker.tenant.admin("POST", "clock", r#"{"advance": "10m"}"#)?;
        let (hash, world) = self.worker.inventory()?;
        if hash != *expected {
            return wrong(format!("{verdict}, but the inventory is another one: {world:#}"));
        }
        for request in self.worker.requests()? {
            if request.method == "DELETE" && PROTECTED.iter().any(|id| request.path.ends_with(id)) {
                return wrong(format!("what was there before was to be deleted: {}", request.path));
            }
        }
        if verdict == NOT_BEGUN {
            return self.begin_anew();
        }
        // In all other cases what is listed decided on the verdict.
        if verdict == PAST_PIVOT && self.worker.list(self.trial.journal)?.iter().any(|it| !it.has_ended()) {
            return wrong("a transaction is open");
        }
        Ok(verdict)
    }

    /// What somebody has planted is there, and nothing of ours besides.
    fn judge_planted(&self, plant: &Plant, verdict: &'static str) -> Result<&'static str, Stop> {
        let (hash, world) = self.worker.inventory()?;
        let found = world.to_string();
        if !found.contains(MARK) {
            return wrong(format!("{verdict}, but what was planted is gone: {world:#}"));
        }
        if found.contains("[selvedge:") {
            return if verdict == LEFT {
                Ok(LEFT_MARKED)
            } else {
                wrong(format!("{verdict}, and a marker: {world:#}"))
            };
        }
        // Of a whole rollback it is known what else is there: what was there before.
        if verdict != ROLLED_BACK {
            return Ok(verdict);
        }
        self.worker.begin(self.trial.reference)?;
        plant.plant(&self.worker.tenant)?;
        let (expected, _) = self.worker.inventory()?;
        if hash == expected { Ok(verdict) } else { wrong(format!("{verdict}, but more is there: {world:#}")) }
    }

    /// What was never begun must not stop the next deployment.
    fn begin_anew(&self) -> Result<&'static str, Stop> {
        let ended = run(&mut self.trial.command(self.worker, Whose::Deployer, &["deploy", "--yes"]))?;
        if ended.code != Some(0) {
            return wrong(format!("the next deployment ends with {:?}: {}", ended.code, ended.stderr));
        }
        let (hash, world) = self.worker.inventory()?;
        if hash != self.trial.reference.committed {
            return wrong(format!("the next deployment makes something else: {world:#}"));
        }
        Ok(NOT_BEGUN)
    }
}

/// The ids that the seed of a scenario gives.
const PROTECTED: [&str; 2] = ["88888888-0000-4000-8000-00000000000a", "99999999-0000-4000-8000-00000000000a"];
