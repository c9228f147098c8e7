//! Spans as requests, dependencies and exceptions.

use std::borrow::Cow;

use opentelemetry::{
    KeyValue,
    trace::{Event, SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;

use super::{
    attributes::{first, text},
    exception::{self, Exception},
    item::{Common, Item, Kind, NAME, URL, VALUE},
    text::duration,
};

const METHOD: &[&str] = &["http.request.method", "http.method"];
const STATUS: &[&str] = &["http.response.status_code", "http.status_code"];
const ADDRESS: &[&str] = &["url.full", "http.url"];
const HOST: &[&str] = &["server.address", "net.peer.name"];
const PORT: &[&str] = &["server.port", "net.peer.port"];
const SCHEME: &[&str] = &["url.scheme", "http.scheme"];
const PATH: &[&str] = &["url.path", "http.target"];
const TEMPLATE: &[&str] = &["url.template"];

/// What of a span over HTTP is told by fields, and need not be a property as well.
const FIELDS: &[&[&str]] = &[METHOD, STATUS, ADDRESS, HOST, PORT, SCHEME, PATH, TEMPLATE];

/// The items of a span: what it was, and each exception in it.
///
/// Other events of it are left out: they come as log records.
pub(super) fn lines(common: &Common, span: &SpanData, lines: &mut Vec<String>) {
    let exceptions = span.events.iter().filter(|event| event.name == "exception");
    for event in exceptions {
        lines.push(exception(common, span, event).into_line());
    }
    lines.push(match span.span_kind {
        SpanKind::Server | SpanKind::Consumer => request(common, span).into_line(),
        _ => dependency(common, span).into_line(),
    });
}

/// What the process was asked to do.
fn request<'c>(common: &'c Common, span: &SpanData) -> Item<'c> {
    let mut item = Item::new(common, Kind::Request, span.start_time);
    begin(&mut item, span);
    item.operation(&span.name);
    item.text("name", &span.name, NAME);
    item.text("responseCode", &code(span), NAME);
    if let Some(url) = address(&span.attributes) {
        item.text("url", &url, URL);
    }
    end(&mut item, span, has_http(span));
    item
}

/// What the process did, or had others do.
fn dependency<'c>(common: &'c Common, span: &SpanData) -> Item<'c> {
    let mut item = Item::new(common, Kind::Dependency, span.start_time);
    begin(&mut item, span);
    let over_http = span.span_kind == SpanKind::Client && has_http(span);
    let name = if over_http { called(span) } else { Cow::Borrowed(&*span.name) };
    item.operation(common.operation.as_deref().unwrap_or(&name));
    item.text("name", &name, NAME);
    item.text("resultCode", &code(span), NAME);
    item.put("type", if over_http { "HTTP" } else { "InProc" });
    let url = address(&span.attributes);
    if let Some(target) = target(&span.attributes, url.as_deref()) {
        item.text("target", &target, NAME);
    }
    if let Some(url) = url {
        item.text("data", &url, VALUE);
    }
    end(&mut item, span, over_http);
    item
}

fn exception<'c>(common: &'c Common, span: &SpanData, event: &Event) -> Item<'c> {
    let mut item = Item::new(common, Kind::Exception, event.timestamp);
    item.within(span.span_context.trace_id(), span.span_context.span_id());
    let operation = common.operation.as_deref();
    let own = matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer).then_some(&*span.name);
    item.operation(own.or(operation).unwrap_or_default());
    let get = |name| text(&event.attributes, &[name]);
    let (kind, message, stack) = (get(exception::TYPE), get(exception::MESSAGE), get(exception::STACK));
    let what = Exception { kind, message, stack };
    what.put(&mut item);
    for attribute in event.attributes.iter().filter(|a| !exception::is_field(a.key.as_str())) {
        item.property(attribute.key.as_str(), &attribute.value.as_str());
    }
    item
}

/// What requests and dependencies begin with.
fn begin(item: &mut Item<'_>, span: &SpanData) {
    item.within(span.span_context.trace_id(), span.parent_span_id);
    item.put("id", span.span_context.span_id().to_string());
    item.put("duration", duration(span.end_time.duration_since(span.start_time).unwrap_or_default()));
    item.put("success", !matches!(span.status, Status::Error { .. }));
}

/// What requests and dependencies end with: everything else that is known of the span.
fn end(item: &mut Item<'_>, span: &SpanData, over_http: bool) {
    if let Status::Error { description } = &span.status
        && !description.is_empty()
    {
        item.property("otel.status_description", description);
    }
    for KeyValue { key, value, .. } in &span.attributes {
        let told = over_http && FIELDS.iter().any(|names| names.contains(&key.as_str()));
        if !told {
            item.property(key.as_str(), &value.as_str());
        }
    }
}

fn has_http(span: &SpanData) -> bool {
    first(&span.attributes, METHOD).is_some() || first(&span.attributes, STATUS).is_some()
}

/// The name of a call: method and template of the path, where it has one.
fn called(span: &SpanData) -> Cow<'_, str> {
    match (text(&span.attributes, METHOD), text(&span.attributes, TEMPLATE)) {
        (Some(method), Some(template)) => format!("{method} {template}").into(),
        _ => Cow::Borrowed(&span.name),
    }
}

/// How it ended: a status, an exit code, a kind of error; `0` is how others call a success that has no code.
fn code(span: &SpanData) -> Cow<'_, str> {
    let known = text(&span.attributes, STATUS);
    let known = known.or_else(|| text(&span.attributes, &["process.exit.code", "error.type"]));
    known.unwrap_or(if matches!(span.status, Status::Error { .. }) { "Error" } else { "0" }.into())
}

/// The whole address, put together if need be.
fn address(attributes: &[KeyValue]) -> Option<Cow<'_, str>> {
    if let Some(whole) = text(attributes, ADDRESS) {
        return Some(whole);
    }
    let (host, path) = (text(attributes, HOST)?, text(attributes, PATH)?);
    let scheme = text(attributes, SCHEME).unwrap_or("https".into());
    let port = text(attributes, PORT).map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}{path}").into())
}

/// Who was asked: the host, and its port where it is not the scheme's own.
fn target(attributes: &[KeyValue], address: Option<&str>) -> Option<String> {
    let url = address.and_then(|address| url::Url::parse(address).ok());
    if let Some(peer) = text(attributes, &["peer.service"]) {
        return Some(peer.into_owned());
    }
    let from_url =
        |url: &url::Url| Some((url.host_str()?.to_owned(), url.port().map(|port| port.to_string())));
    let named = || {
        let usual = |port: &str| matches!(port, "443" | "80");
        let port = text(attributes, PORT).filter(|port| !usual(port));
        Some((text(attributes, HOST)?.into_owned(), port.map(Cow::into_owned)))
    };
    let (host, port) = url.as_ref().and_then(from_url).or_else(named)?;
    Some(port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
}
