//! The variables of a run: the process's environment, and `.env` beneath it.

use std::{collections::BTreeMap, path::Path};

use secrecy::SecretString;

use super::{SECRET_VARIABLES, env_file};

/// Where a value was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// Nowhere: the shipped default.
    Default,
    /// In `.env` at the project root.
    #[serde(rename = ".env")]
    EnvFile,
    /// In the process's environment.
    Environment,
    /// By `--local`.
    #[serde(rename = "--local")]
    Local,
}

impl Origin {
    /// The name shown to people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Origin::Default => "default",
            Origin::EnvFile => ".env",
            Origin::Environment => "environment",
            Origin::Local => "--local",
        }
    }
}

/// All variables, read once. It holds secrets and therefore has no `Debug`.
#[derive(Default)]
pub(crate) struct Environment {
    process: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    /// What beats everything; `None` hides a variable.
    over: BTreeMap<String, Option<String>>,
    /// What holds where nothing else is set.
    under: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the process's environment and `.env` in `root`.
    ///
    /// # Errors
    /// `.env` is there and cannot be read or parsed.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let process = std::env::vars_os()
            // What is not Unicode stays visible as such: the setting that it is meant for will refuse it.
            .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
            .collect();
        Ok(Self { process, file: env_file::read(&root.join(".env"))?, ..Self::default() })
    }

    /// The variable `name`, the process's before that of `.env`.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.find(name).map(|(value, _)| value.to_owned())
    }

    /// The variable `name` as a secret. An empty one is none: CI systems set those for secrets that they lack.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.find(name).filter(|(value, _)| !value.is_empty()).map(|(value, _)| value.into())
    }

    /// The secrets that were set anywhere, also where another beats them.
    pub(crate) fn secrets(&self) -> Vec<(&'static str, SecretString)> {
        let given = |name: &'static str| {
            let over = self.over.get(name).and_then(Option::as_ref);
            let all = [over, self.process.get(name), self.file.get(name), self.under.get(name)];
            all.into_iter().flatten().map(move |value| (name, value))
        };
        let set = SECRET_VARIABLES.into_iter().flat_map(given).filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| (name, value.as_str().into())).collect()
    }

    /// The same variables with others above and beneath them all, for `--local`.
    #[cfg(feature = "emulator")]
    pub(crate) fn local(
        mut self,
        over: impl IntoIterator<Item = (&'static str, Option<String>)>,
        under: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        self.over.extend(over.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.under.extend(under.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// The variable `name` and where it was set.
    pub(crate) fn find(&self, name: &str) -> Option<(&str, Origin)> {
        if let Some(over) = self.over.get(name) {
            return over.as_deref().map(|value| (value, Origin::Local));
        }
        let under = || Some((self.under.get(name)?.as_str(), Origin::Local));
        self.given(name).or_else(under)
    }

    fn given(&self, name: &str) -> Option<(&str, Origin)> {
        let process = self.process.get(name).map(|value| (value.as_str(), Origin::Environment));
        process.or_else(|| self.file.get(name).map(|value| (value.as_str(), Origin::EnvFile)))
    }

    /// The names that begin with `prefix`, each once.
    pub(crate) fn names(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let names: std::collections::BTreeSet<&str> =
            self.process.keys().chain(self.file.keys()).map(String::as_str).collect();
        names.into_iter().filter(move |name| name.starts_with(prefix))
    }

    /// The names set in `.env`.
    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        self.file.keys().map(String::as_str)
    }

    /// One of the two sources alone.
    pub(crate) fn only(&self, origin: Origin) -> impl Iterator<Item = (&str, &str)> {
        let variables = match origin {
            Origin::Environment => Some(&self.process),
            Origin::EnvFile => Some(&self.file),
            Origin::Default | Origin::Local => None,
        };
        let given = variables.into_iter().flatten().filter(|(name, _)| !self.over.contains_key(*name));
        let over = self.over.iter().filter(move |_| origin == Origin::Local);
        let over = over.filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
        given.map(|(name, value)| (name.as_str(), value.as_str())).chain(over)
    }

    #[cfg(test)]
    pub(crate) fn of(process: &[(&str, &str)], file: &[(&str, &str)]) -> Self {
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Self { process: owned(process), file: owned(file), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn the_real_environment_wins() {
        let environment = Environment::of(&[("A", "real"), ("EMPTY", "")], &[("A", "file"), ("B", "file")]);
        assert_eq!(environment.find("A"), Some(("real", Origin::Environment)));
        assert_eq!(environment.find("B"), Some(("file", Origin::EnvFile)));
        assert_eq!(environment.variable("C"), None);
        assert_eq!(environment.names("").collect::<Vec<_>>(), ["A", "B", "EMPTY"]);
        assert_eq!(environment.secret("B").unwrap().expose_secret(), "file");
        assert!(environment.secret("EMPTY").is_none());
    }
}
