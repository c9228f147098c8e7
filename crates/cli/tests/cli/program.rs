//! Running the program as a user does: a process with arguments, an environment and a folder.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use serde_json::Value;

/// The program in `folder`, with nothing in its environment.
pub(crate) fn selvedge(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selvedge"));
    command.args(args).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// An emulator that stops when whoever started it is gone, however that ended.
pub(crate) fn emulator(folder: &Path, args: &[&str]) -> Command {
    let mut command = selvedge(folder, &["emulator", "--exit-on-stdin-eof"]);
    command.args(args).stdin(Stdio::piped());
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
pub(crate) struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Background {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// The first line of stdout.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    }

    /// The next lines of stdout.
    pub(crate) fn lines(&mut self, count: usize) -> Vec<String> {
        BufReader::new(self.0.stdout.as_mut().unwrap()).lines().map(Result::unwrap).take(count).collect()
    }

    /// Hands out stderr, to be read while the process runs.
    pub(crate) fn stderr(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.0.stderr.take().unwrap())
    }

    /// Closes its standard input.
    pub(crate) fn close_input(&mut self) {
        drop(self.0.stdin.take());
    }

    /// Sends a signal, such as TERM, KILL or STOP.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end. A stderr that was handed out is not in the answer.
    pub(crate) fn end(mut self) -> Ended {
        let mut read = [Vec::new(), Vec::new()];
        // What a verdict prints fits into a pipe's buffer, so one after the other cannot block the process.
        if let Some(stderr) = &mut self.0.stderr {
            stderr.read_to_end(&mut read[1]).unwrap();
        }
        if let Some(stdout) = &mut self.0.stdout {
            stdout.read_to_end(&mut read[0]).unwrap();
        }
        let code = self.0.wait().unwrap().code();
        Ended { code, stdout: text(&read[0]), stderr: text(&read[1]) }
    }
}
