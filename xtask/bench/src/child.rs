//! The server as a child: this very program, started once more.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};

/// A server in a process of its own, so that its work is not counted as the client's. Ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:4711`.
    pub(crate) address: String,
}

impl Server {
    /// Starts one with these arguments of `serve`, and waits until it listens.
    pub(crate) fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find this program")?;
        let mut command = Command::new(program);
        command.arg("serve").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start the server")?;
        let stdout = child.stdout.take().context("read the server's address")?;
        let mut server = Self { child, address: String::new() };
        BufReader::new(stdout).read_line(&mut server.address).context("read the server's address")?;
        server.address = server.address.trim_end().to_owned();
        ensure!(server.address.starts_with("http://"), "the server did not start");
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the end of the server; where that cannot be seen there is nobody to tell.
        drop(self.child.stdin.take());
        let ended = self.child.wait();
        debug_assert!(ended.is_ok(), "{ended:?}");
    }
}
