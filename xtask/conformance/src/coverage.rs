//! Which of the emulator's operations were driven, and how they answered.

use std::collections::BTreeSet;

use crate::overlay::{Missing, NotProvoked, Overlay};
use crate::spec::{Operation as Documented, Specs, Target, Template};

/// What the emulator says it has, and what was seen of it.
pub(crate) struct Coverage {
    claims: Vec<Claim>,
}

/// One operation. An emulated path that several documented operations share, told apart by their query, is several.
struct Claim {
    name: String,
    method: String,
    template: Template,
    /// Whether a document describes it.
    described: bool,
    /// Whether that document has it answer at once and as a long-running operation.
    both_forms: bool,
    documented_codes: BTreeSet<String>,
    statuses: BTreeSet<u16>,
    codes: BTreeSet<String>,
}

/// Pairs of an operation and an error code that its document lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Errors {
    /// How many some scenario met.
    pub(crate) met: usize,
    /// Those that none did, and need not.
    pub(crate) excused: Vec<String>,
    pub(crate) missing: Vec<String>,
}

impl Errors {
    pub(crate) fn documented(&self) -> usize {
        self.met + self.excused.len() + self.missing.len()
    }
}

impl Coverage {
    /// `emulated` is method and path template of each operation that the emulator says it has.
    pub(crate) fn new<'a>(specs: &Specs, emulated: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut claims = Vec::new();
        for (method, path) in emulated {
            let target = Target::new(path);
            let template = Template::new(target.path);
            let claim = |name, documented: Option<&Documented>| Claim {
                name,
                method: method.to_owned(),
                template: template.clone(),
                described: documented.is_some(),
                both_forms: documented.is_some_and(|it| it.long_running && it.at_once().is_some()),
                documented_codes: documented.map(|it| it.error_codes.clone()).unwrap_or_default(),
                statuses: BTreeSet::new(),
                codes: BTreeSet::new(),
            };
            // An emulated path may name one of the documented queries, or mean them all.
            let meant = |it: &&Documented| {
                let query = target.query.is_empty() || target.has(&it.selector);
                it.method == method && it.template.same(&template) && query
            };
            let before = claims.len();
            claims.extend(specs.operations.iter().filter(meant).map(|it| claim(it.name(), Some(it))));
            if claims.len() == before {
                claims.push(claim(format!("{method} {path}"), None));
            }
        }
        Self { claims }
    }

    /// The operation that a request means, when the emulator has it.
    pub(crate) fn find(&self, specs: &Specs, method: &str, target: &str) -> Option<usize> {
        let target = Target::new(target);
        let described = specs.find(method, &target).map(|it| it.operation.name());
        let of_method = || self.claims.iter().enumerate().filter(|(_, claim)| claim.method == method);
        match described {
            Some(name) => of_method().find(|(_, claim)| claim.name == name).map(|(n, _)| n),
            None => of_method()
                .filter(|(_, claim)| !claim.described && claim.template.matches(target.path).is_some())
                .min_by_key(|(_, claim)| claim.template.rank())
                .map(|(n, _)| n),
        }
    }

    /// Takes down how the operation answered.
    pub(crate) fn answered(&mut self, claim: usize, status: u16, code: Option<&str>) {
        self.claims[claim].statuses.insert(status);
        self.claims[claim].codes.extend(code.map(str::to_owned));
    }

    /// Takes down that the operation failed after it had been accepted.
    pub(crate) fn failed(&mut self, claim: usize, code: &str) {
        self.claims[claim].codes.insert(code.to_owned());
    }

    pub(crate) fn driven(&self) -> usize {
        self.claims.iter().filter(|claim| claim.succeeded()).count()
    }

    pub(crate) fn claimed(&self) -> usize {
        self.claims.len()
    }

    /// Emulated operations that no document of this checkout describes, and that could not be checked therefore.
    pub(crate) fn undescribed(&self) -> usize {
        self.claims.iter().filter(|claim| !claim.described).count()
    }

    /// The operations that lack a success, or one of the two forms that are documented for it.
    pub(crate) fn missing(&self, overlay: &mut Overlay) -> Vec<String> {
        let mut missing = Vec::new();
        for claim in &self.claims {
            let Claim { name, statuses, .. } = claim;
            if !claim.succeeded() {
                missing.push(format!("{name}: not driven"));
                continue;
            }
            if !claim.both_forms {
                continue;
            }
            if !statuses.contains(&202) && !overlay.excuses_form(name, Missing::LongRunning) {
                missing.push(format!("{name}: never answered as a long-running operation"));
            }
            if !statuses.iter().any(|status| matches!(status, 200 | 201))
                && !overlay.excuses_form(name, Missing::AtOnce)
            {
                missing.push(format!("{name}: never answered at once"));
            }
        }
        missing
    }

    /// Whether a set of operations is documented, but has none that is emulated.
    pub(crate) fn waits_for(&self, specs: &Specs, is_one: &dyn Fn(&str) -> bool) -> bool {
        !self.claims.iter().any(|claim| is_one(&claim.name))
            && specs.operations.iter().any(|operation| is_one(&operation.name()))
    }

    /// What became of the documented errors.
    pub(crate) fn errors(&self, excuses: &mut NotProvoked) -> Errors {
        let mut errors = Errors::default();
        for Claim { name, codes, documented_codes, .. } in &self.claims {
            for code in documented_codes {
                let error = || format!("{name}: {code}");
                match codes.contains(code) {
                    true => errors.met += 1,
                    false if excuses.excuses(name, code) => errors.excused.push(error()),
                    false => errors.missing.push(error()),
                }
            }
        }
        errors
    }

    /// The operations whose documents list an error code: method, and path with the query that selects it.
    pub(crate) fn that_document<'a>(&'a self, code: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let those = self.claims.iter().filter(move |claim| claim.documented_codes.contains(code));
        those.filter_map(|claim| claim.name.split_once(' '))
    }
}

impl Claim {
    fn succeeded(&self) -> bool {
        self.statuses.iter().any(|status| (200..300).contains(status))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::Documents;

    fn specs() -> Specs {
        let failure = json!({"description": "* NotThere - a\n* TooMany - b"});
        let both = json!({"x-ms-fabric-sdk-long-running-operation": true, "responses": {"200": {}, "202": {}, "default": failure}});
        let plain = json!({"responses": {"200": {}}});
        let mut documents = Documents::default();
        documents.insert(
            "swagger.json",
            json!({"basePath": "/v1", "paths": {
                "/things/{thingId}": {"get": plain}, "/things": {"post": both},
                "/state?beta=true": {"get": plain}, "/state?beta=false": {"get": plain},
            }}),
        );
        Specs::new(&documents).unwrap()
    }

    #[test]
    fn what_is_claimed_must_be_driven_in_each_of_its_forms() {
        let specs = specs();
        let claimed = [
            ("GET", "/v1/things/{id}"),
            ("POST", "/v1/things"),
            ("GET", "/v1/state"),
            ("GET", "/v1/elsewhere/{id}"),
        ];
        let mut coverage = Coverage::new(&specs, claimed);
        let mut overlay = Overlay::load().unwrap();
        assert_eq!((coverage.claimed(), coverage.undescribed()), (5, 1));
        assert_eq!(coverage.find(&specs, "DELETE", "/v1/things/a"), None);
        let mut answered = |method, target, status, code| {
            let claim = coverage.find(&specs, method, target).unwrap();
            coverage.answered(claim, status, code);
        };
        answered("GET", "/v1/THINGS/a", 200, None);
        answered("POST", "/v1/things", 404, Some("NotThere"));
        answered("POST", "/v1/things", 202, None);
        answered("GET", "/v1/state?beta=true", 200, None);
        answered("GET", "/v1/elsewhere/a", 404, None);
        assert_eq!(
            coverage.missing(&mut overlay),
            [
                "POST /v1/things: never answered at once",
                "GET /v1/state?beta=false: not driven",
                "GET /v1/elsewhere/{id}: not driven",
            ]
        );
        assert_eq!(coverage.driven(), 3);
        let missing = vec!["POST /v1/things: TooMany".to_owned()];
        let errors = coverage.errors(&mut overlay.not_provoked);
        assert_eq!(errors, Errors { met: 1, excused: Vec::new(), missing });
        assert_eq!(errors.documented(), 2);
        assert_eq!(coverage.that_document("TooMany").collect::<Vec<_>>(), [("POST", "/v1/things")]);
    }

    #[test]
    fn what_is_not_emulated_yet_waits() {
        let specs = specs();
        let coverage = Coverage::new(&specs, [("POST", "/v1/things")]);
        let waits = |operation: &str| coverage.waits_for(&specs, &|name| name == operation);
        assert!(waits("GET /v1/state?beta=true"));
        assert!(!waits("POST /v1/things"));
        assert!(!waits("GET /v1/nowhere"));
    }
}
