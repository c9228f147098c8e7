//! `--data`: a tenant that outlives its emulator.

use std::{
    fs, io,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use selvedge_fabric_emulator::{Emulator, Snapshot};
use tempfile::NamedTempFile;

use crate::report::ExitWith;

/// The tenant in the file, if there is such a file.
///
/// # Errors
/// The file cannot be read, or is no snapshot of this version's format.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Snapshot>> {
    let tried = || {
        ExitWith::usage(format!("start with the tenant in {}", path.display()))
            .help("move the file away to begin with a new tenant")
    };
    match fs::read(path) {
        Ok(text) => Ok(Some(Snapshot::from_json(&text).with_context(tried)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(tried),
    }
}

/// Writes the tenant to the file, whole or not at all, for its owner only. What is under way ends first: nobody could
/// take it up later.
///
/// # Errors
/// The file cannot be written; the one that was there is as it was.
pub(super) fn keep(emulator: &Emulator, path: &Path) -> anyhow::Result<()> {
    let snapshot = loop {
        match emulator.snapshot() {
            Ok(snapshot) => break snapshot,
            // A late request may start an operation, which is then under way in its turn.
            Err(under_way) => emulator.advance(under_way.ends_in()),
        }
    };
    write(&snapshot, path).with_context(|| format!("keep the tenant in {}", path.display()))
}

fn write(snapshot: &Snapshot, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(NamedTempFile::new_in(folder)?);
    serde_json::to_writer(&mut file, snapshot)?;
    file.flush()?;
    let file = file.into_inner()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use selvedge_fabric_emulator::{Config, demo};
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;

    async fn post(emulator: &Emulator, path: &str, token: &str, body: String) -> (u16, Value) {
        let request = http::Request::post(path).header("authorization", format!("Bearer {token}"));
        let answer = emulator.service().oneshot(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_under_way_ends_before_the_tenant_is_written() {
        let config = Config { operation_duration: Duration::from_secs(3600), ..Config::default() };
        let emulator = Emulator::new(config).with_demo_tenant();
        emulator.inject("POST */items=late:1h+500".parse().unwrap());
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https://api.fabric.microsoft.com/.default",
            demo::CLIENT_ID,
            demo::CLIENT_SECRET
        );
        let (_, answer) = post(&emulator, &format!("/{}/oauth2/v2.0/token", demo::TENANT_ID), "", form).await;
        let token = answer["access_token"].as_str().unwrap();
        let body = json!({"displayName": "w", "capacityId": demo::CAPACITY_ID});
        let (_, workspace) = post(&emulator, "/v1/workspaces", token, body.to_string()).await;
        let items = format!("/v1/workspaces/{}/items", workspace["id"].as_str().unwrap());
        let body = json!({"type": "Notebook", "displayName": "n"});
        assert_eq!(post(&emulator, &items, token, body.to_string()).await.0, 500);

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tenant.json");
        assert!(read(&path).unwrap().is_none());
        keep(&emulator, &path).unwrap();
        let other = Emulator::new(Config::default());
        other.restore(&read(&path).unwrap().unwrap());
        assert_eq!(other.inventory().world["workspaces"][0]["items"][0]["displayName"], "n");
        assert_eq!(other.inventory(), emulator.inventory());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "the file it was written to first is gone"
        );
    }
}
