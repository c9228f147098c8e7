//! The schemas that `selvedge schema` prints, against the files and the output that they are of.

use std::{collections::BTreeSet, fs, path::Path};

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    program::{run, selvedge},
    project::Project,
    tenant::Tenant,
};

/// A schema, as the program prints it. It is one itself.
fn schema(of: &str) -> Validator {
    let folder = tempfile::tempdir().unwrap();
    let schema = run(&mut selvedge(folder.path(), &["schema", of])).ends(0, &[]).json();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn fits(schema: &Validator, value: &Value) {
    let errors: Vec<_> =
        schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The predecessor's shapes, with every kind of value that they have.
const PREDECESSOR: [&str; 2] = [
    r#"
product: {name: "Sales Analytics", description: "d", owner_email: "${DATA_OWNER_EMAIL}", technical_lead: "${TECHNICAL_LEAD_EMAIL}", domain: "Sales & Revenue"}
environments:
  dev: {enabled: true, capacity_type: "trial", capacity_id: "0749b635-c51b-46c6-948a-02f05d7fe177", description: "d", auto_deploy: true}
git: {enabled: true, organization: "${GITHUB_ORG}", repository: "${GITHUB_REPO}", branch: "main", directory: "data_products/x", auto_connect: true, auto_commit: true}
workspace: {create_items: true, validate_naming: true}
items:
  lakehouses:
    - {name: "BRONZE_SalesData_Lakehouse", description: "Raw sales data ingestion layer"}
  notebooks:
    - {name: "01_IngestSalesData_Notebook", description: "d", language: "python"}
users:
  - {email: "${DATA_OWNER_EMAIL}", role: "Admin", principal_type: "User"}
  - {name: "Data Engineering Team", role: "contributor", principal_type: "Group"}
naming: {validate: true, auto_fix: false, strict_mode: true}
audit: {enabled: true, log_all_operations: true, reference: "AUTOMATED-SCENARIO"}
deployment: {wait_for_completion: true, verify_items_created: true, rollback_on_error: false}
"#,
    r#"
product: {name: "ETL", slug: etl, team: x}
environments:
  dev: {enabled: "${DEV:-yes}", capacity: "trial", folder_structure: {enabled: true, template: "medallion"}, requires_approval: false}
  test: {use_medallion_architecture: true, create_folders: false}
  prod:
folder_structure:
  template: medallion
  medallion:
    layers: [{name: "Bronze Layer", description: d, naming_pattern: "BRONZE_*", subfolders: [{name: "Raw Data", description: d}, Archive]}]
    shared_folders: [Shared]
  organization: {auto_organize: true, rules: [{pattern: "^BRONZE", folder: "Bronze Layer"}], unmatched_location: root}
workspace: {create_items: true, validate_naming: no, description_template: "ETL for {environment}", name_prefix: x}
git: {feature_prefix: "feature", max_retries: 3}
items:
  warehouses: [{name: W, target_folder: root}]
  resources: [{type: Eventhouse, name: E, folder: "A/B"}]
features: {enable_folders: true}
intelligent_placement: {enabled: true, rules: []}
scenarios: {any: thing}
automation: {audit_reference: "JIRA-12345"}
scaffold: [x]
_comment: mine
"#,
];

const PREDECESSORS_PROJECT: &str = r#"{
  "_comment": "x",
  "project": {"name": "usf2-fabric-cicd", "prefix": "usf2-fabric", "description": "d", "organization": "o"},
  "naming_patterns": {"workspace": "{prefix}-{name}-{environment}", "lakehouse": "{prefix_upper}_Lakehouse_{environment_title}"},
  "azure": {"tenant_id": "${AZURE_TENANT_ID}", "resource_group_pattern": "{prefix}-fabric-{environment}-rg"},
  "environments": {"dev": {"description": "d", "requires_approval": false, "auto_deploy": true}},
  "github": {"organization": "${GITHUB_ORG}", "repository": "${GITHUB_REPO}", "teams": {"data": "{organization}/data-team"}},
  "git_integration": {
    "enabled": true, "provider": "GitHub", "organization": "${GIT_ORGANIZATION}", "project": "${GIT_PROJECT}", "repository": "${GIT_REPOSITORY}",
    "auto_connect_workspaces": true, "auto_commit_on_creation": false, "default_branch": "main",
    "feature_branch_pattern": "f/{product_id}", "workspace_directory_pattern": "/d/{product_id}", "commit_message_template": "{action}",
    "sync_settings": {"bidirectional_sync": true, "conflict_resolution": "Workspace", "pull_before_commit": true}
  },
  "contacts": {"data_owner": "${DATA_OWNER_EMAIL}"}, "purview": {"collections": {"dev": "{prefix}-dev"}}, "products": [],
  "metadata": {"created_date": "x", "version": "1.0.0"}
}"#;

const PREDECESSORS_STANDARDS: &str = r#"
version: "1.0.0"
description: d
global_rules: {max_length: 256, allowed_characters: "A-Za-z0-9_", case_sensitive: true, no_leading_numbers: false, no_special_chars_start: true, reserved_words: [admin, system]}
item_types:
  Lakehouse: {description: d, pattern: "^(BRONZE|SILVER|GOLD)_[A-Z].*_Lakehouse$", examples: [BRONZE_X_Lakehouse], rules: [Must start], recommended_prefixes: {BRONZE: raw}}
  Notebook: {pattern: "^\\d{2}_", recommended_sequences: {"01-09": ingestion}}
ticket_based_naming: {enabled: true, description: d, pattern: "^[A-Z]+-\\d+_", examples: [JIRA-1_X], rules: [r], ticket_systems: [JIRA, ADO]}
environment_suffixes: {enabled: false, suffixes: {dev: _DEV}}
validation: {strict_mode: true, auto_fix_suggestions: true, warn_on_deviation: true, log_violations: true}
exemptions: {allow_legacy_names: false, exempt_item_ids: [], exempt_workspaces: []}
reporting: {any: thing}
"#;

#[test]
fn configurations_that_load_fit_their_schemas() {
    let (config, project, naming) = (schema("config"), schema("project"), schema("naming"));
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let examples = fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
    let orders = Project::orders();
    let folders: Vec<_> = examples.chain([orders.path().to_owned()]).collect();
    assert!(folders.len() >= 2);
    for folder in &folders {
        let read = |name: &str| yaml(&fs::read_to_string(folder.join(name)).unwrap());
        fits(&config, &read("product_config.yaml"));
        fits(&project, &read("project.config.json"));
        fits(&naming, &read("naming_standards.yaml"));
    }
    PREDECESSOR.iter().for_each(|text| fits(&config, &yaml(text)));
    fits(&project, &serde_json::from_str(PREDECESSORS_PROJECT).unwrap());
    fits(&naming, &yaml(PREDECESSORS_STANDARDS));

    // And so does the reader take them: what it says of them are warnings.
    for (text, environment) in PREDECESSOR.iter().zip(["dev", "test"]) {
        let demo = "11111111-1111-4111-8111-111111111111";
        let text = text.replace("0749b635-c51b-46c6-948a-02f05d7fe177", demo);
        let project = Project::with(&[
            ("project.config.json", PREDECESSORS_PROJECT),
            ("naming_standards.yaml", PREDECESSORS_STANDARDS),
            ("product_config.yaml", &text),
        ]);
        let variables = ["DATA_OWNER_EMAIL", "TECHNICAL_LEAD_EMAIL"];
        let variables = variables.map(|name| (name, "data.owner@contoso.example"));
        let more = ["GITHUB_ORG", "GITHUB_REPO"].map(|name| (name, "x"));
        let args = ["plan", "--local", "--env", environment];
        run(selvedge(project.path(), &args).envs(variables.into_iter().chain(more))).is(0);
    }
}

#[test]
fn slips_do_not_fit() {
    let (config, project, naming) = (schema("config"), schema("project"), schema("naming"));
    for (from, to) in [
        ("environments:", "enviroments:"),
        ("enabled: true, capacity_type", "enabled: maybe, capacity_type"),
        ("role: \"Admin\"", "role: \"Owner\""),
        ("principal_type: \"User\"", "principal_type: \"Person\""),
        ("{email: \"${DATA_OWNER_EMAIL}\", ", "{"),
        ("- {name: \"BRONZE_SalesData_Lakehouse\", ", "- {"),
        ("language: \"python\"", "langauge: \"python\""),
        ("lakehouses:", "lakehouse:"),
        ("product: {name: \"Sales Analytics\", ", "product: {"),
        ("auto_commit: true", "auto_commit: [true]"),
        ("users:", "users: 5\n_x:"),
    ] {
        assert!(PREDECESSOR[0].contains(from), "{from}");
        let slip = PREDECESSOR[0].replacen(from, to, 1);
        assert!(!config.is_valid(&yaml(&slip)), "{to}");
    }
    for slip in ["template: \"medalion\"", "tempalte: \"medallion\""] {
        let text = PREDECESSOR[1].replacen("template: \"medallion\"", slip, 1);
        assert!(!config.is_valid(&yaml(&text)), "{slip}");
    }
    let slip = PREDECESSORS_PROJECT.replacen("\"prefix\"", "\"prefx\"", 1);
    assert!(!project.is_valid(&serde_json::from_str(&slip).unwrap()));
    let slip = PREDECESSORS_STANDARDS.replacen("max_length: 256", "max_length: many", 1);
    assert!(!naming.is_valid(&yaml(&slip)));
}

#[test]
fn plans_are_as_their_schema_says() {
    let (tenant, project, schema) = (Tenant::start(), Project::orders(), schema("plan"));
    let check = |args: &[&str]| {
        let told = tenant.safely(&project, args).is(0).stdout;
        let told: Value = serde_json::from_str(&told).unwrap();
        fits(&schema, &told);
        told
    };
    assert_eq!(check(&["plan", "--output", "json"])["changes"].as_array().unwrap().len(), 11);
    check(&["plan", "--output", "jsonl"]);
    assert_eq!(check(&["deploy", "--dry-run", "--output", "json"])["compared_with"], "live");
    tenant.safely(&project, &["deploy"]).is(0);
    assert_eq!(check(&["plan", "--output", "json"])["changes"], json!([]));
    project.edit("Orders as they come", "Orders, raw");
    assert_eq!(check(&["plan", "--output", "json"])["changes"][0]["overwrites"], true);
    let offline =
        run(&mut selvedge(project.path(), &["deploy", "--dry-run", "--output", "json"])).is(0).json();
    assert_eq!(offline["compared_with"], "empty");
    fits(&schema, &offline);
}

#[test]
fn events_are_as_their_schema_says() {
    let (tenant, schema, results) = (Tenant::start(), schema("events"), schema("transaction"));
    let mut seen = BTreeSet::new();
    let mut check = |stdout: &str| {
        for line in stdout.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            fits(&schema, &event);
            if event["event"] == "result" && event["verdict"] != "planned" {
                fits(&results, &event);
            }
            seen.insert(event["event"].as_str().unwrap().to_owned());
        }
    };
    for (fault, code) in [
        ("GET /nothing=500", 0),
        ("POST */git/commitToGit=403", 1),
        ("POST */git/commitToGit=403\nDELETE */items/*=500", 3),
        ("POST */items=503", 1),
    ] {
        tenant.reset();
        tenant.inject(fault);
        let project = Project::orders();
        project.edit("product:", "unknown_key: 1\nproduct:");
        check(&tenant.safely(&project, &["deploy", "--output", "jsonl"]).is(code).stdout);
        tenant.heal();
        check(&tenant.plainly(&project, &["deploy", "--dry-run", "--output", "jsonl"]).stdout);
    }
    let expected = [
        "done",
        "failed",
        "in_doubt",
        "result",
        "rolling_back",
        "started",
        "undo_failed",
        "undoing",
        "undone",
        "warning",
    ];
    for event in expected {
        assert!(seen.contains(event), "{event} was not seen: {seen:?}");
    }
    let stranger = json!({ "event": "done", "step": 1, "change": "x", "adopted": false, "colour": "red" });
    assert!(!schema.is_valid(&stranger) && !schema.is_valid(&json!({ "event": "news" })));
}
