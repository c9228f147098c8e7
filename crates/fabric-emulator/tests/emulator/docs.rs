//! The page that lists the operations, kept true. `UPDATE_DOCS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use selvedge_fabric_emulator::{Operation, operations};

const BEGIN: &str = "<!-- operations: from the table of routes, by `UPDATE_DOCS=1 cargo nextest run -p selvedge-fabric-emulator docs` -->\n";
const END: &str = "<!-- end of operations -->\n";

#[test]
fn the_page_lists_every_operation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = [before, BEGIN, &tables(), END, after].concat();
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test asks for more than a test")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
}

fn tables() -> String {
    let all = operations();
    let mut text = format!("\n{} operations; `{{w}}` is `/v1/workspaces/{{workspaceId}}`.\n", all.len());
    text += "\n| path | methods | evidence |\n| --- | --- | --- |\n";
    for ((path, evidence), methods) in by_path(all.iter().filter(|operation| operation.item_type.is_none())) {
        let path = path.replace("/v1/workspaces/{workspaceId}/", "{w}/");
        writeln!(text, "| `{path}` | {} | {evidence} |", methods.join(", ")).unwrap();
    }
    text += "\nTyped collections, `{w}/lakehouses` and its like, are the items of one type, with their `properties`:\n\n";
    text +=
        "| collections | all | one | getDefinition | updateDefinition |\n| --- | --- | --- | --- | --- |\n";
    let mut collections = BTreeMap::<&str, Vec<&Operation>>::new();
    for operation in all.iter().filter(|operation| operation.item_type.is_some()) {
        collections.entry(operation.path.split('/').nth(4).unwrap()).or_default().push(operation);
    }
    // Those of which as much is known share a line.
    let mut lines = BTreeMap::<_, Vec<String>>::new();
    for (name, operations) in collections {
        let cell = |is_meant: &dyn Fn(&str) -> bool| {
            let mut words = BTreeMap::<_, Vec<_>>::new();
            for operation in operations.iter().filter(|operation| is_meant(&operation.path)) {
                words.entry(operation.evidence).or_default().push(operation.method);
            }
            let words = words.iter().map(|(evidence, methods)| format!("{} {evidence}", methods.join(", ")));
            words.collect::<Vec<_>>().join("; ")
        };
        let deep = |depth: usize| cell(&|path: &str| path.split('/').count() == depth);
        let ends = |end: &str| cell(&|path: &str| path.ends_with(end));
        let cells = [deep(5), deep(6), ends("/getDefinition"), ends("/updateDefinition")].join(" | ");
        lines.entry(cells).or_default().push(format!("`{name}`"));
    }
    for (cells, names) in lines {
        writeln!(text, "| {} | {cells} |", names.join(", ")).unwrap();
    }
    text + "\n"
}

/// Methods by path and evidence.
fn by_path<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeMap<(&'a str, String), Vec<&'a str>> {
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    for operation in operations {
        lines
            .entry((operation.path.as_str(), operation.evidence.to_string()))
            .or_default()
            .push(operation.method);
    }
    lines
}
