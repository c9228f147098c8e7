//! https on real sockets, seen by a client that knows TLS and the authority, and several listeners at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use selvedge_fabric_emulator::tls::{Authority, ServerIdentity};
use selvedge_fabric_emulator::{Config, HoldPoint, demo};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::Client;

/// One emulator behind a listener of each kind.
struct Server {
    client: Client,
    http: SocketAddr,
    https: SocketAddr,
    authority: Authority,
    stop: watch::Sender<bool>,
    served: [JoinHandle<io::Result<()>>; 2],
}

impl Server {
    async fn start() -> Self {
        let authority = Authority::generate().unwrap();
        let identity = authority.identity().unwrap();
        let client = Client::demo(Config::default()).await;
        let listen = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (plain, secret) = (listen().await, listen().await);
        let (http, https) = (plain.local_addr().unwrap(), secret.local_addr().unwrap());
        let stop = watch::Sender::new(false);
        let stopped = || {
            let mut stopped = stop.subscribe();
            async move { drop(stopped.changed().await) }
        };
        let served = [
            tokio::spawn(client.emulator.clone().serve(plain, stopped())),
            tokio::spawn(client.emulator.clone().serve_tls(secret, identity, stopped())),
        ];
        Self { client, http, https, authority, stop, served }
    }

    /// A connection to the https listener, which has to be `name`.
    async fn connect(&self, name: &str) -> io::Result<TlsStream<TcpStream>> {
        connect(self.https, name, self.authority.certificate_pem()).await
    }

    fn request(&self, method: &str, path: &str, host: &str, body: &Value) -> String {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.client.token,
            body.len()
        )
    }

    /// One request, by that name; head and body of the answer.
    async fn exchange(&self, method: &str, path: &str, host: &str, body: Value) -> (String, Value) {
        let name = host.split(':').next().unwrap();
        let mut stream = self.connect(name).await.unwrap();
        stream.write_all(self.request(method, path, host, &body).as_bytes()).await.unwrap();
        let mut answer = String::new();
        // Fails unless the server says that this is all.
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    async fn end(self) {
        self.stop.send_replace(true);
        for served in self.served {
            served.await.unwrap().unwrap();
        }
    }
}

async fn connect(at: SocketAddr, name: &str, trusted: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(at).await?).await
}

#[tokio::test]
async fn https_has_the_names_of_the_real_services() {
    let server = Server::start().await;
    for name in [
        "localhost",
        "127.0.0.1",
        "::1",
        "api.fabric.microsoft.com",
        "dailyapi.fabric.microsoft.com",
        "onelake.dfs.fabric.microsoft.com",
        "centralus-onelake.blob.fabric.microsoft.com",
        "api.powerbi.com",
        "wabi-us-central-b-primary-redirect.analysis.windows.net",
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "graph.microsoft.com",
        "management.azure.com",
        "management.core.windows.net",
        "my-vault.vault.azure.net",
        "my-vault.vault.azure.cn",
        "my-vault.vault.usgovcloudapi.net",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
    ] {
        let stream = server.connect(name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]), "{name}");
    }
    for name in ["microsoft.com", "a.b.fabric.microsoft.com", "example.com", "127.0.0.2"] {
        let refused = server.connect(name).await.unwrap_err();
        assert!(refused.to_string().contains("not valid for name"), "{name}: {refused}");
    }
    server.end().await;
}

#[tokio::test]
async fn absolute_addresses_name_the_server_as_the_client_did() {
    let server = Server::start().await;
    let (head, made) =
        server.exchange("POST", "/v1/workspaces", "api.powerbi.com", json!({"displayName": "w"})).await;
    let location =
        format!("location: https://api.powerbi.com/v1/workspaces/{}", made["id"].as_str().unwrap());
    assert!(head.contains(&location), "{head}");

    let path = format!("/{}/v2.0/.well-known/openid-configuration", demo::TENANT_ID);
    for host in ["login.microsoftonline.com", "localhost:7443"] {
        let (_, document) = server.exchange("GET", &path, host, Value::Null).await;
        let expected = format!("https://{host}/{}/oauth2/v2.0/token", demo::TENANT_ID);
        assert_eq!(document["token_endpoint"], expected);
    }
    let log = server.client.emulator.requests();
    assert_eq!(log.last().unwrap().path, path, "the log has the path as it was sent");
    server.end().await;
}

#[tokio::test]
async fn two_listeners_are_one_tenant() {
    let server = Server::start().await;
    server.exchange("POST", "/v1/workspaces", "localhost", json!({"displayName": "w"})).await;
    let mut plain = TcpStream::connect(server.http).await.unwrap();
    let request = server.request("GET", "/v1/workspaces", &server.http.to_string(), &Value::Null);
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""displayName":"w""#), "{answer}");
    server.end().await;
}

#[tokio::test]
async fn who_does_not_trust_the_authority_does_not_connect() {
    let server = Server::start().await;
    let other = Authority::generate().unwrap();
    let refused = connect(server.https, "localhost", other.certificate_pem()).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    assert!(server.client.emulator.requests().iter().all(|request| request.method == "POST"));
    server.end().await;
}

#[tokio::test]
async fn a_stop_lets_the_open_request_end_and_drops_handshakes() {
    let server = Server::start().await;
    let silent = TcpStream::connect(server.https).await.unwrap();
    let mut idle = server.connect("localhost").await.unwrap();
    // Nobody could come and release it once the listeners are gone.
    let hold = server.client.emulator.hold("GET */capacities".parse().unwrap(), HoldPoint::Before);
    let mut open = server.connect("localhost").await.unwrap();
    let request = server.request("GET", "/v1/capacities", "localhost", &Value::Null);
    open.write_all(request.as_bytes()).await.unwrap();
    server.client.emulator.held(hold).await;

    server.stop.send_replace(true);
    let mut rest = String::new();
    open.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 200 ") && rest.contains(demo::CAPACITY_ID), "{rest}");
    // Nothing was asked on these two.
    rest.clear();
    assert_eq!(idle.read_to_string(&mut rest).await.unwrap(), 0);
    let (mut silent, mut byte) = (silent, [0]);
    assert_eq!(silent.read(&mut byte).await.unwrap(), 0);
    let address = server.https;
    server.end().await;
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_who_never_ends() {
    let server = Server::start().await;
    let mut half = server.connect("localhost").await.unwrap();
    half.write_all(b"POST /v1/workspaces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        .await
        .unwrap();
    server.end().await;
}

#[tokio::test]
async fn an_injected_reset_resets_the_connection_below_tls() {
    let server = Server::start().await;
    server.client.emulator.inject("GET */capacities=reset-before".parse().unwrap());
    let mut stream = server.connect("localhost").await.unwrap();
    let request = server.request("GET", "/v1/capacities", "localhost", &Value::Null);
    stream.write_all(request.as_bytes()).await.unwrap();
    let error = stream.read_to_string(&mut String::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
    server.end().await;
}

#[tokio::test]
async fn broken_answers_come_through_tls() {
    let server = Server::start().await;
    // (fault, start of what comes, its end)
    for (fault, start, end) in [
        ("cut:5", "HTTP/1.1 200 OK\r\n", "\r\nc\r\n{\"val"),
        ("content-length:+1", "HTTP/1.1 200 OK\r\n", "{\"value\":[]}"),
        ("garbage", "Retry-After: 42\r\n", "\r\n"),
    ] {
        server.client.emulator.inject(format!("GET */workspaces={fault},times=1").parse().unwrap());
        let mut stream = server.connect("localhost").await.unwrap();
        let request = server.request("GET", "/v1/workspaces", "localhost", &Value::Null);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // TLS says that this is all: it is HTTP that was broken, not the connection.
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(start) && answer.ends_with(end), "{fault}: {answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn an_authority_can_be_kept_and_one_that_was_mixed_up_is_refused() {
    let first = Authority::generate().unwrap();
    let kept = Authority::from_pem(first.certificate_pem(), &first.key_pem()).unwrap();
    let client = Client::demo(Config::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let served = client.emulator.serve_tls(listener, kept.identity().unwrap(), std::future::pending());
    let served = tokio::spawn(served);
    connect(at, "localhost", first.certificate_pem()).await.unwrap();
    served.abort();

    let other = Authority::generate().unwrap();
    let mixed = Authority::from_pem(first.certificate_pem(), &other.key_pem()).unwrap();
    let cases = [
        (mixed.identity().err(), "verify a certificate of the authority's"),
        (Authority::from_pem(first.certificate_pem(), "").err(), "read the authority's private key"),
        (
            Authority::from_pem("", &first.key_pem()).unwrap().identity().err(),
            "read the authority's certificate",
        ),
        (ServerIdentity::from_pem("", &first.key_pem()).err(), "use the certificate for a server"),
        (
            ServerIdentity::from_pem(first.certificate_pem(), &other.key_pem()).err(),
            "use the certificate for a server",
        ),
        (ServerIdentity::from_pem(first.certificate_pem(), "").err(), "read the certificate's private key"),
    ];
    for (error, expected) in cases {
        assert_eq!(error.unwrap().to_string(), expected);
    }
}

/// Serves with this certificate and tells how a client fares that trusts `root`.
async fn fares(chain: &str, key: &str, name: &str, root: &str) -> Result<(), String> {
    let client = Client::demo(Config::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let identity = ServerIdentity::from_pem(chain, key).unwrap();
    let served = tokio::spawn(client.emulator.serve_tls(listener, identity, std::future::pending()));
    let connected = connect(at, name, root).await;
    served.abort();
    connected.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn certificates_of_others_can_be_used_and_the_authority_vouches_for_its_names_only() {
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["dev.example".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
    assert_eq!(fares(&own, &key.serialize_pem(), "dev.example", &own).await, Ok(()));

    // With the authority's key in the wrong hands.
    let authority = Authority::generate().unwrap();
    let mut issuer = CertificateParams::new([]).unwrap();
    issuer.distinguished_name.push(rcgen::DnType::CommonName, "selvedge emulator authority");
    let issuer = Issuer::new(issuer, KeyPair::from_pem(&authority.key_pem()).unwrap());
    for (name, vouched) in [("api.fabric.microsoft.com", true), ("bank.example", false)] {
        let stolen =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap().pem();
        let fared = fares(&stolen, &key.serialize_pem(), name, authority.certificate_pem()).await;
        assert_eq!(fared.is_ok(), vouched, "{name}: {fared:?}");
        assert!(vouched || fared.unwrap_err().contains("NameConstraintViolation"));
    }
}
