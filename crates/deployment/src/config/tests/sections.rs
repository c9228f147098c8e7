//! Items, folders, principals, Git and naming: what is written, and what is said about it.

use super::*;

#[test]
fn items() {
    let long = format!("items: {{reports: [{{name: R, definition: r, description: {}}}]}}", "x".repeat(257));
    check(&[
        (
            "items: {notebooks: [x]}",
            "Error product.yaml:5:21: items.notebooks[0]: must be a mapping with a `name` | write `- name: ...`",
        ),
        (
            "items: {notebooks: [{}]}",
            "Error product.yaml:5:21: items.notebooks[0].name: is missing | give the item a `name`",
        ),
        (
            "items:\n  notebooks:\n    - name: N\n    - name: n\n  lakehouses: [{name: N}]",
            "Error product.yaml:8:13: items.notebooks[1].name: a Notebook \"n\" is already in line 7 | remove or rename one of the two; Fabric does not tell names apart by case",
        ),
        (
            "items: {resources: [{name: R}]}",
            "Error product.yaml:5:21: items.resources[0].type: is missing | give the item a `type`, for example Eventhouse",
        ),
        (
            "items: {resources: [{name: R, type: Notebok}]}",
            "Warning product.yaml:5:37: items.resources[0].type: \"Notebok\" is not a known item type | did you mean Notebook?",
        ),
        ("items: {resources: [{name: R, type: Ontology}, {name: E, type: eventhouse}]}", ""),
        (
            "items: {resources: [{name: R, type: ../x}]}",
            "Error product.yaml:5:37: items.resources[0].type: \"../x\" is not the name of an item type | use Fabric's name, for example DataPipeline",
        ),
        (
            "items: {reports: [{name: R}]}",
            "Error product.yaml:5:19: items.reports[0].definition: is missing, and Fabric makes no Report without one | name the file or folder that holds it, relative to this file",
        ),
        (
            "items: {warehouses: [{name: W, definition: w}]}",
            "Error product.yaml:5:44: items.warehouses[0].definition: a Warehouse has no definition in Fabric | remove the key",
        ),
        (
            "items: {notebooks: [{name: N, definition: ../n.py}]}",
            "Error product.yaml:5:43: items.notebooks[0].definition: could not read the definition ../n.py: the path must be relative and without `..` | name a file or folder of the project, relative to this file and without `..`",
        ),
        (
            "items: {notebooks: [{name: N, folder: A, target_folder: B}]}",
            "Error product.yaml:5:39: items.notebooks[0].folder: says another folder than target_folder in line 5 | keep one of the two",
        ),
        (
            "items: {notebooks: [{name: N, folder: \"A/B?\"}]}",
            "Error product.yaml:5:39: items.notebooks[0].folder: \"B?\" is not a folder name: it holds one of ~ \" # . & * : < > ? / \\ { | } | write a path such as \"Bronze Layer/Raw Data\", or \"root\"",
        ),
        (
            "items: {notebooks: [{name: N, language: scala}]}",
            "Warning product.yaml:5:41: items.notebooks[0].language: has no effect without a `definition` | name a file with this content, or remove the key",
        ),
        ("items: {notebooks: [{name: N, language: python}]}", ""),
        (
            "items: {lakehouses: [{name: N, language: python}]}",
            "Warning product.yaml:5:42: items.lakehouses[0].language: a Lakehouse has no language | remove the key",
        ),
        (
            "items: {notebooks: [{name: N, language: cobol}]}",
            "Warning product.yaml:5:41: items.notebooks[0].language: \"cobol\" is not a language of notebooks | use python, sql, scala or r",
        ),
        ("items: {reports: [{}]}\nworkspace: {create_items: false}", ""),
    ]);
    assert!(said(&[("product.yaml", &with(&long))]).contains("description: is longer than 256 characters"));
}

#[test]
fn folders() {
    check(&[
        (
            "folder_structure: {template: medallion, medallion: x}",
            "Error product.yaml:5:52: folder_structure.medallion: must be a mapping of keys to values | write the keys of `medallion` below it, indented",
        ),
        (
            "folder_structure: {enabled: true}",
            "Error product.yaml:5:1: folder_structure.template: is missing | add `template: medallion`",
        ),
        (
            "folder_structure: {template: basic}",
            "Error product.yaml:5:30: folder_structure.template: there is no folder template \"basic\" | use `medallion`, or list the folders by name with their `subfolders`",
        ),
        (
            "folder_structure: {template: medallion, medallion: {layers: [{description: x}]}}",
            "Error product.yaml:5:62: folder_structure.medallion.layers[0].name: is missing | give the folder a `name`",
        ),
        (
            "folder_structure: {template: medallion, medallion: {layers: [{name: \"a.b\"}]}}",
            "Error product.yaml:5:69: folder_structure.medallion.layers[0].name: \"a.b\" is not a folder name: it holds one of ~ \" # . & * : < > ? / \\ { | } | rename the folder",
        ),
        (
            "folder_structure: {template: medallion, organization: {auto_organize: true}}",
            "Warning product.yaml:5:41: folder_structure: organization has no effect | remove what you do not need; nothing depends on it",
        ),
    ]);
}

#[test]
fn users() {
    let product = |users: &str| PRODUCT.replace("[{email: a@contoso.example, role: Admin}]", users);
    const ROLES: &str = "use one of Admin, Member, Contributor, Viewer";
    let table = [
        ("[{email: a@b.example, role: admin}]", String::new()),
        ("[{email: a@b.example, role: Owner}]", format!("Error product.yaml:3:36: users[0].role: there is no role \"Owner\" | {ROLES}")),
        ("[{email: a@b.example}]", format!("Error product.yaml:3:9: users[0].role: is missing | {ROLES}")),
        ("[{email: somebody, role: Admin}]", "Error product.yaml:3:17: users[0].email: \"somebody\" is not an e-mail address | write it as name@domain".to_owned()),
        ("[{role: Admin}]", "Error product.yaml:3:9: users[0].email: is missing | give a user an `email`; a group or service principal a `name`".to_owned()),
        ("[{name: G, role: Admin}]", "Error product.yaml:3:9: users[0].principal_type: is missing | use Group or ServicePrincipal; a User is named by `email`".to_owned()),
        ("[{name: G, role: Admin, principal_type: Team}]", "Error product.yaml:3:48: users[0].principal_type: there is no principal type \"Team\" | use one of User, Group, ServicePrincipal".to_owned()),
        ("[{email: a@b.example, role: Admin, principal_type: Group}]", "Error product.yaml:3:17: users[0].email: a Group cannot be named by `email` | use `email` for a User, `name` for a Group or ServicePrincipal, `id` for any".to_owned()),
        ("[{id: 1, role: Admin}]", "Error product.yaml:3:14: users[0].id: \"1\" is not a GUID | find the object id: az ad user show --id USER@DOMAIN --query id -o tsv (az ad group show --group NAME, az ad sp show --id APP)".to_owned()),
        ("[{email: a@b.example, role: Viewer}, {email: A@B.example, role: Member}]", "Warning product.yaml:3:53: users[1].email: A@B.example is Member here and Viewer at product.yaml:3 | Member is used; remove the other".to_owned()),
        ("[]", "Warning product.yaml: users: nobody but the deploying identity gets access | add `users`, or the file config/principals/sales_analytics_dev_principals.txt".to_owned()),
    ];
    for (users, expected) in table {
        assert_eq!(said(&[("product.yaml", &product(users))]), expected, "{users}");
    }
}

#[test]
fn principals_file() {
    const FILE: &str = "config/principals/sales_analytics_dev_principals.txt";
    const ID: &str = "22222222-2222-4222-8222-222222222222";
    let table = [
        (format!("\u{feff}# comment\r\n\r\n{ID},viewer,Team, with commas,group\r\n"), String::new()),
        (format!("{ID},Admin"), String::new()),
        (
            ID.to_owned(),
            format!(
                "Error {FILE}:1: needs at least an id and a role | write principal_id,role,description,type"
            ),
        ),
        (
            format!("# x\n{ID},Owner,x,User"),
            format!(
                "Error {FILE}:2: role: there is no role \"Owner\" | use one of Admin, Member, Contributor, Viewer"
            ),
        ),
        (
            format!("{ID},,x,User"),
            format!(
                "Error {FILE}:1: role: the role is empty | use one of Admin, Member, Contributor, Viewer"
            ),
        ),
        (
            format!("{ID},Admin,x,Robot"),
            format!(
                "Error {FILE}:1: type: there is no principal type \"Robot\" | use one of User, Group, ServicePrincipal"
            ),
        ),
        (format!("{ID},Admin,x,Group\n{ID},Admin,again,Group"), String::new()),
        (
            format!("{ID},Viewer,x,Group\n{ID},Admin,again,Group"),
            format!(
                "Warning {FILE}:2: principal_id: {ID} is Admin here and Viewer at sales_analytics_dev_principals.txt:1 | Admin is used; remove the other"
            ),
        ),
        (
            format!("{ID},Viewer,x,Group\n{ID},Viewer,x,User"),
            format!(
                "Error {FILE}:2: principal_id: {ID} is a User here and a Group at sales_analytics_dev_principals.txt:1 | correct one of the two"
            ),
        ),
        (
            "a@b.example,Admin,x,User".to_owned(),
            format!(
                "Error {FILE}:1: principal_id: \"a@b.example\" is not a GUID | find the object id: az ad user show --id USER@DOMAIN --query id -o tsv (az ad group show --group NAME, az ad sp show --id APP)"
            ),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(said(&[(FILE, &text)]), expected, "{text}");
    }
}

#[test]
fn git() {
    check(&[
        (
            "git: {branch: main}",
            "Warning product.yaml:5:1: git.enabled: is missing, so there will be no Git connection | add `enabled: true` or `enabled: false`",
        ),
        (
            "git: {enabled: true, repository: r}",
            "Error product.yaml:5:1: git.organization: is missing | add it, here or in git_integration of project.config.json, or set git.enabled to false",
        ),
        (
            "git: {enabled: true, provider: Bitbucket}",
            "Error product.yaml:5:32: git.provider: there is no Git provider \"Bitbucket\" | use GitHub or AzureDevOps",
        ),
        (
            "git: {enabled: true, organization: o, repository: r, directory: ../x}",
            "Error product.yaml:5:65: git.directory: \"../x\" is not a directory of the repository | write it from the root of the repository, with `/` and without `..`",
        ),
        ("git: {enabled: true, auto_connect: false}", ""),
    ]);
}

#[test]
fn names_that_break_the_standards() {
    const STANDARDS: (&str, &str) =
        ("naming_standards.yaml", "item_types: {Notebook: {pattern: \"^\\\\d{2}_.*_Notebook$\"}}\n");
    let product = |naming: &str| {
        format!("{}items: {{notebooks: [{{name: load}}]}}\n", PRODUCT.replace("{validate: false}", naming))
    };
    const SAID: &str = "product.yaml:5:28: items.notebooks[0].name: Name does not match pattern: ^\\d{2}_.*_Notebook$ | Suggested fix: '01_Load_Notebook'";
    let table = [
        ("{}", format!("Error {SAID}")),
        ("{strict_mode: true}", format!("Error {SAID}")),
        ("{strict_mode: false}", format!("Warning {SAID}")),
        ("{validate: false}", String::new()),
        ("{auto_fix: true, validate: false}", "Warning product.yaml:4:20: naming: auto_fix has no effect | remove what you do not need; nothing depends on it".to_owned()),
        ("{}\nworkspace: {validate_naming: false}", String::new()),
    ];
    for (naming, expected) in table {
        assert_eq!(
            said(&[STANDARDS, ("product.yaml", &product(naming))]).replace("yaml:6:", "yaml:5:"),
            expected,
            "{naming}"
        );
    }
    let elsewhere = ("config/naming_standards.yaml", STANDARDS.1);
    assert!(
        said(&[elsewhere, ("product.yaml", &product("{}"))]).starts_with("Error"),
        "the other place is read"
    );
    assert_eq!(
        said(&[("product.yaml", &product("{}"))]),
        "Warning naming_standards.yaml: there is no such file, so names are not checked | create it, or set naming.validate to false",
    );
}
