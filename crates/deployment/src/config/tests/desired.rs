//! What the files ask for, where they are sound.

use serde_json::{Value, json};

use super::*;
use crate::desired::{DesiredItem, GitProvider};

fn desired(files: &[(&str, &str)]) -> crate::desired::Desired {
    let root = project(files);
    load_from(root.path(), "dev").unwrap_or_else(|problems| panic!("{:#?}", problems)).desired
}

/// The desired state of [`PRODUCT`] with these sections, as JSON.
fn desired_json(sections: &str) -> Value {
    serde_json::to_value(desired(&[("product.yaml", &with(sections))])).expect("it serialises")
}

#[test]
fn workspace_names_follow_the_pattern_of_the_project() {
    let table = [
        ("{prefix}-{name}-{environment}", "acme-corp-sales-analytics-dev"),
        (
            "{prefix_upper}_{prefix_clean}_{name}_{environment_title}",
            "ACME_CORP_acmecorp_sales-analytics_Dev",
        ),
        ("{organization} {name} {environment}", "Contoso sales-analytics dev"),
    ];
    for (pattern, expected) in table {
        let text = json!({
            "project": {"prefix": "acme-corp", "organization": "Contoso"},
            "naming_patterns": {"workspace": pattern, "lakehouse": "{nobody_cares}"},
            "azure": {"tenant_id": "${UNSET}"},
        });
        assert_eq!(desired(&[(super::super::project::FILE, &text.to_string())]).workspace.name, expected);
    }
}

#[test]
fn descriptions_of_the_workspace() {
    let table = [
        ("dev: {}", "", None),
        ("dev: {description: \"For development\"}", "", Some("For development")),
        (
            "dev: {description: x}",
            "workspace: {description_template: \"Sales, {environment}\"}",
            Some("Sales, dev"),
        ),
    ];
    for (environment, sections, expected) in table {
        let text = with(sections).replace("dev: {}", environment);
        let found = desired(&[("product.yaml", &text)]).workspace.description;
        assert_eq!(found.as_deref(), expected, "{environment} {sections}");
    }
}

#[test]
fn folder_trees() {
    let medallion = "Bronze Layer,Bronze Layer/Raw Data,Bronze Layer/Archive,Bronze Layer/External Sources,\
                     Silver Layer,Silver Layer/Cleaned,Silver Layer/Transformed,Silver Layer/Validated,\
                     Gold Layer,Gold Layer/Analytics,Gold Layer/Business Metrics,Gold Layer/Reports";
    let own = "folder_structure: {template: medallion, medallion: {layers: [{name: B, naming_pattern: \"\", subfolders: [{name: R}, A]}], shared_folders: [{name: S}]}}";
    let table = [
        ("{}", "", ""),
        ("{use_medallion_architecture: true}", "", medallion),
        ("{folder_structure: {enabled: true, template: medallion}}", "", medallion),
        ("{folder_structure: {enabled: false, template: medallion}}", own, ""),
        ("{}", own, "B,B/R,B/A,S"),
        ("{folder_structure: {enabled: true}}", own, "B,B/R,B/A,S"),
        ("{}", "folder_structure: {medallion: {layers: [{name: B}]}}", "B"),
        ("{}", "folder_structure: {A: {subfolders: [B]}}", "A,A/B"),
        ("{use_medallion_architecture: true}", own, "B,B/R,B/A,S"),
        ("{use_medallion_architecture: false}", own, ""),
        ("{create_folders: false}", own, ""),
        (
            "{folder_structure: {A: {subfolders: [B, {name: C, subfolders: [D]}]}, E: , F: [G]}}",
            own,
            "A,A/B,A/C,A/C/D,E,F,F/G",
        ),
        // Folders of items come with their parents, and names are one without regard to case.
        (
            "{folder_structure: {A: }}",
            "items: {notebooks: [{name: N, target_folder: a/b/}, {name: M, folder: root}]}",
            "A,A/b",
        ),
        ("{create_folders: false}", "items: {notebooks: [{name: N, target_folder: A/B}]}", "A,A/B"),
        ("{}", "items: {notebooks: [{name: N, target_folder: A/B}]}\nworkspace: {create_items: false}", ""),
    ];
    for (environment, sections, expected) in table {
        let text = with(sections).replace("dev: {}", &format!("dev: {environment}"));
        let folders = desired(&[("product.yaml", &text)]).folders;
        let folders: Vec<_> = folders.iter().map(ToString::to_string).collect();
        assert_eq!(folders.join(","), expected, "{environment} {sections}");
    }
}

#[test]
fn a_workspace_is_named_by_prefix_environment_and_pattern() {
    let root = project(&[]);
    for (base, name) in [
        ("Monthly Reports", "acme-monthly-reports-dev"),
        ("acme-reports", "acme-reports-dev"),
        ("acme-reports-dev", "acme-reports-dev"),
        ("reports-dev", "acme-reports-dev-dev"),
    ] {
        let (found, warnings) = workspace_name(root.path(), base, "dev", &variables).expect("a name");
        assert_eq!((&*found, warnings.len()), (name, 0), "{base}");
    }
    let without = tempfile::tempdir().expect("a temporary folder");
    let problems = workspace_name(without.path(), "reports", "dev", &variables).expect_err("no project");
    assert!(problems.iter().next().expect("a problem").to_string().contains("there is no such file"));
}

#[test]
fn items_have_type_folder_and_content() {
    let files = [
        (
            "product.yaml",
            &*with(
                "items:\n  lakehouses: [{name: L, description: \" d \\n\"}]\n  pipelines: [{name: P, definition: p.json}]\n  resources: [{type: kqldatabase, name: K, folder: /F/}]",
            ),
        ),
        ("p.json", "{}"),
    ];
    let items = desired(&files).items;
    let show = |item: &DesiredItem| {
        let folder = item.folder.as_ref().map(ToString::to_string).unwrap_or_default();
        let parts = item.definition.as_ref().map_or(0, |definition| definition.parts.len());
        format!("{} {} {:?} {folder:?} {parts}", item.kind, item.name, item.description)
    };
    let items: Vec<_> = items.iter().map(show).collect();
    assert_eq!(
        items,
        [r#"Lakehouse L Some("d") "" 0"#, r#"DataPipeline P None "" 1"#, r#"KQLDatabase K None "F" 0"#]
    );
}

#[test]
fn roles_come_from_users_and_from_the_file_of_this_product_only() {
    let text = with("")
        .replace("role: Admin}", "role: Admin}, {name: Data Team, role: contributor, principal_type: group}");
    let id = "22222222-2222-4222-8222-222222222222";
    let files = [
        ("product.yaml", &*text),
        (
            "config/principals/sales_analytics_dev_principals.txt",
            &format!("{id},Member,x,ServicePrincipal\n"),
        ),
        ("config/principals/sales_analytics_prod_principals.txt", &format!("{id},Admin,x,User\n")),
        ("config/principals/other_dev_principals.txt", &format!("{id},Admin,x,User\n")),
    ];
    let roles = desired(&files).roles;
    let roles: Vec<_> =
        roles.iter().map(|role| format!("{} {} {}", role.principal, role.kind, role.role)).collect();
    assert_eq!(
        roles,
        [
            "a@contoso.example User Admin",
            "Data Team Group Contributor",
            &format!("{id} ServicePrincipal Member")
        ]
    );
}

#[test]
fn git_is_put_together_from_product_and_project() {
    let project = |git: Value| {
        let mut project: Value = serde_json::from_str(PROJECT).expect("it is JSON");
        project.as_object_mut().expect("a map").extend(git.as_object().expect("a map").clone());
        project.to_string()
    };
    let github = |owner: &str, repository: &str| GitProvider::GitHub {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
    };
    let azure = GitProvider::AzureDevOps {
        organization: "o".to_owned(),
        project: "p".to_owned(),
        repository: "r".to_owned(),
    };
    let table = [
        ("{enabled: true, organization: o, repository: r}", json!({}), github("o", "r")),
        (
            "{enabled: true, organization: \"${GITHUB_ORG}\"}",
            json!({"git_integration": {"repository": "p"}}),
            github("contoso", "p"),
        ),
        (
            "{enabled: true}",
            json!({"git_integration": {"organization": "${NOPE}", "repository": "i"}, "github": {"organization": "g", "repository": "h"}}),
            github("g", "i"),
        ),
        (
            "{enabled: true, organization: o, repository: r}",
            json!({"git_integration": {"provider": "azuredevops", "project": "p"}}),
            azure,
        ),
    ];
    for (git, other, expected) in table {
        let found = desired(&[
            ("product.yaml", &with(&format!("git: {git}"))),
            (super::super::project::FILE, &project(other)),
        ])
        .git;
        assert_eq!(found.expect("it is enabled").provider, expected, "{git}");
    }
    let found = desired_json(
        "git: {enabled: yes, organization: o, repository: r, directory: data/sales/, auto_commit: on}",
    );
    let git = &found["git"];
    assert_eq!(
        (&git["directory"], &git["branch"], &git["commit"]),
        (&json!("/data/sales"), &json!("main"), &json!(true))
    );
    assert_eq!(git["commit_message"], "Automated deployment: Sales Analytics [DEV]");
    assert_eq!(desired_json("git: {enabled: true, auto_connect: false}")["git"], Value::Null);
}

#[test]
fn the_connection_comes_from_a_variable() {
    let root = project(&[("product.yaml", &with("git: {enabled: true, organization: o, repository: r}"))]);
    let load_with = |connection: &'static str| {
        let variables = move |name: &str| (name == "FABRIC_GIT_CONNECTION_ID").then(|| connection.to_owned());
        let (config, root) = (root.path().join("product.yaml"), root.path().to_owned());
        load(&Request { config, root, environment: "dev", variables: &variables })
    };
    let id = "33333333-3333-4333-8333-333333333333";
    let connection = |text| load_with(text).expect("it loads").desired.git.expect("it is enabled").connection;
    assert_eq!(connection(id).map(|id| id.to_string()).as_deref(), Some(id));
    assert_eq!(connection(" "), None);
    let error = load_with("my-connection").expect_err("it is not a GUID");
    assert_eq!(
        error.iter().map(|problem| &*problem.message).collect::<Vec<_>>(),
        ["the variable FABRIC_GIT_CONNECTION_ID is not a GUID"]
    );
}

#[test]
fn the_predecessors_wish_for_rollback_is_passed_on() {
    for (sections, expected) in [
        ("", None),
        ("deployment: {rollback_on_error: true}", Some(true)),
        ("deployment: {rollback_on_error: no}", Some(false)),
    ] {
        let root = project(&[("product.yaml", &with(sections))]);
        assert_eq!(
            load_from(root.path(), "dev").expect("it loads").rollback_on_error,
            expected,
            "{sections}"
        );
    }
}

#[test]
fn the_example_loads_without_a_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/sales-analytics");
    for environment in ["dev", "test", "prod"] {
        let config = root.join("product_config.yaml");
        let none = |_: &str| None;
        let loaded = load(&Request { root: find_root(&root), config, environment, variables: &none });
        let loaded = loaded.unwrap_or_else(|problems| panic!("{:#?}", problems));
        assert_eq!(loaded.warnings, [], "{environment}");
        let desired = loaded.desired;
        assert_eq!((desired.items.len(), desired.roles.len()), (6, if environment == "dev" { 3 } else { 2 }));
        let notebooks = desired.items.iter().filter(|item| item.kind == "Notebook");
        for notebook in notebooks {
            assert!(notebook.definition.is_some() && notebook.folder.is_some(), "{}", notebook.name);
        }
        assert!(desired.git.is_some_and(|git| git.commit));
    }
}
