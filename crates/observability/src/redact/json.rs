//! JSON that stays JSON: strings are redacted, the document's own characters are not.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{PLACEHOLDER, Redactor, shapes};

impl Redactor {
    /// Puts placeholders for secrets into all strings and names of `value`, and tells whether there were any. Numbers stay: a secret of
    /// digits is looked for in text only, or it would take pieces out of counts and times.
    pub fn redact_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => match self.redact(text) {
                Cow::Owned(redacted) => {
                    *text = redacted;
                    true
                }
                Cow::Borrowed(_) => false,
            },
            Value::Array(values) => values.iter_mut().fold(false, |any, value| self.redact_json(value) | any),
            Value::Object(members) => self.redact_members(members),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn redact_members(&self, members: &mut Map<String, Value>) -> bool {
        let mut any = false;
        for (name, value) in members.iter_mut() {
            match value {
                Value::String(text) if shapes::is_secret_name(name) && text != PLACEHOLDER => {
                    PLACEHOLDER.clone_into(text);
                    any = true;
                }
                value => any |= self.redact_json(value),
            }
        }
        if members.keys().any(|name| matches!(self.redact(name), Cow::Owned(_))) {
            any = true;
            for (name, value) in std::mem::take(members) {
                let mut name = self.redact(&name).into_owned();
                while members.contains_key(&name) {
                    name.push('*');
                }
                members.insert(name, value);
            }
        }
        any
    }

    /// As [`redact`](Self::redact), and a JSON document stays one: its strings are redacted. What cannot be read as JSON is text.
    #[must_use]
    pub fn redact_document<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let redacted = self.redact(text);
        if let Cow::Borrowed(_) = redacted {
            return redacted;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                self.redact_json(&mut value);
                Cow::Owned(value.to_string())
            }
            Err(_) => redacted,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::redact::tests::redactor;

    #[test]
    fn a_document_stays_one() {
        let redactor = redactor(&["true", "1234", "\":{\"", "hun\"ter\n"]);
        let mut value = json!({
            "attempt": 1234, "is": true, "said": "true 1234", "hun\"ter": 1, "true": [{"deep": "xhun\"tery"}], "password": "pw"
        });
        assert!(redactor.redact_json(&mut value));
        let expected = json!({
            "attempt": 1234, "is": true, "said": "*** ***", "***": 1, "****": [{"deep": "x***y"}], "password": "***"
        });
        assert_eq!(value, expected);
        assert!(!redactor.redact_json(&mut value), "once is enough");

        let line = r#"{"attempt":1234,"error":"{\"said\":\"hun\\\"ter\"}"}"#;
        assert_eq!(redactor.redact_document(line), r#"{"attempt":1234,"error":"{\"said\":\"***\"}"}"#);
        assert_eq!(redactor.redact_document("no JSON: hun\"ter"), "no JSON: ***");
    }
}
