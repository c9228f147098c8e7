//! A process that does not outlive whoever holds it.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Output};

use anyhow::{Context, ensure};

/// A process; killed when dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Where it has ended already there is nothing to stop.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    /// Starts one.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn();
        child.map(Self).with_context(|| format!("start {}", command.get_program().display()))
    }

    /// The lines of its standard output up to the first with `what` in it. What comes after it at the same time is lost; the pipe stays
    /// open.
    ///
    /// # Errors
    /// Its output, which must be a pipe, cannot be read, or ends before; then with what it said.
    pub fn says(&mut self, what: &str) -> anyhow::Result<String> {
        let mut stdout = BufReader::new(self.0.stdout.as_mut().context("its output is no pipe")?);
        let mut said = String::new();
        while !said.contains(what) {
            let read = stdout.read_line(&mut said).context("read what it says")?;
            ensure!(read > 0, "it ended, or said nothing more: {said:?}");
        }
        Ok(said)
    }

    /// Sends a signal, such as TERM, KILL or STOP.
    ///
    /// # Errors
    /// There is no `kill` here, or no such signal.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status();
        ensure!(sent.context("run kill")?.success(), "{name} could not be sent");
        Ok(())
    }

    /// Waits for its end, and reads what it says until then. Of a pipe that was taken there is nothing in the answer.
    ///
    /// # Errors
    /// A pipe cannot be read, or its end cannot be waited for.
    pub fn end(mut self) -> io::Result<Output> {
        let (stdout, stderr) = (self.0.stdout.take(), self.0.stderr.take());
        // At the same time: a process may wait until one of them is read.
        let reader = std::thread::spawn(move || read(stderr));
        let stdout = read(stdout)?;
        let stderr = reader.join().map_err(|_| io::Error::other("the reader of a pipe panicked"))??;
        Ok(Output { status: self.0.wait()?, stdout, stderr })
    }
}

fn read(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use super::*;

    fn sh(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Process::start(&mut command).unwrap()
    }

    #[test]
    fn it_is_killed_when_dropped() {
        // It does not end with its input.
        let process = sh("exec sleep 60");
        let started = Instant::now();
        let id = process.0.id().to_string();
        let lives = || Command::new("kill").args(["-s", "0", &id]).output().unwrap().status.success();
        assert!(lives());
        drop(process);
        assert!(!lives() && started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_it_says_is_read_up_to_what_is_looked_for() {
        let mut process = sh("echo a; echo ready b; read line; echo c");
        assert_eq!(process.says("ready").unwrap(), "a\nready b\n");
        drop(process.0.stdin.take());
        let error = process.says("ready").unwrap_err().to_string();
        assert!(error.ends_with(r#"said nothing more: "c\n""#), "{error}");
    }

    #[test]
    fn more_than_a_pipe_holds_is_read_from_both_at_the_same_time() {
        let fill = "head -c 300000 /dev/zero";
        for script in [format!("{fill}; {fill} >&2; exit 3"), format!("{fill} >&2; {fill}; exit 3")] {
            let output = sh(&script).end().unwrap();
            assert_eq!(output.status.code(), Some(3));
            assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
        }
    }

    #[test]
    fn a_signal_arrives_or_is_an_error() {
        let mut process = sh("echo ready; read line");
        assert!(process.signal("NONE").is_err());
        process.says("ready").unwrap();
        process.signal("TERM").unwrap();
        assert_eq!(process.end().unwrap().status.signal(), Some(15));
    }
}
