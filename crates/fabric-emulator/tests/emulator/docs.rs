//! The pages of the emulator, kept true. `UPDATE_DOCS=1` writes the list of operations anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use selvedge_fabric_emulator::{Config, Emulator, Operation, operations};
use serde_json::{Value, json};

use crate::support::Client;

const SEED: &str = include_str!("../../../../docs/emulator-seed.md");
const SETTINGS: &str = include_str!("../../../../docs/emulator-settings.md");

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

/// The world on the page of seeds.
fn seed() -> &'static str {
    let (_, after) = SEED.split_once("```yaml\n").unwrap();
    after.split_once("```").unwrap().0
}

#[test]
fn the_world_on_the_page_can_be_seeded() {
    for emulator in [Emulator::new(Config::default()), Emulator::new(Config::default()).with_demo_tenant()] {
        emulator.plant(serde_saphyr::from_str(seed()).unwrap()).unwrap();
        let world = emulator.inventory().world;
        let sales = world["workspaces"].as_array().unwrap().iter().find(|it| it["displayName"] == "Sales");
        let sales = sales.unwrap();
        assert_eq!(sales["folders"], json!(["Bronze", "Bronze/Raw", "Gold"]));
        let items = sales["items"].as_array().unwrap().iter();
        let items: Vec<Value> = items.map(|item| json!([item["type"], item["folder"]])).collect();
        let expected =
            json!([["Lakehouse", "Bronze/Raw"], ["Notebook", "Bronze"], ["SQLEndpoint", "Bronze/Raw"]]);
        assert_eq!(json!(items), expected);
    }
}

/// What a seed understands, it says when it does not understand something.
#[test]
fn the_page_of_seeds_uses_and_explains_every_key() {
    let world: Value = serde_saphyr::from_str(seed()).unwrap();
    let (_, explained) = SEED.split_once("## The keys").unwrap();
    for place in [
        "",
        "/capacities/0",
        "/users/0",
        "/groups/0",
        "/servicePrincipals/0",
        "/servicePrincipals/0/federatedCredentials/0",
        "/connections/0",
        "/domains/0",
        "/tags/0",
        "/workspaces/0",
        "/workspaces/0/roleAssignments/0",
        "/workspaces/0/items/0",
        "/deploymentPipelines/0",
        "/deploymentPipelines/0/stages/0",
        "/vaults/0",
        "/vaults/0/access/0",
        "/vaults/0/secrets/0",
    ] {
        let mut wrong = world.clone();
        wrong.pointer_mut(place).unwrap()["nonsense"] = json!(1);
        let error = Emulator::new(Config::default()).seed(&wrong).unwrap_err();
        let message = std::error::Error::source(&error).unwrap().to_string();
        let (_, known) = message.split_once("`nonsense`, expected ").unwrap();
        for key in known.split('`').skip(1).step_by(2) {
            let is_used =
                |line: &str| line.trim_start().trim_start_matches("- ").starts_with(&format!("{key}:"));
            assert!(seed().lines().any(is_used), "{place}: `{key}` is in no example");
            assert!(explained.contains(&format!("`{key}`")), "{place}: `{key}` is not explained");
        }
    }
}

#[tokio::test]
async fn the_page_of_settings_has_every_setting_and_its_default() {
    let client = Client::demo(Config::default()).await;
    let settings = client.get("/_emulator/settings").await;
    let row = |key: &str| SETTINGS.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
    for (key, default) in settings.json.as_object().unwrap() {
        let own = row(key).unwrap_or_else(|| panic!("`{key}` has no row"));
        let default = match default {
            Value::Object(parts) => {
                parts.keys().for_each(|part| assert!(row(part).is_some(), "`{key}.{part}` has no row"));
                "none".to_owned()
            }
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        assert_eq!(own.split('|').nth(4).map(str::trim), Some(default.as_str()), "{own}");
    }
    let config = format!("{:#?}", Config::default());
    let fields = config.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(": "));
    for (field, _) in fields.filter(|(field, _)| !field.starts_with(' ')) {
        assert!(SETTINGS.contains(&format!("`{field}`")), "`{field}` of `Config` is not on the page");
    }
}
