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

/// Each code with its meaning, in the order shown by `--help`.
const MEANINGS: [(u8, &str); 8] = [
    (DONE, "done"),
    (FAILED, "failed, nothing left behind"),
    (USAGE, "usage or configuration, nothing sent"),
    (LEFT, "failed and something is left (named)"),
    (DENIED, "not authenticated or not allowed"),
    (LOCKED, "workspace locked by another deployment"),
    (PENDING, "changes pending (`plan --detailed-exitcode`)"),
    (INTERRUPTED, "interrupted, rolled back"),
];

/// The table of exit codes at the end of `--help`.
pub(crate) fn help() -> String {
    let rows: Vec<String> =
        MEANINGS.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}")).collect();
    format!("Exit codes:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let mut codes: Vec<u8> = MEANINGS.iter().map(|(code, _)| *code).collect();
        codes.dedup();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 130]);
        assert!(help().ends_with("  130  interrupted, rolled back"));
    }
}
