//! A request of items.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    Request,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use url::Url;

/// Smaller bodies are not worth compressing: they fit into one packet.
const COMPRESSED_FROM: usize = 1024;

/// The body of a request, and whether it is compressed: a line of JSON for each item, as Microsoft's SDK for Node.js sends it. Unlike in an
/// array, one bad item cannot make the others unreadable.
pub(super) fn body(lines: &[&str], plain: bool) -> (Bytes, bool) {
    let text = lines.join("\n");
    // Writing to memory fails never; if it did, the text would do.
    if !plain
        && text.len() >= COMPRESSED_FROM
        && let Ok(compressed) = compressed(&text)
    {
        return (compressed.into(), true);
    }
    (text.into(), false)
}

fn compressed(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// `None` where the endpoint is no address that can be sent to.
pub(in crate::insights) fn request(endpoint: &Url, body: Bytes, compressed: bool) -> Option<Request<Bytes>> {
    let base = endpoint.as_str().trim_end_matches('/');
    let mut request = Request::post(format!("{base}/v2.1/track"))
        .header(CONTENT_TYPE, "application/x-json-stream")
        .header(ACCEPT, "application/json");
    if compressed {
        request = request.header(CONTENT_ENCODING, "gzip");
    }
    request.body(body).ok()
}
