//! Which requests a fault or a hold is about: a method and a glob on the path.

use std::fmt;
use std::str::FromStr;

/// A method (or `*`) and a glob on the path without its query; `*` matches any run of characters, slashes
/// included. Letter case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    method: String,
    glob: String,
}

/// The text is not `METHOD GLOB`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a method and a path pattern, for example `POST */items`")]
pub struct ParsePatternError(String);

impl FromStr for Pattern {
    type Err = ParsePatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePatternError(text.to_owned());
        let (method, glob) = text.trim().split_once(char::is_whitespace).ok_or_else(wrong)?;
        let glob = glob.trim();
        let known = ["*", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
        let method = method.to_ascii_uppercase();
        if !known.contains(&method.as_str()) || glob.is_empty() || glob.contains(char::is_whitespace) {
            return Err(wrong());
        }
        Ok(Self { method, glob: glob.to_lowercase() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.glob)
    }
}

impl Pattern {
    /// Whether a request is meant. The token endpoint is meant only by a glob that names it: a script that breaks
    /// `POST *` is about the product's calls, and without a token there would be none.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        let path = path.to_lowercase();
        (self.method == "*" || self.method.eq_ignore_ascii_case(method))
            && glob_matches(self.glob.as_bytes(), path.as_bytes())
            && (!path.ends_with("/oauth2/v2.0/token")
                || self.glob.contains("token")
                || self.glob.contains("oauth2"))
    }
}

/// Backtracks to the last `*` only, so it is linear times the number of stars, whatever the input.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if glob.get(g) == Some(&b'*') {
            star = Some((g, t));
            g += 1;
        } else if glob.get(g) == text.get(t) {
            g += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            g = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    glob.iter().skip(g).all(|&rest| rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_by_method_and_glob() {
        let cases = [
            ("POST */items", "POST", "/v1/workspaces/w/items", true),
            ("post */ITEMS", "POST", "/v1/workspaces/w/items", true),
            ("POST */items", "GET", "/v1/workspaces/w/items", false),
            ("POST */items", "POST", "/v1/workspaces/w/items/i/getDefinition", false),
            ("* */items*", "POST", "/v1/workspaces/w/items/i/getDefinition", true),
            ("DELETE */items/*", "DELETE", "/v1/workspaces/w/items/i", true),
            ("GET /v1/*/x/*/y", "GET", "/v1/a/x/b/x/c/y", true),
            ("GET /v1/workspaces", "GET", "/v1/workspaces/", false),
            ("POST *", "POST", "/t/oauth2/v2.0/token", false),
            ("POST */oauth2/*", "POST", "/t/oauth2/v2.0/token", true),
            ("POST */token", "POST", "/t/oauth2/v2.0/token", true),
        ];
        for (pattern, method, path, expected) in cases {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(method, path), expected, "{pattern} on {method} {path}");
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for text in ["", "POST", "BREW *", "POST a b"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }
}
