//! What no linter of others knows: rules about scripts inside of YAML, parameters of Bicep modules, and what is kept out of images.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The keys whose text a CI system hands to a shell.
const SCRIPTS: [&str; 4] = ["run", "bash", "script", "inlineScript"];

/// The scripts of a document, each with its place.
pub(super) fn scripts(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(document, "", &mut |place, object| {
        for key in SCRIPTS {
            if let Some(Value::String(text)) = object.get(key) {
                found.push((format!("{place}.{key}"), text.clone()));
            }
        }
    });
    found
}

/// Expressions are put into a script's text before a shell reads it: whoever can choose their value can write the script.
pub(super) fn injected(document: &Value) -> Vec<String> {
    let scripts = scripts(document).into_iter();
    let broken = scripts.filter(|(_, text)| text.contains("${{"));
    broken
        .map(|(place, _)| format!("{place}: an expression within a script; hand it over by `env`"))
        .collect()
}

/// Visits every object, with its place in the document.
pub(super) fn walk(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(place, object);
            object.iter().for_each(|(key, value)| walk(value, &format!("{place}.{key}"), visit));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, value)| walk(value, &format!("{place}[{n}]"), visit));
        }
        _ => {}
    }
}

/// What does not fit between Bicep files, of which `parsed` has the trees by their paths: a parser looks at one file alone.
pub(super) fn modules(parsed: &BTreeMap<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, tree) in parsed {
        for (name, module) in tree["modules"].as_object().into_iter().flatten() {
            let target = module["detail"]["path"].as_str().unwrap_or_default();
            let Some(of) = sibling(path, target).and_then(|target| parsed.get(&target)) else {
                problems.push(format!("{path}: module {name}: there is no {target}"));
                continue;
            };
            let none = Map::new();
            let declared = of["parameters"].as_object().unwrap_or(&none);
            // Behind a condition there is one more level.
            let config = module["config"].get("config").unwrap_or(&module["config"]);
            let given = config["params"].as_object().unwrap_or(&none);
            for unknown in given.keys().filter(|it| !declared.contains_key(*it)) {
                problems.push(format!("{path}: module {name}: {target} has no parameter {unknown}"));
            }
            let needed = declared.iter().filter(|(_, it)| it.get("default").is_none_or(Value::is_null));
            for (missing, _) in needed.filter(|(it, _)| !given.contains_key(*it)) {
                problems.push(format!("{path}: module {name}: {target} needs the parameter {missing}"));
            }
        }
        for (module, output) in outputs(tree) {
            let target = tree["modules"][&module]["detail"]["path"].as_str();
            let of = target.and_then(|target| sibling(path, target)).and_then(|target| parsed.get(&target));
            if of.is_some_and(|of| of["outputs"].get(&output).is_none()) {
                problems.push(format!("{path}: module {module} has no output {output}"));
            }
        }
    }
    problems
}

/// Each `module.outputs.name` of a file.
fn outputs(tree: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(tree, "", &mut |_, object| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let Some(operands) = object.get("operands") else { return };
        let rest = &operands["operand_2"]["operator"]["operands"];
        if rest["operand_1"] == "outputs"
            && let (Some(module), Some(output)) = (text(&operands["operand_1"]), text(&rest["operand_2"]))
        {
            found.push((module, output));
        }
    });
    found
}

/// `link`, which is relative to the file `from`, from where that one's path begins.
fn sibling(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// What must never get into an image, and is not kept out by `ignored`, the text of a `.dockerignore`.
pub(super) fn let_in(ignored: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = ignored.lines().map(str::trim).collect();
    let secrets = ["**/.env", "**/.selvedge"];
    secrets.into_iter().filter(|secret| !lines.contains(secret)).collect()
}

/// Whether the image is built with the toolchain that everything else is built with.
pub(super) fn is_same_toolchain(dockerfile: &str, toolchain: &str) -> bool {
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = "));
    let channel = channel.map(|it| it.trim_matches('"'));
    channel.is_some_and(|it| {
        dockerfile.lines().any(|line| {
            line.strip_prefix("ARG RUST_IMAGE=").is_some_and(|image| image.contains(&format!(":{it}-")))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scripts_are_found_wherever_they_are() {
        let document = json!({"jobs": {"a": {"steps": [
            {"run": "echo", "env": {"A": "${{ inputs.a }}"}},
            {"task": "AzureCLI@2", "inputs": {"inlineScript": "echo ${{ parameters.b }}"}},
        ]}}, "defaults": {"run": {"shell": "bash"}}});
        let places: Vec<String> = scripts(&document).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [".jobs.a.steps[0].run", ".jobs.a.steps[1].inputs.inlineScript"]);
        assert_eq!(
            injected(&document),
            [".jobs.a.steps[1].inputs.inlineScript: an expression within a script; hand it over by `env`"]
        );
    }

    #[test]
    fn modules_get_what_they_ask_for() {
        let output = |module, name| {
            json!({"operator": {"type": "property_accessor", "operands": {"operand_1": module, "operand_2":
                {"operator": {"type": "property_accessor", "operands": {"operand_1": "outputs", "operand_2": name}}}}}})
        };
        let of = |config: Value, used| {
            json!({"modules": {"m": {"detail": {"path": "../b/part.bicep"}, "config": config}},
                "outputs": {"o": {"value": output("m", used)}}})
        };
        let main = |params: Value, used| of(json!({"params": params}), used);
        let part = json!({"parameters": {"name": {"type": "string"}, "tags": {"type": "object", "default": {}}},
            "outputs": {"id": {}}});
        let problems = |main: Value| {
            modules(&BTreeMap::from([
                ("a/main.bicep".to_owned(), main),
                ("b/part.bicep".to_owned(), part.clone()),
            ]))
        };
        assert_eq!(problems(main(json!({"name": "n"}), "id")), Vec::<String>::new());
        let conditional = json!({"condition": "c", "config": {"params": {"name": "n"}}});
        assert_eq!(problems(of(conditional, "id")), Vec::<String>::new());
        assert_eq!(
            problems(main(json!({"nam": "n"}), "url")),
            [
                "a/main.bicep: module m: ../b/part.bicep has no parameter nam",
                "a/main.bicep: module m: ../b/part.bicep needs the parameter name",
                "a/main.bicep: module m has no output url",
            ]
        );
        let alone = modules(&BTreeMap::from([("a/main.bicep".to_owned(), main(json!({}), "id"))]));
        assert_eq!(alone, ["a/main.bicep: module m: there is no ../b/part.bicep"]);
    }

    #[test]
    fn images_are_kept_clean() {
        assert_eq!(let_in("*\n!crates\n**/.env\n **/.selvedge\n"), Vec::<&str>::new());
        assert_eq!(let_in(".env\n# **/.selvedge\n"), ["**/.env", "**/.selvedge"]);
    }

    #[test]
    fn the_image_has_our_toolchain() {
        let toolchain = "[toolchain]\nchannel = \"1.95.0\"\n";
        assert!(is_same_toolchain("# x\nARG RUST_IMAGE=docker.io/library/rust:1.95.0-alpine\n", toolchain));
        assert!(!is_same_toolchain("ARG RUST_IMAGE=docker.io/library/rust:1.94.0-alpine\n", toolchain));
        assert!(!is_same_toolchain("# rust:1.95.0-alpine\n", toolchain));
        assert!(!is_same_toolchain("ARG RUST_IMAGE=docker.io/library/rust:1.95.0-alpine\n", ""));
    }
}
