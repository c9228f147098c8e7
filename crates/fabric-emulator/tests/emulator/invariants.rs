//! Whatever is asked of it, the world stays one that Fabric could be in.

use std::collections::HashSet;

use proptest::prelude::*;
use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::Client;

/// One request. Numbers choose among what there is at that moment, so that most requests mean something.
#[derive(Clone, Copy, Debug)]
enum Action {
    CreateWorkspace { name: u8 },
    DeleteWorkspace { workspace: u8 },
    CreateFolder { workspace: u8, parent: u8, name: u8 },
    MoveFolder { folder: u8, target: u8 },
    RenameFolder { folder: u8, name: u8 },
    DeleteFolder { folder: u8 },
    CreateItem { workspace: u8, kind: u8, name: u8, folder: u8 },
    RenameItem { item: u8, name: u8 },
    MoveItem { item: u8, target: u8 },
    DeleteItem { item: u8, hard: bool },
    Import { workspace: u8, name: u8, folder: u8 },
    Advance,
}

fn action() -> impl Strategy<Value = Action> {
    let n = any::<u8>;
    // Few names, so that they collide.
    let name = || 0..6u8;
    prop_oneof![
        2 => name().prop_map(|name| Action::CreateWorkspace { name }),
        1 => n().prop_map(|workspace| Action::DeleteWorkspace { workspace }),
        6 => (n(), n(), name()).prop_map(|(workspace, parent, name)| Action::CreateFolder { workspace, parent, name }),
        4 => (n(), n()).prop_map(|(folder, target)| Action::MoveFolder { folder, target }),
        2 => (n(), name()).prop_map(|(folder, name)| Action::RenameFolder { folder, name }),
        2 => n().prop_map(|folder| Action::DeleteFolder { folder }),
        10 => (n(), n(), name(), n())
            .prop_map(|(workspace, kind, name, folder)| Action::CreateItem { workspace, kind, name, folder }),
        3 => (n(), name()).prop_map(|(item, name)| Action::RenameItem { item, name }),
        3 => (n(), n()).prop_map(|(item, target)| Action::MoveItem { item, target }),
        4 => (n(), any::<bool>()).prop_map(|(item, hard)| Action::DeleteItem { item, hard }),
        2 => (n(), name(), n()).prop_map(|(workspace, name, folder)| Action::Import { workspace, name, folder }),
        1 => Just(Action::Advance),
    ]
}

const KINDS: [&str; 6] = ["Notebook", "Lakehouse", "Warehouse", "Eventhouse", "KQLDatabase", "DataPipeline"];

/// What there is, as lists show it; an entry of a workspace has its path.
struct Seen {
    workspaces: Vec<String>,
    folders: Vec<(String, Value)>,
    items: Vec<(String, Value)>,
}

impl Seen {
    async fn of(client: &Client) -> Self {
        let mut seen = Self { workspaces: Vec::new(), folders: Vec::new(), items: Vec::new() };
        for workspace in values(client, "/v1/workspaces").await {
            let path = format!("/v1/workspaces/{}", text(&workspace, "id"));
            let folders = values(client, &format!("{path}/folders")).await;
            seen.folders.extend(folders.into_iter().map(|folder| (path.clone(), folder)));
            let items = values(client, &format!("{path}/items")).await;
            seen.items.extend(items.into_iter().map(|item| (path.clone(), item)));
            seen.workspaces.push(path);
        }
        seen
    }

    fn ids(&self) -> HashSet<String> {
        self.folders.iter().chain(&self.items).map(|(_, thing)| text(thing, "id")).collect()
    }

    fn check(&self, world: &Value) {
        let folder_ids: HashSet<_> =
            self.folders.iter().map(|(at, folder)| (at, text(folder, "id"))).collect();
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for (at, folder) in &self.folders {
            assert!(ids.insert(text(folder, "id")), "two things of one id: {folder}");
            let parent = text(folder, "parentFolderId");
            assert!(parent.is_empty() || folder_ids.contains(&(at, parent.clone())), "dangling: {folder}");
            assert!(names.insert((at, parent, text(folder, "displayName"))), "name twice: {folder}");
        }
        for (at, item) in &self.items {
            assert!(ids.insert(text(item, "id")), "two things of one id: {item}");
            let folder = text(item, "folderId");
            assert!(folder.is_empty() || folder_ids.contains(&(at, folder)), "dangling: {item}");
            assert!(names.insert((at, text(item, "type"), text(item, "displayName"))), "name twice: {item}");
        }
        let listed: usize = entries(world, "workspaces", "items").count();
        assert_eq!(listed, self.items.len(), "inventory and lists differ");
        for item in entries(world, "workspaces", "items").filter(|item| item["type"] == "SQLEndpoint") {
            assert!(item["parent"].is_string(), "an SQL endpoint without its lakehouse: {item}");
        }
    }
}

async fn values(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.json["value"].as_array().unwrap().clone()
}

fn text(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or_default().to_lowercase()
}

fn entries<'a>(world: &'a Value, of: &str, list: &'a str) -> impl Iterator<Item = &'a Value> {
    world[of].as_array().unwrap().iter().flat_map(move |workspace| workspace[list].as_array().unwrap())
}

fn pick<T>(of: &[T], number: u8) -> Option<&T> {
    of.get(usize::from(number).checked_rem(of.len())?)
}

/// The request that an action is now, if there is anything it can be about.
fn request(action: Action, seen: &Seen) -> Option<(&'static str, String, Value)> {
    let folder_of = |workspace: &str, number: u8| {
        let folders: Vec<_> = seen.folders.iter().filter(|(at, _)| at == workspace).collect();
        // One in three is the root.
        (!number.is_multiple_of(3))
            .then(|| pick(&folders, number))
            .flatten()
            .map(|(_, folder)| folder["id"].clone())
    };
    let folder =
        |number| pick(&seen.folders, number).map(|(at, it)| (at, format!("{at}/folders/{}", text(it, "id"))));
    let item =
        |number| pick(&seen.items, number).map(|(at, it)| (at, format!("{at}/items/{}", text(it, "id"))));
    Some(match action {
        Action::CreateWorkspace { name } => {
            let body = json!({"displayName": format!("w{name}"), "capacityId": demo::CAPACITY_ID});
            ("POST", "/v1/workspaces".to_owned(), body)
        }
        Action::DeleteWorkspace { workspace } => {
            ("DELETE", pick(&seen.workspaces, workspace)?.clone(), Value::Null)
        }
        Action::CreateFolder { workspace, parent, name } => {
            let at = pick(&seen.workspaces, workspace)?;
            let body = json!({"displayName": format!("f{name}"), "parentFolderId": folder_of(at, parent)});
            ("POST", format!("{at}/folders"), body)
        }
        Action::MoveFolder { folder: moved, target } => {
            let (at, path) = folder(moved)?;
            ("POST", format!("{path}/move"), json!({"targetFolderId": folder_of(at, target)}))
        }
        Action::RenameFolder { folder: renamed, name } => {
            ("PATCH", folder(renamed)?.1, json!({"displayName": format!("F{name}")}))
        }
        Action::DeleteFolder { folder: deleted } => ("DELETE", folder(deleted)?.1, Value::Null),
        Action::CreateItem { workspace, kind, name, folder } => {
            let at = pick(&seen.workspaces, workspace)?;
            let body = json!({"type": pick(&KINDS, kind)?, "displayName": format!("i{name}"), "folderId": folder_of(at, folder)});
            ("POST", format!("{at}/items"), body)
        }
        Action::RenameItem { item: renamed, name } => {
            ("PATCH", item(renamed)?.1, json!({"displayName": format!("I{name}")}))
        }
        Action::MoveItem { item: moved, target } => {
            let (at, path) = item(moved)?;
            ("POST", format!("{path}/move"), json!({"targetFolderId": folder_of(at, target)}))
        }
        Action::DeleteItem { item: deleted, hard } => {
            ("DELETE", format!("{}?hardDelete={hard}", item(deleted)?.1), Value::Null)
        }
        Action::Import { workspace, name, folder } => {
            use base64::Engine as _;
            let base64 = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
            let root = format!("/f{}/i{name}.Notebook", folder % 6);
            let platform = json!({"metadata": {"type": "Notebook", "displayName": format!("i{name}")}});
            let part = |path: &str, text: String| json!({"path": format!("{root}/{path}"), "payload": base64(text), "payloadType": "InlineBase64"});
            let parts =
                [part(".platform", platform.to_string()), part("notebook-content.py", "1".to_owned())];
            let body = json!({"definitionParts": parts, "options": {"allowPairingByName": true}});
            ("POST", format!("{}/items/bulkImportDefinitions", pick(&seen.workspaces, workspace)?), body)
        }
        Action::Advance => return None,
    })
}

/// Items there are: in workspaces, in bins and in deleted workspaces.
fn held(world: &Value) -> usize {
    let of = |of| entries(world, of, "items").count() + entries(world, of, "recycleBin").count();
    of("workspaces") + of("deletedWorkspaces")
}

async fn run(actions: Vec<Action>) {
    let long_running = LongRunning::Never;
    let child_delay = std::time::Duration::from_secs(5);
    let client = Client::demo(Config { long_running, child_delay, ..Config::default() }).await;
    client.emulator.freeze();
    let mut seen = Seen::of(&client).await;
    for action in actions {
        let before = client.emulator.inventory();
        let Some((method, path, body)) = request(action, &seen) else {
            client.emulator.advance(std::time::Duration::from_secs(3));
            seen = Seen::of(&client).await;
            continue;
        };
        let answer = client.send(method, &path, body).await;
        let after = client.emulator.inventory();
        let deletes = method == "DELETE" && answer.status == 200;
        match answer.status {
            200..300 if deletes && path.ends_with("hardDelete=true") => {
                assert!(held(&after.world) < held(&before.world), "{action:?} deleted nothing");
            }
            200..300 => assert!(held(&after.world) >= held(&before.world), "{action:?} lost something"),
            400..500 => assert_eq!(after, before, "a refusal changed the world: {action:?} {answer:?}"),
            _ => panic!("{action:?}: {answer:?}"),
        }
        let now = Seen::of(&client).await;
        assert_eq!(client.emulator.inventory(), after, "reading changed the world");
        now.check(&after.world);
        if !deletes {
            assert!(now.ids().is_superset(&seen.ids()), "{action:?} made something unreachable");
        }
        seen = now;
    }
    crate::snapshot::check_restored(&client.emulator);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn a_world_stays_a_world(actions in prop::collection::vec(action(), 200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(actions));
    }
}
