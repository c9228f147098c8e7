//! Whatever stands in names, attributes and messages: the items are lines of JSON that ingestion takes. The client checks each against the
//! specification and its limits.

use std::sync::Arc;

use opentelemetry::{
    logs::{AnyValue, LogRecord as _, Severity},
    trace::SpanKind,
};
use proptest::{collection::vec, prelude::*};
use selvedge_observability::insights::{Insights, InsightsConfig};

use crate::{
    client::Script,
    telemetry::{
        attribute, config, export, export_metrics, export_records, failed, record, span, with_event,
    },
};

/// Any text: mostly short, sometimes longer than any limit, of characters of all lengths in UTF-8, UTF-16 and JSON.
fn text() -> impl Strategy<Value = String> {
    let some = prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\"\\\\]{0,8}",
        "[\u{2028}\u{2029}\u{85}\r\n]{0,4}",
        "(🧵|ñ|\u{7f}|x){0,8}",
    ];
    let times = prop_oneof![6 => Just(1), 2 => 0_usize..40, 1 => 5_000_usize..9_000];
    (some, times).prop_map(|(text, times)| text.repeat(times))
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((text(), text()), 0..12)
}

/// Names that decide what becomes of an attribute, and any other.
fn attributes() -> impl Strategy<Value = Vec<(String, String)>> {
    let known = prop::sample::select(vec![
        "http.request.method",
        "http.response.status_code",
        "url.full",
        "url.path",
        "url.template",
        "server.address",
        "server.port",
        "error.type",
        "exception.type",
        "exception.message",
        "exception.stacktrace",
        "microsoft.custom_event.name",
    ]);
    (pairs(), vec((known.prop_map(str::to_owned), text()), 0..6))
        .prop_map(|(any, known)| any.into_iter().chain(known).collect())
}

fn config_of(texts: [String; 5]) -> InsightsConfig {
    let [service, instance, version, environment, operation] = texts;
    InsightsConfig {
        service,
        instance: Some(instance),
        version: Some(version),
        environment: Some(environment),
        operation: Some(operation),
        ..config()
    }
}

fn run(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
}

/// A text of each kind of character that is longer than any limit, and how many of them a limit takes.
const LONG: [(&str, usize); 4] = [("x", 1), ("ñ", 1), ("🧵", 2), ("\u{1}", 1)];

#[test]
fn texts_are_cut_at_their_limits() {
    for (character, units) in LONG {
        let (script, long) = (Script::new(), character.repeat(40_000));
        let insights = Insights::new(&config(), Arc::clone(&script) as _);
        let of =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), long.clone().into())).collect();
        let event = record(Severity::Info, None, of(&["microsoft.custom_event.name", &long]));
        let method = attribute("http.request.method", "GET");
        let call = span(SpanKind::Client, long.clone(), vec![method, attribute("url.full", long.clone())]);
        run(async {
            export_records(&insights, &[event]).await.unwrap();
            export(&insights, vec![call]).await.unwrap();
        });
        let items = script.items();
        let length = |text: &str| text.encode_utf16().count() / units * units;
        let [event, call] = &items[..] else { panic!("{} items", items.len()) };
        assert_eq!(length(event["data"]["baseData"]["name"].as_str().unwrap()), 512);
        let properties = event["data"]["baseData"]["properties"].as_object().unwrap();
        let (key, value) = properties.iter().next().unwrap();
        assert_eq!((length(key), length(value.as_str().unwrap())), (150, 8192), "{character:?}");
        for (field, limit) in [("name", 1024), ("data", 8192)] {
            assert_eq!(length(call["data"]["baseData"][field].as_str().unwrap()), limit, "{field}");
        }
    }
}

#[test]
fn an_item_of_too_many_texts_keeps_what_matters() {
    for (character, _) in LONG {
        let (script, long) = (Script::new(), character.repeat(40_000));
        let config = InsightsConfig { environment: Some(long.clone()), ..config() };
        let insights = Insights::new(&config, Arc::clone(&script) as _);
        let names = ["exception.type", "exception.message", "exception.stacktrace"].map(str::to_owned);
        let more = (0..50).map(|n| format!("p{n}"));
        let of = names.into_iter().chain(more).map(|name| (name, long.clone().into())).collect();
        let error = record(Severity::Error, Some(long.clone().into()), of);
        run(async { export_records(&insights, &[error]).await.unwrap() });
        let items = script.items();
        let item = &items[0];
        // That it is short enough, and nothing in it empty, is what the client checks.
        assert!(item.to_string().len() > 60_000, "room is left");
        let data = &item["data"]["baseData"];
        let message = data["exceptions"][0]["message"].as_str().unwrap();
        assert!(message.len() > 30_000 || character == "\u{1}", "{}", message.len());
        assert!(data["properties"]["environment"].as_str().unwrap().starts_with(character));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn spans_become_items_that_are_taken(
        name in text(),
        why in text(),
        of in attributes(),
        kind in prop::sample::select(vec![SpanKind::Server, SpanKind::Client, SpanKind::Internal]),
        process in [text(), text(), text(), text(), text()],
    ) {
        let script = Script::new();
        let insights = Insights::new(&config_of(process), Arc::clone(&script) as _);
        let attributes = || of.iter().map(|(key, value)| attribute(key, value.clone())).collect::<Vec<_>>();
        let span = with_event(failed(span(kind, name, attributes()), &why), "exception", attributes());
        run(async { export(&insights, vec![span]).await.unwrap() });
        prop_assert_eq!(script.items().len(), 2);
    }

    #[test]
    fn log_records_become_items_that_are_taken(
        body in text(),
        target in text(),
        of in attributes(),
        severe in any::<bool>(),
        nested in any::<bool>(),
        process in [text(), text(), text(), text(), text()],
    ) {
        let script = Script::new();
        let insights = Insights::new(&config_of(process), Arc::clone(&script) as _);
        let value = |text: String| if nested { AnyValue::ListAny(Box::new(vec![text.into(), 1.into()])) } else { text.into() };
        let of = of.into_iter().map(|(key, text)| (key, value(text))).collect();
        let severity = if severe { Severity::Error } else { Severity::Debug };
        let mut record = record(severity, Some(value(body)), of);
        record.set_target(target);
        run(async { export_records(&insights, &[record]).await.unwrap() });
        prop_assert_eq!(script.items().len(), 1);
    }

    #[test]
    fn points_become_items_that_are_taken(value in any::<f64>(), of in pairs()) {
        let script = Script::new();
        let insights = Insights::new(&config(), Arc::clone(&script) as _);
        let of: Vec<_> = of.into_iter().map(|(key, value)| attribute(&key, value)).collect();
        export_metrics(&insights, |meter| meter.f64_gauge("gauge").build().record(value, &of));
        prop_assert_eq!(script.items().len(), usize::from(value.is_finite()));
    }
}
