//! Programs of Debian's packages that tasks use.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};

use crate::workspace::Workspace;

/// A program, and the package of Debian's that has it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

impl Program {
    /// The one that is installed, or that of Debian's package, unpacked once into a folder of our own. That takes no rights.
    ///
    /// # Errors
    /// When it is not installed, and the package cannot be had; the message says what to install.
    pub(crate) fn path(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        let Self { name, package } = self;
        let mut installed = Command::new(name);
        if installed.arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Ok(name.into());
        }
        let folder = workspace.target.join("debian").join(package);
        let unpacked = folder.join("unpacked");
        let program = unpacked.join("usr").join("bin").join(name);
        // Written last: a folder without it is one that was not finished.
        let stamp = folder.join("installed");
        if stamp.is_file() {
            return Ok(program);
        }
        println!(
            "==> {name} is not installed: unpacking Debian's package {package} once, into {}",
            folder.display()
        );
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove the last {name}"))?;
        }
        let (lists, cache) = (folder.join("lists"), folder.join("cache"));
        for made in [lists.join("partial"), cache.join("archives").join("partial")] {
            fs::create_dir_all(made).with_context(|| format!("make a folder for {name}"))?;
        }
        // Lists of its own: those of the system may be old or none, and are not ours to write.
        let own =
            [format!("Dir::State::Lists={}", lists.display()), format!("Dir::Cache={}", cache.display())];
        for task in [&["update"][..], &["download", package]] {
            let mut apt = Command::new("apt-get");
            apt.arg("--quiet").args(own.iter().flat_map(|option| ["-o", option])).args(task);
            self.succeed(apt.current_dir(&folder))?;
        }
        let downloaded = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
        let downloaded = downloaded.into_iter().find(|path| path.extension().is_some_and(|it| it == "deb"));
        let downloaded = downloaded.context("apt-get downloaded no package")?;
        self.succeed(Command::new("dpkg-deb").arg("--extract").arg(&downloaded).arg(&unpacked))?;
        self.succeed(Command::new(&program).arg("--version").stdout(Stdio::null()))?;
        fs::write(&stamp, downloaded.display().to_string()).context("write down what is installed")?;
        Ok(program)
    }

    fn succeed(&self, command: &mut Command) -> anyhow::Result<()> {
        let Self { name, package } = self;
        let help = format!("install {name} (on Debian: apt-get update && apt-get install {package})");
        match command.stdin(Stdio::null()).status() {
            Ok(status) => {
                ensure!(status.success(), "{command:?} ended with {status}; {help}");
                Ok(())
            }
            Err(error) => bail!("run {command:?}: {error}; {help}"),
        }
    }
}
