//! The process's environment as a store. The one place of all libraries that reads it.

use crate::{
    ErrorKind, Secret, SecretError, SecretName, SecretProperties, SecretStore, Source,
    error::{Place, Tried},
};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, ffi::OsString, fmt};

/// Variables of the process, or given ones.
///
/// A secret is looked for as `AZURE_CLIENT_SECRET`, then as `azure-client-secret`, which some platforms set. An empty
/// variable is none: CI systems set those for secrets that they lack.
pub struct Environment(Option<BTreeMap<String, SecretString>>);

impl Environment {
    /// The process's environment, read each time that it is asked.
    #[must_use]
    pub fn process() -> Self {
        Self(None)
    }

    /// These variables, and nothing of the process's.
    #[must_use]
    pub fn of(variables: impl IntoIterator<Item = (String, SecretString)>) -> Self {
        Self(Some(variables.into_iter().collect()))
    }

    fn variable(&self, name: &str) -> Option<Result<SecretString, OsString>> {
        let found = match &self.0 {
            Some(variables) => Ok(variables.get(name)?.clone()),
            None => process(name)?.into_string().map(Into::into),
        };
        match &found {
            Ok(value) if value.expose_secret().is_empty() => None,
            _ => Some(found),
        }
    }

    fn names(&self) -> Vec<String> {
        match &self.0 {
            Some(variables) => variables.keys().cloned().collect(),
            None => process_names(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment as a store of secrets")]
fn process(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn process_names() -> Vec<String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
}

fn place() -> Place {
    Place::Other("the environment".to_owned())
}

#[async_trait::async_trait]
impl SecretStore for Environment {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        for variable in name.spellings() {
            return match self.variable(&variable) {
                None => continue,
                Some(Ok(value)) => Ok(Secret::new(value, Source::Environment { variable })),
                Some(Err(_)) => Err(SecretError::new(Tried::Get, Some(name), place(), ErrorKind::Unreadable)),
            };
        }
        Err(SecretError::new(Tried::Get, Some(name), place(), ErrorKind::NotFound))
    }

    async fn set(&self, name: &SecretName, _: SecretString) -> Result<Source, SecretError> {
        Err(SecretError::new(Tried::Set, Some(name), place(), ErrorKind::ReadOnly))
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        let names = self.names().into_iter();
        let set = names.filter(|name| self.variable(name).is_some());
        Ok(set
            .map(|name| SecretProperties::new(name.clone(), Source::Environment { variable: name }))
            .collect())
    }

    fn refresh(&self) {}
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("process", &self.0.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_has_two_spellings_and_empty_is_none() {
        let store = Environment::of(
            [("A_B", "upper"), ("c-d", "kebab"), ("EMPTY", ""), ("empty", "lower")]
                .map(|(name, value)| (name.to_owned(), value.into())),
        );
        for (name, expected) in
            [("a-b", Some("upper")), ("A_B", Some("upper")), ("C_D", Some("kebab")), ("empty", Some("lower"))]
        {
            let secret = store.get(&name.parse().unwrap()).await.ok();
            assert_eq!(secret.as_ref().map(|secret| secret.value.expose_secret()), expected, "{name}");
        }
        let error = store.get(&"missing".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotFound);
        assert_eq!(error.to_string(), "get secret `missing` from the environment: there is no such secret");
        assert_eq!(error.help().unwrap(), "set MISSING, in .env or the environment");
        let listed: Vec<_> = store.list().await.unwrap().into_iter().map(|it| it.name).collect();
        assert_eq!(listed, ["A_B", "c-d", "empty"]);
        assert_eq!(format!("{store:?}"), "Environment { process: false, .. }");
    }

    #[tokio::test]
    async fn the_process_has_an_environment() {
        let store = Environment::process();
        // Set by cargo for every test.
        let secret = store.get(&"CARGO_PKG_NAME".parse().unwrap()).await.unwrap();
        assert_eq!(secret.value.expose_secret(), "selvedge-secrets");
        assert_eq!(secret.source, Source::Environment { variable: "CARGO_PKG_NAME".into() });
        assert!(store.list().await.unwrap().iter().any(|it| it.name == "CARGO_PKG_NAME"));
    }
}
