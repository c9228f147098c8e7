//! Instructions per call, counted by valgrind: the figure that no other load on the machine moves.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::Variant;
use crate::child::Server;

/// What to say where valgrind is not there.
pub(super) const MISSING: &str =
    "instructions were not counted: valgrind is not installed (apt-get install valgrind)";

/// Whether valgrind is there.
pub(super) fn available() -> bool {
    let mut version = Command::new("valgrind");
    version.arg("--version").stdin(Stdio::null());
    version.output().is_ok_and(|output| output.status.success())
}

/// Instructions of the client's process for one call: what `2 * count` calls take more than `count`, by call. Start and end of the
/// process, and the first connection, cancel out. What the kernel does is not counted.
pub(super) fn instructions(variant: Variant, server: &Server, count: u32) -> anyhow::Result<f64> {
    let once = collected(variant, server, count)?;
    let twice = collected(variant, server, 2 * count)?;
    Ok((twice - once) / f64::from(count))
}

fn collected(variant: Variant, server: &Server, count: u32) -> anyhow::Result<f64> {
    let program = std::env::current_exe().context("find this program")?;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    command.args(["calls", "--variant", &variant.argument()]);
    command.args(["--count", &count.to_string(), "--address", &server.address]);
    let output = command.stdin(Stdio::null()).output().context("run valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind failed: {said}");
    total(&said).with_context(|| format!("find the count of instructions in {said}"))
}

/// The number after `Collected :`.
fn total(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_what_valgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(total(said), Some(123_456.0));
        assert_eq!(total("==7== done"), None);
    }
}
