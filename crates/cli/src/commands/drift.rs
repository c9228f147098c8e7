//! `selvedge drift`: how a workspace differs from the files.

use std::path::PathBuf;

use selvedge_deployment::drift::{Difference, Kind, drift};
use selvedge_fabric_client::PrincipalId;
use serde_json::{Value, json};

use super::deploy::prepare::{Surveyed, survey, what};
use crate::args::DriftArgs;
use crate::exit;
use crate::output::{self, Format};
use crate::render::{self, PartDiff, Progress};
use crate::run::App;
use crate::text::{counted, one_line};

/// The longest text of a value that is shown in a line, in characters.
const SHOWN: usize = 60;

/// Compares, and says what differs.
///
/// # Errors
///
/// Whatever stands in the way of the comparison.
pub(crate) async fn run(app: &App, args: &DriftArgs, config: PathBuf) -> anyhow::Result<u8> {
    let progress = Progress::new(app);
    let surveyed = survey(app, &args.selection, config, false, &progress).await?;
    drop(progress);
    let own = match &surveyed.clients {
        Some(clients) => clients.identity.principal().await.ok().flatten(),
        None => None,
    };
    let own = own.and_then(|own| own.object.parse::<PrincipalId>().ok());
    let found = drift(&surveyed.desired, &surveyed.roles, &surveyed.live, own);
    let pending = args.detailed_exitcode && !found.is_empty();
    let told = show(app, &surveyed, &found, args.diff);
    output::coded(told, if pending { exit::PENDING } else { exit::DONE })
}

fn show(app: &App, surveyed: &Surveyed, found: &[Difference], with_parts: bool) -> anyhow::Result<()> {
    if app.output != Format::Text {
        let rows = found.iter().map(|one| {
            let mut row = json!(one);
            if with_parts {
                row["parts"] = parts(surveyed, one).iter().map(PartDiff::as_json).collect();
            }
            row
        });
        let verdict = if found.is_empty() { "in_sync" } else { "drift" };
        let (deployment, rows) = (what(&surveyed.desired), rows.collect::<Vec<Value>>());
        return render::result(
            app.output,
            json!({ "verdict": verdict, "deployment": deployment, "differences": rows }),
        );
    }
    let name = one_line(&surveyed.desired.workspace.name);
    if found.is_empty() {
        return output::line(&format!("No drift: {name} is as the files say."));
    }
    let mut text = String::new();
    for one in found {
        text.push_str(&format!("  {}\n", line(one)));
        for part in parts(surveyed, one).iter().filter(|_| with_parts) {
            text.push_str(&part.text("      "));
        }
    }
    let deployed = found.iter().filter(|one| one.deployed).count();
    text.push_str(&format!(
        "Drift: {} in {name}; a deployment makes {deployed} of them as the files say",
        counted(found.len(), "difference")
    ));
    output::line(&text)
}

/// `+` only in the files, `-` only in Fabric, `~` in both.
fn line(one: &Difference) -> String {
    let name = one_line(&format!("{} {}", one.what, one.name));
    let short = |text: &Option<String>| match text.as_deref() {
        None | Some("") => "none".to_owned(),
        Some(text) => format!("{:?}", text.chars().take(SHOWN).collect::<String>()),
    };
    match (one.kind, one.field) {
        (Kind::Missing, _) => format!("+ {name}: not in Fabric"),
        (Kind::Extra, _) => format!("- {name}: not in the files"),
        // Its sums say nothing to people.
        (Kind::Changed, Some("definition")) => format!("~ {name}: another definition"),
        (Kind::Changed, field) => {
            let (field, live, wanted) = (field.unwrap_or("it"), short(&one.live), short(&one.wanted));
            format!("~ {name}: {field} is {live}, by the files {wanted}")
        }
    }
}

/// How the content differs, where that is the difference.
fn parts(surveyed: &Surveyed, one: &Difference) -> Vec<PartDiff> {
    if one.field != Some("definition") {
        return Vec::new();
    }
    let want = surveyed.desired.items.iter().find(|item| item.kind == one.what && item.name == one.name);
    let live = surveyed
        .live
        .items
        .iter()
        .find(|live| live.item_type == one.what && live.name.to_lowercase() == one.name.to_lowercase());
    let (want, live) =
        (want.and_then(|it| it.definition.as_ref()), live.and_then(|it| it.definition.as_ref()));
    live.zip(want).map_or_else(Vec::new, |(live, want)| PartDiff::all(live, want))
}
