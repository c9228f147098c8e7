//! What a cloud gives to the program that runs in it, so that it needs no secret: tokens of managed identities, and
//! assertions of GitHub Actions and Azure DevOps to be shown to Entra ID.

mod managed;
mod pipelines;

use bytes::Bytes;
use http::{Response, header};
use serde_json::json;

use crate::emulator::Shared;
use crate::wire::{Incoming, Reply};
pub(crate) use pipelines::assertion;

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    let lower: Vec<String> = request.segments.iter().map(|segment| segment.to_lowercase()).collect();
    let segments: Vec<&str> = lower.iter().map(String::as_str).collect();
    let reply = match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["metadata", "identity", "oauth2", "token"]) => managed::by_metadata_service(shared, request),
        ("GET", ["msi", "token"]) => managed::by_app_service(shared, request),
        ("GET", ["actions", "idtoken"]) => pipelines::github(shared, request),
        ("POST", [_, _, "_apis", "distributedtask", .., "oidctoken"]) => {
            pipelines::azure_devops(shared, request)
        }
        _ => {
            shared.state().unknown_routes += 1;
            let message = format!("{} {} is not emulated.", request.method, request.path);
            Reply::json(404, json!({"error": "not_found", "error_description": message}))
        }
    };
    reply.header(header::CACHE_CONTROL, "no-store, no-cache").plain()
}
