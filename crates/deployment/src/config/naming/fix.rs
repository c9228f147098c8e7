//! A better name for an item whose name breaks the standards.

use regex::Regex;

const LAYERS: [&str; 3] = ["BRONZE", "SILVER", "GOLD"];

/// What names of this type end with.
pub(super) fn suffix(kind: &str) -> &str {
    match kind {
        "DataPipeline" => "Pipeline",
        "MLModel" => "Model",
        "MLExperiment" => "Experiment",
        kind => kind,
    }
}

/// Whether the name ends with what names of this type end with.
pub(super) fn has_suffix(name: &str, kind: &str) -> bool {
    name.strip_suffix(suffix(kind)).is_some_and(|start| start.ends_with('_'))
}

/// The words of the name, put in the order its type wants; `None` if no words are left.
///
/// Words keep their spelling: `CustomerData` stays. A layer or number that the name lacks is added only if `pattern`
/// refuses the name without.
pub(super) fn fixed(kind: &str, name: &str, pattern: Option<&Regex>) -> Option<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<&str> = words.filter(|word| !word.eq_ignore_ascii_case(suffix(kind))).collect();
    let (leads, default): (fn(&str) -> bool, _) = match kind {
        "Lakehouse" => (is_layer, LAYERS[0]),
        "Notebook" => (is_number, "01"),
        _ => (|_| false, ""),
    };
    let lead = words.iter().position(|word| leads(word)).map(|at| words.remove(at));
    if words.is_empty() {
        return None;
    }
    let rest: Vec<String> = words.iter().map(|word| capitalised(word)).collect();
    let plain = format!("{}_{}", rest.join("_"), suffix(kind));
    let lead = match lead {
        Some(lead) => format!("{:0>2}", lead.to_uppercase()),
        None if default.is_empty() || pattern.is_some_and(|pattern| pattern.is_match(&plain)) => {
            return Some(plain);
        }
        None => default.to_owned(),
    };
    Some(format!("{lead}_{plain}"))
}

fn is_layer(word: &str) -> bool {
    LAYERS.iter().any(|layer| layer.eq_ignore_ascii_case(word))
}

fn is_number(word: &str) -> bool {
    word.len() <= 2 && word.chars().all(|c| c.is_ascii_digit())
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}
