//! One tenant and one project folder, and the program that is run and killed in them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::cut::{Fate, Point};
use super::scenario::Scenario;
use super::tenant::{PATIENCE, Tenant};

/// Settings under which nobody waits: the emulator does not lag.
const IN_A_HURRY: [(&str, &str); 9] = [
    ("SELVEDGE_BREAKER__OPEN_FOR", "50ms"),
    ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "60s"),
    ("SELVEDGE_HTTP__CALL_DEADLINE", "90s"),
    ("SELVEDGE_POLLING__FIRST_POLL", "10ms"),
    ("SELVEDGE_RETRY__BASE_DELAY", "10ms"),
    ("SELVEDGE_RETRY__MAX_DELAY", "100ms"),
    ("SELVEDGE_ROLLBACK__CONSISTENCY_DELAY", "10ms"),
    // Longer than the longest operation here takes.
    ("SELVEDGE_ROLLBACK__IN_FLIGHT", "600ms"),
    // The same requests and records in the same order each time, so that every place to die has a number.
    ("SELVEDGE_ROLLBACK__CONCURRENCY", "1"),
];

/// Where the journals are, and where a recovery runs. A store of another kind is one more of these: it decides on the
/// variables of a process, on its folder, and on how many records there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Journal {
    /// In the project's folder, and so is the recovery.
    Local,
    /// In a folder of their own; the recovery runs in another project, where nothing of this one is known.
    Elsewhere,
}

impl Journal {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// Who runs the program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The deployment.
    Deployer,
    /// Whoever takes up what it left.
    Operator,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A transaction as the program lists it.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) state: String,
}

/// One tenant and what is deployed to it.
pub(super) struct Worker {
    pub(super) tenant: Tenant,
    binary: PathBuf,
    folder: PathBuf,
}

impl Worker {
    /// With folders below `folder`, which is emptied.
    pub(super) fn new(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).context("empty the worker's folder")?;
        }
        let elsewhere = folder.join("elsewhere");
        fs::create_dir_all(&elsewhere).context("make the worker's folders")?;
        fs::write(elsewhere.join("project.config.json"), "{}").context("write the other project")?;
        let tenant = Tenant::start(binary, &folder.join("emulator"))?;
        Ok(Self { tenant, binary: binary.to_owned(), folder: folder.to_owned() })
    }

    /// The project's folder with `scenario` in it and no journal anywhere.
    pub(super) fn lay_out(&self, scenario: &Scenario) -> anyhow::Result<()> {
        scenario.lay_out(&self.project())?;
        for folder in [self.project().join(".selvedge"), self.folder.join("journals")] {
            if folder.exists() {
                fs::remove_dir_all(folder).context("remove the journals of the last run")?;
            }
        }
        Ok(())
    }

    pub(super) fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// The program, with this tenant in its environment, and the rollback flag on.
    pub(super) fn selvedge(&self, whose: Whose, journal: Journal, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(args).env_clear().stdin(Stdio::null());
        command.envs(self.tenant.environment.iter().cloned()).envs(IN_A_HURRY);
        command.env("GITHUB_TOKEN", "a-token").env("FEATURE_USE_ROLLBACK", "true");
        if journal == Journal::Elsewhere {
            command.env("SELVEDGE_ROLLBACK__JOURNAL_DIR", self.journals(journal));
        }
        command.current_dir(match (whose, journal) {
            (Whose::Operator, Journal::Elsewhere) => self.folder.join("elsewhere"),
            _ => self.project(),
        });
        command
    }

    fn journals(&self, journal: Journal) -> PathBuf {
        match journal {
            Journal::Local => self.project().join(".selvedge/transactions"),
            Journal::Elsewhere => self.folder.join("journals"),
        }
    }

    /// The lines of the one journal that there is.
    pub(super) fn journal(&self, journal: Journal) -> anyhow::Result<Vec<Value>> {
        let entries = fs::read_dir(self.journals(journal)).context("find the journal")?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        // Beside them are locks.
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        let [path] = paths.as_slice() else { bail!("there are {} journals", paths.len()) };
        let text = fs::read_to_string(path).context("read the journal")?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// The transactions that the program lists.
    pub(super) fn list(&self, journal: Journal) -> anyhow::Result<Vec<Listed>> {
        let ended =
            run(&mut self.selvedge(Whose::Operator, journal, &["transactions", "list", "--output", "json"]))?;
        ensure!(ended.code == Some(0), "`transactions list` failed: {}", ended.stderr);
        let told: Value = serde_json::from_str(&ended.stdout).context("read what `list` prints")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let listed =
            told["transactions"].as_array().context("find the transactions in what `list` prints")?;
        Ok(listed
            .iter()
            .map(|it| Listed { id: text(&it["transaction"]), state: text(&it["state"]) })
            .collect())
    }

    /// Runs `command` until it is at `point`, and kills it there. How it ended, where it ended before that.
    pub(super) fn cut(
        &self,
        mut command: Command,
        point: &Point,
        faults: Option<&str>,
    ) -> anyhow::Result<Option<Ended>> {
        let armed = self.arm(&mut command, point)?;
        // After the trap, so that what they answer counts for it.
        if let Some(faults) = faults {
            self.tenant.inject(faults)?;
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("start it")?;
        let (said, stopped) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicBool::new(false)));
        let reader = child.stderr.take().map(|stderr| {
            let (said, stopped) = (Arc::clone(&said), Arc::clone(&stopped));
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let failpoint = line.contains("stopped at failpoint ");
                    *said.lock().unwrap_or_else(PoisonError::into_inner) += &(line + "\n");
                    stopped.fetch_or(failpoint, Ordering::Relaxed);
                }
            })
        });
        let started = Instant::now();
        let reached = loop {
            if self.is_reached(&armed, &stopped)? {
                break true;
            }
            if child.try_wait().context("look at the process")?.is_some() {
                break false;
            }
            if started.elapsed() > PATIENCE {
                drop(child.kill());
                bail!("it neither ended nor came to {point} within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        if reached {
            child.kill().context("kill it")?;
        }
        let output = child.wait_with_output().context("wait for its end")?;
        if let Some(reader) = reader {
            drop(reader.join());
        }
        self.let_go(&armed, reached)?;
        if reached {
            ensure!(output.status.code().is_none(), "it ended by itself when it was to be killed");
            return Ok(None);
        }
        let stderr = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Some(Ended { stderr, ..Ended::from(output) }))
    }

    /// Sets the trap.
    fn arm(&self, command: &mut Command, point: &Point) -> anyhow::Result<Armed> {
        match point {
            Point::Record { seq, side } => {
                command.env("FAILPOINT", format!("{}:{seq}", side.name()));
                Ok(Armed::Record)
            }
            Point::Request { pattern, skip, fate, .. } => {
                if *fate == Fate::Lost {
                    // It has no effect, and no answer once it is let go.
                    self.tenant.inject(&format!("{pattern}=silence,skip={skip},times=1"))?;
                }
                let side = if *fate == Fate::Lands { "before" } else { "after" };
                Ok(Armed::Hold { hold: self.tenant.hold(pattern, *skip, side)?, fate: *fate })
            }
        }
    }

    /// Whether it is in the trap.
    fn is_reached(&self, armed: &Armed, stopped: &AtomicBool) -> anyhow::Result<bool> {
        match armed {
            Armed::Record => Ok(stopped.load(Ordering::Relaxed)),
            Armed::Hold { hold, .. } => self.tenant.is_held(*hold),
        }
    }

    /// What was held lands, and the next process meets no trap.
    fn let_go(&self, armed: &Armed, reached: bool) -> anyhow::Result<()> {
        if let Armed::Hold { hold, fate } = armed {
            self.tenant.release(*hold)?;
            if reached && *fate != Fate::Lost {
                self.tenant.settle()?;
            }
        }
        self.tenant.heal()
    }
}

/// A trap that is set.
enum Armed {
    Record,
    Hold { hold: u64, fate: Fate },
}

/// Runs to the end.
pub(super) fn run(command: &mut Command) -> anyhow::Result<Ended> {
    Ok(command.output().with_context(|| format!("run {command:?}"))?.into())
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}
