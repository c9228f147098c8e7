//! What a connection leads to: a type, a way of making it, and parameters.

use serde::Deserialize;
use serde_json::Value;

use super::super::{ApiError, same_name};
use super::types::{ConnectionType, connection_type};

/// `connectionDetails` of a create.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DetailsInput {
    r#type: String,
    creation_method: Option<String>,
    #[serde(default)]
    parameters: Vec<ParameterInput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParameterInput {
    name: String,
    data_type: Option<String>,
    #[serde(default)]
    value: Value,
}

impl DetailsInput {
    /// The type, and the path under which the connection is shown: the values of the parameters, in the type's order.
    /// The service writes `server;database`; that it does so for every type is a guess.
    pub(super) fn read(&self) -> Result<(&'static ConnectionType, String), ApiError> {
        let kind = connection_type(&self.r#type)
            .ok_or_else(|| invalid(format!("`{}` is not a supported type of connection", self.r#type)))?;
        let method =
            self.creation_method.as_deref().ok_or_else(|| invalid("The creationMethod is missing"))?;
        if !same_name(method, kind.method) {
            return Err(invalid(format!("{} has no creation method `{method}`", kind.name)));
        }
        for given in &self.parameters {
            if !kind.parameters.iter().any(|known| same_name(known.name, &given.name)) {
                return Err(invalid(format!("{method} has no parameter `{}`", given.name)));
            }
            if given.data_type.as_deref().is_some_and(|kind| kind != "Text") || !given.value.is_string() {
                return Err(invalid(format!("The parameter `{}` is not of the data type Text", given.name)));
            }
        }
        let mut values = Vec::new();
        for known in kind.parameters {
            let given = self.parameters.iter().find(|given| same_name(known.name, &given.name));
            match given.and_then(|given| given.value.as_str()).filter(|value| !value.is_empty()) {
                Some(value) => values.push(value),
                None if known.required => {
                    return Err(invalid(format!("The parameter `{}` is missing", known.name)));
                }
                None => {}
            }
        }
        let path = match (values.is_empty(), kind.name) {
            (false, _) => values.join(";"),
            (true, "GitHubSourceControl") => "https://github.com".to_owned(),
            (true, name) => name.to_owned(),
        };
        Ok((kind, path))
    }
}

fn invalid(why: impl Into<String>) -> ApiError {
    ApiError::new(400, "InvalidConnectionDetails", "The ConnectionDetails input provided is not valid")
        .because("InvalidParameter", why)
}
