//! For tests: secrets of nasty shapes, and the forms in which none of them may be anywhere. The forms are made by encoding, and not as the
//! search makes them: both must not be wrong together.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// Forty secrets that do not occur in ordinary text. None has a NUL, so that each can be a variable of the environment.
#[must_use]
pub fn nasty() -> Vec<String> {
    let plain = [
        "q9$z",
        "zq#7w",
        "canary-with-dashes",
        "canary with spaces  in it",
        "quo\"te'd`canary\"",
        "''canary''",
        "\"canary\"",
        "back\\slash\\\\canary\\n",
        "C:\\new\\table\\u0041canary",
        "per%cent%20canary%",
        "%2525%41canary",
        "a=b&c=d;e=canary=",
        "canary==",
        "Y2FuYXJ5LWxvb2tzLWxpa2UtYmFzZTY0",
        "Y2FuYXJ5LXdpdGgtcGFkZGluZy1pbi1iYXNlNjQ=",
        "+/+/canary/+/+",
        "-_-_canary_-_-",
        "first canary line\nsecond canary line",
        "first dos line canary\r\nsecond dos line canary\r\n",
        "a\nbq\nzj\nxk",
        "tab\tand\u{b}canary\u{7}",
        "\u{1b}[31mcanary\u{1b}[0m",
        "käñärÿ-ümläut",
        "\u{1f42d}\u{1f424}\u{1f427} canary",
        "金絲雀金絲雀金絲雀",
        "e\u{301}canary\u{202e}yranac",
        "<canary attr=\"&amp;\">'</canary>",
        "&lt;canary&gt;&#39;",
        "{\"canary\":\"nested\",\"n\":[1,2]}",
        "${CANARY}$(canary)`canary`!!",
        "##vso[task.canary]##[canary]",
        "::set-canary::canary",
        "/path/to/canary?sig=x#frag",
        "https://canary:canary@canary.example/?canary",
        "Server=canary;Password=canary;User Id=canary",
        "contained-canary",
        "a-contained-canary-contains",
        "90210555123498765",
    ];
    let mut all: Vec<String> = plain.into_iter().map(str::to_owned).collect();
    let mut key = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    let mut long = String::new();
    for number in 0..1024_u32 {
        let word = number.wrapping_mul(2_654_435_761);
        long.push_str(&format!("{word:08x}:\"%\\é&+"));
        if number < 20 {
            let line = STANDARD.encode(format!("canary {word:08x} of the private key, line {number}"));
            key.push_str(&format!("{line}\n"));
        }
    }
    key.push_str("-----END PRIVATE KEY-----\n");
    all.push(key);
    all.push(long);
    all
}

/// What `value` looks like in each of the forms, with the form's name.
#[must_use]
pub fn forms(value: &str) -> Vec<(&'static str, String)> {
    let value = value.trim();
    let json = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let debug = format!("{value:?}");
    let mut forms = vec![
        ("as it is", value.to_owned()),
        ("JSON", json(value)),
        ("JSON in JSON", json(&json(value))),
        ("JSON in JSON in JSON", json(&json(&json(value)))),
        ("JSON of .NET", dot_net(value)),
        ("JSON of .NET in JSON", json(&dot_net(value))),
        ("Debug", debug[1..debug.len() - 1].to_owned()),
        ("control characters escaped", value.chars().map(without_control).collect()),
        (
            "control characters left out",
            value.replace(['\n', '\r', '\t', '\u{2028}', '\u{2029}'], " ").replace(steers, ""),
        ),
        ("percent, all", percent(value, |_| true, false)),
        ("percent, upper", percent(value, |byte| !byte.is_ascii_alphanumeric(), false)),
        ("percent, lower", percent(value, |byte| !byte.is_ascii_alphanumeric(), true)),
        ("percent, few", percent(value, |byte| !byte.is_ascii_graphic() || b"\"#<>%".contains(&byte), false)),
        ("form", form(value)),
        ("form in JSON", json(&form(value))),
        ("JSON, percent", percent(&json(value), |byte| !byte.is_ascii_alphanumeric(), false)),
        ("HTML", html(value)),
        ("HTML in JSON", json(&html(value))),
        ("base64", STANDARD.encode(value)),
        ("base64 in JSON of .NET", dot_net(&STANDARD.encode(value))),
        ("base64 of JSON", STANDARD.encode(json(value))),
        ("base64, URL", URL_SAFE.encode(value)),
        ("base64, percent", percent(&STANDARD.encode(value), |byte| !byte.is_ascii_alphanumeric(), false)),
    ];
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.push(("hexadecimal, capitals", hex.to_uppercase()));
    forms.push(("hexadecimal", hex));
    let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    forms.push(("base64 of UTF-16", STANDARD.encode(&utf16)));
    forms.push(("base64 of base64", STANDARD.encode(STANDARD.encode(value))));
    for before in 0..3 {
        forms.push((
            "base64 of UTF-16, within",
            within(&utf16, before * 2, |text| STANDARD_NO_PAD.encode(text)),
        ));
        let once = within(value.as_bytes(), before, |text| STANDARD_NO_PAD.encode(text));
        for before in 0..3 {
            let twice = within(once.as_bytes(), before, |text| STANDARD_NO_PAD.encode(text));
            forms.push(("base64 of base64, within", twice));
        }
        forms.push(("base64, within", once));
        forms.push((
            "base64, URL, within",
            within(value.as_bytes(), before, |text| URL_SAFE_NO_PAD.encode(text)),
        ));
    }
    // What is left of a value of control characters is none.
    forms.retain(|(_, form)| form.len() >= super::SHORTEST);
    forms
}

/// The form in which `text` holds `value`, if it does.
#[must_use]
pub fn leak(text: &str, value: &str) -> Option<&'static str> {
    found(text, &forms(value))
}

/// The first of these forms that `text` holds.
pub(super) fn found(text: &str, forms: &[(&'static str, String)]) -> Option<&'static str> {
    forms.iter().find(|(_, form)| text.contains(form)).map(|(name, _)| *name)
}

/// What of a longer text in base64 is the same whatever stands around the value.
fn within(value: &[u8], before: usize, encode: impl Fn(Vec<u8>) -> String) -> String {
    let around = |byte: u8| encode([&vec![byte; before][..], value, &[byte; 2][..]].concat());
    let (one, other) = (around(0), around(0xff));
    let same: Vec<bool> = one.bytes().zip(other.bytes()).map(|(a, b)| a == b).collect();
    let first = same.iter().position(|same| *same).unwrap_or_default();
    let last = same.iter().rposition(|same| *same).unwrap_or_default();
    one[first..=last].to_owned()
}

fn without_control(c: char) -> String {
    if steers(c) { c.escape_default().to_string() } else { c.to_string() }
}

/// What is not shown of text from outside.
fn steers(c: char) -> bool {
    let marks =
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    c.is_control() || marks.contains(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// As `System.Text.Json` writes strings: nothing but letters, digits and harmless signs stay.
fn dot_net(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '&' | '\'' | '+' | '<' | '>' | '`' | '\u{7f}'.. | '\0'..='\u{1f}' => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
            plain => out.push(plain),
        }
    }
    out
}

fn percent(value: &str, escapes: impl Fn(u8) -> bool, lower: bool) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        match (escapes(byte), lower) {
            (false, _) => out.push(char::from(byte)),
            (true, false) => out.push_str(&format!("%{byte:02X}")),
            (true, true) => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// `application/x-www-form-urlencoded`, <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>.
fn form(value: &str) -> String {
    percent(value, |byte| !byte.is_ascii_alphanumeric() && !b"*-._".contains(&byte), false)
        .replace("%20", "+")
}

fn html(value: &str) -> String {
    let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}
