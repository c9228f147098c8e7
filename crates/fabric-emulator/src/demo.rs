//! The well-known identities and the demo tenant that [`crate::Emulator::with_demo_tenant`] seeds.

use serde_json::{Value, json};

use crate::FederatedCredential;

/// Default tenant id.
pub const TENANT_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";
/// Default application (client) id of the caller.
pub const CLIENT_ID: &str = "cccccccc-0000-4000-8000-000000000001";
/// Default client secret of the caller. Not a secret: it opens nothing but an emulator.
pub const CLIENT_SECRET: &str = "emulator-secret";
/// Object id of the caller's service principal; it exists in every world and may create workspaces.
pub const CALLER_ID: &str = "cccccccc-0000-4000-8000-00000000000f";

/// Name of the vault that every world has, in which the caller may do everything. It is meant where no host name says
/// another one.
pub const VAULT: &str = "emulator";

/// An active F64 capacity.
pub const CAPACITY_ID: &str = "11111111-1111-4111-8111-111111111111";
/// A capacity somebody paused (state `Inactive`).
pub const PAUSED_CAPACITY_ID: &str = "22222222-2222-4222-8222-222222222222";
/// Object id of `data.owner@contoso.example`.
pub const DATA_OWNER_ID: &str = "dddddddd-0000-4000-8000-000000000001";
/// Object id of `tech.lead@contoso.example`.
pub const TECH_LEAD_ID: &str = "dddddddd-0000-4000-8000-000000000002";
/// Object id of `analyst@contoso.example`.
pub const ANALYST_ID: &str = "dddddddd-0000-4000-8000-000000000003";
/// Object id of the group `Data Engineering Team`.
pub const DATA_ENGINEERING_ID: &str = "eeeeeeee-0000-4000-8000-000000000001";
/// A connection of type `GitHubSourceControl` that everybody may use.
pub const GITHUB_CONNECTION_ID: &str = "33333333-3333-4333-8333-333333333333";
/// A connection of type `AzureDevOpsSourceControl` that everybody may use.
pub const AZURE_DEVOPS_CONNECTION_ID: &str = "44444444-4444-4444-8444-444444444444";
/// A tag of the tenant.
pub const TAG_ID: &str = "55555555-5555-4555-8555-555555555555";

/// What a GitHub Actions runner shows to be given an assertion: `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
pub const ACTIONS_REQUEST_TOKEN: &str = "emulator-actions-token";
/// What an Azure DevOps job shows to be given an assertion: `SYSTEM_ACCESSTOKEN`.
pub const SYSTEM_ACCESS_TOKEN: &str = "emulator-system-access-token";
/// What a client shows to the identity endpoint of an App Service: `IDENTITY_HEADER`.
pub const IDENTITY_HEADER: &str = "emulator-identity-header";

/// Issuer of the assertions of GitHub Actions.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The branch `main` of the repository `contoso/fabric` on GitHub.
pub const GITHUB_SUBJECT: &str = "repo:contoso/fabric:ref:refs/heads/main";
/// Issuer of the assertions of a new service connection of Azure DevOps: Entra ID itself, whose signature is checked.
pub const AZURE_DEVOPS_ISSUER: &str =
    "https://login.microsoftonline.com/aaaaaaaa-0000-4000-8000-000000000001/v2.0";
/// A new service connection of Azure DevOps.
pub const AZURE_DEVOPS_SUBJECT: &str = "/eid1/c/pub/t/qqqqqgAAAECAAAAAAAAAAQ/a/rISbSSETf0KqFyZ8ppdXmA/sc/55555555-5555-4555-8555-555555555555/66666666-6666-4666-8666-666666666666";
/// Issuer of the assertions of an older service connection of Azure DevOps.
pub const AZURE_DEVOPS_OLD_ISSUER: &str =
    "https://vstoken.dev.azure.com/55555555-5555-4555-8555-555555555555";
/// An older service connection of Azure DevOps: organisation, project and name.
pub const AZURE_DEVOPS_OLD_SUBJECT: &str = "sc://contoso/fabric/deploy";

/// The federated credentials that the caller has by default.
pub fn federated_credentials() -> Vec<FederatedCredential> {
    vec![
        FederatedCredential::new(GITHUB_ISSUER, GITHUB_SUBJECT),
        FederatedCredential::new(AZURE_DEVOPS_ISSUER, AZURE_DEVOPS_SUBJECT),
        FederatedCredential::new(AZURE_DEVOPS_OLD_ISSUER, AZURE_DEVOPS_OLD_SUBJECT),
    ]
}

/// The demo tenant in the seed's format: two capacities, three users, two more who share the mail
/// `twins@contoso.example`, a group, a git connection per provider and a tag. No workspaces.
pub fn tenant() -> Value {
    json!({
        "capacities": [
            {"id": CAPACITY_ID, "displayName": "Demo capacity", "sku": "F64", "region": "West Europe", "state": "Active"},
            {"id": PAUSED_CAPACITY_ID, "displayName": "Paused capacity", "sku": "F2", "region": "West Europe", "state": "Inactive"},
        ],
        "users": [
            user(DATA_OWNER_ID, "Data Owner", "data.owner@contoso.example", "data.owner@contoso.example"),
            user(TECH_LEAD_ID, "Tech Lead", "tech.lead@contoso.example", "tech.lead@contoso.example"),
            user(ANALYST_ID, "Analyst", "analyst@contoso.example", "analyst@contoso.example"),
            user("dddddddd-0000-4000-8000-000000000004", "First Twin", "twins@contoso.example", "twin.one@contoso.example"),
            user("dddddddd-0000-4000-8000-000000000005", "Second Twin", "twins@contoso.example", "twin.two@contoso.example"),
        ],
        "groups": [
            {"id": DATA_ENGINEERING_ID, "displayName": "Data Engineering Team", "mail": "data.engineering@contoso.example", "members": [TECH_LEAD_ID]},
        ],
        "connections": [
            {"id": GITHUB_CONNECTION_ID, "displayName": "Demo GitHub", "type": "GitHubSourceControl", "path": "https://github.com/contoso"},
            {"id": AZURE_DEVOPS_CONNECTION_ID, "displayName": "Demo Azure DevOps", "type": "AzureDevOpsSourceControl", "path": "https://dev.azure.com/contoso"},
        ],
        "tags": [{"id": TAG_ID, "displayName": "Certified"}],
    })
}

fn user(id: &str, name: &str, mail: &str, principal_name: &str) -> Value {
    json!({"id": id, "displayName": name, "mail": mail, "userPrincipalName": principal_name})
}
