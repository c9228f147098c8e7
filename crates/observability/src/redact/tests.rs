//! No form of a registered value is left in what was redacted, however it was written.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::{
    PLACEHOLDER, Redacting, Redactor,
    testing::{forms, found, leak, nasty},
};

/// One that knows these values.
pub(super) fn redactor(values: &[impl AsRef<str>]) -> Redactor {
    let redactor = Redactor::default();
    for value in values {
        redactor.register("x", &value.as_ref().into()).unwrap();
    }
    redactor
}

/// What arrives where `text` is written in these pieces.
pub(super) fn written<'t>(
    redactor: &Redactor,
    pieces: impl IntoIterator<Item = &'t [u8]>,
    flush: bool,
) -> String {
    let mut to = Vec::new();
    let mut writer = Redacting::new(&mut to, redactor.clone());
    for piece in pieces {
        writer.write_all(piece).unwrap();
        if flush {
            writer.flush().unwrap();
        }
    }
    drop(writer);
    String::from_utf8(to).unwrap()
}

#[test]
fn there_are_forty_and_one_contains_another() {
    let all = nasty();
    assert_eq!(all.len(), 40);
    let contains = |value: &String| all.iter().any(|other| other != value && value.contains(other));
    assert!(all.iter().any(contains));
    assert!(all.iter().any(|value| value.len() >= 16 * 1024));
}

#[test]
fn no_form_of_any_is_left() {
    let all = nasty();
    let redactor = redactor(&all);
    for value in &all {
        let forms = forms(value);
        for (name, form) in &forms {
            let text = format!("before {form} after\n");
            let redacted = redactor.redact(&text);
            assert_eq!(found(&redacted, &forms), None, "{name} of {value:?}: {redacted}");
            assert!(redacted.starts_with("before "), "{name} of {value:?}: {redacted}");
            assert!(redacted.ends_with(" after\n"), "{name} of {value:?}: {redacted}");
            assert!(redacted.contains(PLACEHOLDER));
        }
    }
}

#[test]
fn wherever_the_writes_end() {
    let all = nasty();
    for value in &all {
        let redactor = redactor(std::slice::from_ref(value));
        let forms = forms(value);
        for (name, form) in &forms {
            let text = format!("before\n{form}\nafter\n");
            let expected = written(&redactor, [text.as_bytes()], false);
            assert_eq!(found(&expected, &forms), None, "{name} of {value:?}: {expected}");
            // After each byte, and of what is long after some.
            let step = if text.len() < 400 && *name == "as it is" { 1 } else { 1 + text.len() / 3 };
            for at in (0..=text.len()).step_by(step) {
                let (first, second) = text.as_bytes().split_at(at);
                assert_eq!(
                    written(&redactor, [first, second], false),
                    expected,
                    "{name} of {value:?} at {at}"
                );
            }
        }
    }
}

#[test]
fn a_document_of_all_stays_one() {
    // Without the long ones, which would make it a document of megabytes.
    let all: Vec<_> = nasty().into_iter().filter(|value| value.len() < 1024).collect();
    let redactor = redactor(&all);
    let members: serde_json::Map<_, _> = all
        .iter()
        .flat_map(|value| forms(value))
        .enumerate()
        .map(|(n, (name, form))| (format!("{n} {name}"), form.into()))
        .collect();
    let count = members.len();
    let text = serde_json::Value::from(members).to_string();
    let redacted = redactor.redact_document(&text);
    let read: serde_json::Value = serde_json::from_str(&redacted).unwrap();
    assert_eq!(read.as_object().unwrap().len(), count);
    for value in &all {
        assert_eq!(leak(&redacted, value), None, "{value:?}");
    }
}

#[test]
fn base64_is_found_wherever_a_line_ends() {
    let value = "aB3~".repeat(40);
    let redactor = redactor(&[&value]);
    let text = STANDARD.encode(format!("user of some length:{value}, and more of it"));
    let expected = redactor.redact(&text).into_owned();
    assert!(expected.len() < 80 && expected.contains(PLACEHOLDER), "{expected}");
    for (width, wrap) in [(64, "\n"), (76, "\r\n"), (76, "\n    "), (64, r"\n"), (76, r"\r\n"), (64, r"\\n")]
    {
        let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| str::from_utf8(line).unwrap()).collect();
        let wrapped = format!("before\n{}\nafter\n", lines.join(wrap));
        let redacted = redactor.redact(&wrapped);
        let without = |text: &str| text.replace(wrap, "");
        let expected = without(&format!("before\n{expected}\nafter\n"));
        assert_eq!(without(&redacted), expected, "{width} {wrap:?}");
        let by_line = wrapped.split_inclusive('\n').map(str::as_bytes);
        assert_eq!(written(&redactor, by_line, false), redacted, "{width} {wrap:?}, written by lines");
        let by_byte = wrapped.as_bytes().chunks(1);
        assert_eq!(written(&redactor, by_byte, false), redacted, "{width} {wrap:?}, by bytes");
    }
}

#[test]
fn a_line_of_base64_keeps_its_end() {
    // A key of a storage account, at the end of a line that may be wrapped base64.
    let value = "aB3+".repeat(22);
    let redactor = redactor(&[&value]);
    let text = format!("key {value}\n2026 next\n");
    assert_eq!(redactor.redact(&text), "key ***\n2026 next\n");
    assert_eq!(
        written(&redactor, text.split_inclusive('\n').map(str::as_bytes), false),
        "key ***\n2026 next\n"
    );
}

#[test]
fn what_an_answer_cut_off_is_hidden() {
    let redactor = redactor(&["s3cret-of-\"contoso\"", "password-of-contoso"]);
    let cut = r#"{"message":"bad request: {\"key\":\"s3cret-of-\\\"con","code":"password"}"#;
    let expected = r#"{"message":"bad request: {\"key\":\"***","code":"password"}"#;
    assert_eq!(redactor.redact_document(cut), expected);
}

#[test]
fn values_that_overlap_or_touch_are_one() {
    let values = ["abcdef", "bcdefghijklmnop", "two\r\nlines", "foo bar\nbaz", "baz\nqux quux"];
    let redactor = redactor(&values);
    for (text, expected) in [
        ("-abcdefghijklmnop-", "-***-"),
        ("-abcdefabcdef-", "-***-"),
        ("-abcdefghi-", "-***ghi-"),
        ("-two\nlines-two\r\nlines-", "-***-***-"),
        ("foo bar\nbaz\nqux quux\n", "***\n"),
    ] {
        assert_eq!(redactor.redact(text), expected);
        let lines = text.split_inclusive('\n').map(str::as_bytes);
        assert_eq!(written(&redactor, lines, false), expected, "line by line");
    }
}

#[test]
fn the_names_are_shown_and_the_values_are_not() {
    let redactor = redactor(&nasty());
    let shown = format!("{redactor:?}");
    assert!(shown.contains("\"x\""));
    for value in nasty() {
        assert_eq!(leak(&shown, &value), None);
    }
}

#[test]
fn what_is_too_short_or_plain_is_refused_by_name() {
    let redactor = Redactor::default();
    for value in ["", "abc", "  abc\n", "*****"] {
        let refused = redactor.register("NAME", &value.into()).unwrap_err().to_string();
        assert!(
            refused.contains("NAME") && (value.trim().is_empty() || !refused.contains(value.trim())),
            "{refused}"
        );
    }
    assert_eq!(redactor.redact("abc *****"), "abc *****");
}

#[test]
fn a_value_that_comes_late_is_known_to_all_clones_and_threads() {
    let redactor = Redactor::default();
    let clone = redactor.clone();
    assert_eq!(clone.redact("late-value"), "late-value");
    std::thread::spawn(move || redactor.register("x", &"late-value".into()).unwrap()).join().unwrap();
    assert_eq!(clone.redact("late-value"), PLACEHOLDER);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_value_survives_in_any_form(
        values in prop::collection::vec("[^*\0]{4,40}", 1..4),
        // What would begin an escape is none of the value.
        around in "[^*\\\\%&]{0,8}",
        form in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let values: Vec<String> = values.into_iter().filter(|value| value.trim().len() >= 4).collect();
        prop_assume!(!values.is_empty());
        let redactor = redactor(&values);
        for value in &values {
            let forms = forms(value);
            let (name, form) = form.get(&forms);
            let text = format!("{around}{form}{around}\n");
            let redacted = redactor.redact(&text);
            prop_assert_eq!(found(&redacted, &forms), None, "{} of {:?}: {:?}", name, value, redacted);
            let (first, second) = text.as_bytes().split_at(cut.index(text.len()));
            let out = written(&redactor, [first, second], false);
            prop_assert_eq!(found(&out, &forms), None, "{} of {:?} written: {:?}", name, value, out);
        }
    }
}
