//! Requests as the handlers read them, and answers as the services send them.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::{Value, json};
use time::macros::format_description;
use url::form_urlencoded;
use uuid::Uuid;

use crate::entra;
use crate::vault::{Cloud, vault_of_host};
use crate::world::ApiError;

/// Where Fabric says it lives when nobody asked it by another name.
const FABRIC_BASE: &str = "https://api.fabric.microsoft.com";
/// The host that the service names in `home-cluster-uri` and in the `Location` of operations.
pub(crate) const CLUSTER: &str = "https://wabi-us-central-b-primary-redirect.analysis.windows.net";

/// Which service a path belongs to; decides the dialect of its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Admin,
    Entra,
    Graph,
    Fabric,
    /// Azure Key Vault.
    Vault,
    /// What a cloud gives to what runs in it: tokens of managed identities, assertions of pipelines.
    Workload,
}

/// One request, taken apart.
#[derive(Clone)]
pub(crate) struct Incoming {
    pub(crate) api: Api,
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// Path without the query, and without slashes that separate nothing.
    pub(crate) path: String,
    /// Decoded path segments after the service's prefix.
    pub(crate) segments: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    query: Vec<(String, String)>,
    /// Scheme and authority under which the client reached this server.
    base: String,
}

impl Incoming {
    pub(crate) fn new(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let named = parts.uri.path().split('/').filter(|segment| !segment.is_empty());
        let path = named.fold(String::new(), |path, segment| path + "/" + segment);
        let mut segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let base = base(&parts.uri, &parts.headers);
        let api = api(&base, &segments);
        if matches!(api, Api::Admin | Api::Graph) {
            segments.remove(0);
        }
        let query = parts.uri.query().unwrap_or_default();
        Self {
            api,
            method: parts.method.as_str().to_owned(),
            target: parts
                .uri
                .path_and_query()
                .map_or_else(|| path.clone(), |target| target.as_str().to_owned()),
            base,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            path,
            segments,
            headers: parts.headers,
            body,
        }
    }

    /// A query parameter; the service does not mind the case of its name.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The names of the query's parameters, as sent.
    pub(crate) fn query_names(&self) -> impl Iterator<Item = &str> {
        self.query.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.query(name).map(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The query without one parameter, encoded: what a `continuationUri` carries on.
    pub(crate) fn query_without(&self, name: &str) -> form_urlencoded::Serializer<'static, String> {
        let mut rest = form_urlencoded::Serializer::new(String::new());
        rest.extend_pairs(self.query.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name)));
        rest
    }

    /// The body as a JSON object; nothing and `null` are the empty one, and so is the JSON string `"{}"`, which one
    /// of Microsoft's own clients sends where there is nothing to say.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let body: &[u8] = match self.body.as_ref() {
            b"" | b"null" | b"\"{}\"" => b"{}",
            body => body,
        };
        // A struct would be read from a list as well, field by field.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err(unreadable("it is no JSON object"));
        }
        serde_json::from_slice(body).map_err(unreadable)
    }

    /// The body as a JSON list.
    pub(crate) fn parse_list<T: DeserializeOwned>(&self) -> Result<Vec<T>, ApiError> {
        serde_json::from_slice(&self.body).map_err(unreadable)
    }

    /// The vault that the host names, if it is the host of one, and its cloud.
    pub(crate) fn vault(&self) -> Option<(&str, &'static Cloud)> {
        vault_of_host(host(&self.base))
    }

    /// The absolute address of a path on this server, by the name the client used for it.
    pub(crate) fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

fn unreadable(why: impl fmt::Display) -> ApiError {
    ApiError::new(400, "InvalidInput", "The request has an invalid input")
        .because("InvalidParameter", format!("The request body cannot be read: {why}"))
}

/// A folder id in a body. The service takes the empty text for the root, as it takes `null` and no id at all.
pub(crate) fn folder_id<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Uuid>, D::Error> {
    let text = Option::<String>::deserialize(value)?.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// A path segment without its percent-encoding. The form decoder does it, kept from what is special to forms only.
fn decoded(segment: &str) -> String {
    let escaped = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes()).map(|(segment, _)| segment.into_owned()).collect()
}

/// The path tells the service, for one server is all of them. Of Entra ID's own hosts and those of vaults nothing else is
/// expected.
fn api(base: &str, segments: &[String]) -> Api {
    let lower: Vec<String> = segments.iter().take(4).map(|segment| segment.to_lowercase()).collect();
    let is_entra = || entra::HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host(base)));
    match lower.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["_emulator", ..] => Api::Admin,
        _ if vault_of_host(host(base)).is_some() => Api::Vault,
        ["secrets" | "deletedsecrets", ..] => Api::Vault,
        ["metadata", "identity", ..] | ["msi", "token"] | ["actions", "idtoken"] => Api::Workload,
        [_, _, "_apis", "distributedtask", ..] => Api::Workload,
        ["v1", ..] => Api::Fabric,
        ["v1.0", ..] => Api::Graph,
        [_, "oauth2" | "discovery" | "userrealm" | ".well-known", ..] | [_, "v2.0", ".well-known", ..] => {
            Api::Entra
        }
        _ if is_entra() => Api::Entra,
        _ => Api::Fabric,
    }
}

/// The host name in a base, without its port.
fn host(base: &str) -> &str {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    host.split_once(':').map_or(host, |(name, _)| name)
}

fn base(uri: &http::Uri, headers: &HeaderMap) -> String {
    match (uri.scheme_str(), uri.authority(), headers.get(header::HOST).and_then(|host| host.to_str().ok())) {
        (Some(scheme), Some(authority), _) => format!("{scheme}://{authority}"),
        (_, _, Some(host)) => format!("http://{host}"),
        _ => FABRIC_BASE.to_owned(),
    }
}

/// An answer before it gets the headers that all answers of its service have.
pub(crate) struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

enum Body {
    Empty,
    Json(Value),
    Octets(Bytes),
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status: status_code(status), headers: Vec::new(), body: Body::Json(body) }
    }

    /// A file.
    pub(crate) fn bytes(status: u16, body: Bytes) -> Self {
        Self { status: status_code(status), headers: Vec::new(), body: Body::Octets(body) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status: status_code(status), headers: Vec::new(), body: Body::Empty }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The operation that does what was asked, if it was not done at once.
    pub(crate) fn operation(&self) -> Option<Uuid> {
        let header = self.headers.iter().find(|(name, _)| *name == OPERATION_ID);
        header.and_then(|(_, id)| id.parse().ok())
    }

    /// As Entra, Graph and the admin surface answer: no headers of Fabric's.
    pub(crate) fn plain(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status;
        for (name, value) in &self.headers {
            insert(response.headers_mut(), name.clone(), value);
        }
        let (kind, body) = match self.body {
            Body::Empty => return response,
            Body::Json(body) => ("application/json; charset=utf-8", Bytes::from(body.to_string())),
            Body::Octets(body) => ("application/octet-stream", body),
        };
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        *response.body_mut() = body;
        response
    }

    /// As Fabric answers: request id, no caching, and an empty body that calls itself an octet stream.
    pub(crate) fn fabric(self, request_id: Uuid) -> Response<Bytes> {
        let mut exposed = Cow::Borrowed("RequestId");
        for name in ["Location", "Retry-After", "ETag", "x-ms-operation-id"] {
            if self.headers.iter().any(|(header, _)| header.as_str().eq_ignore_ascii_case(name)) {
                exposed.to_mut().push(',');
                exposed.to_mut().push_str(name);
            }
        }
        let empty = matches!(self.body, Body::Empty);
        let blocked = self.status == StatusCode::TOO_MANY_REQUESTS;
        let mut response = self.plain();
        let headers = response.headers_mut();
        if empty {
            insert(headers, header::CONTENT_TYPE, "application/octet-stream");
        }
        // What is blocked has not come as far as where these are put on.
        if !blocked {
            insert(headers, header::CACHE_CONTROL, "no-store, must-revalidate, no-cache");
            insert(headers, header::PRAGMA, "no-cache");
            insert(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
        }
        insert(headers, header::X_FRAME_OPTIONS, "deny");
        insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        insert(headers, HeaderName::from_static("requestid"), &request_id.to_string());
        // In a line of its own where another part of the service has said something of the kind already.
        headers.extend(
            HeaderValue::from_str(&exposed).map(|value| (header::ACCESS_CONTROL_EXPOSE_HEADERS, value)),
        );
        insert(headers, HeaderName::from_static("request-redirected"), "true");
        insert(headers, HeaderName::from_static("home-cluster-uri"), &format!("{CLUSTER}/"));
        response
    }
}

/// An error as Fabric answers it: <https://learn.microsoft.com/rest/api/fabric/articles/using-fabric-apis>.
pub(crate) fn fabric_error(error: &ApiError, retry_after: Option<String>) -> Response<Bytes> {
    let request_id = Uuid::new_v4();
    let mut body = json!({"requestId": request_id, "errorCode": error.code});
    if !error.details.is_empty() {
        body["moreDetails"] = error.details.clone().into();
    }
    body["message"] = error.message.as_str().into();
    if let Some((id, kind)) = &error.related {
        body["relatedResource"] = json!({"resourceId": id, "resourceType": kind});
    }
    if let Some(retriable) = error.retriable {
        body["isRetriable"] = retriable.into();
    }
    let mut reply = Reply::json(error.status, body).header(PUBLIC_API_ERROR_CODE, error.code);
    if let Some(retry_after) = retry_after.or(error.retry_after.map(|seconds| seconds.to_string())) {
        reply = reply.header(header::RETRY_AFTER, retry_after);
    }
    reply.fabric(request_id)
}

pub(crate) const PUBLIC_API_ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-public-api-error-code");
pub(crate) const OPERATION_ID: HeaderName = HeaderName::from_static("x-ms-operation-id");

pub(crate) fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Only a fault's verbatim text can be no header value; it is left out then, and the log shows the fault.
    match HeaderValue::from_str(value) {
        Ok(value) => {
            headers.insert(name, value);
        }
        Err(_) => tracing::warn!(%name, "header value cannot be sent"),
    }
}

fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A time as HTTP writes it: RFC 9110, 5.6.7.
pub(crate) fn http_date(at: time::OffsetDateTime) -> String {
    httpdate::fmt_http_date(at.into())
}

/// A time as the service writes it: seven fraction digits and no zone.
pub(crate) fn timestamp(at: time::OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]");
    at.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

/// The message of a `RequestBlocked` as it was recorded: `.. until: 9/2/2025 6:17:18 PM (UTC)`.
pub(crate) fn blocked_until(until: time::OffsetDateTime) -> String {
    let format = format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period] (UTC)"
    );
    let until = until.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default();
    format!("Request is blocked by the upstream service until: {until}")
}
