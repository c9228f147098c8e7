//! Properties of what is told, by names that only the caller knows: `tracing` wants its fields beforehand, so they are one, of JSON.

use std::fmt;

use serde_json::{Map, Number, Value};
use tracing::field::{DisplayValue, display};

/// The value of a property. Everything that it is made of converts into it: `"text".into()`, `3.into()`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Property<'a> {
    /// Text; secrets are taken out of it.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

impl<'a> From<&'a str> for Property<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Property<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Property<'_> {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<u32> for Property<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Property<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// The greatest one that all sinks know stands for those beyond it.
impl From<u64> for Property<'_> {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// As of `u64`.
impl From<usize> for Property<'_> {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Property<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Property<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// As JSON, put into words only where somebody listens.
#[derive(Clone, Copy)]
pub(crate) struct Properties<'a>(pub(crate) &'a [(&'static str, Property<'a>)]);

impl Properties<'_> {
    /// As the field of an event, where there are any.
    pub(crate) fn told(self) -> Option<DisplayValue<Self>> {
        (!self.0.is_empty()).then(|| display(self))
    }
}

impl fmt::Display for Properties<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |property| match property {
            Property::Text(text) => Value::from(text),
            Property::Integer(number) => Value::from(number),
            // What JSON has no number for is told as a text.
            Property::Number(number) => {
                Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::from)
            }
            Property::Flag(flag) => Value::from(flag),
        };
        let all: Map<_, _> = self.0.iter().map(|&(name, it)| (name.to_owned(), value(it))).collect();
        write!(f, "{}", Value::from(all))
    }
}

/// The properties that a field holds; none, where it is something else.
pub(crate) fn parse(field: &str) -> Map<String, Value> {
    serde_json::from_str(field).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_come_back_as_what_they_were() {
        let text = String::from("a \"b\"\n");
        let all = [
            ("text", Property::from(&text)),
            ("count", 3_usize.into()),
            ("beyond", u64::MAX.into()),
            ("share", 0.5.into()),
            ("nothing", f64::NAN.into()),
            ("dry", true.into()),
        ];
        let read = parse(&Properties(&all).to_string());
        let expected = serde_json::json!({
            "text": text, "count": 3, "beyond": i64::MAX, "share": 0.5, "nothing": "NaN", "dry": true,
        });
        assert_eq!(Value::from(read), expected);
        assert!(Properties(&[]).told().is_none());
        assert!(parse("[1]").is_empty() && parse("no JSON").is_empty());
    }
}
