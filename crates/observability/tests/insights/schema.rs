//! What the specification of ingestion requires of items, written from its definitions (`swagger.json`, v2.1): the fields of each kind, which
//! of them must be there, and how long they may be. Lengths of tags are those of Microsoft's SDKs.

use serde_json::{Map, Value};

#[derive(Clone, Copy)]
enum Of {
    Text(usize),
    /// A text that must not be empty: others are refused.
    Name(usize),
    Number,
    Whole,
    Truth,
    Duration,
    Severity,
    Texts,
    Numbers,
    Exceptions,
    Metrics,
}
use Of::*;

type Field = (&'static str, bool, Of);

const COMMON: &[Field] = &[("ver", true, Whole), ("properties", false, Texts)];
const EVENT: &[Field] = &[("name", true, Name(512)), ("measurements", false, Numbers)];
const METRIC: &[Field] = &[("metrics", true, Metrics)];
const MESSAGE: &[Field] =
    &[("message", true, Name(32_768)), ("severityLevel", false, Severity), ("measurements", false, Numbers)];
const EXCEPTION: &[Field] = &[
    ("exceptions", true, Exceptions),
    ("severityLevel", false, Severity),
    ("problemId", false, Text(1024)),
    ("measurements", false, Numbers),
];
const DEPENDENCY: &[Field] = &[
    ("name", true, Text(1024)),
    ("duration", true, Duration),
    ("id", false, Name(512)),
    ("resultCode", false, Name(1024)),
    ("data", false, Text(8192)),
    ("type", false, Name(1024)),
    ("target", false, Text(1024)),
    ("success", false, Truth),
    ("measurements", false, Numbers),
];
const REQUEST: &[Field] = &[
    ("id", true, Name(512)),
    ("duration", true, Duration),
    ("responseCode", true, Name(1024)),
    ("success", true, Truth),
    ("name", false, Text(1024)),
    ("source", false, Text(1024)),
    ("url", false, Text(2048)),
    ("measurements", false, Numbers),
];
const DETAILS: &[Field] = &[
    ("message", true, Name(32_768)),
    ("typeName", false, Name(1024)),
    ("hasFullStack", false, Truth),
    ("stack", false, Name(32_768)),
];
const POINT: &[Field] = &[
    ("name", true, Name(1024)),
    ("value", true, Number),
    ("count", false, Whole),
    ("min", false, Number),
    ("max", false, Number),
];
const TAGS: &[Field] = &[
    ("ai.cloud.role", true, Text(256)),
    ("ai.cloud.roleInstance", false, Text(256)),
    ("ai.application.ver", false, Text(1024)),
    ("ai.internal.sdkVersion", true, Name(64)),
    ("ai.operation.id", false, Name(128)),
    ("ai.operation.parentId", false, Name(128)),
    ("ai.operation.name", false, Text(1024)),
];

/// Panics unless ingestion takes the item.
pub(crate) fn check(item: &Value) {
    let members: Vec<_> = object(item).keys().map(String::as_str).collect();
    assert_eq!(members, ["name", "time", "iKey", "tags", "data"]);
    let time = text(&item["time"]);
    assert!(is_form("dddd-dd-ddTdd:dd:dd.ddddddZ", time), "{time}");
    fields(&item["tags"], &[TAGS]);
    let kind = text(&item["data"]["baseType"]);
    let (own, name) = match kind {
        "EventData" => (EVENT, "Event"),
        "MetricData" => (METRIC, "Metric"),
        "MessageData" => (MESSAGE, "Message"),
        "ExceptionData" => (EXCEPTION, "Exception"),
        "RemoteDependencyData" => (DEPENDENCY, "RemoteDependency"),
        "RequestData" => (REQUEST, "Request"),
        other => panic!("no kind of data is called {other}"),
    };
    assert_eq!(item["name"], format!("Microsoft.ApplicationInsights.{name}"));
    fields(&item["data"]["baseData"], &[COMMON, own]);
}

/// Whether `text` has this form: a `d` stands for a digit.
pub(crate) fn is_form(form: &str, text: &str) -> bool {
    let fits = |(f, c): (char, char)| if f == 'd' { c.is_ascii_digit() } else { f == c };
    form.chars().count() == text.chars().count() && form.chars().zip(text.chars()).all(fits)
}

fn fields(of: &Value, tables: &[&[Field]]) {
    let fields = || tables.iter().copied().flatten();
    for (name, required, _) in fields() {
        assert!(!required || of.get(name).is_some(), "{name} is missing in {of}");
    }
    for (name, value) in object(of) {
        let Some((_, _, kind)) = fields().find(|(known, ..)| known == name) else {
            panic!("{name} is no field of {of}");
        };
        check_value(*kind, name, value);
    }
}

fn check_value(kind: Of, name: &str, value: &Value) {
    let short = |limit| assert!(text(value).encode_utf16().count() <= limit, "{name} is too long");
    match kind {
        Text(limit) => short(limit),
        Name(limit) => {
            short(limit);
            assert_ne!(text(value), "", "{name} is empty");
        }
        Number => assert!(value.is_number(), "{name} is {value}"),
        Whole => assert!(value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()), "{name} is {value}"),
        Truth => assert!(value.is_boolean(), "{name} is {value}"),
        Severity => assert!(value.as_u64().is_some_and(|level| level <= 4), "{name} is {value}"),
        Duration => {
            let (days, rest) = text(value).split_once('.').unwrap();
            assert!(days.parse::<u16>().unwrap() < 1000 && is_form("dd:dd:dd.dddddd", rest), "{value}");
        }
        Texts => object(value).iter().for_each(|(key, value)| {
            check_key(key);
            check_value(Text(8192), key, value);
        }),
        Numbers => object(value).iter().for_each(|(key, value)| {
            check_key(key);
            check_value(Number, key, value);
        }),
        Exceptions => one(value, DETAILS),
        Metrics => one(value, POINT),
    }
}

fn check_key(key: &str) {
    assert!(!key.is_empty() && key.encode_utf16().count() <= 150, "the key {key:?}");
}

fn one(value: &Value, table: &[Field]) {
    let values = value.as_array().unwrap();
    assert_eq!(values.len(), 1);
    fields(&values[0], &[table]);
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
