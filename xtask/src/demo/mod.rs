//! `cargo xtask demo`: the README's transcripts, from real runs of the binary against its own emulator.

mod normalise;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::blocks;
use crate::workspace::{File, Workspace};

/// One transcript: what is typed, and how it must end.
struct Demo {
    /// Names the block of the README.
    name: &'static str,
    arguments: &'static [&'static str],
    exit_code: i32,
}

const CONFIG: &str = "examples/sales-analytics/product_config.yaml";

const DEMOS: &[Demo] = &[
    Demo { name: "deploy", arguments: &["deploy", "--local", CONFIG], exit_code: 0 },
    Demo {
        name: "rollback",
        arguments: &["deploy", "--local", CONFIG, "--inject", "POST */git/connect=503"],
        exit_code: 1,
    },
];

/// Records every transcript; with `check`, compares instead of writing and is `false` on a difference.
pub(crate) fn run(workspace: &Workspace, check: bool) -> anyhow::Result<bool> {
    let path = workspace.root.join("README.md");
    let old = std::fs::read_to_string(&path).context("read README.md")?;
    let binary = workspace.binary()?;
    let examples: Vec<File> =
        workspace.files()?.into_iter().filter(|file| file.path.starts_with("examples/")).collect();

    let mut new = old.clone();
    for demo in DEMOS {
        let folder = workspace.target.join("demo").join(demo.name);
        lay_out(&folder, &examples)?;
        let transcript = demo.record(&binary, &folder)?;
        let block = format!("```console\n{}\n```", transcript.trim_end());
        new = blocks::replace("README.md", &new, "demo", demo.name, &block)?;
    }
    if new == old {
        println!("demo: README.md shows what the binary prints");
        return Ok(true);
    }
    if check {
        println!("{}", blocks::difference("README.md", &old, &new));
        println!("demo: README.md differs; `cargo xtask demo` writes it anew");
        return Ok(false);
    }
    std::fs::write(&path, new).context("write README.md")?;
    println!("demo: README.md is written anew");
    Ok(true)
}

/// Puts `files` into an empty `folder`: neither a `.env` nor a journal of a developer takes part in a demo.
fn lay_out(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).context("remove the last demo")?;
    }
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).context("make the folder of a demo")?;
        }
        std::fs::write(path, &file.text).with_context(|| format!("copy {}", file.path))?;
    }
    Ok(())
}

impl Demo {
    /// Runs `binary` in `folder`, without a terminal and with no variables but its own; returns what a reader sees.
    fn record(&self, binary: &Path, folder: &Path) -> anyhow::Result<String> {
        let (mut output, input) = std::io::pipe()?;
        let mut command = Command::new(binary);
        command
            .args(self.arguments)
            .env_clear()
            .env("NO_COLOR", "1")
            .current_dir(folder)
            .stdin(Stdio::null())
            // One pipe for both: a reader sees them in the order in which they were written.
            .stdout(input.try_clone()?)
            .stderr(input);
        let mut child = command.spawn().with_context(|| format!("run {}", binary.display()))?;
        // It holds our copies of the pipe's other end: the output would never end.
        drop(command);
        let mut printed = String::new();
        output.read_to_string(&mut printed).context("read what the demo prints")?;
        let status = child.wait()?;
        ensure!(
            status.code() == Some(self.exit_code),
            "the demo `{}` ended with {status}, not with {}:\n{printed}",
            self.name,
            self.exit_code
        );
        let printed = normalise::normalise(&printed, &folder.to_string_lossy());
        Ok(format!("$ {}\n{printed}", self.typed()))
    }

    /// The command as one types it.
    fn typed(&self) -> String {
        let arguments = self.arguments.iter().map(|argument| {
            if argument.contains([' ', '*']) { format!("'{argument}'") } else { (*argument).to_owned() }
        });
        let words: Vec<String> = std::iter::once("selvedge".to_owned()).chain(arguments).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let typed: Vec<String> = DEMOS.iter().map(Demo::typed).collect();
        assert_eq!(
            typed,
            [
                "selvedge deploy --local examples/sales-analytics/product_config.yaml",
                "selvedge deploy --local examples/sales-analytics/product_config.yaml \
                 --inject 'POST */git/connect=503'",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_transcript_has_both_streams_in_order_and_the_expected_exit_code() {
        let demo = |exit_code| Demo {
            name: "sh",
            arguments: &["-c", "echo $NO_COLOR $HOME; echo id 0123456789abcdef >&2; echo end; exit 3"],
            exit_code,
        };
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let transcript = demo(3).record(Path::new("/bin/sh"), here).unwrap();
        let (_, printed) = transcript.split_once('\n').unwrap();
        assert_eq!(printed, "1\nid <id>\nend\n");

        let error = demo(0).record(Path::new("/bin/sh"), here).unwrap_err().to_string();
        assert!(error.starts_with("the demo `sh` ended with exit status: 3, not with 0:\n1"), "{error}");
    }
}
