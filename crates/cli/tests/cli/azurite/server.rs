//! Microsoft's emulator of Azure Blob Storage, and what of it the program has no part in.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{HttpRequest, HttpRequestBody};
use tempfile::TempDir;

use crate::program::Background;

/// The account that every Azurite has, and its key, which is no secret.
const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const CONTAINER: &str = "journals";

/// A blob service of its own with one container, stopped when dropped.
pub(crate) struct Azurite {
    address: String,
    _process: Background,
    _folder: TempDir,
}

impl Azurite {
    /// Starts the one that `cargo xtask azurite` has installed.
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "where the test finds a server is no setting")]
        let installed = std::env::var_os("AZURITE");
        let installed = PathBuf::from(installed.unwrap_or_else(|| panic!("run `cargo xtask azurite`")));
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("node");
        command
            .arg(installed.join("serve.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--silent", "--disableTelemetry"])
            .arg("--location")
            .arg(folder.path())
            .stdin(Stdio::piped());
        let mut process = Background::start(&mut command);
        let said = process.lines(2);
        let address = said[1].split("http://").nth(1).unwrap_or_else(|| panic!("{said:?}")).trim().to_owned();
        let azurite = Self { address, _process: process, _folder: folder };
        azurite.send("PUT", &format!("{CONTAINER}?restype=container"), b"");
        azurite
    }

    /// What the setting `rollback.journal` says.
    pub(crate) fn journal(&self, folder: &str) -> String {
        format!("http://{}/{ACCOUNT}/{CONTAINER}/{folder}", self.address)
    }

    /// The names of all blobs, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let listed = self.send("GET", &format!("{CONTAINER}?restype=container&comp=list"), b"");
        let names = listed.split("<Name>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
        names.collect()
    }

    pub(crate) fn put(&self, name: &str, body: &[u8]) {
        self.send("PUT", &format!("{CONTAINER}/{name}"), body);
    }

    pub(crate) fn delete(&self, name: &str) {
        self.send("DELETE", &format!("{CONTAINER}/{name}"), b"");
    }

    /// What a blob holds.
    pub(crate) fn get(&self, name: &str) -> String {
        let answer = self.send("GET", &format!("{CONTAINER}/{name}"), b"");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Signs and sends one request, which must succeed.
    fn send(&self, method: &str, path: &str, body: &[u8]) -> String {
        let mut request: HttpRequest = http::Request::builder()
            .method(method)
            .uri(format!("http://{}/{ACCOUNT}/{path}", self.address))
            .header("content-length", body.len())
            .header("x-ms-blob-type", "BlockBlob")
            .body(HttpRequestBody::empty())
            .unwrap();
        let key = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY).unwrap());
        AzureAuthorizer::new(&key, ACCOUNT).try_authorize(&mut request).unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let target = request.uri().path_and_query().unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address)
            .unwrap();
        for (name, value) in request.headers() {
            write!(stream, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
        }
        stream.write_all(b"\r\n").unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        answer
    }
}
