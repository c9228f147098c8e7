//! What may be shown of a request: lists of what is known to be harmless. Everything else becomes a placeholder.

use std::borrow::Cow;

use http::HeaderMap;

use super::PLACEHOLDER;

/// Headers of requests and answers that say nothing in confidence.
const HEADERS: [&str; 25] = [
    "accept",
    "accept-encoding",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "if-match",
    "if-none-match",
    "last-modified",
    "request-id",
    "requestid",
    "retry-after",
    "retry-after-ms",
    "server",
    "user-agent",
    "x-ms-client-request-id",
    "x-ms-error-code",
    "x-ms-lease-action",
    "x-ms-lease-duration",
    "x-ms-operation-id",
    "x-ms-public-api-error-code",
    "x-ms-request-id",
    "x-ms-version",
];

/// Parameters of queries that say nothing in confidence.
const PARAMETERS: [&str; 19] = [
    "$filter",
    "$select",
    "$top",
    "allowpairingbyname",
    "api-version",
    "comp",
    "format",
    "harddelete",
    "include",
    "maxresults",
    "prefix",
    "recursive",
    "restype",
    "rootfolderid",
    "roles",
    "timeout",
    "type",
    "updatemetadata",
    "workspaceid",
];

/// Names and values of `headers`, for a log: the values of those that are not known to be harmless are placeholders, as are those marked
/// as sensitive and those that are not text.
pub fn headers(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().map(|(name, value)| {
        let harmless = HEADERS.contains(&name.as_str()) && !value.is_sensitive();
        (name.as_str(), value.to_str().ok().filter(|_| harmless).unwrap_or(PLACEHOLDER))
    })
}

/// A URL or a path with its query, for a log: without user information and fragment, and with the values of those parameters only that are
/// known to be harmless. What has no name is a placeholder as a whole.
#[must_use]
pub fn url(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let mut shown = without_user(address).into_owned();
    let Some(query) = query else { return shown };
    for (number, parameter) in query.split('&').enumerate() {
        shown.push(if number == 0 { '?' } else { '&' });
        match parameter.split_once('=') {
            Some((name, _)) if !is_harmless(name) => {
                shown.push_str(if is_name(name) { name } else { PLACEHOLDER });
                shown.push('=');
                shown.push_str(PLACEHOLDER);
            }
            None if !is_harmless(parameter) => shown.push_str(PLACEHOLDER),
            _ => shown.push_str(parameter),
        }
    }
    shown
}

fn is_harmless(name: &str) -> bool {
    PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(&name.replace("%24", "$")))
}

/// Whether it can be shown as a name: a token would be longer.
fn is_name(text: &str) -> bool {
    text.len() <= 24
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'$'))
}

/// With a placeholder for the user information, whatever number of slashes stands before it: some readers of URLs take any
/// (<https://url.spec.whatwg.org/#special-authority-ignore-slashes-state>). A path begins with one slash, without a scheme.
fn without_user(address: &str) -> Cow<'_, str> {
    let scheme = address.find([':', '/', '\\']).filter(|at| address[*at..].starts_with(':'));
    let rest = address[scheme.map_or(0, |colon| colon + 1)..].trim_start_matches(['/', '\\']);
    let before = &address[..address.len() - rest.len()];
    let authority = rest.split(['/', '\\']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) if before.len() != 1 => Cow::Owned(format!("{before}{PLACEHOLDER}{}", &rest[at..])),
        _ => Cow::Borrowed(address),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn of_a_url_only_what_is_known_to_be_harmless_is_shown() {
        for (given, shown) in [
            ("https://h/v1/items?type=Notebook&%24top=5", "https://h/v1/items?type=Notebook&%24top=5"),
            (
                "/v1/items?continuationToken=abc&recursive=true",
                "/v1/items?continuationToken=***&recursive=true",
            ),
            (
                "https://u:p@h:8/c?restype=container&sig=x%3D#frag",
                "https://***@h:8/c?restype=container&sig=***",
            ),
            ("https://u:p@x@h/", "https://***@h/"),
            ("https:/u:p@h/", "https:/***@h/"),
            ("https:u:p@h/", "https:***@h/"),
            ("//u:p@h/x", "//***@h/x"),
            ("/u:p@h", "/u:p@h"),
            ("https://h/?bearer", "https://h/?***"),
            ("https://h/?eyJ0123=1&&type=", "https://h/?***=***&***&type="),
            ("https://h/a@b", "https://h/a@b"),
        ] {
            assert_eq!(url(given), shown, "{given}");
        }
    }

    #[test]
    fn of_headers_only_what_is_known_to_be_harmless_is_shown() {
        let mut map = HeaderMap::new();
        map.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        map.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        map.insert("x-ms-encryption-key", HeaderValue::from_static("k"));
        let mut sensitive = HeaderValue::from_static("e");
        sensitive.set_sensitive(true);
        map.insert(header::ETAG, sensitive);
        let shown: Vec<_> = headers(&map).collect();
        let expected =
            [("retry-after", "5"), ("authorization", "***"), ("x-ms-encryption-key", "***"), ("etag", "***")];
        assert_eq!(shown, expected);
    }
}
