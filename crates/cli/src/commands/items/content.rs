//! The content of an item that a command is given: a file, a folder, or what the API carries.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use selvedge_deployment::definition::{self, Definition, MAX_BYTES};
use serde_json::Value;

use crate::report::ExitWith;

/// The content that stands in `file`, of an item of that type.
pub(super) fn load(kind: &str, file: &Path) -> anyhow::Result<Definition> {
    let tried = || ExitWith::usage(format!("read {}", file.display()));
    let real = fs::canonicalize(file).with_context(tried)?;
    if let Some(carried) = carried(&real).with_context(tried)? {
        if carried.get("definition").is_none() && carried.get("parts").is_none() {
            let help = "give a folder with SparkJobDefinitionV1.json, Main/ and Libs/, as Git has it";
            let with = tried().help(help);
            return Err(anyhow!("Fabric does not know this form of a Spark job definition").context(with));
        }
        let definition = carried.get("definition").unwrap_or(&carried).clone();
        let Definition { format, parts } = serde_json::from_value(definition).with_context(tried)?;
        if parts.is_empty() {
            return Err(anyhow!("it has no parts").context(tried()));
        }
        return Ok(Definition::new(format, parts));
    }
    let (Some(folder), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(anyhow!("it is not a file of a folder").context(tried()));
    };
    // What was named is meant, wherever links have led to it; what is in it leads nowhere else.
    definition::load(kind, Path::new(name), folder, folder).with_context(tried)
}

/// What the API carries, or what the predecessor made one of, where the file holds that.
fn carried(file: &Path) -> anyhow::Result<Option<Value>> {
    let is_json = file.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json"));
    if !is_json || !file.is_file() {
        return Ok(None);
    }
    // Base64 takes a third more.
    if fs::metadata(file)?.len() > MAX_BYTES * 2 {
        return Err(anyhow!("it is too large"));
    }
    let Ok(value) = serde_json::from_slice::<Value>(&fs::read(file)?) else { return Ok(None) };
    let has = |key: &str| value.get(key).is_some();
    let is_carried = value.pointer("/definition/parts").or(value.get("parts")).is_some_and(Value::is_array);
    let is_predecessors = has("main") && value.get("main").is_some_and(Value::is_string);
    Ok((is_carried || is_predecessors).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_a_file_or_a_folder_or_what_the_api_carries() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let paths = |definition: &Definition| {
            definition.parts.iter().map(|part| part.path.clone()).collect::<Vec<_>>()
        };
        let part = r#"{"path":"pipeline-content.json","payload":"e30=","payloadType":"InlineBase64"}"#;
        let platform = r#"{"path":".platform","payload":"e30=","payloadType":"InlineBase64"}"#;
        for text in [
            format!(r#"{{"definition":{{"parts":[{part},{platform}]}}}}"#),
            format!(r#"{{"parts":[{part}]}}"#),
            r#"{"properties":{"activities":[]}}"#.to_owned(),
        ] {
            let loaded = load("DataPipeline", &write("p.json", &text)).unwrap();
            assert_eq!(paths(&loaded), ["pipeline-content.json"], "{text}");
        }
        let loaded = load("Notebook", &write("n.ipynb", "{}")).unwrap();
        assert_eq!(
            (loaded.format.as_deref(), paths(&loaded)),
            (Some("ipynb"), vec!["notebook-content.ipynb".to_owned()])
        );
        write("x.Notebook/notebook-content.py", "print(1)");
        assert_eq!(
            paths(&load("Notebook", &folder.path().join("x.Notebook")).unwrap()),
            ["notebook-content.py"]
        );

        for (kind, name, text, problem) in [
            (
                "SparkJobDefinition",
                "s.json",
                r#"{"main":"print(1)","additional":{}}"#,
                "does not know this form",
            ),
            ("DataPipeline", "e.json", r#"{"parts":[]}"#, "no parts"),
            ("DataPipeline", "f.json", r#"{"parts":[{"path":"a","payload":"?"}]}"#, "Invalid"),
            ("DataPipeline", "g.json", "{", "not JSON"),
            ("Notebook", "n.txt", "x", "cannot be defined by"),
        ] {
            let error = format!("{:#}", load(kind, &write(name, text)).unwrap_err());
            assert!(error.contains(problem) && error.contains(name), "{problem:?} in {error}");
        }
        assert!(load("Notebook", &folder.path().join("none.py")).is_err());
    }
}
