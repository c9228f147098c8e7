//! A request: its path, its query, its body.

use serde_json::Value;

use super::{Finding, Kind, Side, Violation, text};
use crate::spec::{Match, Operation, Specs, Target};

impl Specs {
    /// What is wrong with a request, by the documents alone. `target` is path and query as sent.
    ///
    /// # Errors
    /// When a schema cannot be compiled.
    pub(crate) fn check_request(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> anyhow::Result<Vec<Violation>> {
        let target = Target::new(target);
        let Some(Match { operation, arguments }) = self.find(method, &target) else {
            return Ok(self.no_operation(method, target.path, Side::Request));
        };
        let mut found = Vec::new();
        for parameter in operation.parameters.iter().filter(|parameter| parameter.in_path) {
            if let Some((name, value)) = arguments.iter().find(|(name, _)| *name == parameter.name) {
                found.extend(text(&self.schemas, &parameter.typed, &format!("path:{name}"), value)?);
            }
        }
        found.extend(self.check_query(operation, &target)?);
        found.extend(self.check_body(operation, body)?);
        Ok(Self::violations(&operation.name(), Side::Request, found))
    }

    fn check_query(&self, operation: &Operation, target: &Target<'_>) -> anyhow::Result<Vec<Finding>> {
        let documented = || operation.parameters.iter().filter(|parameter| !parameter.in_path);
        let mut found = Vec::new();
        for (n, (name, value)) in target.query.iter().enumerate() {
            let at = format!("query:{name}");
            if target.query[..n].iter().any(|(earlier, _)| earlier == name) {
                found.push(Finding::new(&at, Kind::Limit, "is there twice"));
            }
            match documented().find(|parameter| parameter.name == *name) {
                Some(parameter) => found.extend(text(&self.schemas, &parameter.typed, &at, value)?),
                None => {
                    let message = "the operation has no such parameter";
                    found.push(Finding::new(at, Kind::UnknownProperty, message).about(name));
                }
            }
        }
        for parameter in documented().filter(|parameter| parameter.required) {
            if !target.query.iter().any(|(name, _)| *name == parameter.name) {
                let at = format!("query:{}", parameter.name);
                found.push(Finding::new(at, Kind::Missing, "is required"));
            }
        }
        for (name, value) in &operation.selector {
            let given = target.query.iter().find(|(given, _)| given == name);
            if given.is_some_and(|(_, given)| given != value) {
                let message = format!("there is such an operation for {name}={value} only");
                found.push(Finding::new(format!("query:{name}"), Kind::Value, message));
            }
        }
        Ok(found)
    }

    fn check_body(&self, operation: &Operation, body: &[u8]) -> anyhow::Result<Vec<Finding>> {
        let one = |message: &str| Ok(vec![Finding::new("", Kind::Body, message)]);
        match &operation.body {
            _ if operation.takes_files => Ok(Vec::new()),
            None if body.is_empty() => Ok(Vec::new()),
            None => one("the operation takes no body"),
            Some(documented) if body.is_empty() => {
                if documented.required {
                    one("a body is required")
                } else {
                    Ok(Vec::new())
                }
            }
            Some(documented) => match serde_json::from_slice::<Value>(body) {
                Ok(value) => self.schemas.check(documented.schema, &value),
                Err(error) => one(&format!("is not JSON: {error}")),
            },
        }
    }
}
