//! Just enough HTTP to talk to the servers that a task starts on this machine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, bail};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body of the answer, which must be a success. Each of `headers` is a line.
///
/// # Errors
/// When there is no answer, or no success; then with the answer.
pub(crate) fn ask(
    address: &str,
    method: &str,
    target: &str,
    headers: &str,
    body: &str,
) -> anyhow::Result<String> {
    let shown = target.split('?').next().unwrap_or_default();
    let answer = exchange(address, method, target, headers, body)
        .with_context(|| format!("ask {address}: {method} {shown}"))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.") && head.get(8..10) == Some(" 2") => {
            Ok(body.to_owned())
        }
        _ => bail!("{address} answers {method} {shown} with {answer}"),
    }
}

/// By HTTP/1.0: the answer ends with the connection, and no body comes in chunks.
fn exchange(address: &str, method: &str, target: &str, headers: &str, body: &str) -> std::io::Result<String> {
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.0\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
