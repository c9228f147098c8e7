//! The unit tests of a package, built another way.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::workspace::Workspace;

/// A line of what cargo says with `--message-format=json`.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Builds the unit tests of `package` with some of its features and with `cfg` set for it alone: what it depends on is not built again, and the plain
/// tests keep their own binary. The path of the binary.
pub(super) fn build(
    workspace: &Workspace,
    package: &str,
    features: &str,
    cfg: Option<&str>,
) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.args(["rustc", "--quiet", "--package", package, "--lib", "--profile", "test"]);
    command.args(["--features", features, "--message-format=json-render-diagnostics"]);
    if let Some(cfg) = cfg {
        // Nobody debugs these.
        command.args(["--", "-C", "debuginfo=0", "--cfg", cfg]);
    }
    let output = command
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("run `cargo rustc`")?;
    ensure!(output.status.success(), "could not build the tests of {package} with cfg {cfg:?}");
    executable(&String::from_utf8_lossy(&output.stdout)).context("find the tests that cargo built")
}

/// The last binary that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages.filter_map(|message| message.executable).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_the_one_that_cargo_names() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\nnot json\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/lib-1\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/lib-1")));
        assert_eq!(executable("{\"reason\":\"build-finished\",\"success\":true}"), None);
    }
}
