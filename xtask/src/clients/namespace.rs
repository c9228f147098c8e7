//! A network namespace in which the host names of Microsoft's services lead to this machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The hosts that the clients ask, and the one that Fabric names in the `Location` of an operation.
const HOSTS: &[&str] = &[
    "api.fabric.microsoft.com",
    "api.powerbi.com",
    "emulator.vault.azure.net",
    "graph.microsoft.com",
    "login.microsoftonline.com",
    "management.azure.com",
    "finance.vault.azure.net",
    "onelake.dfs.fabric.microsoft.com",
    "wabi-us-central-b-primary-redirect.analysis.windows.net",
];
/// Whoever may make user namespaces is root in one; else it takes the real root.
const KINDS: &[&[&str]] = &[&["--user", "--map-root-user", "--net", "--mount"], &["--net", "--mount"]];
/// Only what runs in the namespace sees this loopback and these names. It becomes the command: nothing stays behind.
const ENTER: &str = r#"mount --bind "$1" /etc/hosts && ip link set lo up && shift && exec "$@""#;
const HELP: &str = "install `unshare`, `mount` and `ip` (on Debian: apt-get install util-linux mount iproute2), and run \
     as root or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu also \
     kernel.apparmor_restrict_unprivileged_userns=0)";

/// A way to run commands in such a namespace. Each command gets one of its own.
pub(super) struct Namespace {
    flags: &'static [&'static str],
    hosts: PathBuf,
}

impl Namespace {
    /// Finds out how a namespace can be made here. `hosts` is where its host names are written.
    ///
    /// # Errors
    /// When it cannot be made; the message says what to install or allow.
    pub(super) fn new(hosts: &Path) -> anyhow::Result<Self> {
        fs::write(hosts, format!("127.0.0.1 localhost {}\n", HOSTS.join(" ")))
            .context("write the host names of the network namespace")?;
        let mut refusals = Vec::new();
        for flags in KINDS {
            let namespace = Self { flags, hosts: hosts.to_owned() };
            match namespace.command("true").stdin(Stdio::null()).output() {
                Ok(output) if output.status.success() => return Ok(namespace),
                Ok(output) => refusals.push(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
                Err(error) => refusals.push(format!("unshare: {error}")),
            }
        }
        refusals.dedup();
        bail!("a network namespace cannot be made ({}); {HELP}", refusals.join("; "))
    }

    /// `program` in a namespace; arguments can be added.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        command.args(self.flags).args(["sh", "-c", ENTER, "sh"]).arg(&self.hosts).arg(program);
        command
    }
}
