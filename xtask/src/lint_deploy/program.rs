//! What the manifests for Kubernetes ask of the program, asked of it: that it knows its arguments and its variables, and answers probes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use driver::{Process, http};
use serde_json::Value;

use super::{AS_JSON, Tools, rules, write};

/// What of the manifests concerns the program.
#[derive(Default)]
struct Asked {
    /// The arguments of each container.
    arguments: Vec<Vec<String>>,
    /// The paths of probes, by the arguments of whoever is to answer them.
    probes: Vec<(Vec<String>, String)>,
    /// The variables of all ConfigMaps.
    variables: BTreeMap<String, String>,
}

/// Finds what the program does not do of what it is asked for.
///
/// # Errors
/// When the manifests ask for nothing, or the program does whatever it is asked for.
pub(super) fn check(
    tools: &Tools,
    deploy: &Path,
    stages: &Path,
    binary: &Path,
) -> anyhow::Result<Vec<String>> {
    let mut rendered = Vec::new();
    for folder in ["kubernetes", "kubernetes/job"] {
        let output = tools.command("kubectl").arg("kustomize").arg(folder).current_dir(deploy).output();
        let path = stages.join(folder.replace('/', "-")).with_extension("yaml");
        write(&path, &String::from_utf8_lossy(&output.context("run kubectl")?.stdout))?;
        let path = path.display().to_string();
        let documents: BTreeMap<String, Value> = tools.json(AS_JSON, deploy, &[&path])?;
        rendered.extend(documents.into_values());
    }
    let asked = asked(&rendered);
    ensure!(!asked.arguments.is_empty() && !asked.probes.is_empty(), "the manifests ask for nothing");
    println!(
        "the program: arguments of {} containers, {} variables, {} probes",
        asked.arguments.len(),
        asked.variables.len(),
        asked.probes.len()
    );

    let none = BTreeMap::new();
    let mut problems = Vec::new();
    ensure!(
        refusal(binary, &["deploy", "--no-such-option", "--help"], &none)?.is_some(),
        "it knows every option"
    );
    for arguments in &asked.arguments {
        let mut shown: Vec<&str> = arguments.iter().map(String::as_str).collect();
        shown.push("--help");
        problems.extend(
            refusal(binary, &shown, &none)?.map(|said| format!("deploy/kubernetes: {shown:?}: {said}")),
        );
    }
    for unknown in ["SELVEDGE_NO_SUCH", "FEATURE_USE_NO_SUCH"] {
        let mut variables = asked.variables.clone();
        variables.insert(unknown.to_owned(), "true".to_owned());
        ensure!(refusal(binary, &["flags"], &variables)?.is_some(), "it knows the variable {unknown}");
    }
    let said = refusal(binary, &["flags"], &asked.variables)?;
    problems.extend(said.map(|said| format!("deploy/kubernetes/config.yaml: {said}")));
    for (arguments, path) in &asked.probes {
        let (known, unknown) =
            (status(binary, arguments, path)?, status(binary, arguments, "/no-such-path")?);
        ensure!(unknown == 404, "it answers every path: {unknown}");
        if known != 200 {
            problems.push(format!("deploy/kubernetes: a probe asks for {path}, and is answered {known}"));
        }
    }
    Ok(problems)
}

fn asked(rendered: &[Value]) -> Asked {
    let mut asked = Asked::default();
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    for document in rendered {
        rules::walk(document, "", &mut |_, object| {
            for container in object.get("containers").and_then(Value::as_array).into_iter().flatten() {
                let arguments = strings(&container["args"]);
                for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                    if let Some(path) = container[probe]["httpGet"]["path"].as_str() {
                        asked.probes.push((arguments.clone(), path.to_owned()));
                    }
                }
                asked.arguments.push(arguments);
            }
            if object.get("kind").is_some_and(|kind| kind == "ConfigMap") {
                for (name, value) in object["data"].as_object().into_iter().flatten() {
                    asked.variables.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
                }
            }
        });
    }
    asked
}

/// What the program has against a command, with these variables and no others; `None` where that is nothing.
fn refusal(
    binary: &Path,
    arguments: &[&str],
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<Option<String>> {
    let folder = tempfile::tempdir().context("make a folder to run in")?;
    let mut command = Command::new(binary);
    command.args(arguments).current_dir(folder.path()).env_clear().envs(variables).stdin(Stdio::null());
    let output = command.output().context("run selvedge")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((!output.status.success() || !said.is_empty()).then_some(said))
}

/// The status with which a server of ours answers a probe, that was started as the container is, but for its address and its project. Its health
/// checks are off, or it would ask after things that are not here.
fn status(binary: &Path, arguments: &[String], path: &str) -> anyhow::Result<u16> {
    let folder = tempfile::tempdir().context("make a project")?;
    write(&folder.path().join("project.config.json"), "{}")?;
    let mut arguments = arguments.to_vec();
    for (option, value) in [("--listen", "127.0.0.1:0"), ("--project", &*folder.path().display().to_string())]
    {
        let at = arguments.iter().position(|it| it == option).with_context(|| format!("find {option}"))?;
        *arguments.get_mut(at + 1).with_context(|| format!("find the value of {option}"))? = value.to_owned();
    }
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .args(["--output", "json"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut server = Process::start(&mut command)?;
    let ready: Value = serde_json::from_str(&server.says("\n")?).context("read the server's ready line")?;
    let address =
        ready["url"].as_str().and_then(|url| url.strip_prefix("http://")).context("find its address")?;
    let answer = http::exchange(address, "GET", path, "", "").with_context(|| format!("ask for {path}"))?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.with_context(|| format!("read the status of {answer:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_manifests_ask_for_is_found() {
        let documents = [json!([
            {"kind": "ConfigMap", "data": {"A": "b"}},
            {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [
                {"args": ["serve"], "livenessProbe": {"httpGet": {"path": "/livez"}}}]}}}},
            {"kind": "Job", "spec": {"template": {"spec": {"containers": [{"args": ["deploy", "--yes"]}]}}}},
        ])];
        let asked = asked(&documents);
        assert_eq!(asked.arguments, [vec!["serve"], vec!["deploy", "--yes"]]);
        assert_eq!(asked.probes, [(vec!["serve".to_owned()], "/livez".to_owned())]);
        assert_eq!(asked.variables, BTreeMap::from([("A".to_owned(), "b".to_owned())]));
    }
}
