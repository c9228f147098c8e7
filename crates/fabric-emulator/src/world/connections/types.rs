//! What connections can be made to: of the service's two hundred types those that deployments meet.
//!
//! Each is as `GET /v1/connections/supportedConnectionTypes` answered in January 2026 in the recordings of Microsoft's
//! own command line. Only types whose parameters are all text are here.

use super::super::same_name;

/// A type of source, with its one way of making a connection to it.
pub(crate) struct ConnectionType {
    pub(crate) name: &'static str,
    /// The creation method.
    pub(crate) method: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) credentials: &'static [&'static str],
    /// Whether the test of a connection may be encrypted; it may always not be.
    pub(crate) encrypted: bool,
    pub(crate) skips_test: bool,
    /// The credentials with which notebooks may use it; the service says `null` of some types.
    pub(crate) in_code: Option<&'static [&'static str]>,
}

/// A parameter of a creation method.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
}

const fn needed(name: &'static str) -> Parameter {
    Parameter { name, required: true }
}

const fn optional(name: &'static str) -> Parameter {
    Parameter { name, required: false }
}

const ENCRYPTED: bool = true;
const PLAIN: bool = false;

const fn of(
    name: &'static str,
    method: &'static str,
    parameters: &'static [Parameter],
    credentials: &'static [&'static str],
    encrypted: bool,
    in_code: Option<&'static [&'static str]>,
) -> ConnectionType {
    ConnectionType { name, method, parameters, credentials, encrypted, skips_test: false, in_code }
}

const fn skips_test(kind: ConnectionType) -> ConnectionType {
    ConnectionType { skips_test: true, ..kind }
}

/// The types, in the service's order.
#[rustfmt::skip]
pub(crate) static TYPES: &[ConnectionType] = &[
    of("SQL", "Sql", &[needed("server"), optional("database")],
        &["Basic", "OAuth2", "ServicePrincipal", "WorkspaceIdentity"], ENCRYPTED,
        Some(&["Basic", "ServicePrincipal", "WorkspaceIdentity"])),
    of("AnalysisServices", "AnalysisServices", &[needed("server"), optional("database")],
        &["Basic", "OAuth2", "WorkspaceIdentity"], PLAIN, Some(&["Basic", "WorkspaceIdentity"])),
    of("SharePoint", "SharePointList", &[needed("sharePointSiteUrl")],
        &["Anonymous", "OAuth2", "ServicePrincipal", "WorkspaceIdentity"], PLAIN,
        Some(&["Anonymous", "ServicePrincipal", "WorkspaceIdentity"])),
    skips_test(of("Web", "Web", &[needed("url")],
        &["Anonymous", "Basic", "OAuth2", "ServicePrincipal", "WorkspaceIdentity"], PLAIN,
        Some(&["Anonymous", "Basic", "ServicePrincipal", "WorkspaceIdentity"]))),
    skips_test(of("OData", "OData", &[needed("url")], &["Anonymous", "Basic", "Key", "OAuth2"], PLAIN,
        Some(&["Anonymous", "Basic", "Key"]))),
    of("MySql", "MySql", &[needed("server"), needed("database")], &["Basic"], ENCRYPTED, Some(&["Basic"])),
    of("PostgreSQL", "PostgreSql", &[needed("server"), needed("database")], &["Basic", "OAuth2"], ENCRYPTED,
        Some(&["Basic"])),
    of("AzureTables", "AzureTables", &[needed("account"), needed("domain")],
        &["Key", "OAuth2", "WorkspaceIdentity"], PLAIN, Some(&["Key", "WorkspaceIdentity"])),
    of("AzureBlobs", "AzureBlobs", &[needed("account"), needed("domain")],
        &["Anonymous", "Key", "OAuth2", "SharedAccessSignature", "ServicePrincipal", "WorkspaceIdentity"], PLAIN,
        Some(&["Anonymous", "Key", "SharedAccessSignature", "ServicePrincipal", "WorkspaceIdentity"])),
    of("AzureDataLakeStorage", "AzureDataLakeStorage", &[needed("server"), needed("path")],
        &["Key", "OAuth2", "SharedAccessSignature", "ServicePrincipal", "WorkspaceIdentity"], PLAIN,
        Some(&["Key", "SharedAccessSignature", "ServicePrincipal", "WorkspaceIdentity"])),
    of("FabricSql", "FabricSql.Contents", &[], &["OAuth2"], PLAIN, None),
    of("Lakehouse", "Lakehouse.Contents", &[], &["OAuth2"], PLAIN, None),
    of("Warehouse", "Fabric.Warehouse", &[], &["OAuth2"], PLAIN, None),
    of("AmazonS3", "AmazonS3.Storage", &[optional("url"), optional("roleArn")],
        &["Basic", "OAuth2", "ServicePrincipal"], PLAIN, None),
    of("AmazonS3Compatible", "AmazonS3Compatible.Storage", &[needed("url")], &["Basic"], PLAIN, None),
    of("AzureKeyVault", "AzureKeyVault.Actions", &[needed("accountName")], &["OAuth2", "ServicePrincipal"], PLAIN,
        None),
    of("EventHub", "EventHub.Contents", &[needed("endpoint"), needed("entityPath")], &["OAuth2", "Basic"], PLAIN, None),
    of("FabricDataPipelines", "FabricDataPipelines.Actions", &[],
        &["OAuth2", "ServicePrincipal", "WorkspaceIdentity"], PLAIN, None),
    of("GoogleCloudStorage", "GoogleCloudStorage.Storage", &[optional("url")], &["Basic"], PLAIN, None),
    of("HttpServer", "HttpServer.Contents", &[needed("url")], &["OAuth2", "Basic", "Anonymous"], PLAIN, None),
    of("Notebook", "Notebook.Actions", &[], &["OAuth2", "ServicePrincipal"], PLAIN, None),
    of("RestService", "RestService.Contents", &[needed("baseUrl"), optional("audience")],
        &["OAuth2", "Basic", "Anonymous", "ServicePrincipal"], PLAIN, None),
    of("AzureDevOpsSourceControl", "AzureDevOpsSourceControl.Contents", &[needed("url")],
        &["OAuth2", "ServicePrincipal"], PLAIN, None),
    of("GitHubSourceControl", "GitHubSourceControl.Contents", &[optional("url")], &["Key"], PLAIN, None),
];

/// The type of that name.
pub(crate) fn connection_type(name: &str) -> Option<&'static ConnectionType> {
    TYPES.iter().find(|known| same_name(known.name, name))
}

impl ConnectionType {
    /// Whether the test of a connection can be made this way.
    pub(super) fn encrypts_as(&self, encryption: &str) -> bool {
        encryption == "NotEncrypted" || (encryption == "Encrypted" && self.encrypted)
    }
}
