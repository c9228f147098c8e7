//! What Microsoft's OpenAPI documents (Swagger 2.0) say of Fabric's operations.

mod bundle;
mod documents;
mod names;
mod operation;
mod route;
mod schemas;

use std::cmp::Reverse;

pub(crate) use documents::Documents;
pub(crate) use operation::{Operation, Response, Typed};
pub(crate) use route::{Arguments, Target, Template};
pub(crate) use schemas::Schemas;

use bundle::Bundle;

/// The operations of all documents, and their schemas.
pub(crate) struct Specs {
    pub(crate) operations: Vec<Operation>,
    pub(crate) schemas: Schemas,
}

/// An operation, found by a request to it.
pub(crate) struct Match<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) arguments: Arguments<'a>,
}

/// Collections of items whose documents not every checkout has.
const OPTIONAL: &[&str] = &[
    "cosmosDbDatabases",
    "dashboards",
    "datamarts",
    "digitalTwinBuilderFlows",
    "digitaltwinbuilders",
    "graphQuerySets",
    "maps",
    "mirroredWarehouses",
    "mlModels",
];

/// The part of the interface that the path is in, if not every checkout has its documents: the administrators', or one
/// of those collections.
fn optional_part(path: &str) -> Option<&'static str> {
    if path.starts_with("/v1/admin/") {
        return Some("admin");
    }
    let collection = path.strip_prefix("/v1/workspaces/")?.split('/').nth(1)?;
    OPTIONAL.iter().copied().find(|known| known.eq_ignore_ascii_case(collection))
}

impl Specs {
    /// # Errors
    /// When a document refers to what is not there, or is no Swagger.
    pub(crate) fn new(documents: &Documents) -> anyhow::Result<Self> {
        let bundle = Bundle::new(documents)?;
        let mut schemas = Schemas::new(bundle.document()?)?;
        let mut operations = Vec::new();
        for (file, document) in documents.swagger() {
            let base = document["basePath"].as_str().unwrap_or_default();
            for (key, methods) in document["paths"].as_object().into_iter().flatten() {
                for (method, described) in methods.as_object().into_iter().flatten() {
                    let place = (file, base, key.as_str(), method.as_str());
                    operations.push(Operation::read(&bundle, &mut schemas, place, described)?);
                }
            }
        }
        Ok(Self { operations, schemas })
    }

    /// Whether a document describes the operation, or one that is not here.
    pub(crate) fn may_know(&self, method: &str, target: &str) -> bool {
        let target = Target::new(target);
        self.find(method, &target).is_some() || self.leaves_out(target.path)
    }

    /// Whether the path is in a part of the interface of which the checkout has no document.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let Some(part) = optional_part(path) else { return false };
        !self.operations.iter().any(|operation| optional_part(&operation.path) == Some(part))
    }

    /// The operation that a request means: the most literal path, and of several with it the one whose query is there.
    pub(crate) fn find(&self, method: &str, target: &Target<'_>) -> Option<Match<'_>> {
        let of_method =
            self.operations.iter().filter(|operation| operation.method.eq_ignore_ascii_case(method));
        let matching = of_method.filter_map(|operation| {
            let arguments = operation.template.matches(target.path)?;
            Some(Match { operation, arguments })
        });
        matching.min_by_key(|Match { operation, .. }| {
            let selected = target.has(&operation.selector);
            (operation.template.rank(), !selected, Reverse(operation.selector.len()))
        })
    }
}
