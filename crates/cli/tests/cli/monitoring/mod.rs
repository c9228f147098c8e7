//! `deploy/monitoring`: its names are those of the docs, its alerts are the same everywhere, and each one fires on what the program exports.

mod alerts;
mod azure;
mod exported;
mod names;
mod promtool;
mod provoked;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A file or folder of the project.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

#[track_caller]
fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A YAML file, as JSON.
#[track_caller]
fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of the files in a folder that end so, without that, and what they say, in order.
fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            Some((name.strip_suffix(end)?.to_owned(), fs::read_to_string(entry.path()).unwrap()))
        })
        .collect();
    files.sort();
    files
}

/// The rules of `alerts.yml`, recorded ones too.
fn rules() -> Vec<Value> {
    let groups = yaml("deploy/monitoring/prometheus/alerts.yml")["groups"].as_array().unwrap().clone();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}
