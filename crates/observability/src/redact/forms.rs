//! The forms of a value that are looked for as they stand; escaping is undone in the text.

use std::collections::BTreeSet;

use super::remote;
use base64::{
    Engine as _,
    engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// The least length in bytes of a line of a value that is looked for by itself. Shorter ones are braces and words.
const SHORTEST_LINE: usize = 8;

/// How the first line of a key in PEM begins, and the last.
const FRAME: &str = "-----";

/// The least number of different bytes in such a line.
const FEWEST_BYTES: usize = 5;

/// All forms of `value`, each once: about thirty, for a value on one line.
pub(super) fn of(value: &str) -> BTreeSet<Vec<u8>> {
    let value = without_frame(value);
    let unix = value.replace("\r\n", "\n");
    let spellings = BTreeSet::from([unix.replace('\n', "\r\n"), value.to_owned(), unix.clone()]);
    let mut forms = BTreeSet::new();
    for spelling in spellings {
        let (lower, upper) = hex(spelling.as_bytes());
        let utf16: Vec<_> = spelling.encode_utf16().flat_map(u16::to_le_bytes).collect();
        forms.extend(base64(spelling.as_bytes()));
        let twice = parts(&STANDARD_NO_PAD, spelling.as_bytes());
        forms.extend(twice.iter().flat_map(|once| base64(once)));
        // What PowerShell takes as an encoded command.
        forms.extend(base64(&utf16));
        forms.extend([lower, upper, spelling.into_bytes()]);
    }
    if unix.contains('\n') {
        forms.extend(lines(&unix));
    }
    // A form, once its percent signs are undone.
    forms.insert(value.replace(' ', "+").into_bytes());
    // As messages have it that were made harmless before they came here, which cannot be undone.
    forms.insert(remote::escaped(value).into_bytes());
    forms.insert(remote::left_out(value).into_bytes());
    let json = serde_json::Value::from(value).to_string();
    forms.extend(base64(&json.as_bytes()[1..json.len() - 1]));
    forms.retain(|form| form.len() >= super::SHORTEST);
    forms
}

/// What stands between the frame of a key or a certificate (RFC 7468): the frame is the same around all.
fn without_frame(value: &str) -> &str {
    let framed = || value.strip_prefix(FRAME)?.split_once('\n')?.1.rsplit_once('\n');
    match framed() {
        Some((body, last)) if last.starts_with(FRAME) && body.trim_end().len() >= super::SHORTEST => {
            body.trim_end()
        }
        _ => value,
    }
}

/// The lines that are looked for by themselves.
fn lines(value: &str) -> impl Iterator<Item = Vec<u8>> {
    value.lines().map(str::trim).filter(|line| !is_common(line)).map(Into::into)
}

/// Whether other texts have the same line, too: around a key in PEM, a short member of JSON, what is ruled or padded.
fn is_common(line: &str) -> bool {
    let said = line.split_once("\": ").map_or(line, |(_, value)| value);
    let bytes: BTreeSet<u8> = said.bytes().collect();
    line.starts_with(FRAME) || said.len() < SHORTEST_LINE || bytes.len() < FEWEST_BYTES
}

/// `bytes` in hexadecimal digits, small and capital ones.
fn hex(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (lower.to_ascii_uppercase().into_bytes(), lower.into_bytes())
}

/// `bytes` in base64, alone and as a part of something longer, in both alphabets.
fn base64(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let whole = [STANDARD.encode(bytes), URL_SAFE.encode(bytes)].map(String::into_bytes);
    whole.into_iter().chain(parts(&STANDARD_NO_PAD, bytes)).chain(parts(&URL_SAFE_NO_PAD, bytes))
}

/// `bytes` in base64 as a part of something longer.
///
/// Three bytes are four characters. Where the value does not begin with such a group, or does not end with one, the characters at its ends
/// depend on what stands beside it: they are left out, and hold at most four bits of the value each.
fn parts(engine: &GeneralPurpose, bytes: &[u8]) -> [Vec<u8>; 3] {
    [(0, 0), (1, 2), (2, 3)].map(|(before, skipped)| {
        let longer = [&[0; 2][..before], bytes].concat();
        let text = engine.encode(&longer).into_bytes();
        text.get(skipped..longer.len() * 8 / 6).unwrap_or_default().to_vec()
    })
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
    fn what_other_texts_have_too_is_no_secret() {
        let forms = of("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n}\n-----END PRIVATE KEY-----\n\
            =========\n  \"credentials\": {\n    \"id\": \"aB3+x\",\n  \"version\": 1,\n");
        let has = |text: &str| forms.contains(text.as_bytes());
        assert!(has("MIIEvQIBADANBg") && has("\"id\": \"aB3+x\","));
        for line in ["}", "-----END PRIVATE KEY-----", "=========", "\"credentials\": {", "\"version\": 1,"] {
            assert!(!has(line), "{line}");
        }
    }

    #[test]
    fn there_are_few_of_a_plain_value() {
        let count = of("aB3~defghijklmnopqrstuvw").len();
        assert!(count <= 32, "{count}");
    }
}
