//! A store that follows a script, and a vault, for the tests of this crate.

pub(crate) mod vault;

use crate::{
    ErrorKind, Secret, SecretError, SecretName, SecretProperties, SecretStore, Source,
    error::{Place, Tried},
};
use secrecy::SecretString;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// What a [`Fake`] answers.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Value(&'static str),
    /// A value that ends after that long.
    Ends(&'static str, Duration),
    Error(ErrorKind),
}

/// Answers everything alike, after a while, and counts what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Fake(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    says: Says,
    after: Duration,
    asked: Vec<String>,
}

impl Fake {
    pub(crate) fn new(says: Says) -> Self {
        Self(Arc::new(Mutex::new(State { says, after: Duration::ZERO, asked: Vec::new() })))
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        self.0.lock().unwrap().after = after;
        self
    }

    pub(crate) fn says(&self, says: Says) {
        self.0.lock().unwrap().says = says;
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }
}

#[async_trait::async_trait]
impl SecretStore for Fake {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let (says, after) = {
            let mut state = self.0.lock().unwrap();
            state.asked.push(name.to_string());
            (state.says.clone(), state.after)
        };
        tokio::time::sleep(after).await;
        let source = Source::KeyVault { vault: "v".into(), version: "1".into() };
        match says {
            Says::Value(value) => Ok(Secret::new(value.into(), source)),
            Says::Ends(value, valid_for) => {
                Ok(Secret { valid_for: Some(valid_for), ..Secret::new(value.into(), source) })
            }
            Says::Error(kind) => {
                Err(SecretError::new(Tried::Get, Some(name), Place::KeyVault("v".into()), kind))
            }
        }
    }

    async fn set(&self, _: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        use secrecy::ExposeSecret as _;
        self.says(Says::Value(value.expose_secret().to_owned().leak()));
        Ok(Source::KeyVault { vault: "v".into(), version: "2".into() })
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        Ok(Vec::new())
    }

    fn refresh(&self) {}
}
