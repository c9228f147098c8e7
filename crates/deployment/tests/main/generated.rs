//! Whatever the files ask for and whatever is there: once deployed, nothing is left to plan.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use selvedge_deployment::config;
use selvedge_deployment::desired::Desired;
use selvedge_deployment::diff::{Means, Planned, diff};
use selvedge_deployment::drift::{Difference, drift};
use selvedge_deployment::{principals, read};
use selvedge_fabric_emulator::Config;
use selvedge_rollback::Verdict;
use selvedge_rollback::journal::MemoryStore;
use serde_json::{Value, json};

use crate::once;
use crate::world::{World, is_write, of};

const CAPACITY: &str = "11111111-1111-4111-8111-111111111111";
const WORKSPACE: &str = "acme-any-dev";

/// A configuration, and the files that its definitions name.
#[derive(Clone, Debug)]
struct Files {
    product: Value,
    parts: BTreeMap<String, String>,
}

/// Somebody changes something by hand between two deployments.
#[derive(Clone, Copy, Debug)]
enum ByHand {
    DescribeWorkspace,
    AddFolder,
    GiveRole,
    LeaveCapacity,
    Delete(usize),
    Describe(usize),
}

fn text() -> impl Strategy<Value = Option<&'static str>> {
    select(vec![
        None,
        Some("plain"),
        Some("naïve – “quoted” 数据"),
        Some("a: b # c"),
        Some("{ x }"),
        Some(" spaces "),
    ])
}

fn item(index: usize) -> impl Strategy<Value = (String, Value, Option<(String, String)>)> {
    let kinds = select(vec!["Lakehouse", "Notebook", "DataPipeline", "Warehouse"]);
    let folder = select(vec![None, Some("root"), Some("Raw"), Some("Raw/Landing"), Some("Gold")]);
    (kinds, text(), folder, any::<bool>(), 0..3u8).prop_map(
        move |(kind, description, folder, defined, version)| {
            let name = format!("item_{index}");
            let mut item = json!({ "type": kind, "name": name });
            if let Some(description) = description {
                item["description"] = description.into();
            }
            if let Some(folder) = folder {
                item["target_folder"] = folder.into();
            }
            let content = match kind {
                "Notebook" => {
                    Some(("py", format!("# Fabric notebook source\n\n# CELL ****\n\nx = {version}\n")))
                }
                "DataPipeline" => {
                    Some(("json", json!({ "properties": { "activities": [], "v": version } }).to_string()))
                }
                _ => None,
            };
            let part = content
                .filter(|_| defined)
                .map(|(extension, content)| (format!("{name}.{extension}"), content));
            if let Some((path, _)) = &part {
                item["definition"] = path.clone().into();
            }
            (name, item, part)
        },
    )
}

fn files() -> impl Strategy<Value = Files> {
    let people = subsequence(vec!["data.owner@contoso.example", "tech.lead@contoso.example"], 0..=2);
    let roles = select(vec!["Admin", "Member", "Contributor", "Viewer"]);
    let items = subsequence((0..6).collect::<Vec<usize>>(), 0..=6)
        .prop_flat_map(|chosen| chosen.into_iter().map(item).collect::<Vec<_>>());
    let (medallion, with_capacity) = (any::<bool>(), any::<bool>());
    let git = select(vec![None, Some(false), Some(true)]);
    (text(), with_capacity, medallion, items, people, roles, git).prop_map(
        |(description, with_capacity, medallion, items, people, role, git)| {
            let mut dev = json!({ "use_medallion_architecture": medallion });
            if let Some(description) = description {
                dev["description"] = description.into();
            }
            // Items and Git need a capacity.
            if with_capacity || !items.is_empty() || git.is_some() {
                dev["capacity_id"] = CAPACITY.into();
            }
            let users: Vec<_> = people.iter().map(|who| json!({ "email": who, "role": role })).collect();
            let product = json!({
                "product": { "name": "Any" },
                "environments": { "dev": dev },
                "git": { "enabled": git.is_some(), "organization": "contoso", "repository": "any",
                         "auto_commit": git == Some(true) },
                "items": { "resources": items.iter().map(|(_, item, _)| item).collect::<Vec<_>>() },
                "users": users,
            });
            Files { product, parts: items.into_iter().filter_map(|(_, _, part)| part).collect() }
        },
    )
}

fn by_hand() -> impl Strategy<Value = ByHand> {
    prop_oneof![
        Just(ByHand::DescribeWorkspace),
        Just(ByHand::AddFolder),
        Just(ByHand::GiveRole),
        Just(ByHand::LeaveCapacity),
        (0..4usize).prop_map(ByHand::Delete),
        (0..4usize).prop_map(ByHand::Describe),
    ]
}

impl Files {
    fn load(&self) -> Desired {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "project.config.json",
            r#"{"project":{"name":"any","prefix":"acme"},"naming_patterns":{"workspace":"{prefix}-{name}-{environment}"},"environments":{"dev":{}}}"#,
        );
        // JSON is YAML.
        write("product_config.yaml", &self.product.to_string());
        self.parts.iter().for_each(|(name, text)| write(name, text));
        let request = config::Request {
            config: folder.path().join("product_config.yaml"),
            root: folder.path().to_owned(),
            environment: "dev",
            variables: &|_: &str| None,
        };
        config::load(&request).unwrap_or_else(|problems| panic!("{self:#?}\n{problems:#?}")).desired
    }
}

impl World {
    async fn plan_of(&self, desired: &Desired) -> (Planned, Vec<Difference>) {
        let live = read::read(&self.fabric, desired).await.unwrap();
        let roles = principals::resolve(self.graph(), &desired.roles).await.unwrap().roles;
        let planned = diff(desired, &roles, &live, Means { git_token: Some("GITHUB_TOKEN") });
        let planned = planned.unwrap_or_else(|problems| panic!("{problems:#?}"));
        (planned, drift(desired, &roles, &live, None))
    }

    async fn make(&self, desired: &Desired) {
        let plan = self.plan_of(desired).await.0.plan;
        let verdict = self.carry_out(plan.clone(), MemoryStore::default(), once()).await;
        assert!(matches!(verdict, Verdict::Committed), "{verdict:?}\n{plan:#?}");
        self.settle().await;
    }

    async fn change(&self, by_hand: ByHand) {
        let workspace = self.find("/v1/workspaces", WORKSPACE).await;
        let own = format!("/v1/workspaces/{workspace}");
        let live = self.send("GET", &format!("{own}/items"), Value::Null).await;
        let items = live["value"].as_array().unwrap();
        // What the service makes beside another item is nobody's.
        let nth = |index: usize| items.iter().filter(|item| item["type"] != "SQLEndpoint").nth(index);
        let path = |item: &Value| format!("{own}/items/{}", item["id"].as_str().unwrap());
        match by_hand {
            ByHand::DescribeWorkspace => {
                self.send("PATCH", &own, json!({ "description": "by hand" })).await;
            }
            ByHand::AddFolder => {
                self.send("POST", &format!("{own}/folders"), json!({ "displayName": "theirs" })).await;
            }
            ByHand::GiveRole => {
                let principal = json!({ "id": "dddddddd-0000-4000-8000-000000000003", "type": "User" });
                let body = json!({ "principal": principal, "role": "Member" });
                self.send("POST", &format!("{own}/roleAssignments"), body).await;
            }
            ByHand::LeaveCapacity if items.is_empty() => {
                self.send("POST", &format!("{own}/unassignFromCapacity"), Value::Null).await;
            }
            ByHand::Delete(index) => {
                if let Some(item) = nth(index) {
                    self.send("DELETE", &format!("{}?hardDelete=true", path(item)), Value::Null).await;
                }
            }
            ByHand::Describe(index) => {
                if let Some(item) = nth(index) {
                    self.send("PATCH", &path(item), json!({ "description": "by hand" })).await;
                }
            }
            ByHand::LeaveCapacity => {}
        }
        self.settle().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_after_a_deployment_is_empty(before in files(), after in files(), hand in proptest::option::of(by_hand())) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = of(Config { operation_duration: Duration::from_secs(2), ..Config::default() });
            world.make(&before.load()).await;
            if let Some(hand) = hand {
                world.change(hand).await;
            }
            let desired = after.load();
            world.make(&desired).await;
            world.emulator.clear_requests();
            let (again, differs) = world.plan_of(&desired).await;
            assert!(again.plan.is_empty(), "{:#?}", again.plan);
            assert!(differs.iter().all(|one| !one.deployed), "{differs:#?}");
            world.make(&desired).await;
            let writes: Vec<_> = world.emulator.requests().into_iter().filter(is_write).collect();
            assert!(writes.is_empty(), "{writes:#?}");
        });
    }
}
