//! The server as a child: this very program, started once more.

use std::process::{Command, Stdio};

use anyhow::Context;
use driver::Process;

/// A server in a process of its own, so that its work is not counted as the client's. Ends when dropped.
pub(crate) struct Server {
    /// Where it listens, such as `http://127.0.0.1:4711`.
    pub(crate) address: String,
    _process: Process,
}

impl Server {
    /// Starts one with these arguments of `serve`, and waits until it listens.
    pub(crate) fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find this program")?;
        let mut command = Command::new(program);
        // It ends with its input, however this process ends.
        command.arg("serve").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let address = process.says("http://").context("start the server")?.trim_end().to_owned();
        Ok(Self { address, _process: process })
    }
}
