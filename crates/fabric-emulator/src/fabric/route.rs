//! The table of routes: which requests are emulated, how well each is known, and who answers it.

use std::ops::Range;
use std::sync::LazyLock;

use super::typed::{self, Collection};
use super::{Answer, Call, TABLES};
use crate::catalogue::{Evidence, Operation};

type Handler = fn(&mut Call<'_>) -> Answer;

/// The parameter that stands for one segment or more. No other is like it in Microsoft's documents.
const MANY: &str = "{shortcutPath}";

/// A row of the table as a module writes it.
pub(super) struct Row {
    method: &'static str,
    path: &'static str,
    evidence: Evidence,
    handler: Handler,
    long: bool,
}

/// A route; a row about typed collections has become one for each of them.
pub(super) struct Route {
    pub(super) path: String,
    method: &'static str,
    pub(super) evidence: Evidence,
    pub(super) handler: Handler,
    /// Whether its requests may become operations, or run jobs.
    pub(super) long: bool,
    pub(super) collection: Option<&'static Collection>,
}

impl Row {
    pub(super) const fn new(
        method: &'static str,
        path: &'static str,
        evidence: Evidence,
        handler: Handler,
    ) -> Self {
        Self { method, path, evidence, handler, long: false }
    }

    /// Its requests may become operations, or run jobs.
    pub(super) const fn long(self) -> Self {
        Self { long: true, ..self }
    }

    pub(super) fn route(&self, collection: Option<&'static Collection>) -> Route {
        let path = match collection {
            None => self.path.to_owned(),
            Some(it) => self.path.replace("{collection}", it.path).replace("{itemId}", it.id),
        };
        let Self { method, evidence, handler, long, .. } = *self;
        Route { path, method, evidence, handler, long, collection }
    }
}

impl Route {
    pub(super) fn operation(&self) -> Operation {
        Operation {
            path: self.path.clone(),
            method: self.method,
            evidence: self.evidence,
            item_type: self.collection.map(|collection| collection.kind),
        }
    }

    /// The segments of the template that are parameters, with their places.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (usize, &str)> {
        let segments = self.path.split('/').skip(1).enumerate();
        segments.filter_map(|(at, segment)| Some((at, segment.strip_prefix('{')?.strip_suffix('}')?)))
    }

    /// Which of the `given` segments of a request a parameter stands for.
    pub(super) fn place(&self, parameter: &str, given: usize) -> Option<Range<usize>> {
        let (at, _) = self.parameters().find(|(_, name)| *name == parameter)?;
        let more = given.checked_sub(self.len())?;
        let many = self.path.split('/').skip(1).position(|segment| segment == MANY);
        Some(match many {
            Some(many) if many == at => at..at + more + 1,
            Some(many) if many < at => at + more..at + more + 1,
            _ => at..at + 1,
        })
    }

    /// How many segments a path has at least that is this route's.
    fn len(&self) -> usize {
        self.path.split('/').skip(1).count()
    }
}

/// Finds the route of a request. Names in paths are the same whatever the case of their letters.
pub(super) struct Router {
    routes: Vec<Route>,
    /// By lower-case path; the value lists the routes that differ by method only.
    paths: matchit::Router<Vec<usize>>,
}

impl Router {
    pub(super) fn find(&self, method: &str, segments: &[String]) -> Option<&Route> {
        let path = segments.iter().fold(String::new(), |path, segment| {
            // A slash inside of a segment was escaped: it separates nothing.
            path + "/" + &segment.to_lowercase().replace('/', "%2f")
        });
        let candidates = self.paths.at(&path).ok()?.value;
        let mut routes = candidates.iter().map(|at| &self.routes[*at]);
        routes.find(|route| route.method == method && route.len() <= segments.len())
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.routes.iter().map(Route::operation)
    }
}

/// All routes. Templates that could not be told apart would be a mistake in a table, which a test finds.
pub(super) static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let rows = TABLES.iter().copied().flatten().map(|row| row.route(None));
    let mut router = Router { routes: rows.chain(typed::routes()).collect(), paths: matchit::Router::new() };
    let mut by_template = std::collections::BTreeMap::<String, Vec<usize>>::new();
    for (at, route) in router.routes.iter().enumerate() {
        by_template.entry(template(&route.path)).or_default().push(at);
    }
    for (template, routes) in by_template {
        if let Err(error) = router.paths.insert(template, routes) {
            tracing::error!(%error, "a route cannot be told from another");
        }
    }
    router
});

/// A path in lower case whose parameters are named by their place, so that siblings may call one by different names.
/// From a parameter that stands for many segments on, it matches anything.
fn template(path: &str) -> String {
    let mut template = String::new();
    for (at, segment) in path.split('/').skip(1).enumerate() {
        if segment == MANY {
            return template + &format!("/{{*p{at}}}");
        }
        template.push('/');
        match segment.starts_with('{') {
            true => template += &format!("{{p{at}}}"),
            false => template += &segment.to_lowercase(),
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn segments(path: &str) -> Vec<String> {
        path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn every_route_is_found_by_a_path_of_its_own_form() {
        let mut seen = HashSet::new();
        for route in &ROUTER.routes {
            assert!(seen.insert((route.method, template(&route.path))), "{} {}", route.method, route.path);
            let names = route.path.to_uppercase();
            let path =
                names.split('/').map(|segment| if segment.starts_with('{') { "x y/z" } else { segment });
            let path: Vec<String> = path.skip(1).map(str::to_owned).collect();
            let found = ROUTER.find(route.method, &path).map(|found| &found.path);
            assert_eq!(found, Some(&route.path), "{}", route.method);
        }
    }

    #[test]
    fn the_path_of_a_shortcut_has_any_number_of_segments() {
        let base = "/v1/workspaces/w/items/i/shortcuts";
        for (rest, path, name) in
            [("/Files/s", 6..7, 7..8), ("/Files/a/b/s", 6..9, 9..10), ("//Files//s", 6..7, 7..8)]
        {
            let path_of = segments(&format!("{base}{rest}"));
            let route = ROUTER.find("GET", &path_of).unwrap();
            let place = |parameter| route.place(parameter, path_of.len()).unwrap();
            assert_eq!((place("shortcutPath"), place("shortcutName")), (path, name), "{rest}");
            assert_eq!(place("itemId"), 4..5);
        }
        for (method, rest, is_route) in [
            ("GET", "/s", false),
            ("GET", "/bulkCreate", false),
            ("GET", "/bulkCreate/s", true),
            ("POST", "/bulkCreate", true),
            ("POST", "/Files/s", false),
        ] {
            let found = ROUTER.find(method, &segments(&format!("{base}{rest}")));
            assert_eq!(found.is_some(), is_route, "{method} {rest}");
        }
    }
}
