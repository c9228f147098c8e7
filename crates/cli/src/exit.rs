//! Exit codes. They are a public promise: scripts and pipelines branch on them.

/// Done; for `plan --detailed-exitcode` also: nothing to change.
pub(crate) const DONE: u8 = 0;
/// Failed, and nothing is left behind.
pub(crate) const FAILED: u8 = 1;
/// Wrong usage or configuration; no request was sent.
pub(crate) const USAGE: u8 = 2;
/// Failed, and something is left: the report names it and the command that finishes it.
pub(crate) const LEFT: u8 = 3;
/// Not authenticated, or not allowed.
pub(crate) const DENIED: u8 = 4;
/// The workspace is locked by another deployment.
pub(crate) const LOCKED: u8 = 5;
/// `plan --detailed-exitcode`: changes are pending.
pub(crate) const PENDING: u8 = 6;
/// Interrupted, and rolled back.
pub(crate) const INTERRUPTED: u8 = 130;

/// What `selvedge help` calls the table.
pub(crate) const TOPIC: &str = "exit-codes";

/// What a code means, and what a pipeline does about it.
#[derive(Debug)]
pub(crate) struct Meaning {
    pub(crate) code: u8,
    /// As `--help` shows it.
    pub(crate) short: &'static str,
    /// In sentences.
    pub(crate) long: &'static str,
    /// What a pipeline does.
    pub(crate) pipeline: &'static str,
}

/// Each code, in the order shown by `--help`.
pub(crate) const MEANINGS: [Meaning; 8] = [
    Meaning {
        code: DONE,
        short: "done",
        long: "What was asked for was done. A deployment that had nothing to change ends so, and so does a plan, whatever it says, unless \
               --detailed-exitcode is given.",
        pipeline: "Go on.",
    },
    Meaning {
        code: FAILED,
        short: "failed, nothing left behind",
        long: "It failed, and of what it made nothing is left: nothing was begun, or everything was taken back and looked up again. Checks \
               such as `doctor`, `health` and `audit verify` end so where they find something wrong.",
        pipeline: "Fail the job. Mend what stderr names, then run the same command again.",
    },
    Meaning {
        code: USAGE,
        short: "usage or configuration, nothing sent",
        long: "What was typed, a setting or a file is wrong, and stderr names it. No request was sent.",
        pipeline: "Fail the job, and do not try again: the same files give the same answer.",
    },
    Meaning {
        code: LEFT,
        short: "failed and something is left (named)",
        long: "It failed, and something that it made, or may have made, is left. The report names each thing, and the command that finishes \
               it. So does a deployment that fails with FEATURE_USE_ROLLBACK off, whose changes stay, and `transactions sweep` \
               where it finds something.",
        pipeline: "Fail the job and call somebody. Keep the journal: run the command that the report names, and nothing else on this \
                   workspace before.",
    },
    Meaning {
        code: DENIED,
        short: "not authenticated or not allowed",
        long: "There are no credentials, they were refused, or the identity may not read what has to be read. Nothing was changed. A right \
               that is missing only in the middle of a deployment makes that fail with 1 or 3.",
        pipeline: "Fail the job. See to the secret or the role; `selvedge doctor` looks for what is wrong with secrets.",
    },
    Meaning {
        code: LOCKED,
        short: "workspace locked by another deployment",
        long: "Another deployment is writing to the workspace, or one was cut off and is still open. Nothing was changed.",
        pipeline: "Wait and run it again, some times at most. `selvedge lock list` says who it is, `selvedge transactions list` what is open.",
    },
    Meaning {
        code: PENDING,
        short: "changes pending (`plan --detailed-exitcode`)",
        long: "The workspace is not as the files say; the plan says what differs. Only `plan --detailed-exitcode` ends so.",
        pipeline: "Ask for approval and deploy; in a check for drift, fail the job.",
    },
    Meaning {
        code: INTERRUPTED,
        short: "interrupted, rolled back",
        long: "It was told to stop, by Ctrl-C, SIGTERM or SIGHUP, and everything it made was taken back.",
        pipeline: "Treat the job as cancelled. The same command can be run again.",
    },
];

/// The table of exit codes at the end of `--help`.
pub(crate) fn help() -> String {
    let rows: Vec<String> =
        MEANINGS.iter().map(|Meaning { code, short, .. }| format!("  {code:>3}  {short}")).collect();
    format!("Exit codes (`selvedge help {TOPIC}`):\n{}", rows.join("\n"))
}

/// The table with explanations.
pub(crate) fn explained() -> String {
    let rows = MEANINGS.iter().map(|Meaning { code, short, long, pipeline }| {
        format!(
            "{code:>3}  {short}\n\n{}\n\n{}",
            indented(long),
            indented(&format!("In a pipeline: {pipeline}"))
        )
    });
    let rows: Vec<String> = rows.collect();
    format!(
        "What an exit code of selvedge means, and what a pipeline does about it.\n\n{}",
        rows.join("\n\n")
    )
}

/// Lines of at most a terminal's width, indented below a code.
fn indented(text: &str) -> String {
    const WIDTH: usize = 74;
    let mut lines = vec![String::from("    ")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.len() + 1 + word.len() <= WIDTH);
        match line {
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(format!("     {word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let codes: Vec<u8> = MEANINGS.iter().map(|meaning| meaning.code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 130]);
        assert!(help().ends_with("  130  interrupted, rolled back"));
    }

    #[test]
    fn explanations_fit_a_terminal() {
        let explained = explained();
        assert!(explained.lines().all(|line| line.len() <= 80), "{explained}");
        let beginning = "  0  done\n\n     What was asked for was done.";
        assert!(explained.contains(beginning), "{explained}");
    }
}
