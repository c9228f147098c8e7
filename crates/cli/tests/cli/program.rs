//! Running the program as a user does: a process with arguments, an environment and a folder.

use std::{
    io::BufReader,
    path::Path,
    process::{ChildStderr, Command, Output, Stdio},
};

use driver::Process;
use serde_json::Value;

/// The program in `folder`, with nothing in its environment.
pub(crate) fn selvedge(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn is(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Its exit code, and what stderr says among other things; nothing to say means that it must be silent.
    #[track_caller]
    pub(crate) fn ends(self, code: i32, said: &[&str]) -> Self {
        let ended = self.is(code);
        for expected in said {
            assert!(ended.stderr.contains(expected), "expected {expected:?} in\n{}", ended.stderr);
        }
        assert!(!said.is_empty() || ended.stderr.is_empty(), "{}", ended.stderr);
        ended
    }

    /// The one JSON document that stdout is.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }

    /// The arguments of the one command that a text tells its reader to run.
    #[track_caller]
    pub(crate) fn command(&self) -> Vec<String> {
        let mut commands = self.stderr.split('`').filter_map(|quoted| quoted.strip_prefix("selvedge "));
        let command = commands.next().unwrap_or_else(|| panic!("no command in {}", self.stderr));
        command.split_whitespace().map(str::to_owned).collect()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// Runs to the end.
pub(crate) fn run(command: &mut Command) -> Ended {
    command.output().unwrap().into()
}

/// A process in the background; killed when a test ends early.
pub(crate) struct Background(Process);

impl Background {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())).unwrap())
    }

    /// The lines of stdout up to the first with `what` in it.
    #[track_caller]
    pub(crate) fn says(&mut self, what: &str) -> String {
        self.0.says(what).unwrap()
    }

    /// Hands out stderr, to be read while the process runs.
    pub(crate) fn stderr(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.0.0.stderr.take().unwrap())
    }

    /// Closes its standard input.
    pub(crate) fn close_input(&mut self) {
        drop(self.0.0.stdin.take());
    }

    /// Sends a signal, such as TERM, KILL or STOP.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        self.0.signal(name).unwrap();
    }

    /// Waits for its end. A stderr that was handed out is not in the answer.
    pub(crate) fn end(self) -> Ended {
        self.0.end().unwrap().into()
    }
}
