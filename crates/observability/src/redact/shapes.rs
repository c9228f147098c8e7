//! What looks like a secret, whoever made it.

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use super::views::View;

/// Names under which secrets stand in forms, connection strings, settings and JSON. Where `_` stands there may be `-` or nothing.
const NAMES: [&str; 15] = [
    "access_key",
    "access_signature",
    "access_token",
    "account_key",
    "api_key",
    "client_assertion",
    "client_secret",
    "id_token",
    "passwd",
    "password",
    "pwd",
    "refresh_token",
    "shared_access_key",
    "shared_access_signature",
    "x_api_key",
];

/// What follows a name and its secret: in forms, connection strings and settings, or as a member of JSON, also within a string of it.
const NAMED: &str =
    r#"(?:\s?=\s?("[^"]*"|'[^']*'|[^;&"'\\\s<>]+)|\\*["']\s*:\s*\\*["']((?:[^"'\\]|\\[^"'])+))"#;

/// The other shapes. What is to be hidden is the group, or all of it.
const SHAPES: [&str; 11] = [
    // A header with its scheme (RFC 9110 section 11.4), on a line or in a dump of headers.
    r#"(?i)\b(?:proxy-)?authorization\b["'\\]*\s*[:=]\s*["'\\]*(?:[a-z][a-z0-9_-]*\s+)?([^\s"'\\,]+)"#,
    r"(?i)\bbearer\s+([a-z0-9._~+/-]{8,}=*)",
    // JSON Web Tokens (RFC 7519), encrypted ones with their five parts too.
    r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)+",
    // The signature of a shared access signature, https://learn.microsoft.com/rest/api/storageservices/create-service-sas
    r"(?i)\bsig=([a-z0-9%+/=_-]+)",
    // The code of RFC 6749 section 4.1.2, and the key of an Azure function.
    r#"(?i)(?:[?&]|^)code=([^&\s"'\\<>]{8,})"#,
    // User information in URLs (RFC 3986 section 3.2.1).
    r#"://([^\s/?#"'\\<>]+)@"#,
    // The same with a slash too few, or without a scheme: then there is a password, or it is a path.
    r#"(?::/|//)([^\s/?#"'\\<>@]*:[^\s/?#"'\\<>]+)@"#,
    // https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
    r"\b(?:gh[a-z]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    // Client secrets of Entra ID, and access tokens of Azure DevOps.
    r"\b[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
    r"\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b",
    // RFC 7468. One that is cut short goes on to the end.
    r"(?s)-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY-----|\z)",
];

static COMPILED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let named = format!(r"(?i)\b(?:{}){NAMED}", NAMES.join("|").replace('_', "[_-]?"));
    SHAPES.into_iter().chain([&*named]).filter_map(|shape| Regex::new(shape).ok()).collect()
});

/// Adds where in the text of `view` something has a shape.
pub(super) fn find(view: &View<'_>, found: &mut Vec<Range<usize>>) {
    for shape in COMPILED.iter() {
        for captures in shape.captures_iter(&view.bytes) {
            let hidden = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0));
            let hidden = hidden.map(|hidden| hidden.range()).filter(|hidden| !hidden.is_empty());
            found.extend(hidden.map(|hidden| view.source(hidden)));
        }
    }
}

/// Whether the value of a member of this name is a secret, whatever it looks like.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain = |name: &str| -> String { name.chars().filter(|c| !matches!(c, '_' | '-')).collect() };
    let given = plain(name);
    NAMES.iter().chain(&["authorization"]).any(|known| given.eq_ignore_ascii_case(&plain(known)))
}

/// Whether `text` ends within a private key; then the lines that follow belong to it.
pub(super) fn ends_in_key(text: &str) -> bool {
    let begun = text.rfind("-----BEGIN ").filter(|at| {
        let frame = text[*at..].lines().next().unwrap_or_default();
        frame.contains("PRIVATE KEY-----")
    });
    begun.is_some_and(|at| !text[at..].contains("-----END "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Redactor;

    #[test]
    fn all_compile() {
        assert_eq!(COMPILED.len(), SHAPES.len() + 1);
    }

    #[test]
    fn what_looks_like_a_secret_is_hidden() {
        let redactor = Redactor::default();
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln-_bmF0";
        let pat = format!("ghp_{}", "a1B2".repeat(9));
        let fine = format!("github_pat_{}", "a1_B2".repeat(12));
        let entra = format!("abc8Q~{}", "x.Y-z~1_".repeat(4));
        let devops = format!("{}AZDOab12", "aB3d".repeat(19));
        for (text, expected) in [
            ("Authorization: Bearer abc.def/ghi==", "Authorization: Bearer ***"),
            ("authorization: SharedKey contoso:c2ln=, x", "authorization: SharedKey ***, x"),
            (r#"{"authorization": "Basic dTpw"}"#, r#"{"authorization": "Basic ***"}"#),
            (r#"{\"Proxy-Authorization\":\"dTpw\"}"#, r#"{\"Proxy-Authorization\":\"***\"}"#),
            ("sent bearer opaque-token-1", "sent bearer ***"),
            (&format!("token {jwt}."), "token ***"),
            ("https://h/c?sv=1&sig=a%2Fb%3D&se=2", "https://h/c?sv=1&sig=***&se=2"),
            ("u=https%3A%2F%2Fh%3Fsig%3Dabc", "u=https%3A%2F%2Fh%3Fsig%3D***"),
            (
                r"said: GET /\nauthorization: SharedKey a:b=\naccept",
                r"said: GET /\nauthorization: SharedKey ***\naccept",
            ),
            (r"{\u0022password\u0022:\u0022hush\u0022}", r"{\u0022password\u0022:\u0022***\u0022}"),
            (&format!(r"\n{jwt}\n"), r"\n***\n"),
            ("AccountName=a;AccountKey=a+b/c==;X=1", "AccountName=a;AccountKey=***;X=1"),
            ("Endpoint=sb://h/;SharedAccessKey=k=;Y", "Endpoint=sb://h/;SharedAccessKey=***;Y"),
            ("Server=s;User Id=u;Password='a;b';Z=1", "Server=s;User Id=u;Password=***;Z=1"),
            ("Server=s;pwd = hush;Z=1", "Server=s;pwd = ***;Z=1"),
            ("scope=s&client_secret=hush&x=1", "scope=s&client_secret=***&x=1"),
            ("client_assertion=a.b.c", "client_assertion=***"),
            ("api-key=hush; sharedAccessKey = hush", "api-key=***; sharedAccessKey = ***"),
            (r#"{"refresh_token":"0.AX","x":1}"#, r#"{"refresh_token":"***","x":1}"#),
            (r#""{\"password\":\"a b\"}""#, r#""{\"password\":\"***\"}""#),
            ("https://h/cb?state=1&code=0.AXoAbcdef", "https://h/cb?state=1&code=***"),
            ("https://me:hush@dev.example/x?a=b@c", "https://***@dev.example/x?a=b@c"),
            ("https://me:hu@sh@dev.example/a@b", "https://***@dev.example/a@b"),
            ("https://to@ken@dev.example/", "https://***@dev.example/"),
            ("https:/me:hush@dev.example/", "https:/***@dev.example/"),
            ("see //me:hush@dev.example/x", "see //***@dev.example/x"),
            ("u=https%3A%2Fme:hush%40dev.example", "u=https%3A%2F***%40dev.example"),
            (&format!("with {pat}, {fine}"), "with ***, ***"),
            (&format!("'{entra}'"), "'***'"),
            (&format!("pat {devops}"), "pat ***"),
            ("a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a *** b"),
            (r#"{"k":"-----BEGIN PRIVATE KEY-----\nMII"#, r#"{"k":"***"#),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn ordinary_text_stays() {
        let redactor = Redactor::default();
        for text in [
            "exit code=1, error codes 7000215",
            "set AZURE_CLIENT_SECRET in .env",
            "AADSTS7000215: Invalid client secret provided",
            "POST https://api.fabric.microsoft.com/v1/workspaces?api-version=1",
            "the bearer of this",
            "signal sig",
            "-----BEGIN CERTIFICATE-----",
            "mail data.owner@contoso.example",
            "C:/notes/data.owner@contoso.example and /a/b:c@d",
            "// note: data.owner@contoso.example",
            "https://dev.example:443//a@b",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn a_key_that_goes_on_is_noticed() {
        assert!(ends_in_key("x\n-----BEGIN EC PRIVATE KEY-----\nMII\n"));
        assert!(!ends_in_key("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"));
        assert!(!ends_in_key("-----BEGIN CERTIFICATE-----\nMII\n"));
    }
}
