//! The forms of a value that are looked for as they stand; escaping is undone in the text.

use std::collections::BTreeSet;

use super::remote;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// The least length in bytes of a line of a value that is looked for by itself. Shorter ones are braces and words.
const SHORTEST_LINE: usize = 8;

/// All forms of `value`, each once.
pub(super) fn of(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([value.as_bytes().to_vec()]);
    if value.contains(' ') {
        // A form, once its percent signs are undone.
        forms.insert(value.replace(' ', "+").into_bytes());
    }
    let unix = value.replace("\r\n", "\n");
    if unix.contains('\n') {
        forms.extend(lines(&unix));
        forms.insert(unix.replace('\n', "\r\n").into_bytes());
        forms.extend(base64(unix.as_bytes()));
        forms.insert(unix.into_bytes());
    }
    forms.extend(base64(value.as_bytes()));
    // As messages have it that were made harmless before they came here, which cannot be undone.
    forms.insert(remote::escaped(value).into_bytes());
    forms.insert(remote::left_out(value).into_bytes());
    forms.retain(|form| form.len() >= super::SHORTEST);
    let json = serde_json::Value::from(value).to_string();
    let json = &json[1..json.len() - 1];
    if json != value {
        forms.extend(base64(json.as_bytes()));
    }
    forms
}

/// The lines that say something; those around a key in PEM say what every such key says.
fn lines(value: &str) -> impl Iterator<Item = Vec<u8>> {
    let lines = value.lines().map(str::trim);
    let lines = lines.filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"));
    lines.map(|line| line.as_bytes().to_vec())
}

/// `bytes` in base64, alone and as a part of something longer.
///
/// Three bytes are four characters. Where the value does not begin with such a group, or does not end with one, the characters at its ends
/// depend on what stands beside it: they are left out, and hold at most four bits of the value each.
fn base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let whole = [STANDARD.encode(bytes), URL_SAFE.encode(bytes)];
    let parts = [(0, 0), (1, 2), (2, 3)].into_iter().flat_map(move |(before, skipped)| {
        let mut longer = vec![0; before];
        longer.extend_from_slice(bytes);
        let certain = skipped..longer.len() * 8 / 6;
        [STANDARD_NO_PAD.encode(&longer), URL_SAFE_NO_PAD.encode(&longer)]
            .map(|text| text.get(certain.clone()).unwrap_or_default().to_owned())
    });
    whole.into_iter().chain(parts).filter(|form| form.len() >= super::SHORTEST).map(String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_found_wherever_the_value_begins() {
        let secret = b"p\xc3\xa4ss?word>";
        let forms: BTreeSet<_> = base64(secret).collect();
        for before in 0..6 {
            for after in 0..6 {
                let text = [&b"abcdef"[..before], secret, &b"uvwxyz"[..after]].concat();
                for text in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let holds = |form: &Vec<u8>| text.as_bytes().windows(form.len()).any(|part| part == form);
                    assert!(forms.iter().any(holds), "{before} {after} {text}");
                }
            }
        }
    }

    #[test]
    fn short_lines_and_the_frame_of_a_key_are_no_secrets() {
        let forms = of("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n}\n-----END PRIVATE KEY-----");
        let has = |text: &str| forms.contains(text.as_bytes());
        assert!(has("MIIEvQIBADANBg"));
        assert!(!has("}") && !has("-----END PRIVATE KEY-----"));
    }
}
