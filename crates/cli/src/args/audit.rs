//! `selvedge audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `selvedge audit`
#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The project's folder, where the audit trail is; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: AuditAction,
}

/// What to do with the audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditAction {
    /// Check that no line was changed, left out or put in
    ///
    /// Exit code 0 where the trail is intact, though its last line may not be written to its end, and 1 where it is not. Lines that are
    /// missing at the end are not found: compare the last hash with a copy kept elsewhere.
    Verify(VerifyArgs),
    /// Show the records, oldest first
    Show(ShowArgs),
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A file of a trail, checked with those that it was before; without it, the one that the settings name
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// What to show.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Since a day (2026-11-01) or a time (2026-11-01T12:00:00Z), in UTC, or since so long ago (7d, 12h)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub(crate) since: Option<OffsetDateTime>,
    /// Short for --output json
    #[arg(long)]
    pub(crate) json: bool,
}

fn since(text: &str) -> Result<OffsetDateTime, String> {
    since_at(text, OffsetDateTime::now_utc())
}

fn since_at(text: &str, now: OffsetDateTime) -> Result<OffsetDateTime, String> {
    let text = text.trim();
    let midnight = format!("{text}T00:00:00Z");
    let time = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&midnight, &Rfc3339));
    let time = time.ok().or_else(|| {
        let ago = crate::settings::duration::parse(text).ok()?;
        now.checked_sub(ago.try_into().ok()?)
    });
    time.ok_or_else(|| "expected a day (2026-11-01), a time (2026-11-01T12:00:00Z) or an age (7d)".to_owned())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_days_times_or_ages() {
        let now = datetime!(2026-11-23 18:00 UTC);
        for (text, expected) in [
            ("2026-11-01", Some(datetime!(2026-11-01 00:00 UTC))),
            ("2026-11-01T12:00:00+02:00", Some(datetime!(2026-11-01 10:00 UTC))),
            ("7d", Some(datetime!(2026-11-16 18:00 UTC))),
            ("90m", Some(datetime!(2026-11-23 16:30 UTC))),
            ("2026-13-01", None),
            ("yesterday", None),
            ("99999999999d", None),
            ("", None),
        ] {
            assert_eq!(since_at(text, now).ok(), expected, "{text}");
        }
    }
}
