//! Values of attributes as texts: properties know nothing else.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use opentelemetry::{KeyValue, Value, logs::AnyValue};

/// The first attribute that has one of these names.
pub(super) fn first<'a>(attributes: &'a [KeyValue], names: &[&str]) -> Option<&'a Value> {
    let find = |name: &&str| attributes.iter().find(|attribute| attribute.key.as_str() == *name);
    names.iter().find_map(find).map(|attribute| &attribute.value)
}

/// As [`first`], as text; an empty text is none.
pub(super) fn text<'a>(attributes: &'a [KeyValue], names: &[&str]) -> Option<Cow<'a, str>> {
    first(attributes, names).map(Value::as_str).filter(|text| !text.is_empty())
}

/// A value of a log record as text: nested ones as JSON, bytes in base64.
pub(super) fn any_text(value: &AnyValue) -> Cow<'_, str> {
    match value {
        AnyValue::String(text) => text.as_str().into(),
        other => match json(other) {
            serde_json::Value::String(text) => text.into(),
            json => json.to_string().into(),
        },
    }
}

/// A value of a log record as a number; booleans are none.
pub(super) fn any_number(value: &AnyValue) -> Option<f64> {
    match value {
        AnyValue::Int(number) => Some(*number as f64),
        AnyValue::Double(number) => Some(*number),
        _ => None,
    }
}

fn json(value: &AnyValue) -> serde_json::Value {
    match value {
        AnyValue::Int(number) => (*number).into(),
        // JSON knows neither infinity nor what is no number.
        AnyValue::Double(number) if !number.is_finite() => number.to_string().into(),
        AnyValue::Double(number) => (*number).into(),
        AnyValue::String(text) => text.as_str().into(),
        AnyValue::Boolean(truth) => (*truth).into(),
        AnyValue::Bytes(bytes) => BASE64_STANDARD.encode(bytes.as_slice()).into(),
        AnyValue::ListAny(values) => values.iter().map(json).collect(),
        AnyValue::Map(values) => {
            let mut members: Vec<_> = values.iter().collect();
            members.sort_unstable_by_key(|(key, _)| key.as_str());
            members.into_iter().map(|(key, value)| (key.as_str().to_owned(), json(value))).collect()
        }
        // A kind of value of a later version of OpenTelemetry.
        other => format!("{other:?}").into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_kind_of_value_has_a_text() {
        let list = AnyValue::ListAny(Box::new(vec![1.into(), "a\"".into(), f64::NAN.into(), true.into()]));
        let map = HashMap::from([("b".into(), 2.5.into()), ("a".into(), list.clone())]);
        for (value, shown) in [
            ("a\nb".into(), "a\nb"),
            (7.into(), "7"),
            (0.5.into(), "0.5"),
            (f64::INFINITY.into(), "inf"),
            (false.into(), "false"),
            (AnyValue::Bytes(Box::new(vec![0, 255])), "AP8="),
            (list, r#"[1,"a\"","NaN",true]"#),
            (AnyValue::Map(Box::new(map)), r#"{"a":[1,"a\"","NaN",true],"b":2.5}"#),
        ] {
            assert_eq!(any_text(&value), shown, "{value:?}");
        }
    }
}
