//! The table of routes: which requests are emulated, how well each is known, and who answers it.

use std::sync::LazyLock;

use super::typed::{self, Collection};
use super::{Answer, Call, TABLES};
use crate::catalogue::{Evidence, Operation};

type Handler = fn(&mut Call<'_>) -> Answer;

/// A row of the table as a module writes it.
pub(super) struct Row {
    method: &'static str,
    path: &'static str,
    evidence: Evidence,
    handler: Handler,
}

/// A route; a row about typed collections has become one for each of them.
pub(super) struct Route {
    path: String,
    method: &'static str,
    evidence: Evidence,
    pub(super) handler: Handler,
    pub(super) collection: Option<&'static Collection>,
}

impl Row {
    pub(super) const fn new(
        method: &'static str,
        path: &'static str,
        evidence: Evidence,
        handler: Handler,
    ) -> Self {
        Self { method, path, evidence, handler }
    }

    fn route(&self, collection: Option<&'static Collection>) -> Route {
        let path = match collection {
            None => self.path.to_owned(),
            Some(it) => self.path.replace("{collection}", it.path).replace("{itemId}", it.id),
        };
        let evidence = collection.map_or(self.evidence, |collection| collection.evidence);
        Route { path, method: self.method, evidence, handler: self.handler, collection }
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
        candidates.iter().map(|at| &self.routes[*at]).find(|route| route.method == method)
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation> {
        self.routes.iter().map(Route::operation)
    }
}

/// All routes. Templates that could not be told apart would be a mistake in a table, which a test finds.
pub(super) static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let rows = TABLES.iter().copied().flatten().map(|row| row.route(None));
    let typed = typed::routes().map(|(row, collection)| row.route(Some(collection)));
    let mut router = Router { routes: rows.chain(typed).collect(), paths: matchit::Router::new() };
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
fn template(path: &str) -> String {
    let segments = path.split('/').skip(1).enumerate().map(|(at, segment)| match segment.strip_prefix('{') {
        Some(rest) if rest.starts_with('*') => format!("{{*p{at}}}"),
        Some(_) => format!("{{p{at}}}"),
        None => segment.to_lowercase(),
    });
    segments.fold(String::new(), |path, segment| path + "/" + &segment)
}
