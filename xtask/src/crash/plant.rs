//! What somebody else does to the workspace while nobody has the transaction in hand.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::tenant::{Request, Tenant};

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
    pub(super) fn plant(&self, tenant: &Tenant) -> anyhow::Result<()> {
        let token = tenant.token()?;
        if matches!(self, Self::Workspace) {
            let new = json!({ "displayName": WORKSPACE, "description": MARK });
            return tenant.call("POST", "/v1/workspaces", &token, &new).map(drop);
        }
        let workspaces = tenant.call("GET", "/v1/workspaces", &token, &Value::Null)?;
        let workspace = format!("/v1/workspaces/{}", id_of(&workspaces, WORKSPACE)?);
        if let Self::Item { kind, name } = self {
            let new = json!({ "type": kind, "displayName": name, "description": MARK });
            return tenant.call("POST", &format!("{workspace}/items"), &token, &new).map(drop);
        }
        let items = tenant.call("GET", &format!("{workspace}/items"), &token, &Value::Null)?;
        let item = format!("{workspace}/items/{}", id_of(&items, DESCRIBED)?);
        tenant.call("PATCH", &item, &token, &json!({ "description": MARK })).map(drop)
    }
}

fn id_of<'a>(listed: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    let found = listed["value"].as_array().into_iter().flatten().find(|it| it["displayName"] == name);
    match found.and_then(|it| it["id"].as_str()) {
        Some(id) => Ok(id),
        None => bail!("{name} is not there"),
    }
}

impl Tenant {
    fn token(&self) -> anyhow::Result<String> {
        let of = |name: &str| {
            let found = self.environment.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str()).with_context(|| format!("find {name}"))
        };
        let path = format!("/{}/oauth2/v2.0/token", of("AZURE_TENANT_ID")?);
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}\
             &scope=https://api.fabric.microsoft.com/.default",
            of("AZURE_CLIENT_ID")?,
            of("AZURE_CLIENT_SECRET")?
        );
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer: Value = serde_json::from_str(&self.ask("POST", &path, kind, &form)?)?;
        Ok(answer["access_token"].as_str().context("find the token")?.to_owned())
    }

    /// Asks Fabric. An empty answer is null.
    fn call(&self, method: &str, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.ask(method, path, &headers, &body)?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_str(&answer)? })
    }
}
