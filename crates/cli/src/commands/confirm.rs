//! Asks a person before something that others would feel.

use std::fmt;
use std::io::{self, BufRead, IsTerminal as _, Write};

use anyhow::{Context as _, anyhow};

use crate::output;
use crate::report::ExitWith;
use crate::run::App;

/// Why there is no yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    /// Somebody said something else.
    Answered,
    /// There is nobody to ask.
    Nobody,
}

impl fmt::Display for No {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answered => "the answer was not `yes`",
            Self::Nobody => "there is no terminal to ask on",
        })
    }
}

/// Asks `question` on the terminal. `None` is a yes.
///
/// # Errors
///
/// When it cannot be asked, or the answer cannot be read.
pub(crate) fn ask(question: &str) -> anyhow::Result<Option<No>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(Some(No::Nobody));
    }
    ask_on(question, &mut output::stderr(), &mut stdin.lock())
}

/// Shows `preview` and asks for `word` to be typed, by the predecessor's question. Whether it was. With --yes nobody is asked.
///
/// # Errors
///
/// When there is nobody to ask, or the answer cannot be read.
pub(crate) fn typed(app: &App, preview: &str, word: &str) -> anyhow::Result<bool> {
    let answer = answered(app, preview, &format!("Type '{word}' to confirm: "))?;
    Ok(answer.is_none_or(|answer| answer == word))
}

/// Shows `preview` and asks a question that `y` and `yes` say yes to. Whether it was. With --yes nobody is asked.
///
/// # Errors
///
/// As [`typed`].
pub(crate) fn agreed(app: &App, preview: &str, question: &str) -> anyhow::Result<bool> {
    let answer = answered(app, preview, &format!("{question} (y/N): "))?;
    Ok(answer.is_none_or(|answer| matches!(&*answer.to_lowercase(), "y" | "yes")))
}

/// What was answered; `None` where nobody is asked.
fn answered(app: &App, preview: &str, question: &str) -> anyhow::Result<Option<String>> {
    if app.yes {
        return Ok(None);
    }
    let (stdin, mut stderr) = (io::stdin(), output::stderr());
    writeln!(stderr, "{preview}").context("ask for confirmation")?;
    if !stdin.is_terminal() {
        let with = ExitWith::usage("ask for confirmation").help("add --yes to do it without being asked");
        return Err(anyhow!("{}", No::Nobody).context(with));
    }
    write!(stderr, "{question}").and_then(|()| stderr.flush()).context("ask for confirmation")?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).context("read the answer")?;
    Ok(Some(answer.trim().to_owned()))
}

fn ask_on(question: &str, to: &mut impl Write, from: &mut impl BufRead) -> anyhow::Result<Option<No>> {
    write!(to, "{question} Only `yes` is a yes: ").and_then(|()| to.flush()).context("ask")?;
    let mut answer = String::new();
    from.read_line(&mut answer).context("read the answer")?;
    Ok((answer.trim() != "yes").then_some(No::Answered))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_a_yes() {
        for (answer, no) in [
            ("yes\n", None),
            (" yes\r\n", None),
            ("yes", None),
            ("", Some(No::Answered)),
            ("y\n", Some(No::Answered)),
            ("Yes\n", Some(No::Answered)),
            ("no\nyes\n", Some(No::Answered)),
        ] {
            let mut asked = Vec::new();
            assert_eq!(ask_on("Go on?", &mut asked, &mut answer.as_bytes()).unwrap(), no, "{answer:?}");
            assert_eq!(asked, b"Go on? Only `yes` is a yes: ");
        }
    }
}
