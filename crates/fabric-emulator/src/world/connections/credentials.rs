//! Credentials of connections: read, held against the rules of their type, and forgotten but for the type.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::{ApiError, World};
use super::types::ConnectionType;

/// How a connection signs on. There is no secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CredentialSettings {
    /// For example `Basic`.
    pub(crate) kind: &'static str,
    pub(crate) single_sign_on: String,
    pub(crate) encryption: String,
    pub(crate) skip_test: bool,
}

impl CredentialSettings {
    /// Those of credentials about which nothing else is said.
    pub(crate) fn new(kind: &'static str) -> Self {
        let (single_sign_on, encryption) = ("None".to_owned(), "NotEncrypted".to_owned());
        Self { kind, single_sign_on, encryption, skip_test: false }
    }
}

/// `credentialDetails` of a create or an update.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialInput {
    single_sign_on_type: Option<String>,
    connection_encryption: Option<String>,
    /// A boolean; scripts of Microsoft's send it as a text, too.
    skip_test_connection: Option<Value>,
    credentials: Option<Map<String, Value>>,
}

/// A type of credentials: the members that it needs, and the two of which it needs one, a secret or a reference to a
/// secret in a key vault.
struct CredentialType {
    name: &'static str,
    members: &'static [&'static str],
    secret: Option<(&'static str, &'static str)>,
}

const fn credential(
    name: &'static str,
    members: &'static [&'static str],
    secret: Option<(&'static str, &'static str)>,
) -> CredentialType {
    CredentialType { name, members, secret }
}

/// What a request can carry. `OAuth2` is not among them: it takes a browser.
const CREDENTIAL_TYPES: &[CredentialType] = &[
    credential("Anonymous", &[], None),
    credential("Basic", &["username"], Some(("password", "passwordReference"))),
    credential("Key", &[], Some(("key", "keyReference"))),
    credential(
        "ServicePrincipal",
        &["tenantId", "servicePrincipalClientId"],
        Some(("servicePrincipalSecret", "servicePrincipalSecretReference")),
    ),
    credential("SharedAccessSignature", &[], Some(("token", "tokenReference"))),
    credential("Windows", &["username", "password"], None),
    credential("WindowsWithoutImpersonation", &[], None),
    credential("WorkspaceIdentity", &[], None),
    credential("KeyPair", &["identifier", "privateKey"], None),
];
const SINGLE_SIGN_ON_TYPES: [&str; 5] = [
    "None",
    "Kerberos",
    "MicrosoftEntraID",
    "SecurityAssertionMarkupLanguage",
    "KerberosDirectQueryAndRefresh",
];

impl World {
    /// The settings that follow from the input, where nothing is said from those `before`. Nobody knows what a type
    /// allows that only a seed can have named.
    pub(super) fn read_credentials(
        &self,
        caller: Uuid,
        kind: Option<&ConnectionType>,
        before: Option<&CredentialSettings>,
        input: CredentialInput,
    ) -> Result<CredentialSettings, ApiError> {
        let credentials = match (&input.credentials, before) {
            (Some(credentials), _) => self.check_credential(caller, kind, credentials)?,
            (None, Some(before)) => before.kind,
            (None, None) => return Err(ApiError::invalid("credentials", "is required")),
        };
        let mut read = CredentialSettings { kind: credentials, ..CredentialSettings::new(credentials) };
        if let Some(before) = before {
            read = CredentialSettings { kind: credentials, ..before.clone() };
        }
        if let Some(single_sign_on) = input.single_sign_on_type {
            if !SINGLE_SIGN_ON_TYPES.contains(&single_sign_on.as_str()) {
                return Err(invalid(format!("`{single_sign_on}` is not a singleSignOnType")));
            }
            read.single_sign_on = single_sign_on;
        }
        if let Some(encryption) = input.connection_encryption {
            if kind.is_some_and(|kind| !kind.encrypts_as(&encryption)) {
                return Err(invalid(format!("The connectionEncryption `{encryption}` is not supported")));
            }
            read.encryption = encryption;
        }
        if let Some(skip) = input.skip_test_connection {
            read.skip_test = truth(&skip).ok_or_else(|| invalid("skipTestConnection is not a boolean"))?;
            if read.skip_test && kind.is_some_and(|kind| !kind.skips_test) {
                let message = "The connection type does not support skipping the test connection";
                return Err(ApiError::new(400, "SkipTestConnectionNotSupported", message));
            }
        }
        Ok(read)
    }

    fn check_credential(
        &self,
        caller: Uuid,
        kind: Option<&ConnectionType>,
        given: &Map<String, Value>,
    ) -> Result<&'static str, ApiError> {
        let named = given.get("credentialType").and_then(Value::as_str);
        let named = named.ok_or_else(|| invalid("The credentialType is missing"))?;
        let known = CREDENTIAL_TYPES.iter().find(|known| known.name == named);
        let known = known.ok_or_else(|| {
            invalid(format!("Credentials of the type `{named}` cannot be given in a request"))
        })?;
        if kind.is_some_and(|kind| !kind.credentials.contains(&known.name)) {
            return Err(invalid(format!("The connection type does not support {named} credentials")));
        }
        let text = |name: &str| given.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        if let Some(missing) = known.members.iter().find(|name| !text(name)) {
            return Err(invalid(format!("{named} credentials need `{missing}`")));
        }
        if let Some((secret, reference)) = known.secret {
            match (text(secret), given.get(reference).filter(|value| !value.is_null())) {
                (true, None) => {}
                (false, Some(reference)) => self.check_reference(caller, reference)?,
                (true, Some(_)) => {
                    return Err(invalid(format!("`{secret}` and `{reference}` exclude each other")));
                }
                (false, None) => {
                    return Err(invalid(format!("{named} credentials need `{secret}` or `{reference}`")));
                }
            }
        }
        Ok(known.name)
    }

    /// A secret in a key vault is found through a connection to the vault.
    fn check_reference(&self, caller: Uuid, reference: &Value) -> Result<(), ApiError> {
        let vault = reference["connectionId"].as_str().and_then(|id| id.parse().ok());
        let vault = vault.and_then(|id| self.connection(caller, id).ok());
        match vault.is_some_and(|vault| vault.kind == "AzureKeyVault")
            && reference["secretName"].as_str().is_some_and(|name| !name.is_empty())
        {
            true => Ok(()),
            false => Err(invalid("The reference names no secret and connection to an Azure Key Vault")),
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_lowercase().parse().ok())
}

fn invalid(why: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidCredentialDetails", "The CredentialDetails input provided is not valid")
        .because("InvalidParameter", why)
}
