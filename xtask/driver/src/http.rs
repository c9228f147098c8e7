//! Just enough HTTP to talk to a server on this machine.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, bail};

use crate::PATIENCE;

/// The body of the answer, which must be a success. Each of `headers` is a line with its break.
///
/// # Errors
/// There is no answer, or no success; then with the answer. A query, which may hold a signature, is not in it.
pub fn ask(address: &str, method: &str, target: &str, headers: &str, body: &str) -> anyhow::Result<String> {
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

/// The answer, head and body, whatever it is. By HTTP/1.0: it ends with the connection, and no body comes in chunks.
///
/// # Errors
/// There is none within [`PATIENCE`], or it is no text.
pub fn exchange(address: &str, method: &str, target: &str, headers: &str, body: &str) -> io::Result<String> {
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
