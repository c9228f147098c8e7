//! Who is who: look-ups in Microsoft Graph.
//!
//! These go through a [`Client`](crate::Client) of their own, whose base is Graph's
//! (`https://graph.microsoft.com/v1.0`) and whose tokens are for Graph. A look-up by name answers with all that bear
//! it on Graph's first page (a hundred are several, too); whether none or several are an error is for the caller to
//! say.
//!
//! See <https://learn.microsoft.com/graph/api/overview>.

use crate::{Call, Paged, PrincipalId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The object id.
    pub id: PrincipalId,
    /// The name.
    pub display_name: Option<String>,
    /// The sign-in name.
    pub user_principal_name: Option<String>,
    /// The address; several people may share one.
    pub mail: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The object id.
    pub id: PrincipalId,
    /// The name, which need not be unique.
    pub display_name: Option<String>,
}

/// An application's identity in the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// The object id: the one that roles are given to.
    pub id: PrincipalId,
    /// The application's id: the one that signs in.
    pub app_id: Option<Uuid>,
    /// The name, which need not be unique.
    pub display_name: Option<String>,
}

const USER: &str = "id,displayName,userPrincipalName,mail";
const GROUP: &str = "id,displayName";
const SERVICE_PRINCIPAL: &str = "id,appId,displayName";

/// The user of this object id.
#[must_use]
pub fn user(id: PrincipalId) -> Call<User> {
    Call::get("graph.user", format!("/users/{id}")).query("$select", USER)
}

/// The users whose sign-in name or address this is.
#[must_use]
pub fn users_by_address(address: &str) -> Paged<User> {
    let address = quote(address);
    let filter = format!("userPrincipalName eq {address} or mail eq {address}");
    filtered("graph.users", "/users", filter, USER)
}

/// The group of this object id.
#[must_use]
pub fn group(id: PrincipalId) -> Call<Group> {
    Call::get("graph.group", format!("/groups/{id}")).query("$select", GROUP)
}

/// The groups of this name.
#[must_use]
pub fn groups_by_name(name: &str) -> Paged<Group> {
    let filter = format!("displayName eq {}", quote(name));
    filtered("graph.groups", "/groups", filter, GROUP)
}

/// The service principal of this object id.
#[must_use]
pub fn service_principal(id: PrincipalId) -> Call<ServicePrincipal> {
    let path = format!("/servicePrincipals/{id}");
    Call::get("graph.servicePrincipal", path).query("$select", SERVICE_PRINCIPAL)
}

/// The service principals of this name.
#[must_use]
pub fn service_principals_by_name(name: &str) -> Paged<ServicePrincipal> {
    let filter = format!("displayName eq {}", quote(name));
    service_principals(filter)
}

/// The service principal of this application, if it has one in the tenant.
#[must_use]
pub fn service_principals_by_app_id(app_id: Uuid) -> Paged<ServicePrincipal> {
    service_principals(format!("appId eq '{app_id}'"))
}

fn service_principals(filter: String) -> Paged<ServicePrincipal> {
    filtered("graph.servicePrincipals", "/servicePrincipals", filter, SERVICE_PRINCIPAL)
}

fn filtered<T>(name: &'static str, path: &'static str, filter: String, select: &'static str) -> Paged<T> {
    Paged::value(name, path).query("$filter", filter).query("$select", select)
}

/// A string literal of OData, in which a quote is written twice (OData 4.01 ABNF, `SQUOTE-in-string`).
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
