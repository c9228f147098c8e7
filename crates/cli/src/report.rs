//! How an error reaches the user: `error:`, `Caused by:`, `help:` on stderr, and an exit code.

use std::{fmt, io::Write as _};

use anyhow::Error;

use crate::{
    exit,
    output::{self, ReaderGone},
    text,
};

/// What was being tried, the exit code that its failure means, and the user's next step.
/// Attach it to an error as context; the outermost one decides.
#[derive(Debug)]
pub(crate) struct ExitWith {
    code: u8,
    tried: String,
    help: Option<String>,
}

impl ExitWith {
    /// `tried` is a lowercase message without the source, as of any error.
    pub(crate) fn new(code: u8, tried: impl Into<String>) -> Self {
        Self { code, tried: tried.into(), help: None }
    }

    /// Wrong usage or configuration: nothing was sent.
    pub(crate) fn usage(tried: impl Into<String>) -> Self {
        Self::new(exit::USAGE, tried)
    }

    /// Adds the next step, best a command.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for ExitWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tried)
    }
}

impl std::error::Error for ExitWith {}

/// Prints `error` to stderr and returns the exit code that it means.
pub(crate) fn report(error: &Error, color: bool) -> u8 {
    if !error.is::<ReaderGone>() {
        // Where stderr is gone too there is nobody left to tell; the exit code still does.
        drop(output::stderr().write_all(render(error, color).as_bytes()));
    }
    exit_code(error)
}

/// The one place that maps errors to exit codes.
pub(crate) fn exit_code(error: &Error) -> u8 {
    if error.is::<ReaderGone>() {
        return exit::DONE;
    }
    error.downcast_ref::<ExitWith>().map_or(exit::FAILED, |with| with.code)
}

/// What is said to do about it.
pub(crate) fn help(error: &Error) -> Option<&str> {
    error.downcast_ref::<ExitWith>().and_then(|with| with.help.as_deref())
}

/// What went wrong, outermost first, each on lines of its own.
pub(crate) fn causes(error: &Error) -> String {
    let causes: Vec<String> = distinct(error).iter().map(|cause| text::lines(cause)).collect();
    causes.join("\n")
}

/// The messages of the chain. Some libraries wrap an error in one that says the same.
fn distinct(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.dedup();
    causes
}

/// Each message of the chain on lines of its own; what follows a message's first line is indented.
fn render(error: &Error, color: bool) -> String {
    let label = |name: &str, ansi: &str| {
        if color { format!("\x1b[{ansi}m{name}\x1b[0m") } else { name.to_owned() }
    };
    let mut rendered = String::new();
    let mut push = |label: String, message: &str, indent: &str| {
        let message = text::lines(message).replace('\n', &format!("\n{indent}"));
        rendered.push_str(&format!("{label} {message}\n"));
    };
    for (depth, cause) in distinct(error).iter().enumerate() {
        match depth {
            0 => push(label("error:", "1;31"), cause, "  "),
            _ => push(label("  Caused by:", "31"), cause, "    "),
        }
    }
    if let Some(help) = help(error) {
        push(label("help:", "1;36"), help, "  ");
    }
    rendered
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn a_chain_is_printed_outermost_first_with_its_help_last() {
        let error = anyhow!("no such key\nsecond line")
            .context("read a\x1b[2J.toml")
            .context("read a\x1b[2J.toml")
            .context(ExitWith::usage("load the settings").help("run `selvedge flags`"));
        let expected = "error: load the settings\n  Caused by: read a\\u{1b}[2J.toml\n  Caused by: no such key\n    \
                        second line\nhelp: run `selvedge flags`\n";
        assert_eq!(render(&error, false), expected);
        assert_eq!(exit_code(&error), exit::USAGE);
        assert!(render(&error, true).starts_with("\x1b[1;31merror:\x1b[0m load"));
    }

    #[test]
    fn codes() {
        let denied = || anyhow!("x").context(ExitWith::new(exit::DENIED, "get a token"));
        for (error, code) in [
            (anyhow!("anything"), exit::FAILED),
            (denied(), exit::DENIED),
            (denied().context("deploy"), exit::DENIED),
            (ReaderGone.into(), exit::DONE),
            (std::io::Error::from(std::io::ErrorKind::BrokenPipe).into(), exit::FAILED),
        ] {
            assert_eq!(exit_code(&error), code, "{error:#}");
        }
        let outer = Err::<(), _>(denied()).context(ExitWith::new(exit::LEFT, "roll back"));
        assert_eq!(exit_code(&outer.unwrap_err()), exit::LEFT, "the outermost decides");
    }
}
