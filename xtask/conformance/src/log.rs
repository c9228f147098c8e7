//! Logs of requests that clients sent, checked by the documents alone.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

use crate::report::Report;
use crate::spec::Specs;

/// What the emulator writes in place of a secret.
const REDACTED: &str = "[REDACTED]";

/// One line of a log: as much of the emulator's `LoggedRequest` as is checked.
#[derive(Deserialize)]
struct Logged {
    method: String,
    /// Path and query.
    path: String,
    #[serde(default)]
    body: Option<String>,
}

/// Checks the requests to Fabric in the file `path`, or in every `.jsonl` file of the folder `path`. Returns their
/// number.
///
/// # Errors
/// When a file cannot be read, or is not one JSON object a line.
pub(crate) fn check(specs: &Specs, path: &Path, report: &mut Report) -> anyhow::Result<usize> {
    let mut requests = 0;
    for file in files(path)? {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("{}:{}", file.display(), n + 1);
            let logged: Logged = serde_json::from_str(line).with_context(|| format!("read {place}"))?;
            if is_fabric(&logged.path) {
                requests += 1;
                check_one(specs, &logged, &place, report)?;
            }
        }
    }
    Ok(requests)
}

fn check_one(specs: &Specs, logged: &Logged, place: &str, report: &mut Report) -> anyhow::Result<()> {
    let body = logged.body.as_deref().unwrap_or_default();
    let mut found = specs.check_request(&logged.method, &logged.path, body.as_bytes())?;
    if body.contains(REDACTED) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        found.retain(|violation| body.pointer(&violation.finding.at).is_none_or(|it| it != REDACTED));
    }
    report.checked(found, None, place);
    Ok(())
}

fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let failed = || format!("list {}", path.display());
    let entries =
        fs::read_dir(path).with_context(failed)?.collect::<Result<Vec<_>, _>>().with_context(failed)?;
    let is_log = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "jsonl");
    let mut files: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).filter(is_log).collect();
    files.sort();
    Ok(files)
}

/// Not Graph (`/v1.0/`), not Entra ID, not the emulator's own surface.
fn is_fabric(path: &str) -> bool {
    path.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("/v1/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::Documents;

    #[test]
    fn only_requests_to_fabric_are_checked_and_secrets_are_not_missed() {
        let credentials = json!({"type": "object", "properties": {"credentials": {"type": "object"}}});
        let schema = json!({"type": "object", "properties": {"name": {"type": "string"}, "credentialDetails": credentials}});
        let body = json!({"in": "body", "name": "request", "schema": schema});
        let mut documents = Documents::default();
        documents.insert(
            "swagger.json",
            json!({"basePath": "/v1", "paths": {"/connections": {"post": {"parameters": [body]}, "get": {}}}}),
        );
        let specs = Specs::new(&documents).unwrap();
        let post = |path: &str, body: &str| {
            json!({"method": "POST", "path": path, "body": body, "later": 1}).to_string()
        };
        let lines = [
            post("/v1/connections", r#"{"name":"a","credentialDetails":{"credentials":"[REDACTED]"}}"#),
            post("/v1/connections", r#"{"name":1}"#),
            post("/v1.0/users", "anything"),
            post("/tenant/oauth2/v2.0/token", "anything"),
            String::new(),
            json!({"method": "GET", "path": "/V1/connections", "status": null}).to_string(),
        ];
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b.jsonl"), lines.join("\n")).unwrap();
        fs::write(folder.path().join("a.txt"), "no log").unwrap();
        let mut report = Report::default();
        assert_eq!(check(&specs, folder.path(), &mut report).unwrap(), 3);
        let said = report.lines();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("POST /v1/connections request: /name [type]"), "{said:?}");
        assert!(said[0].ends_with("b.jsonl:2"), "{said:?}");

        fs::write(folder.path().join("c.jsonl"), "{").unwrap();
        assert!(check(&specs, folder.path(), &mut report).is_err());
    }
}
