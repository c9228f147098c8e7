//! Templates of paths: which of them a request means.

use url::form_urlencoded;

/// A path template, such as `/v1/workspaces/{workspaceId}/items`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// In lower case: the service does not mind the case of a path.
    Literal(String),
    Parameter(String),
}

/// What stood for each parameter of a template.
pub(crate) type Arguments<'t> = Vec<(&'t str, String)>;

impl Template {
    pub(crate) fn new(path: &str) -> Self {
        let segment = |text: &str| match text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name.to_owned()),
            None => Segment::Literal(text.to_lowercase()),
        };
        Self(path.split('/').filter(|segment| !segment.is_empty()).map(segment).collect())
    }

    /// The arguments of `path`, when it is one of this template's.
    pub(crate) fn matches(&self, path: &str) -> Option<Arguments<'_>> {
        let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut arguments = Vec::new();
        matches(&self.0, &path, &mut arguments).then_some(arguments)
    }

    /// Sorts the template first that says more of a path: `items/bulkMove` before `items/{itemId}`.
    pub(crate) fn rank(&self) -> Vec<bool> {
        self.0.iter().map(|segment| matches!(segment, Segment::Parameter(_))).collect()
    }

    /// Whether both stand for the same paths; the names of their parameters say nothing.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let same = |(one, other): (&Segment, &Segment)| match (one, other) {
            (Segment::Literal(one), Segment::Literal(other)) => one == other,
            (Segment::Parameter(_), Segment::Parameter(_)) => true,
            _ => false,
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

fn matches<'t>(template: &'t [Segment], path: &[&str], arguments: &mut Arguments<'t>) -> bool {
    let Some((segment, rest)) = template.split_first() else { return path.is_empty() };
    match segment {
        Segment::Literal(text) => match path.split_first() {
            Some((first, left)) => first.to_lowercase() == *text && matches(rest, left, arguments),
            None => false,
        },
        Segment::Parameter(name) => {
            // `{shortcutPath}` and `{filePath}` hold the slashes of a path of their own.
            let longest = if name.ends_with("Path") { path.len() } else { path.len().min(1) };
            (1..=longest).rev().any(|length| {
                arguments.push((name, path[..length].join("/")));
                matches(rest, &path[length..], arguments) || {
                    arguments.pop();
                    false
                }
            })
        }
    }
}

/// Where a request goes, taken apart.
pub(crate) struct Target<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: Vec<(String, String)>,
}

impl<'a> Target<'a> {
    pub(crate) fn new(target: &'a str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { path, query: form_urlencoded::parse(query.as_bytes()).into_owned().collect() }
    }

    /// Whether the query has all of these, in any case.
    pub(crate) fn has(&self, pairs: &[(String, String)]) -> bool {
        pairs.iter().all(|(name, value)| {
            let same =
                |(n, v): &(String, String)| n.eq_ignore_ascii_case(name) && v.eq_ignore_ascii_case(value);
            self.query.iter().any(same)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_match_as_the_service_does() {
        let cases = [
            ("/v1/Items", "/v1/items", Some("")),
            ("/v1/items", "/v1/items/", Some("")),
            ("/v1/items", "/v1/items/a", None),
            ("/v1/items/{itemId}", "/v1/ITEMS/a", Some("itemId=a")),
            ("/v1/items/{itemId}", "/v1/items", None),
            ("/v1/items/{itemId}", "/v1/items/a/b", None),
            ("/s/{shortcutPath}/{name}", "/s/Files/a/b", Some("shortcutPath=Files/a name=b")),
            ("/s/{shortcutPath}/{name}", "/s/Files", None),
        ];
        for (template, path, expected) in cases {
            let template = Template::new(template);
            let found = template.matches(path).map(|arguments| {
                let each = arguments.iter().map(|(name, value)| format!("{name}={value}"));
                each.collect::<Vec<_>>().join(" ")
            });
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        assert!(Template::new("/items/bulkMove").rank() < Template::new("/items/{itemId}").rank());
        assert!(Template::new("/items/{a}").same(&Template::new("/Items/{b}")));
        assert!(!Template::new("/items/{a}").same(&Template::new("/items/a")));
    }
}
