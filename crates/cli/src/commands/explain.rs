//! `selvedge explain`: what a code means, and what to do about it.

use anyhow::anyhow;
use selvedge_deployment::config::suggest;
use selvedge_fabric_client::{ErrorCode, KnownCode, Treatment};
use serde_json::{Value, json};

use crate::{
    args::ExplainArgs,
    exit,
    output::{self, Format},
    render,
    report::ExitWith,
};

/// What deployments do about a code, apart from how the layers beneath them treat it.
const BY_DEPLOYMENTS: [(ErrorCode, &str); 2] = [
    (
        ErrorCode::PRINCIPAL_ALREADY_HAS_ROLE,
        "A deployment reads the role back: where it is the one asked for, that is done.",
    ),
    (
        ErrorCode::PRINCIPAL_NOT_FOUND,
        "A deployment with FEATURE_USE_RETRY_LOGIC=true gives the role again after a while, some times.",
    ),
];

/// A code, explained.
struct Explained {
    code: String,
    kind: Kind,
    summary: String,
    /// What selvedge does about it, where that is not part of the meaning.
    handling: Option<String>,
    remedy: String,
}

#[derive(Clone, Copy)]
enum Kind {
    Exit,
    Fabric,
}

/// Explains the code, or lists all.
///
/// # Errors
///
/// There is no such code, or stdout cannot be written.
pub(crate) fn run(args: &ExplainArgs, format: Format) -> anyhow::Result<u8> {
    let all = all();
    let Some(code) = args.code.as_deref().map(str::trim) else {
        list(&all, format)?;
        return Ok(exit::DONE);
    };
    let found = all.iter().find(|explained| explained.code.eq_ignore_ascii_case(code));
    let Some(found) = found else { return Err(unknown(code, &all)) };
    match format {
        Format::Text => output::line(&found.text())?,
        format => output::document(format, found.json())?,
    }
    Ok(exit::DONE)
}

/// Prints the table of exit codes.
///
/// # Errors
///
/// Stdout cannot be written.
pub(crate) fn exit_codes() -> anyhow::Result<u8> {
    output::line(&exit::explained())?;
    Ok(exit::DONE)
}

fn all() -> Vec<Explained> {
    let exits = exit::MEANINGS.iter().map(|meaning| Explained {
        code: meaning.code.to_string(),
        kind: Kind::Exit,
        summary: format!("{}: {}", meaning.short, meaning.long),
        handling: None,
        remedy: meaning.pipeline.to_owned(),
    });
    exits.chain(ErrorCode::known().iter().map(of_fabric)).collect()
}

fn of_fabric(known: &KnownCode) -> Explained {
    let treated = match known.treatment {
        Treatment::Final => {
            "It is never sent again, whatever the answer says besides: the command fails at once."
        }
        Treatment::Throttled => {
            "All requests of the identity pause for as long as the answer asks. The request is sent again, and one that must not be \
             done twice is looked up first, where FEATURE_USE_RETRY_LOGIC is true; without it the command fails."
        }
        Treatment::Busy => {
            "This request alone is sent again after a while, as often as the retry settings say, where FEATURE_USE_RETRY_LOGIC is true; \
             without it the command fails."
        }
        _ => {
            "Nothing special: it is sent again only where the answer says that it is retriable, or its status does."
        }
    };
    let by_deployments = BY_DEPLOYMENTS.into_iter().find(|(code, _)| *code == known.code);
    Explained {
        code: known.code.to_string(),
        kind: Kind::Fabric,
        summary: known.meaning.to_owned(),
        handling: Some(by_deployments.map_or(treated, |(_, does)| does).to_owned()),
        remedy: known.remedy.to_owned(),
    }
}

impl Explained {
    fn text(&self) -> String {
        let Self { code, kind, summary, handling, remedy } = self;
        let (title, to_do) = match kind {
            Kind::Exit => (format!("Exit code {code}"), "In a pipeline"),
            Kind::Fabric => (format!("{code}, an error code of Microsoft Fabric"), "What to do"),
        };
        let handling = handling.as_ref().map(|does| format!("\n\nWhat selvedge does:\n  {does}"));
        format!("{title}\n\n  {summary}{}\n\n{to_do}:\n  {remedy}", handling.unwrap_or_default())
    }

    fn json(&self) -> Value {
        json!({
            "code": self.code,
            "kind": match self.kind { Kind::Exit => "exit", Kind::Fabric => "fabric" },
            "meaning": self.summary,
            "handling": self.handling,
            "remedy": self.remedy,
        })
    }
}

fn list(all: &[Explained], format: Format) -> anyhow::Result<()> {
    match format {
        Format::Text => {
            let rows = all.iter().map(|explained| {
                let first = explained.summary.split_inclusive(['.', ':']).next().unwrap_or_default();
                vec![explained.code.clone(), first.trim_end_matches([':', '.']).to_owned()]
            });
            output::line(&render::table(&["CODE", "MEANING"], rows))
        }
        Format::Json => {
            let codes: Vec<_> = all.iter().map(Explained::json).collect();
            output::document(format, json!({ "codes": codes }))
        }
        Format::Jsonl => all.iter().try_for_each(|explained| output::document(format, explained.json())),
    }
}

fn unknown(code: &str, all: &[Explained]) -> anyhow::Error {
    let near = suggest::nearest(code, all.iter().map(|explained| explained.code.as_str()));
    let help = match near {
        // One digit is near every other.
        Some(near) if !code.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("did you mean `selvedge explain {near}`?")
        }
        _ => "`selvedge explain` lists the codes; Fabric has more, which are treated by their status"
            .to_owned(),
    };
    anyhow!("{code:?} is neither an exit code nor an error code of Fabric that is known here")
        .context(ExitWith::usage("explain a code").help(help))
}
