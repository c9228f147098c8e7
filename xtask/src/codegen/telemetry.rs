//! The tables of docs/telemetry.md: spans, metrics and events, from where they are declared.

use anyhow::{Context as _, bail, ensure};

use super::source::{self, Row, Told, Value};
use crate::workspace::File;

/// What is written.
pub(super) const PATH: &str = "docs/telemetry.md";

/// Where a crate's spans and events stand.
const EVENTS: &str = "events.rs";
/// The constants `Metric`.
const METRICS: &str = "crates/observability/src/telemetry/metrics.rs";
/// The constants `Custom`.
const CUSTOM: &str = "crates/observability/src/telemetry/custom.rs";
/// Fields that become something else than an attribute: the span's name and kind.
const NO_ATTRIBUTES: [&str; 2] = ["otel.name", "otel.kind"];

/// The blocks of the file, each under its name.
///
/// # Errors
/// If a source cannot be read, or one declaration names what no other declares.
pub(super) fn blocks(files: &[File]) -> anyhow::Result<[(&'static str, String); 4]> {
    let told = told(files)?;
    let (spans, mut events): (Vec<_>, Vec<_>) = told.iter().partition(|told| told.is_span);
    events.sort_by_key(|event| &event.name);
    let metrics = rows(files, METRICS, "Metric")?;
    let custom = rows(files, CUSTOM, "Custom")?;
    for row in metrics.iter().chain(&custom) {
        check(row, &told)?;
    }
    Ok([
        ("spans", table(&["span", "is", "its fields"], spans.iter().map(|span| of_span(span)))),
        (
            "metrics",
            table(
                &["metric", "is", "unit", "instrument", "made of", "attributes"],
                metrics.iter().map(of_metric),
            ),
        ),
        ("custom", table(&["what happened", "event"], custom.iter().map(of_custom))),
        (
            "events",
            table(&["event", "level", "its fields", "says"], events.iter().map(|event| of_event(event))),
        ),
    ])
}

/// The spans, outermost first as their crates are, and the events of all crates.
fn told(files: &[File]) -> anyhow::Result<Vec<Told>> {
    let mut all = Vec::new();
    let sources = files.iter().filter(|file| file.path.starts_with("crates/") && file.path.contains("/src/"));
    for file in sources.filter(|file| file.path.ends_with(".rs") && file.text.contains("tracing::")) {
        let told = source::told(&file.path, &file.text)?;
        if let Some(stray) = told.first().filter(|_| !file.path.ends_with(EVENTS)) {
            bail!(
                "{}: `{}` has a name, which is a contract: tell it in the crate's {EVENTS}",
                file.path,
                stray.name
            );
        }
        all.extend(told);
    }
    let mut names: Vec<_> = all.iter().map(|told| &told.name).collect();
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("`{}` is told in two places: tell it in one function", twice[0]);
    }
    Ok(all)
}

fn rows(files: &[File], path: &str, row: &str) -> anyhow::Result<Vec<Row>> {
    let file = files.iter().find(|file| file.path == path).with_context(|| format!("there is no {path}"))?;
    let rows = source::rows(path, &file.text, row)?;
    ensure!(!rows.is_empty(), "{path} has no constant `{row}`");
    Ok(rows)
}

/// Whether what a row is made of is told, with these fields.
fn check(row: &Row, told: &[Told]) -> anyhow::Result<()> {
    let name = text(row, "name");
    for of in texts(row, "of") {
        let told = told.iter().find(|told| told.name == of);
        let told = told.with_context(|| format!("`{name}` is made of `{of}`, which no {EVENTS} tells"))?;
        for field in texts(row, "attributes").into_iter().chain(pairs(row).map(|(field, _)| field)) {
            let has = told.fields.iter().any(|own| own == field);
            ensure!(has, "`{name}` looks at the field `{field}`, which `{of}` has not");
        }
    }
    Ok(())
}

fn of_span(span: &Told) -> Vec<String> {
    vec![code(&span.name), span.docs.clone(), attributes(span)]
}

fn of_event(event: &Told) -> Vec<String> {
    vec![code(&event.name), event.level.clone(), attributes(event), event.message.clone()]
}

fn of_metric(row: &Row) -> Vec<String> {
    let unit = text(row, "unit");
    vec![
        code(text(row, "name")),
        text(row, "is").to_owned(),
        if unit.is_empty() { String::new() } else { code(unit) },
        text(row, "instrument").to_lowercase(),
        codes(texts(row, "of")),
        codes(texts(row, "attributes")),
    ]
}

fn of_custom(row: &Row) -> Vec<String> {
    let conditions: Vec<_> =
        pairs(row).map(|(field, value)| format!("{} is {}", code(field), code(value))).collect();
    let of = codes(texts(row, "of"));
    let of = if conditions.is_empty() { of } else { format!("{of} whose {}", conditions.join(" and ")) };
    vec![of, code(text(row, "name"))]
}

fn attributes(told: &Told) -> String {
    let fields = told.fields.iter().map(String::as_str);
    codes(fields.filter(|field| !NO_ATTRIBUTES.contains(field)))
}

fn text<'a>(row: &'a Row, field: &str) -> &'a str {
    row.get(field).and_then(Value::text).unwrap_or_default()
}

fn texts<'a>(row: &'a Row, field: &str) -> Vec<&'a str> {
    match row.get(field) {
        Some(Value::Text(text)) => vec![text],
        Some(list) => list.texts(),
        None => Vec::new(),
    }
}

/// The field `when`: pairs of a field's name and its value.
fn pairs(row: &Row) -> impl Iterator<Item = (&str, &str)> {
    let pairs = match row.get("when") {
        Some(Value::List(pairs)) => &pairs[..],
        _ => &[],
    };
    pairs.iter().filter_map(|pair| match pair.texts()[..] {
        [field, value] => Some((field, value)),
        _ => None,
    })
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// In Markdown.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
    let rule = vec!["---".to_owned(); head.len()];
    let lines = [head, rule].into_iter().chain(rows).map(|cells| {
        let cells = cells.iter().map(|cell| format!(" {} |", cell.replace('|', "\\|")));
        format!("|{}", cells.collect::<String>())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    const SPAN: &str = r#"
        /// One step.
        fn step() -> Span { tracing::info_span!("step", otel.name = 1, way = field::Empty) }
        fn b() { tracing::warn!(name: "b.b", n, "Said | {n}"); }
        fn a() { tracing::info!(name: "a.a", "Said"); }
    "#;
    const METRIC: &str = r#"
        const A: Metric = Metric { name: "steps", is: "Steps.", unit: "s", instrument: Instrument::Histogram(&B),
            of: &["step"], attributes: &["way"] };
    "#;
    const EVENT: &str = r#"
        const ALL: [Custom; 1] = [Custom { name: "step_made", of: "step", when: &[("way", "forth")] }];
    "#;

    fn files(events: &str, metrics: &str, custom: &str) -> [File; 3] {
        [file("crates/a/src/events.rs", events), file(METRICS, metrics), file(CUSTOM, custom)]
            .map(|file| File { text: format!("use tracing::Span;\n{}", file.text), ..file })
    }

    #[test]
    fn each_declaration_is_a_row() {
        let blocks = blocks(&files(SPAN, METRIC, EVENT)).unwrap();
        let last = |name| {
            let (_, body) = blocks.iter().find(|(block, _)| *block == name).unwrap();
            body.lines().skip(2).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(last("spans"), "| `step` | One step. | `way` |");
        assert_eq!(last("metrics"), "| `steps` | Steps. | `s` | histogram | `step` | `way` |");
        assert_eq!(last("custom"), "| `step` whose `way` is `forth` | `step_made` |");
        assert_eq!(last("events"), "| `a.a` | info |  | Said |\n| `b.b` | warn | `n` | Said \\| {n} |");
    }

    #[test]
    fn declarations_that_do_not_fit_are_refused() {
        let refused = |files: &[File]| blocks(files).unwrap_err().to_string();
        let other = METRIC.replace("[\"step\"]", "[\"stop\"]");
        assert_eq!(
            refused(&files(SPAN, &other, EVENT)),
            "`steps` is made of `stop`, which no events.rs tells"
        );
        let other = EVENT.replace("\"way\"", "\"away\"");
        assert_eq!(
            refused(&files(SPAN, METRIC, &other)),
            "`step_made` looks at the field `away`, which `step` has not"
        );
        let twice = format!("{SPAN} fn c() {{ tracing::info!(name: \"a.a\", \"Said\"); }}");
        assert!(refused(&files(&twice, METRIC, EVENT)).starts_with("`a.a` is told in two places"));
        let [events, metrics, custom] = files(SPAN, METRIC, EVENT);
        let stray = file("crates/b/src/lib.rs", "fn f() { tracing::info!(name: \"c.c\", \"x\"); }");
        let stray = [events, metrics, custom, stray];
        assert!(refused(&stray).starts_with("crates/b/src/lib.rs: `c.c` has a name"));
    }
}
