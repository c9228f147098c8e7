//! Files, keys, environments, names and variables: what is written, and what is said about it.

use super::*;

#[test]
fn nothing_is_said_about_a_sound_project() {
    check(&[("", "")]);
}

#[test]
fn keys() {
    check(&[
        ("itms: {}", "Warning product.yaml:5:1: itms: unknown key, ignored | did you mean `items`?"),
        ("zzz: {}", "Warning product.yaml:5:1: zzz: unknown key, ignored | remove it, or correct its name"),
        (
            "items: {lakehouse: []}",
            "Warning product.yaml:5:9: items.lakehouse: unknown key, ignored | did you mean `lakehouses`?",
        ),
        (
            "audit: {enabled: true, reference: X, log: false}",
            "Warning product.yaml:5:1: audit: enabled, reference have no effect | remove what you do not need; nothing depends on it",
        ),
        (
            "scenarios: [a]",
            "Warning product.yaml:5:1: scenarios: has no effect | remove what you do not need; nothing depends on it",
        ),
        (
            "deployment: {wait_for_completion: false, rollback_on_error: false}",
            "Warning product.yaml:5:1: deployment: rollback_on_error has no effect | FEATURE_USE_ROLLBACK decides whether a failed deployment is rolled back; the rest is always done",
        ),
        (
            "git: {enabled: false, max_retries: 3}",
            "Warning product.yaml:5:36: git: max_retries has no effect | remove what you do not need; nothing depends on it",
        ),
        (
            "workspace: {create_items: maybe}",
            "Error product.yaml:5:27: workspace.create_items: \"maybe\" is neither true nor false | write true or false",
        ),
        (
            "items: []",
            "Error product.yaml:5:1: items: must be a mapping of keys to values | write the keys of `items` below it, indented",
        ),
        (
            "items: {notebooks: {name: x}}",
            "Error product.yaml:5:9: items.notebooks: must be a list | start each entry with `- `",
        ),
        (
            "items: {notebooks: [{name: [x]}]}",
            "Error product.yaml:5:22: items.notebooks[0].name: must be text | write one value, in quotes if it holds `: ` or ` #`",
        ),
    ]);
}

#[test]
fn files() {
    let table: [(&[(&str, &str)], &str); 7] = [
        (
            &[("product.yaml", "a: [")],
            "Error product.yaml:1:4: unclosed bracket '[' | correct the syntax there",
        ),
        (
            &[("product.yaml", "- a\n")],
            "Error product.yaml: is not a mapping of keys to values | see the examples",
        ),
        (
            &[(
                "product.yaml",
                "product: {name: S}\nenvironments: {dev: {}}\nusers: [{email: a@b.example, role: Admin}]\nnaming: {validate: no}\nnaming: {}\n",
            )],
            "Error product.yaml:5:1: the key \"naming\" is here twice; it is first in line 4 | remove one of the two",
        ),
        (
            &[("project.config.json", "{\n 1}")],
            "Error project.config.json:2:2: is not JSON: key must be a string | correct the syntax there",
        ),
        (
            &[("project.config.json", "\u{feff}{}")],
            "Error project.config.json: naming_patterns.workspace: is missing | add it to project.config.json: for example \"{prefix}-{name}-{environment}\"",
        ),
        (
            &[(
                "project.config.json",
                r#"{"project": {"organization": "o"}, "naming_patterns": {"workspace": "{prefix}{name}{environment}"}}"#,
            )],
            "Error project.config.json:1:2: project.prefix: is missing | add it to project.config.json: the names of all resources begin with it",
        ),
        (
            &[(
                "project.config.json",
                r#"{"project": {"prefix": "a"}, "naming_patterns": {"workspace": "{prefix}-{nam}"}}"#,
            )],
            "Warning project.config.json:1:63: naming_patterns.workspace: all products get the same workspace | put {name} into the pattern\n\
             Warning project.config.json:1:63: naming_patterns.workspace: all environments get the same workspace | put {environment} into the pattern\n\
             Error project.config.json:1:63: naming_patterns.workspace: the placeholder {nam} stands for nothing | did you mean {name}?",
        ),
    ];
    for (files, expected) in table {
        let found = said(files);
        assert_eq!(found, expected, "{files:?}");
    }
}

#[test]
fn files_that_are_not_files() {
    let root = project(&[]);
    let config = root.path().join("product.yaml");
    fs::remove_file(&config).expect("removed");
    let message = || {
        load_from(root.path(), "dev")
            .expect_err("there is no product")
            .iter()
            .map(|problem| problem.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(message(), ["there is no such file"]);
    fs::create_dir(&config).expect("a folder");
    assert_eq!(message(), ["is not a file"]);
    fs::remove_dir(&config).expect("removed");
    fs::write(&config, b"a: 1\nb: \xff\n").expect("written");
    assert_eq!(message(), ["is not UTF-8 text"]);
    fs::write(&config, vec![b' '; file::MAX_BYTES + 1]).expect("written");
    assert_eq!(message(), ["is larger than 1024 KiB"]);
    #[cfg(unix)]
    {
        fs::remove_file(&config).expect("removed");
        let _socket = std::os::unix::net::UnixListener::bind(&config).expect("a socket");
        assert_eq!(message(), ["is not a file"]);
    }
}

#[test]
fn environments() {
    let product = |environments: &str| {
        format!(
            "product: {{name: S}}\nusers: [{{email: a@b.example, role: Viewer}}]\nnaming: {{validate: false}}\n{environments}"
        )
    };
    let table = [
        ("", "Error product.yaml: environments: is missing | add `environments:` with `dev:` below it"),
        (
            "environments: {test: {}, prod: {}}",
            "Error product.yaml:4:1: environments: there is no environment \"dev\" | choose one of test, prod",
        ),
        (
            "environments: {dev: {enabled: false}}",
            "Error product.yaml:4:31: environments.dev.enabled: the environment dev is turned off | set it to true, or choose another environment",
        ),
        (
            "environments: {dev: {capacity_id: 123}}",
            "Error product.yaml:4:35: environments.dev.capacity_id: \"123\" is not a GUID | copy the id of the capacity from the Fabric admin portal; leave the key empty for none",
        ),
        (
            "environments: {dev: {capacity_id: \"{11111111-1111-4111-8111-111111111111}\"}}",
            "Error product.yaml:4:35: environments.dev.capacity_id: \"{11111111-1111-4111-8111-111111111111}\" is not a GUID | copy the id of the capacity from the Fabric admin portal; leave the key empty for none",
        ),
        ("environments: {dev: {capacity_id: \"\"}}", ""),
        ("environments: {dev: {capacity_id: \"${CAPACITY}\"}}", ""),
        (
            "environments: {dev: {capacity_type: trial}, test: {capacity_type: trial, auto_deploy: true}}",
            "Warning product.yaml:4:37: environments: capacity_type, auto_deploy have no effect | remove what you do not need; nothing depends on it",
        ),
    ];
    for (environments, expected) in table {
        assert_eq!(said(&[("product.yaml", &product(environments))]), expected, "{environments}");
    }
    let root = project(&[]);
    let error = load_from(root.path(), "../dev").expect_err("a path is no environment");
    assert!(error.iter().any(|problem| problem.message.contains("is not the name of an environment")));
}

#[test]
fn product_names() {
    let long = "x".repeat(257);
    let table = [
        ("{}", "Error product.yaml:1:1: product.name: is missing | name the product"),
        ("{name: \"\"}", "Error product.yaml:1:17: product.name: is empty | name the product"),
        (
            "{name: A/B}",
            "Error product.yaml:1:17: product.name: holds a slash | use a name without `/` and `\\`",
        ),
        (
            "{name: \"a\\u001bb\"}",
            "Error product.yaml:1:17: product.name: holds a control character | remove line breaks and tabs from the name",
        ),
        (
            &format!("{{name: {long}}}"),
            "Error product.yaml:1:17: product.name: is longer than 256 characters | shorten the name",
        ),
        (
            "{name: \"${NOPE}\"}",
            "Error product.yaml:1:17: product.name: the variable NOPE is not set | set NOPE in .env or the environment, or give a default: ${NOPE:-value}",
        ),
        ("{name: S, description: \"${NOPE}\"}", ""),
    ];
    for (product, expected) in table {
        let text = PRODUCT.replace("{name: Sales Analytics}", product);
        assert_eq!(said(&[("product.yaml", &text)]), expected, "{product}");
    }
}

#[test]
fn variables_in_values() {
    check(&[
        (
            "items: {notebooks: [{name: N, description: \"${NOPE}\"}]}",
            "Error product.yaml:5:44: items.notebooks[0].description: the variable NOPE is not set | set NOPE in .env or the environment, or give a default: ${NOPE:-value}",
        ),
        (
            "items: {notebooks: [{name: N, description: \"${TOKEN}\"}]}",
            "Error product.yaml:5:44: items.notebooks[0].description: the variable TOKEN looks like a secret, and this value is shown and sent as it is | remove the reference; if it is no secret, give the variable another name",
        ),
        // What a variable holds can never become structure; here it is merely no name.
        (
            "items: {notebooks: [{name: \"${INJECTION}\"}]}",
            "Error product.yaml:5:28: items.notebooks[0].name: holds a control character | remove line breaks and tabs from the name",
        ),
        (
            "git: {enabled: true, organization: \"${GITHUB_ORG}\", repository: \"${GITHUB_REPO}\"}",
            "Error product.yaml:5:65: git.repository: the variable GITHUB_REPO is not set | set GITHUB_REPO in .env or the environment (GITHUB_REPOSITORY or GIT_REPOSITORY will do too), or give a default: ${GITHUB_REPO:-value}",
        ),
        ("git: {enabled: false, organization: \"${GITHUB_ORG}\", repository: \"${GITHUB_REPO}\"}", ""),
    ]);
}
