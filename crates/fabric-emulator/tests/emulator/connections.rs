//! Connections: what can be made of which credentials, and that no secret is kept.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, NOBODY, check};

pub(crate) const ALL: &str = "/v1/connections";

fn text(name: &str, value: &str) -> Value {
    json!({"dataType": "Text", "name": name, "value": value})
}

/// A connection to a database, with members of the request replaced.
fn sql(name: &str, changes: &[(&str, Value)]) -> Value {
    let mut body = json!({
        "connectivityType": "ShareableCloud",
        "displayName": name,
        "connectionDetails": {"type": "SQL", "creationMethod": "Sql", "parameters": [
            text("server", "contoso.database.windows.net"), text("database", "sales")]},
        "privacyLevel": "None",
        "credentialDetails": {"credentials": {"credentialType": "Basic", "username": "u", "password": "hush"}},
    });
    for (pointer, value) in changes {
        *body.pointer_mut(pointer).unwrap() = value.clone();
    }
    body
}

pub(crate) async fn made(client: &Client, name: &str) -> String {
    let made = client.post(ALL, sql(name, &[])).await;
    assert_eq!(made.status, 201, "{made:?}");
    format!("{ALL}/{}", made.id())
}

/// A second application, which has no permission in the tenant.
pub(crate) async fn stranger(owner: &Client) -> (Client, String) {
    let id = "99999999-0000-4000-8000-000000000001";
    let seed = json!({"servicePrincipals": [{"id": id, "displayName": "Other", "appId": id, "secret": "s"}]});
    owner.emulator.seed(&seed).unwrap();
    (Client::with(owner.emulator.clone(), id, "s", FABRIC).await, id.to_owned())
}

#[tokio::test]
async fn g26_a_connection() {
    let client = Client::demo(Config::default()).await;
    let body = sql("fabcli000001", &[]);
    let made = client.post(ALL, body).await;
    let location = format!("http://localhost:8080{ALL}/{}", made.id());
    assert_eq!((made.status, made.header("location")), (201, Some(location.as_str())));
    assert_eq!(made.header("access-control-expose-headers"), Some("RequestId,Location"));
    let expected = json!({
        "allowConnectionUsageInGateway": false,
        "allowUsageInUserControlledCode": false,
        "id": made.id(),
        "displayName": "fabcli000001",
        "connectivityType": "ShareableCloud",
        "connectionDetails": {"path": "contoso.database.windows.net;sales", "type": "SQL"},
        "privacyLevel": "None",
        "credentialDetails": {"credentialType": "Basic", "singleSignOnType": "None",
            "connectionEncryption": "NotEncrypted", "skipTestConnection": false},
    });
    assert_eq!(made.text, expected.to_string());
    let one = format!("{ALL}/{}", made.id());
    assert_eq!(client.get(&one).await.text, expected.to_string());
    let patch = json!({"displayName": "fabcli000002", "connectivityType": "ShareableCloud"});
    let changed = client.send("PATCH", &one, patch).await;
    assert_eq!((changed.status, &changed.json["displayName"]), (200, &json!("fabcli000002")));
    assert_eq!(changed.keys(), made.keys());
    let deleted = client.send("DELETE", &one, Value::Null).await;
    assert_eq!((deleted.status, deleted.header("content-type")), (200, Some("application/octet-stream")));
}

#[tokio::test]
async fn the_supported_types_are_those_that_can_be_made() {
    let client = Client::demo(Config::default()).await;
    let listed = client.get(&format!("{ALL}/supportedConnectionTypes?showAllCreationMethods=true")).await;
    let types = listed.json["value"].as_array().unwrap();
    let of = |name: &str| types.iter().find(|kind| kind["type"] == name).unwrap();
    let expected = json!({
        "type": "SQL",
        "creationMethods": [{"name": "Sql", "parameters": [
            {"name": "server", "dataType": "Text", "required": true, "allowedValues": null},
            {"name": "database", "dataType": "Text", "required": false, "allowedValues": null}]}],
        "supportedCredentialTypes": ["Basic", "OAuth2", "ServicePrincipal", "WorkspaceIdentity"],
        "supportedConnectionEncryptionTypes": ["NotEncrypted", "Encrypted"],
        "supportsSkipTestConnection": false,
        "supportedCredentialTypesForUsageInUserControlledCode": ["Basic", "ServicePrincipal", "WorkspaceIdentity"],
    });
    assert_eq!(of("SQL").to_string(), expected.to_string());
    assert_eq!(of("GitHubSourceControl")["supportedCredentialTypes"], json!(["Key"]));

    // One of each, with the first kind of credentials that a request can carry.
    let mut makeable = 0;
    for kind in types {
        let known = [
            json!({"credentialType": "Anonymous"}),
            json!({"credentialType": "Basic", "username": "u", "password": "p"}),
            json!({"credentialType": "Key", "key": "k"}),
            json!({"credentialType": "ServicePrincipal", "tenantId": demo::TENANT_ID,
                "servicePrincipalClientId": demo::CLIENT_ID, "servicePrincipalSecret": "s"}),
        ];
        let supported = kind["supportedCredentialTypes"].as_array().unwrap();
        let credentials = known.iter().find(|known| supported.contains(&known["credentialType"]));
        let method = &kind["creationMethods"][0];
        let parameters = method["parameters"].as_array().unwrap();
        let parameters: Vec<Value> =
            parameters.iter().map(|parameter| text(parameter["name"].as_str().unwrap(), "v")).collect();
        let body = json!({
            "connectivityType": "ShareableCloud", "displayName": kind["type"],
            "connectionDetails": {"type": kind["type"], "creationMethod": method["name"], "parameters": parameters},
            "credentialDetails": {"credentials": credentials.unwrap_or(&json!({"credentialType": "OAuth2"}))},
        });
        let answer = client.post(ALL, body).await;
        match credentials {
            Some(_) => assert_eq!(answer.status, 201, "{}: {answer:?}", kind["type"]),
            None => assert_eq!((answer.status, answer.code()), (400, "InvalidCredentialDetails")),
        }
        makeable += usize::from(credentials.is_some());
    }
    assert!(makeable > 15 && makeable < types.len(), "{makeable} of {}", types.len());
    let refused = client.get(&format!("{ALL}/supportedConnectionTypes?gatewayId={NOBODY}")).await;
    assert_eq!((refused.status, refused.code()), (404, "EntityNotFound"));
}

#[tokio::test]
async fn creation_rules() {
    let client = Client::demo(Config::default()).await;
    let vault = client
        .post(
            ALL,
            json!({
                "connectivityType": "ShareableCloud", "displayName": "Vault",
                "connectionDetails": {"type": "AzureKeyVault", "creationMethod": "AzureKeyVault.Actions",
                    "parameters": [text("accountName", "contoso")]},
                "credentialDetails": {"credentials": {"credentialType": "ServicePrincipal", "tenantId": demo::TENANT_ID,
                    "servicePrincipalClientId": demo::CLIENT_ID, "servicePrincipalSecret": "hush"}},
            }),
        )
        .await
        .id();
    made(&client, "Taken").await;
    let (details, credentials) = ("/connectionDetails", "/credentialDetails");
    let given = "/credentialDetails/credentials";
    let refused = [
        ("/displayName", json!("tAKEN"), 409, "DuplicateConnectionName"),
        ("/displayName", json!("x".repeat(201)), 400, "InvalidInput"),
        ("/connectivityType", json!("OnPremisesGateway"), 400, "CreateGatewayConnectionFailed"),
        ("/connectivityType", json!("VirtualNetworkGateway"), 400, "CreateGatewayConnectionFailed"),
        ("/connectivityType", json!("PersonalCloud"), 400, "InvalidInput"),
        ("/privacyLevel", json!("Secret"), 400, "InvalidInput"),
        ("/connectionDetails/type", json!("Oracle 7"), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/creationMethod", json!("Web"), 400, "InvalidConnectionDetails"),
        (details, json!({"type": "SQL", "parameters": []}), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/parameters", json!([]), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/parameters", json!([text("database", "d")]), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/parameters/1", text("catalogue", "d"), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/parameters/0/value", json!(7), 400, "InvalidConnectionDetails"),
        ("/connectionDetails/parameters/0/dataType", json!("Number"), 400, "InvalidConnectionDetails"),
        (credentials, json!({}), 400, "InvalidInput"),
        (credentials, json!({"credentials": {"credentialType": "Magic"}}), 400, "InvalidCredentialDetails"),
        (given, json!({"credentialType": "OAuth2"}), 400, "InvalidCredentialDetails"),
        (given, json!({"credentialType": "Key", "key": "k"}), 400, "InvalidCredentialDetails"),
        (given, json!({"credentialType": "Basic", "password": "p"}), 400, "InvalidCredentialDetails"),
        (given, json!({"credentialType": "Basic", "username": "u"}), 400, "InvalidCredentialDetails"),
        (
            given,
            json!({"credentialType": "Basic", "username": "u", "password": "p",
                "passwordReference": {"connectionId": vault, "secretName": "s"}}),
            400,
            "InvalidCredentialDetails",
        ),
        (
            given,
            json!({"credentialType": "Basic", "username": "u",
                "passwordReference": {"connectionId": demo::GITHUB_CONNECTION_ID, "secretName": "s"}}),
            400,
            "InvalidCredentialDetails",
        ),
        (
            credentials,
            json!({"connectionEncryption": "Any", "credentials": {"credentialType": "WorkspaceIdentity"}}),
            400,
            "InvalidCredentialDetails",
        ),
        (
            credentials,
            json!({"singleSignOnType": "Smile", "credentials": {"credentialType": "WorkspaceIdentity"}}),
            400,
            "InvalidCredentialDetails",
        ),
        (
            credentials,
            json!({"skipTestConnection": true, "credentials": {"credentialType": "WorkspaceIdentity"}}),
            400,
            "SkipTestConnectionNotSupported",
        ),
    ];
    let case = |(pointer, value, status, code)| {
        ("POST", ALL.to_owned(), sql("New", &[(pointer, value)]), status, code)
    };
    let mut cases: Vec<_> = refused.into_iter().map(case).collect();
    let reference = json!({"credentialType": "Basic", "username": "u",
        "passwordReference": {"connectionId": vault, "secretName": "s"}});
    cases.push(("POST", ALL.to_owned(), sql("Referring", &[(given, reference)]), 201, ""));
    check(&client, cases).await;

    let (other, _) = stranger(&client).await;
    let refused = other.post(ALL, sql("Mine", &[])).await;
    assert_eq!((refused.status, refused.code()), (403, "InsufficientPrivileges"));

    // As a sample of Microsoft's sends it: no parameters, and a text where a boolean should be.
    let git = json!({"connectivityType": "ShareableCloud", "displayName": "Git",
        "connectionDetails": {"type": "GitHubSourceControl", "creationMethod": "GitHubSourceControl.Contents"},
        "credentialDetails": {"skipTestConnection": "false", "credentials": {"credentialType": "Key", "key": "hush"}}});
    let git = client.post(ALL, git).await;
    assert_eq!((git.status, &git.json["connectionDetails"]["path"]), (201, &json!("https://github.com")));
    let kept = format!("{:?}{:?}", client.emulator.inventory(), client.get(ALL).await);
    assert!(!kept.contains("hush"), "{kept}");
}

#[tokio::test]
async fn updates() {
    let client = Client::demo(Config::default()).await;
    let (one, before) = (made(&client, "Sales").await, client.hash());
    made(&client, "Taken").await;
    let patch = |changes: Value| {
        let mut body = json!({"connectivityType": "ShareableCloud"});
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    let details = |details: Value| patch(json!({"credentialDetails": details}));
    check(
        &client,
        vec![
            ("PATCH", one.clone(), json!({"displayName": "x"}), 400, "InvalidInput"),
            ("PATCH", one.clone(), json!({"connectivityType": "PersonalCloud"}), 400, "InvalidInput"),
            ("PATCH", one.clone(), patch(json!({"displayName": "taken"})), 409, "DuplicateConnectionName"),
            ("PATCH", one.clone(), patch(json!({"privacyLevel": "Some"})), 400, "InvalidInput"),
            (
                "PATCH",
                one.clone(),
                details(json!({"credentials": {"credentialType": "Key", "key": "k"}})),
                400,
                "InvalidCredentialDetails",
            ),
            ("PATCH", format!("{ALL}/{NOBODY}"), patch(json!({})), 404, "EntityNotFound"),
            ("PATCH", one.clone(), patch(json!({"displayName": "SALES", "privacyLevel": "Public"})), 200, ""),
            ("PATCH", one.clone(), details(json!({"connectionEncryption": "Encrypted"})), 200, ""),
            (
                "PATCH",
                one.clone(),
                details(json!({"credentials": {"credentialType": "WorkspaceIdentity"}})),
                200,
                "",
            ),
        ],
    )
    .await;
    let got = client.get(&one).await.json;
    assert_eq!((&got["displayName"], &got["privacyLevel"]), (&json!("SALES"), &json!("Public")));
    let credentials = json!({"credentialType": "WorkspaceIdentity", "singleSignOnType": "None",
        "connectionEncryption": "Encrypted", "skipTestConnection": false});
    assert_eq!(got["credentialDetails"], credentials);
    assert_ne!(client.hash(), before);
}
