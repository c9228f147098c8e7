//! Notebooks in their two formats: source as git holds it (`fabricGitSource`) and Jupyter's (`ipynb`).
//!
//! <https://learn.microsoft.com/rest/api/fabric/articles/item-management/definitions/notebook-definition>. Only Python
//! source is converted; what the service does with the metadata of single cells is not recorded, and they are left out.

use serde_json::{Map, Value, json};

const HEAD: &str = "# Fabric notebook source";
const METADATA: &str = "# METADATA ********************";
const CELL: &str = "# CELL ********************";
const PARAMETERS: &str = "# PARAMETERS CELL ********************";
const MARKDOWN: &str = "# MARKDOWN ********************";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Before,
    Metadata,
    Code,
    Parameters,
    Markdown,
}

/// The notebook of a source file.
pub(super) fn to_ipynb(source: &str) -> String {
    let (mut cells, mut metadata) = (Vec::new(), None);
    let (mut block, mut lines) = (Block::Before, Vec::new());
    for line in source.lines().map(Some).chain([None]) {
        let next = match line.map(str::trim_end) {
            None => None,
            Some(METADATA) => Some(Block::Metadata),
            Some(CELL) => Some(Block::Code),
            Some(PARAMETERS) => Some(Block::Parameters),
            Some(MARKDOWN) => Some(Block::Markdown),
            Some(text) => {
                lines.push(text);
                continue;
            }
        };
        let text = std::mem::take(&mut lines);
        match block {
            // Source without any mark is taken for one cell.
            Block::Before => {
                let text: Vec<&str> = text.into_iter().filter(|line| *line != HEAD).collect();
                cells.extend((!trimmed(&text).is_empty()).then(|| code(&text, false)));
            }
            // The first one is the notebook's; those that follow a cell are that cell's.
            Block::Metadata if cells.is_empty() && metadata.is_none() => metadata = read_metadata(&text),
            Block::Metadata => {}
            Block::Code | Block::Parameters => cells.push(code(&text, block == Block::Parameters)),
            Block::Markdown => cells.push(markdown(&text)),
        }
        block = next.unwrap_or(Block::Before);
    }
    let metadata = metadata.unwrap_or_else(|| json!({"language_info": {"name": "python"}}));
    format!("{:#}", json!({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
}

/// The source file of a notebook, or `None` if it cannot be read.
pub(super) fn to_source(notebook: &[u8]) -> Option<String> {
    let notebook: Value = serde_json::from_slice(notebook).ok()?;
    let mut source = format!("{HEAD}\n\n");
    if let Some(metadata) = notebook["metadata"].as_object().filter(|metadata| !metadata.is_empty()) {
        let metadata = format!("{:#}", Value::from(metadata.clone()));
        let lines: Vec<String> = metadata.lines().map(|line| format!("# META {line}")).collect();
        source += &format!("{METADATA}\n\n{}\n\n", lines.join("\n"));
    }
    for cell in notebook["cells"].as_array()? {
        let text = text_of(&cell["source"]);
        if cell["cell_type"] == "markdown" {
            let lines: Vec<String> =
                text.lines().map(|line| format!("# {line}").trim_end().to_owned()).collect();
            source += &format!("{MARKDOWN}\n\n{}\n\n", lines.join("\n"));
        } else {
            let tags = cell["metadata"]["tags"].as_array();
            let is_parameters = tags.is_some_and(|tags| tags.iter().any(|tag| tag == "parameters"));
            source += &format!("{}\n\n{text}\n\n", if is_parameters { PARAMETERS } else { CELL });
        }
    }
    Some(source)
}

fn read_metadata(lines: &[&str]) -> Option<Value> {
    let json: String =
        lines.iter().filter_map(|line| line.strip_prefix("# META")).collect::<Vec<_>>().join("\n");
    serde_json::from_str::<Map<String, Value>>(&json).ok().map(Value::from)
}

fn code(lines: &[&str], parameters: bool) -> Value {
    let metadata = if parameters { json!({"tags": ["parameters"]}) } else { json!({}) };
    json!({
        "cell_type": "code",
        "execution_count": null,
        "metadata": metadata,
        "outputs": [],
        "source": source_lines(trimmed(lines)),
    })
}

fn markdown(lines: &[&str]) -> Value {
    let text: Vec<&str> = trimmed(lines)
        .iter()
        .map(|line| line.strip_prefix("# ").unwrap_or(line.trim_start_matches('#')))
        .collect();
    json!({"cell_type": "markdown", "metadata": {}, "source": source_lines(&text)})
}

/// Without the empty lines that set blocks apart.
fn trimmed<'l, 's>(mut lines: &'l [&'s str]) -> &'l [&'s str] {
    while let [first, rest @ ..] = lines
        && first.is_empty()
    {
        lines = rest;
    }
    while let [rest @ .., last] = lines
        && last.is_empty()
    {
        lines = rest;
    }
    lines
}

/// Lines as Jupyter has them: each but the last with its line end.
fn source_lines(lines: &[&str]) -> Vec<String> {
    let last = lines.len().saturating_sub(1);
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| if at < last { format!("{line}\n") } else { (*line).to_owned() })
        .collect()
}

/// Jupyter allows one text or a list of lines.
fn text_of(source: &Value) -> String {
    match source {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "# Fabric notebook source\n\n# METADATA ********************\n\n# META {\n# META   \"kernel_info\": {\n# META     \"name\": \"synapse_pyspark\"\n# META   }\n# META }\n\n# MARKDOWN ********************\n\n# # Title\n# text\n\n# PARAMETERS CELL ********************\n\nday = 1\n\n# CELL ********************\n\nfor x in range(day):\n\n    print(x)\n\n";

    #[test]
    fn there_and_back_again() {
        let notebook = to_ipynb(SOURCE);
        let json: Value = serde_json::from_str(&notebook).unwrap();
        assert_eq!(json["metadata"]["kernel_info"]["name"], "synapse_pyspark");
        let sources: Vec<_> = json["cells"].as_array().unwrap().iter().map(|cell| &cell["source"]).collect();
        assert_eq!(
            sources,
            [
                &json!(["# Title\n", "text"]),
                &json!(["day = 1"]),
                &json!(["for x in range(day):\n", "\n", "    print(x)"])
            ]
        );
        assert_eq!(to_source(notebook.as_bytes()).unwrap(), SOURCE);
    }

    #[test]
    fn what_is_no_notebook_is_told() {
        for text in ["", "[]", "{}", "print(1)"] {
            assert_eq!(to_source(text.as_bytes()), None, "{text}");
        }
        assert_eq!(serde_json::from_str::<Value>(&to_ipynb(HEAD)).unwrap()["cells"], json!([]));
    }
}
