//! What somebody else does to the workspace while nobody has the transaction in hand.

use anyhow::bail;
use driver::{Emulator, Request};
use serde_json::{Value, json};

/// What is planted.
#[derive(Clone, Debug)]
pub(super) enum Plant {
    /// A workspace of the name that the deployment was about to use.
    Workspace,
    /// An item of the type and name that the deployment was about to make.
    Item { kind: String, name: String },
    /// Another description of the item that the deployment describes anew.
    Edit,
}

/// By which what was planted is known again.
pub(super) const MARK: &str = "planted by somebody";

/// The workspace that every scenario deploys to.
pub(super) const WORKSPACE: &str = "acme-orders-dev";
const DESCRIBED: &str = "Load_Notebook";

impl Plant {
    /// What somebody could put in the place of what this request makes.
    pub(super) fn instead_of(request: &Request) -> Option<Self> {
        let body: Value = serde_json::from_str(&request.body).ok()?;
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        match (request.method.as_str(), request.path.rsplit('/').next()?) {
            ("POST", "workspaces") => Some(Self::Workspace),
            ("POST", "items") => Some(Self::Item { kind: text("type")?, name: text("displayName")? }),
            ("PATCH", _) if request.path.contains("/items/") && body["description"] == "Loads orders" => {
                Some(Self::Edit)
            }
            _ => None,
        }
    }

    /// Does it, as another program of the same team would.
    pub(super) fn plant(&self, tenant: &Emulator) -> anyhow::Result<()> {
        if matches!(self, Self::Workspace) {
            let new = json!({ "displayName": WORKSPACE, "description": MARK });
            return tenant.call("POST", "/v1/workspaces", &new.to_string()).map(drop);
        }
        let workspaces = tenant.call("GET", "/v1/workspaces", "")?;
        let workspace = format!("/v1/workspaces/{}", id_of(&workspaces, WORKSPACE)?);
        if let Self::Item { kind, name } = self {
            let new = json!({ "type": kind, "displayName": name, "description": MARK });
            return tenant.call("POST", &format!("{workspace}/items"), &new.to_string()).map(drop);
        }
        let items = tenant.call("GET", &format!("{workspace}/items"), "")?;
        let item = format!("{workspace}/items/{}", id_of(&items, DESCRIBED)?);
        tenant.call("PATCH", &item, &json!({ "description": MARK }).to_string()).map(drop)
    }
}

fn id_of<'a>(listed: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    let found = listed["value"].as_array().into_iter().flatten().find(|it| it["displayName"] == name);
    match found.and_then(|it| it["id"].as_str()) {
        Some(id) => Ok(id),
        None => bail!("{name} is not there"),
    }
}
