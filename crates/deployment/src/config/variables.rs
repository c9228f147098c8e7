//! `${NAME}` and `${NAME:-default}` in values that have been parsed: what is substituted can never become syntax.

use super::Variables;

/// Variables that teams spell in several ways; the exact name is tried first, then the rest in this order.
const ALIASES: [[&str; 3]; 2] = [
    ["GITHUB_ORG", "GITHUB_ORGANIZATION", "GIT_ORGANIZATION"],
    ["GITHUB_REPO", "GITHUB_REPOSITORY", "GIT_REPOSITORY"],
];

/// Endings of the names of variables that hold secrets.
const SECRET: [&str; 15] = [
    "SECRET",
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "PAT",
    "KEY",
    "SAS",
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "CONNECTION_STRING",
    "CONNECTIONSTRING",
];

/// Those that no other word ends in: also without an underscore before.
const LONG: [&str; 5] = ["SECRET", "TOKEN", "PASSWORD", "PASSPHRASE", "CONNECTIONSTRING"];

/// Why a value could not be resolved.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Unresolved {
    /// The variable is not set and the value gives no default.
    NotSet(String),
    /// The name says that it holds a secret, and what a configuration says is shown and sent as it is.
    Secret(String),
}

/// The text with its variables replaced. What a variable holds is not looked into again.
pub(super) fn resolve(text: &str, variables: &dyn Variables) -> Result<String, Unresolved> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        match reference(&from[2..]) {
            Some((name, default, after)) => {
                if variables.is_secret(name) {
                    return Err(Unresolved::Secret(name.to_owned()));
                }
                match (lookup(name, variables), default) {
                    (Some(value), Some(default)) if value.is_empty() => out.push_str(default),
                    (Some(value), _) => out.push_str(&value),
                    (None, Some(default)) => out.push_str(default),
                    (None, None) => return Err(Unresolved::NotSet(name.to_owned())),
                }
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = &from[2..];
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of a variable or of one of its other names.
pub(super) fn lookup(name: &str, variables: &dyn Variables) -> Option<String> {
    variables.get(name).or_else(|| other_names(name).find_map(|other| variables.get(other)))
}

/// The other names of a variable.
pub(super) fn other_names(name: &str) -> impl Iterator<Item = &'static str> {
    let group = ALIASES.iter().find(|group| group.contains(&name));
    group.into_iter().flatten().copied().filter(move |other| *other != name)
}

/// Name, default and the text after the brace, if this is what follows `${` in a reference.
fn reference(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (inside, after) = text.split_once('}')?;
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let head = name.chars().next()?;
    let valid = (head.is_ascii_alphabetic() || head == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    valid.then_some((name, default, after))
}

/// Whether the name of a variable says that it holds a secret: `GITHUB_TOKEN` does, `MONKEY` does not.
pub fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let is_word = |start: &str, word: &str| {
        let begins = name.get(start.len()..).is_some_and(|end| !end.starts_with(char::is_lowercase));
        // `servicePrincipalKey` is two words and more.
        start.is_empty() || start.ends_with('_') || LONG.contains(&word) || (begins && name != upper)
    };
    SECRET.iter().any(|word| upper.strip_suffix(word).is_some_and(|start| is_word(start, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_and_everything_else_is_left() {
        let variables = |name: &str| match name {
            "A" => Some("one".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}: #\n".to_owned()),
            "GIT_ORGANIZATION" => Some("last".to_owned()),
            "GITHUB_REPO" => Some("exact".to_owned()),
            "GIT_REPOSITORY" => Some("last".to_owned()),
            _ => None,
        };
        let not_set = |name: &str| Err(Unresolved::NotSet(name.to_owned()));
        let secret = |name: &str| Err(Unresolved::Secret(name.to_owned()));
        let ok = |text: &str| Ok(text.to_owned());
        let table = [
            ("", ok("")),
            ("plain $A {A}", ok("plain $A {A}")),
            ("<${A}>${A}", ok("<one>one")),
            ("${NESTED}", ok("${A}: #\n")),
            ("${B}", not_set("B")),
            ("${B:-b:-c}", ok("b:-c")),
            ("${B:-}", ok("")),
            ("[${EMPTY}]", ok("[]")),
            ("${EMPTY:-x}", ok("x")),
            ("${A", ok("${A")),
            ("${}${A}", ok("${}one")),
            ("${a.b}", ok("${a.b}")),
            ("${${A}}", ok("${one}")),
            ("$${A}", ok("$one")),
            ("${GITHUB_ORG}", ok("last")),
            ("${GIT_REPOSITORY}", ok("last")),
            ("${GITHUB_REPOSITORY}", ok("exact")),
            ("${AZURE_CLIENT_SECRET}", secret("AZURE_CLIENT_SECRET")),
            ("${github_token:-x}", secret("github_token")),
            ("${PASSWORD}", secret("PASSWORD")),
            ("${MONKEY}", not_set("MONKEY")),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text, &variables), expected, "{text}");
        }
    }

    #[test]
    fn names_that_sound_like_secrets() {
        for name in [
            "KEY",
            "API_KEY",
            "idToken",
            "servicePrincipalKey",
            "PGPASSWORD",
            "SYSTEM_ACCESSTOKEN",
            "NPM_AUTH",
            "DB_PASS",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["MONKEY", "Turnkey", "BYPASS", "AUTHOR", "COMPASS", "MAP_PATH", "TOKENS_PER_DAY", "é_KEYS"]
        {
            assert!(!is_secret(name), "{name}");
        }
    }
}
