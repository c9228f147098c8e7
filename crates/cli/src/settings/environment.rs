//! The variables of a run: the process's environment, and `.env` beneath it.

use std::{collections::BTreeMap, path::Path};

use anyhow::bail;
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_secrets::env_file::{self, Variable};

use super::{OTHER_SECRETS, SECRET_VARIABLES, may_be_secret};

/// What is said to this process alone, such as by a CI system to the step of a job. It does not concern the project, so `.env` has no say.
/// An empty one is none.
pub(crate) fn of_the_process(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the settings read the environment for everybody")]
    let value = std::env::var(name).ok();
    value.filter(|value| !value.is_empty())
}

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
    file: BTreeMap<String, Variable>,
    /// What beats everything; `None` hides a variable.
    over: BTreeMap<String, Option<String>>,
    /// What holds where nothing else is set.
    under: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the process's environment and `.env` in `root`.
    ///
    /// # Errors
    /// `.env` is there and cannot be read or parsed, or makes a secret part of what is none.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let process = std::env::vars_os()
            // What is not Unicode stays visible as such: the setting that it is meant for will refuse it.
            .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
            .collect();
        Self::of_file(process, &root.join(".env"))
    }

    /// The process's environment, and the file at `path` beneath it.
    fn of_file(process: BTreeMap<String, String>, path: &Path) -> anyhow::Result<Self> {
        let file = env_file::read(path)?;
        let is_ours = |name: &String| process.get(name).is_some_and(|value| !value.is_empty());
        for (name, Variable { line, refers_to, .. }) in &file {
            // What is made of a secret is one, also where nobody would take it for one: it would be sent and shown as a setting is.
            let mut secrets = refers_to.iter().filter(|secret| may_be_secret(secret) && is_ours(secret));
            if let Some(secret) = secrets.next().filter(|_| !may_be_secret(name)) {
                bail!(
                    "{}: line {line}: `{name}` is made of `${{{secret}}}` of the environment, a secret, and would not be kept as one",
                    path.display()
                );
            }
        }
        Ok(Self { process, file, ..Self::default() })
    }

    /// The variable `name`, the process's before that of `.env`.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.find(name).map(|(value, _)| value.to_owned())
    }

    /// The variable `name`. An empty one is none: CI systems set those for what they lack.
    pub(crate) fn set(&self, name: &str) -> Option<&str> {
        self.find(name).map(|(value, _)| value).filter(|value| !value.is_empty())
    }

    /// What a CI system handed to this job, by the name of its variable. `.env` has no say: by the one variable of such a pair it could have
    /// the token of the other sent anywhere.
    pub(crate) fn of_job(&self, name: &str) -> Option<&str> {
        let given = self.only(Origin::Environment).find(|(given, _)| *given == name);
        given.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// The same as a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.set(name).map(SecretString::from)
    }

    /// The secrets that were set anywhere, also where another beats them.
    pub(crate) fn secrets(&self) -> Vec<(&'static str, SecretString)> {
        let given = |name: &'static str| {
            let over = self.over.get(name).and_then(Option::as_ref);
            let file = self.file.get(name).map(|variable| variable.value.expose_secret());
            let ours = [over, self.process.get(name), self.under.get(name)];
            let all = ours.into_iter().flatten().map(String::as_str).chain(file);
            all.filter(|value| !value.is_empty()).map(move |value| (name, value.into()))
        };
        SECRET_VARIABLES.into_iter().chain(OTHER_SECRETS).flat_map(given).collect()
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
        let file = || Some((self.file.get(name)?.value.expose_secret(), Origin::EnvFile));
        process.or_else(file)
    }

    /// The names that begin with `prefix`, each once.
    pub(crate) fn names(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let names: std::collections::BTreeSet<&str> =
            self.process.keys().chain(self.file.keys()).map(String::as_str).collect();
        names.into_iter().filter(move |name| name.starts_with(prefix))
    }

    /// What `.env` sets, but for what is beaten from above.
    pub(crate) fn file(&self) -> BTreeMap<String, Variable> {
        let mut file = self.file.clone();
        file.retain(|name, _| !self.over.contains_key(name));
        file
    }

    /// One of the two sources alone.
    pub(crate) fn only(&self, origin: Origin) -> impl Iterator<Item = (&str, &str)> {
        let process = (origin == Origin::Environment).then_some(&self.process).into_iter().flatten();
        let process = process.map(|(name, value)| (name.as_str(), value.as_str()));
        let file = (origin == Origin::EnvFile).then_some(&self.file).into_iter().flatten();
        let file = file.map(|(name, variable)| (name.as_str(), variable.value.expose_secret()));
        let given = process.chain(file).filter(|(name, _)| !self.over.contains_key(*name));
        let over = self.over.iter().filter(move |_| origin == Origin::Local);
        given.chain(over.filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?))))
    }

    #[cfg(test)]
    pub(crate) fn of(process: &[(&str, &str)], file: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variable = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), Variable { value: (*value).into(), line: 1, refers_to: Vec::new() })
        };
        let (process, file) = (process.iter().map(owned), file.iter().map(variable));
        Self { process: process.collect(), file: file.collect(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            [environment.of_job("A"), environment.of_job("B"), environment.of_job("EMPTY")],
            [Some("real"), None, None]
        );
    }

    #[test]
    fn a_secret_becomes_part_of_nothing_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (line, fine) in [
            ("ORG=${GITHUB_TOKEN}", false),
            ("OTEL_EXPORTER_OTLP_ENDPOINT=\"https://x.example/${AZURE_CLIENT_SECRET}\"", false),
            ("DIR=${SYSTEM_ACCESSTOKEN}", false),
            ("AZURE_CLIENT_SECRET=${OUR_CLIENT_SECRET}", true),
            ("ORG=${TEAM}", true),
            ("ORG='${GITHUB_TOKEN}'", true),
        ] {
            let path = folder.path().join(".env");
            std::fs::write(&path, format!("# one\n{line}\n")).unwrap();
            // What the file itself says is its own.
            assert!(Environment::of_file(BTreeMap::new(), &path).is_ok(), "{line}");
            let names =
                ["GITHUB_TOKEN", "AZURE_CLIENT_SECRET", "SYSTEM_ACCESSTOKEN", "OUR_CLIENT_SECRET", "TEAM"];
            let process = names.map(|name| (name.to_owned(), "x".to_owned())).into();
            let read = Environment::of_file(process, &path);
            assert_eq!(read.is_ok(), fine, "{line}");
            assert!(read.err().is_none_or(|error| error.to_string().contains(".env: line 2: `")), "{line}");
        }
    }

    #[test]
    fn a_file_that_makes_no_sense_is_told_with_its_line_and_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let read = || Environment::read(folder.path());
        assert!(read().unwrap().file().is_empty());
        std::fs::write(&path, "A=1\nA=2 # two\nTOPSECRET\n").unwrap();
        let error = format!("{:#}", read().err().unwrap());
        let told = format!("parse {}: line 3: expected `NAME=value`", path.display());
        assert!(error.starts_with(&told), "{error}");
        assert!(!error.contains("TOPSECRET"), "{error}");
        std::fs::write(&path, "\u{feff}A=1\nA=2 # two\n").unwrap();
        let read = read().unwrap();
        assert_eq!(read.only(Origin::EnvFile).collect::<Vec<_>>(), [("A", "2")]);
    }
}
